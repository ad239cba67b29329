package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// makeFolder makes the folder of the database, and keeps a folder of our own out of git.
func (db *DB) makeFolder() error {
	fi, err := os.Stat(db.path)
	if err == nil && fi.IsDir() {
		return db.isFolder()
	}
	dir := db.Dir()
	if err := makeFolders(dir); err != nil {
		return &Error{Path: db.path, Op: "make the folder of the database", Err: err}
	}
	if filepath.Base(dir) != ".kappa" {
		return nil
	}
	ignore := filepath.Join(dir, ".gitignore")
	f, err := os.OpenFile(ignore, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		_, err = f.WriteString("*\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return &Error{Path: db.path, Op: "write " + ignore, Err: err, Hint: "is the folder writable?"}
	}
	return nil
}

// makeFolders is os.MkdirAll whose folders outlast a power cut: what is synced in one is of no use where its own name is lost.
func makeFolders(dir string) error {
	if fi, err := os.Stat(dir); err == nil && fi.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeFolders(parent); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return syncFolder(parent)
}

// syncFolder makes a rename in dir last. Not every system can sync a folder; where it cannot, there is nothing to do.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	_ = d.Sync()
	return d.Close()
}
