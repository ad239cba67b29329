//go:build !linux

package cli

import "io/fs"

// identify says what tells a file from another one, and from what it was.
func identify(info fs.FileInfo) fileIdentity {
	return fileIdentity{Size: info.Size(), Modified: info.ModTime().UnixNano()}
}
