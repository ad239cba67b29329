package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Vacuumed is what a database took before and after Vacuum, with its write-ahead log.
type Vacuumed struct{ Before, After int64 }

// SpaceError says that the disk has not the space that Vacuum needs; nothing was changed.
type SpaceError struct {
	Folder      string
	Needs, Free int64 // bytes
	Twice       bool  // the temporary files are on the same disk: half of Needs is for them
}

func (e *SpaceError) Error() string {
	return fmt.Sprintf("%s has %s free, and %s are needed", e.Folder, HumanBytes(e.Free), HumanBytes(e.Needs))
}

// HumanBytes writes a number of bytes with a unit.
func HumanBytes(n int64) string {
	const unit = 1000
	switch {
	case n < unit:
		return fmt.Sprintf("%d bytes", n)
	case n < unit*unit:
		return fmt.Sprintf("%.3g kB", float64(n)/unit)
	case n < unit*unit*unit:
		return fmt.Sprintf("%.3g MB", float64(n)/unit/unit)
	}
	return fmt.Sprintf("%.3g GB", float64(n)/unit/unit/unit)
}

// Vacuum rewrites the database without what was deleted, so that the disk has the space again, folds the write-ahead log into it and
// lets SQLite renew its statistics. It holds the write lock as long as that takes; *InUseError says that runs are under way, and
// *SpaceError that there is not the space: for the time being it needs as much as what the database holds twice, once beside it and once
// in the folder for temporary files. Whatever fails, the database is as it was.
func (db *DB) Vacuum(ctx context.Context) (Vacuumed, error) {
	v, err := db.vacuum(ctx)
	switch err.(type) { //nolint:errorlint // they are made here
	case *InUseError, *SpaceError:
		return v, err
	}
	return v, db.fault("vacuum", err)
}

func (db *DB) vacuum(ctx context.Context) (v Vacuumed, err error) {
	if db.w == nil {
		return v, ErrReadOnly
	}
	if err := db.idle(ctx); err != nil {
		return v, err
	}
	c, err := db.w.Conn(ctx)
	if err != nil {
		return v, err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ExecContext(ctx, "PRAGMA synchronous = full; PRAGMA temp_store = file; PRAGMA cache_size = -16384"); err != nil { // the copy may be larger than the memory
		return v, err
	}
	defer func() {
		_, _ = c.ExecContext(context.WithoutCancel(ctx), "PRAGMA temp_store = memory; PRAGMA cache_size = -65536")
	}()
	db.foldLog(ctx, c)
	v.Before = db.size()
	var pages, free, size int64
	err = c.QueryRowContext(ctx, `SELECT (SELECT page_count FROM pragma_page_count), (SELECT freelist_count FROM pragma_freelist_count),
		(SELECT page_size FROM pragma_page_size)`).Scan(&pages, &free, &size)
	if err != nil {
		return v, err
	}
	if err := enoughSpace(db.Dir(), temporaryFolder(os.Getenv), (pages-free)*size, freeSpace); err != nil {
		return v, err
	}
	for _, statement := range []string{
		"PRAGMA optimize = 0x10002", // all tables, whether or not this connection has read them
		"VACUUM",
	} {
		_, err := c.ExecContext(ctx, statement)
		if p, _ := code(err); p == codeFull && statement == "VACUUM" {
			return v, &SpaceError{Folder: db.Dir(), Needs: 2 * (pages - free) * size, Free: freeSpace(db.Dir()).free, Twice: true}
		}
		if err != nil && !(isBusy(err) && statement != "VACUUM") {
			return v, err
		}
	}
	db.foldLog(ctx, c) // a reader may put it off; the next one does it
	v.After = db.size()
	return v, nil
}

// size is what the database takes, with its write-ahead log.
func (db *DB) size() (n int64) {
	for _, name := range []string{db.path, db.path + "-wal"} {
		if fi, err := os.Stat(name); err == nil {
			n += fi.Size()
		}
	}
	return n
}

// idle fails with *InUseError where runs are under way.
func (db *DB) idle(ctx context.Context) error {
	var e InUseError
	err := each(ctx, db.r, `SELECT a.id, a.holder, a.lease, a.beat, r.key FROM attempt AS a JOIN run AS r ON r.id = a.run
		WHERE a.status = 'running' ORDER BY a.id`, nil, func(scan func(...any) error) error {
		var h hold
		var key string
		err := scan(&h.attempt, &h.holder, &h.lease, &h.beat, &key)
		if db.standing(h) {
			e.Running = append(e.Running, key)
		}
		return err
	})
	if err != nil || len(e.Running) == 0 {
		return err
	}
	return &e
}

// space says which file system a folder is on, and how many bytes are free there; ok is false where the system does not tell.
type space struct {
	device uint64
	free   int64
	ok     bool
}

// spaceMargin is what must be free besides: pages that are not full, and what others write meanwhile.
const spaceMargin = 1 << 20

// enoughSpace fails with *SpaceError where beside, the database's folder, and temporary cannot each take another n bytes; where they are
// on one file system, both.
func enoughSpace(beside, temporary string, n int64, of func(folder string) space) error {
	a, b := of(beside), of(temporary)
	n += n/50 + spaceMargin
	if a.ok && b.ok && a.device == b.device {
		if a.free < 2*n {
			return &SpaceError{Folder: beside, Needs: 2 * n, Free: a.free, Twice: true}
		}
		return nil
	}
	if a.ok && a.free < n {
		return &SpaceError{Folder: beside, Needs: n, Free: a.free}
	}
	if b.ok && b.free < n {
		return &SpaceError{Folder: temporary, Needs: n, Free: b.free}
	}
	return nil
}

// temporaryFolder is where SQLite puts its temporary files.
func temporaryFolder(getenv func(string) string) string {
	for _, dir := range []string{getenv("SQLITE_TMPDIR"), getenv("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp"} {
		if dir == "" || !filepath.IsAbs(dir) {
			continue
		}
		if fi, err := os.Stat(dir); err == nil && fi.IsDir() {
			return dir
		}
	}
	return os.TempDir()
}
