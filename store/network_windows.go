package store

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// fileSystem names the network file system that a folder lies on; "" for a local one.
func fileSystem(dir string) (string, error) {
	root := filepath.VolumeName(dir)
	if len(root) > 2 && (root[0] == '\\' || root[0] == '/') {
		return "a share", nil
	}
	p, err := windows.UTF16PtrFromString(root + `\`)
	if err != nil {
		return "", err
	}
	if windows.GetDriveType(p) == windows.DRIVE_REMOTE {
		return "a remote drive", nil
	}
	return "", nil
}
