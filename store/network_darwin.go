package store

import (
	"strings"

	"golang.org/x/sys/unix"
)

// fileSystem names the network file system that a folder lies on; "" for a local one.
func fileSystem(dir string) (string, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return "", err
	}
	name := unix.ByteSliceToString(s.Fstypename[:])
	for _, known := range []string{"nfs", "smbfs", "afpfs", "webdav", "ftp", "cifs", "afs", "fuse", "lustre", "ceph"} {
		if strings.Contains(strings.ToLower(name), known) {
			return name, nil
		}
	}
	if s.Flags&unix.MNT_LOCAL == 0 {
		return name, nil
	}
	return "", nil
}
