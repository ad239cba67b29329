package fetch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"kappa/runner/dataset"
)

// Folder is a data folder. It is read and written through an [os.Root]: a link that leads out of it is an error.
type Folder struct {
	root *os.Root
	dir  string

	wrap func(io.Writer) io.Writer // tests: stands between what is written and the disk; else nil
}

// Open opens the data folder dir for reading. A folder that is not there is an error that [errors.Is] fs.ErrNotExist.
func Open(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", dir, cause(err))
	}
	return &Folder{root: root, dir: dir}, nil
}

// Create opens the data folder dir, and makes it first if it is not there.
func Create(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make data folder %s: %w", dir, cause(err))
	}
	return Open(dir)
}

// Close closes the folder; what it opened stays open.
func (f *Folder) Close() error { return f.root.Close() }

// Dir is the folder's path as it was given.
func (f *Folder) Dir() string { return f.dir }

// Present says how much of a data set is in the folder, by names and sizes alone: [Folder.Verify] looks at the content. A nil
// folder holds nothing. Cost: a question to the file system for each file.
func (f *Folder) Present(p dataset.Publication) Presence {
	out := Presence{Files: len(p.Files)}
	if f == nil {
		return out
	}
	for _, file := range p.Files {
		if info := f.find(file); info != nil {
			out.Here++
			out.Bytes += info.Size()
		}
	}
	return out
}

// Presence is how much of a data set is in the folder.
type Presence struct {
	Files int   // that the data set consists of
	Here  int   // of them, in the folder
	Bytes int64 // that those take, compressed where they are
}

// Complete says whether every file is there.
func (p Presence) Complete() bool { return p.Here == p.Files }

// find returns what the file system says of a file that is there, in the place a reader takes it from; nil if there is none. A
// plain file of the wrong size is none.
func (f *Folder) find(file dataset.File) fs.FileInfo {
	for _, place := range file.Places() {
		info, err := f.root.Stat(place)
		if err == nil && info.Mode().IsRegular() && (place != file.Path || info.Size() == file.Bytes) {
			return info
		}
	}
	return nil
}

// writer is what writes to an open file of the folder.
func (f *Folder) writer(file *os.File) io.Writer {
	if f.wrap != nil {
		return f.wrap(file)
	}
	return file
}

// commit gives a finished file, written and synced under a temporary name, its own name.
func (f *Folder) commit(draft, name string) error {
	if err := f.root.Rename(draft, name); err != nil {
		return &writeError{f.path(name), cause(err)}
	}
	// The new name is on the disk when the folder is. Not every system can say so of a folder: then it is up to the system.
	if dir, err := f.root.Open(path.Dir(name)); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}

// remove removes a file; that it is not there is fine.
func (f *Folder) remove(name string) error {
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &writeError{f.path(name), cause(err)}
	}
	return nil
}

// home is the folder of a data set in the data folder.
func home(p dataset.Publication) string { return path.Dir(p.Files[0].Path) }

// sweep removes what a process that was killed left behind while it wrote files of a data set and that nobody goes on with. The
// caller holds the lock.
func (f *Folder) sweep(p dataset.Publication) {
	names := []string{manifestName(p)}
	for _, file := range p.Files {
		names = append(names, file.Places()...)
	}
	for _, name := range names {
		_ = f.root.Remove(name + temporary)
	}
}

// forget removes the part of a file, by its published name, that has come in another way meanwhile.
func (f *Folder) forget(name string) {
	_ = f.root.Remove(name + partial)
	_ = f.root.Remove(name + partialOrigin)
}

// What stands after the name of a file that is not finished.
const (
	partial       = ".part"      // what has come of it, to be gone on with
	partialOrigin = ".part.from" // of what the part is one
	temporary     = ".new"       // a copy in the making
)

// path is how messages call a file of the folder.
func (f *Folder) path(name string) string { return path.Join(f.dir, name) }

// cause strips the operation and the path that a sentence around an error names already.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err
	}
	return err
}
