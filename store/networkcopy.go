package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The copy of the notebook that a process works on: made, brought up to date when the notebook was replaced, and put in its place.

// copyNotebook copies a notebook that is only ever replaced, and the write-ahead log of one that was written in place before. One that
// is replaced meanwhile by another machine may be gone under the reader's hands: it is then copied again.
func copyNotebook(from, to string) (fi fs.FileInfo, err error) {
	for range 3 {
		if fi, err = copyOver(from, to); err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			break
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := copyOver(from+"-wal", to+"-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return fi, nil
}

func copyOver(from, to string) (fs.FileInfo, error) {
	in, err := os.Open(from)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	fi, err := in.Stat()
	if err != nil {
		return nil, err
	}
	out, err := os.Create(to)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(out, in)
	return fi, errors.Join(err, out.Close())
}

// statOpen is os.Stat of a file that it opens: so a network file system asks the server, and not what it remembers.
func statOpen(path string) (fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return f.Stat()
}

// unchanged says whether the notebook is the one that the copy was made of.
func (n *network) unchanged() (bool, error) {
	fi, err := statOpen(n.main)
	if errors.Is(err, fs.ErrNotExist) {
		return n.base == nil, nil
	}
	return err == nil && n.base != nil && os.SameFile(fi, n.base) && fi.Size() == n.base.Size() && fi.ModTime().Equal(n.base.ModTime()), err
}

// takeNotebook takes a notebook that has been replaced since the copy was made, and says whether it has been.
func (n *network) takeNotebook(ctx context.Context, db *DB) (bool, error) {
	if same, err := n.unchanged(); err != nil || same {
		return false, nil
	}
	dir, err := os.MkdirTemp("", "kappa-network-*")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	copied := filepath.Join(dir, "runs.db")
	base, err := copyNotebook(n.main, copied)
	if err != nil {
		return false, db.fault("read the notebook", err)
	}
	if base == nil {
		return false, nil
	}
	src, err := Open(ctx, copied, Options{Now: db.now, scratch: true, local: true})
	if err != nil {
		return false, err
	}
	defer func() { _ = src.Close() }()
	if _, err = db.merge(ctx, src, mergeOptions{folder: filepath.Dir(n.main), quick: true, newest: true, unsafe: true}); err != nil {
		return false, err
	}
	n.base = base
	return true, nil
}

// stamp is what the copy's files look like, to tell whether anything was written.
func (n *network) stamp(db *DB) (s string) {
	for _, name := range []string{db.path, db.path + "-wal"} {
		if fi, err := os.Stat(name); err == nil {
			s += fmt.Sprint(fi.Size(), fi.ModTime().UnixNano(), " ")
		}
	}
	return s
}

// replace makes the copy the next notebook. The lock is held.
func (n *network) replace(ctx context.Context, db *DB) (err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	tmp := filepath.Join(db.remove, "next.db")
	_ = os.Remove(tmp)
	if err := db.backup(ctx, tmp); err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp) }()
	next, err := os.Open(tmp)
	if err != nil {
		return err
	}
	defer func() { _ = next.Close() }()
	if err := n.keepOlder(db); err != nil {
		return err
	}
	err = writeFile(n.main, func(f *os.File) error {
		if _, err := io.Copy(f, next); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		// Last, for a process that was put to sleep since: what others have merged meanwhile must not be undone.
		if same, err := n.unchanged(); err != nil {
			return err
		} else if !same || !n.lock.held() {
			return &Error{Path: n.main, Op: "replace", Err: ErrLocked, Hint: "another kappa took this one for dead, and has changed it since: do it again"}
		}
		for _, log := range []string{"-wal", "-shm"} { // of a notebook that was written in place before: the copy holds it
			if err := os.Remove(n.main + log); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if n.base, err = os.Stat(n.main); err != nil {
		return err
	}
	for name := range n.taken {
		if err := os.Remove(filepath.Join(n.inbox, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	n.taken = map[string]bool{}
	if err := db.rewriteAcked(ctx, db.r); err != nil {
		db.notify("%s cannot be written, so that a loss of runs could not be told: %v", db.acked, err)
	}
	return n.clearClaims(ctx, db)
}

// keepOlder puts the copy of a notebook of an earlier schema, which was made when the copy was brought up to date, beside the notebook.
func (n *network) keepOlder(db *DB) error {
	made, err := filepath.Glob(db.path + ".v*")
	for _, name := range made {
		if err == nil {
			err = writeFile(filepath.Join(filepath.Dir(n.main), filepath.Base(n.main)+strings.TrimPrefix(name, db.path)), func(to *os.File) error {
				from, err := os.Open(name)
				if err != nil {
					return err
				}
				_, err = io.Copy(to, from)
				return errors.Join(err, from.Close())
			})
		}
		if err == nil {
			err = os.Remove(name)
		}
	}
	return err
}
