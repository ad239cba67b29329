package store

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func processNamespace() string {
	s, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return s
}

// processLives says whether a process has this number; one that may not be signalled lives.
func processLives(pid int) bool { return !errors.Is(unix.Kill(pid, 0), unix.ESRCH) }
