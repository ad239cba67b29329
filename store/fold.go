package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// fold is the copying of a write-ahead log into the database. While it lasts the log must not lose anything: the database holds pages
// of it, and not all.
type fold struct {
	salt  string // of the log
	bytes int64  // of its valid part
}

// foldMark is a file beside the database that is there while a fold is under way.
type foldMark string

const foldSuffix = "-folding"

func (of fold) text() string { return fmt.Sprintf("%s %d .\n", of.salt, of.bytes) }

func (f foldMark) write(of fold) error {
	file, err := os.Create(string(f))
	if err != nil {
		return err
	}
	_, err = file.WriteString(of.text())
	return errors.Join(err, file.Sync(), file.Close(), syncFolder(filepath.Dir(string(f))))
}

// read returns the fold that is under way. A mark that a power cut has torn is none: the fold had not begun.
func (f foldMark) read() (of fold, ok bool) {
	text, err := os.ReadFile(string(f))
	if err != nil {
		return fold{}, false
	}
	n, err := fmt.Sscanf(string(text), "%s %d .\n", &of.salt, &of.bytes)
	return of, n == 2 && err == nil
}

func (f foldMark) remove() { _ = os.Remove(string(f)) } // one that stays costs a look at every page

// foldLog copies the write-ahead log into the file and empties it. SQLite's own copying would leave the log as it is, full of pages that
// the file has had since: cut off then, it could not be told from one that is whole. A mark beside it says that a fold is
// under way, for cutOff. Readers who are at the log put its emptying off, and nothing else: nobody waits.
func (db *DB) foldLog(ctx context.Context, c *sql.Conn) {
	mark := foldMark(db.path + foldSuffix)
	l, err := readLog(db.path+"-wal", 0)
	begun := fold{l.salt, l.end}
	if err != nil || l.commits == 0 || mark.write(begun) != nil {
		return
	}
	db.tellFold(begun.text())
	var busy, pages, copied int
	ctx = context.WithoutCancel(ctx)
	_, err = c.ExecContext(ctx, "PRAGMA busy_timeout = 0")
	if err == nil {
		err = c.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &copied)
	}
	if _, err := c.ExecContext(ctx, "PRAGMA busy_timeout = "+strconv.FormatInt(db.busy.Milliseconds(), 10)); err != nil {
		_ = c.Raw(func(any) error { return driver.ErrBadConn }) // a connection that does not wait must not stay
	}
	if err == nil && busy == 0 {
		mark.remove()
		db.tellFold("")
	}
}

// foldLast folds what the log holds before the last connection of this process is closed: SQLite does so where it is the last of all,
// without a mark.
func (db *DB) foldLast() {
	if fi, err := os.Stat(db.path + "-wal"); err != nil || fi.Size() == 0 || db.scratch || !db.ready {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c, err := db.w.Conn(ctx)
	if err != nil {
		return
	}
	db.foldLog(ctx, c)
	_ = c.Close()
}

// tellFold tells tests what the mark says now.
func (db *DB) tellFold(text string) {
	if db.onFold != nil {
		db.onFold(text)
	}
}
