//go:build !linux && !darwin && !freebsd && !windows

package fetch

import "os"

// lockFile does nothing: no lock is known to work on this system.
func lockFile(*os.File) error { return nil }

// freeBytes knows nothing on this system.
func freeBytes(*os.File) (int64, bool) { return 0, false }

// diskFull does not know this system's errors.
func diskFull(error) bool { return false }
