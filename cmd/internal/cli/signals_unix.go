//go:build unix

package cli

import (
	"os/signal"
	"syscall"
)

// heedSizeLimit lets a write beyond the process's limit of file sizes fail like one to a full disk; else it would kill the process.
func heedSizeLimit() { signal.Ignore(syscall.SIGXFSZ) }
