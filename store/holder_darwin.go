package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

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

// lookUp says whether a process has this number, and when it began; one that may not be signalled lives.
func lookUp(pid int) (lives bool, start string) {
	if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
		return false, ""
	}
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return true, ""
	}
	const zombie = 5 // SZOMB of <sys/proc.h>
	if info.Proc.P_stat == zombie {
		return false, ""
	}
	t := info.Proc.P_starttime
	return true, fmt.Sprintf("%d.%06d", t.Sec, t.Usec)
}

// changeTime is when a file was last written, renamed or put in another's place.
func changeTime(fi os.FileInfo) time.Time {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctimespec.Unix())
	}
	return fi.ModTime()
}
