package cli

import (
	"io/fs"
	"syscall"
)

// identify says what tells a file from another one, and from what it was.
func identify(info fs.FileInfo) fileIdentity {
	id := fileIdentity{Size: info.Size(), Modified: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		id.Changed, id.Inode = st.Ctim.Nano(), st.Ino
	}
	return id
}
