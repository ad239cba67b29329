package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

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

// lookUp says whether a process has this number, and when it began, in clock ticks since the boot; one that may not be signalled lives.
// One that has ended keeps its number until its parent has asked how, which in a container without an init of its own is never: it does
// not live.
func lookUp(pid int) (lives bool, start string) {
	if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
		return false, ""
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // "PID (name) S …"; the name may hold anything, parentheses too
	if err != nil {
		return true, ""
	}
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const state, began = 0, 19 // fields 3 and 22 of proc_pid_stat(5)
	if len(f) <= began {
		return true, ""
	}
	return f[state][0] != 'Z' && f[state][0] != 'X', string(f[began])
}

// changeTime is when a file was last written, renamed or put in another's place.
func changeTime(fi os.FileInfo) time.Time {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctim.Unix())
	}
	return fi.ModTime()
}
