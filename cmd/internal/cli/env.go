package cli

import (
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/term"
)

// Env is what a command sees of the process around it.
type Env struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(string) string
	Getwd  func() (string, error)
	Now    func() time.Time
	CPU    func() time.Duration // CPU time that the process has used; nil: not known
	Memory func() int64         // of the machine that the process may have, in bytes; 0 or nil: not known
	// Resident is what the process takes of it; nil: not known.
	Resident func() int64
	Argv     []string // the whole command line, for the record
	// Interrupts returns a channel on which requests to stop arrive, and a function that gives them back to the system,
	// after which the next one kills the process. Nil: there are none.
	Interrupts func() (<-chan os.Signal, func())
}

// System returns the process's own surroundings.
func System() Env {
	heedSizeLimit()
	return Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, Getwd: os.Getwd, Now: time.Now, CPU: cpuTime, Argv: os.Args,
		Memory: machineMemory, Resident: residentMemory,
		Interrupts: func() (<-chan os.Signal, func()) {
			c := make(chan os.Signal, 1)
			signals := []os.Signal{os.Interrupt}
			if runtime.GOOS != "windows" { // which never sends the others
				signals = append(signals, syscall.SIGTERM)
				if !signal.Ignored(syscall.SIGHUP) { // as under nohup
					signals = append(signals, syscall.SIGHUP)
				}
			}
			signal.Notify(c, signals...)
			return c, func() { signal.Stop(c) }
		},
	}
}

// isTerminal says whether a terminal is behind w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalWidth returns the columns of the terminal behind w, 0 if there is none or it does not know its size, as where a
// program made it and nobody looks.
func terminalWidth(w io.Writer) int {
	if !isTerminal(w) {
		return 0
	}
	width, _, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil {
		return 0
	}
	return max(width, 0)
}
