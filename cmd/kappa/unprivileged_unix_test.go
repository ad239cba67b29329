//go:build unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// nobody is a user without rights on systems of this kind.
const nobody = 65534

// unprivileged runs a program as a user whom permissions bind: they do not bind root. The program must end with the
// exit code; its output is checked as usual.
func unprivileged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: unprivileged CODE PROGRAM ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "KAPPA_DB", "KAPPA_DATA", "TESTSCRIPT_COMMAND"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		openTo(ts, filepath.Dir(path))
		openTo(ts, ts.Getenv("WORK"))
		ts.Check(os.Chmod(ts.Getenv("TMPDIR"), 0o777))
	}
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	err = cmd.Run()
	got := cmd.ProcessState.ExitCode()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		ts.Fatalf("%s: %v", args[1], err)
	} else if got != want {
		ts.Fatalf("%s ended with exit code %d (%v), want %d", strings.Join(args[1:], " "), got, exit, want)
	}
}

// openTo lets other users pass through a temporary folder and those above it.
func openTo(ts *testscript.TestScript, dir string) {
	for ; dir != filepath.Dir(dir) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		ts.Check(err)
		if err := os.Chmod(dir, info.Mode().Perm()|0o055); err != nil && !errors.Is(err, fs.ErrPermission) {
			ts.Check(err)
		}
	}
}
