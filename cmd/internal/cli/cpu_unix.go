//go:build unix

package cli

import (
	"syscall"
	"time"
)

// cpuTime is the CPU time that this process has used, in user and system mode; 0 if the system does not say.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
