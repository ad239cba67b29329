package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrMoved says that the database's file was deleted, or another one put in its place, while it was open for writing.
var ErrMoved = errors.New("the database was taken away while runs were being recorded")

// moved says what has become of the file since it was opened.
func (db *DB) moved() (how string, gone bool) {
	if db.home == nil {
		return "", false
	}
	switch fi, err := os.Stat(db.path); {
	case errors.Is(err, fs.ErrNotExist):
		return "it was deleted", true
	case err == nil && !os.SameFile(fi, db.home):
		return "another file was put in its place", true
	}
	return "", false
}

// rescue saves what the connection still holds of a file that was taken away, everything that was ever recorded in it, as a file of its
// own, and returns the error that says so. record, which may be nil, is recorded before: the run that has just ended.
func (db *DB) rescue(ctx context.Context, how string, record func(tx *sql.Tx) error) error {
	ctx = context.WithoutCancel(ctx)
	db.rescueMu.Lock()
	defer db.rescueMu.Unlock()
	if record != nil {
		if err := db.transact(ctx, true, record); err != nil {
			return err
		}
	}
	if _, err := os.Stat(db.path); errors.Is(err, fs.ErrNotExist) { // nobody's now; SQLite would take it for the log of what is put there
		_ = os.Remove(db.path + "-wal")
		_ = os.Remove(db.path + "-shm")
	}
	if db.rescued == "" || record != nil {
		dst, err := db.saveAs(ctx)
		if err != nil {
			return &Error{Path: db.path, Op: "write to the database", Err: fmt.Errorf("%w: %s; what it held could not be saved: %w", ErrMoved, how, err)}
		}
		db.rescued = dst
	}
	hint := "put it back as " + db.path
	if _, err := os.Stat(db.path); err == nil {
		hint = "`kappa import " + db.rescued + "` adds it to the database that is there now"
	}
	return &Error{
		Path: db.path, Op: "write to the database",
		Err:  fmt.Errorf("%w: %s; everything it held, the runs recorded since included, was saved as %s", ErrMoved, how, db.rescued),
		Hint: hint,
	}
}

// saveAs writes the database to a new file beside its path, or, where nothing can be written there, in the system's temporary folder.
// A file that it has written before is replaced under the name that it has: that name has been told.
func (db *DB) saveAs(ctx context.Context) (string, error) {
	var errs []error
	for _, dir := range []string{db.Dir(), os.TempDir()} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			errs = append(errs, err)
			continue
		}
		name, err := db.backupAs(ctx, dir, "rescued")
		if err == nil {
			if db.rescued == "" {
				return name, nil
			}
			if err := os.Rename(name, db.rescued); err != nil {
				return name, nil // as another file: both are there
			}
			return db.rescued, nil
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}
