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
	Argv   []string             // the whole command line, for the record
	// Interrupts returns a channel on which requests to stop arrive, and a function that gives them back to the system,
	// after which the next one kills the process. Nil: there are none.
	Interrupts func() (<-chan os.Signal, func())
}

// System returns the process's own surroundings.
func System() Env {
	return Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, Getwd: os.Getwd, Now: time.Now, CPU: cpuTime, Argv: os.Args,
		Interrupts: func() (<-chan os.Signal, func()) {
			c := make(chan os.Signal, 1)
			signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
			if runtime.GOOS == "windows" {
				signals = signals[:1] // the system never sends the other
			}
			signal.Notify(c, signals...)
			return c, func() { signal.Stop(c) }
		},
	}
}

// terminalWidth returns the columns of the terminal behind w, 0 if w is none.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}
