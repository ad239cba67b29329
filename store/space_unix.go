//go:build linux || darwin

package store

import "golang.org/x/sys/unix"

// freeSpace asks the system how much an ordinary user may still write in folder.
func freeSpace(folder string) space {
	var s unix.Statfs_t
	var st unix.Stat_t
	if unix.Statfs(folder, &s) != nil || unix.Stat(folder, &st) != nil {
		return space{}
	}
	return space{device: uint64(st.Dev), free: int64(s.Bavail) * int64(s.Bsize), ok: true}
}
