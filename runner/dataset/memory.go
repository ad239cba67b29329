package dataset

import "io/fs"

// Memory is a file system that remembers the digests of its files, so that not every command reads all of them.
type Memory interface {
	fs.FS
	// Recall returns the digest of the file that was opened under a name, as far as it is known and the file is what it was, else "".
	// keep, nil where nothing is kept, is then called with the digest and what the file is after it was read.
	Recall(name string, info fs.FileInfo) (digest string, keep func(after fs.FileInfo, digest string))
}

// recalled is the digest of a file that has just been opened: the one that its file system remembers, else that of what it holds.
func (f *file) recalled() (string, error) {
	m, ok := f.fsys.(Memory)
	if !ok {
		return f.digest()
	}
	info, err := f.source.Stat()
	if err != nil {
		return f.digest()
	}
	known, keep := m.Recall(f.path, info)
	if known != "" {
		return known, nil
	}
	sum, err := f.digest()
	if err != nil || keep == nil {
		return sum, err
	}
	if after, err := f.source.Stat(); err == nil {
		keep(after, sum)
	}
	return sum, nil
}
