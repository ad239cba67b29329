package store

import (
	"errors"

	"golang.org/x/sys/unix"
)

func bootID() string {
	s, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return s
}

func processNamespace() string { return "" }

// processLives says whether a process has this number; one that may not be signalled lives.
func processLives(pid int) bool { return !errors.Is(unix.Kill(pid, 0), unix.ESRCH) }
