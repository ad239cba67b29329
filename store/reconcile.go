package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// reconcile holds the file of acknowledged ends against the database, under the write lock: what the file knows of and the database
// does not is noted as lost; what the file does not know, because a process was killed between the two, is added to it; a file that
// is not there, or that is no such file, is written anew. It reads the end of the file alone, unless something is lost. silent says
// that the file cannot be there: the database is older than it, or was just exported.
func (db *DB) reconcile(ctx context.Context, tx *sql.Tx, silent bool) error {
	t, whole, err := db.acked.tail()
	switch {
	case errors.Is(err, errAcksMissing):
		lines, err := acknowledgedSince(ctx, tx, 0)
		if err != nil || db.scratch {
			return err
		}
		if err := db.rewriteAcked(ctx, tx); err != nil {
			db.notify("%s, which lists the runs that were recorded, is not there and cannot be written: %v", db.acked, err)
		} else if !silent && len(lines) > 0 {
			db.notify("%s, which lists the runs that were recorded, was not there: it has been written anew from the database, and runs that were lost before are not known", db.acked)
		}
		return nil
	case err != nil:
		return db.replaceAcked(ctx, tx, err)
	}
	ahead, err := fileAhead(ctx, tx, t)
	if err != nil {
		return err
	}
	if ahead { // something has gone wrong: no further step before every page was looked at
		if err := sound(ctx, tx); err != nil {
			return err
		}
		if err := db.noteLost(ctx, tx); err != nil {
			return err
		}
	}
	from := int64(0)
	if !whole {
		from = t.lines[0].Seq
	}
	held, err := acknowledgedSince(ctx, tx, from)
	if err != nil {
		return err
	}
	known := make(map[int64]bool, len(t.lines))
	for _, a := range t.lines {
		known[a.Seq] = true
	}
	var behind []ack
	for _, a := range held {
		if !known[a.Seq] {
			behind = append(behind, a)
		}
	}
	if len(behind) > 0 {
		if err := db.acked.add(behind); err != nil {
			db.notify("%s cannot be written, so that a loss of runs could not be told: %v", db.acked, err)
		}
	}
	return nil
}

// sound is SQLite's own check of every page, with the first fault as an error.
func sound(ctx context.Context, q querier) error {
	var says string
	if err := q.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&says); err != nil || says == "ok" {
		return err
	}
	_, fault, _ := strings.Cut(says, "\n") // a heading comes first
	return fmt.Errorf("%w: %s", ErrCorrupt, cmp.Or(fault, says))
}

// replaceAcked moves what is no file of acknowledged ends out of the way and writes one. What can be read of the old one counts.
func (db *DB) replaceAcked(ctx context.Context, tx *sql.Tx, why error) error {
	if err := db.noteLost(ctx, tx); err != nil {
		return err
	}
	aside, err := db.acked.setAside()
	if err == nil {
		err = db.rewriteAcked(ctx, tx)
	}
	if err != nil {
		db.notify("%s, which lists the runs that were recorded, cannot be read (%v) nor written anew: %v", db.acked, why, err)
		return nil
	}
	db.notify("%s, which lists the runs that were recorded, could not be read (%v): it has been written anew from the database; what was there is %s", db.acked, why, aside)
	return nil
}

// fileAhead says whether the last line of the file is one that the database neither holds nor knows to be lost.
func fileAhead(ctx context.Context, q querier, t acks) (ahead bool, err error) {
	if len(t.lines) == 0 {
		return false, nil
	}
	a := t.lines[len(t.lines)-1]
	err = q.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM attempt AS a JOIN run AS r ON r.id = a.run WHERE a.seq = ?1 AND r.key = ?2)
		AND NOT EXISTS (SELECT 1 FROM lost WHERE seq = ?1 AND key = ?2)`, a.Seq, a.Key).Scan(&ahead)
	return ahead, err
}

// lookForLost says what was lost, in one sentence; it reads the end of the file of acknowledged ends, and the whole of it where a
// database that is only read has lost something that nobody has noted yet.
func (db *DB) lookForLost(ctx context.Context) error {
	if db.w == nil {
		if t, _, err := db.acked.tail(); err == nil {
			ahead, err := fileAhead(ctx, db.r, t)
			if err != nil {
				return err
			}
			if all, err := db.acked.all(); ahead && err == nil {
				if db.unsaved, err = missing(ctx, db.r, all.lines); err != nil {
					return err
				}
			}
		}
	}
	known, err := lostRows(ctx, db.r)
	if err != nil {
		return err
	}
	if !db.scratch { // a copy of a notebook on a network file system is told of under the notebook's name
		db.tellLost(db.path, append(known, db.unsaved...))
	}
	return nil
}

// tellLost keeps the sentence about what is lost.
func (db *DB) tellLost(path string, lost []ack) {
	keys := make(map[string]bool)
	for _, a := range lost {
		keys[a.Key] = true
	}
	switch n := len(keys); n {
	case 0:
	case 1:
		db.notify("%s: a run that was recorded is missing: `kappa db check` names it, the next `kappa run` of its spec executes it again", path)
	default:
		db.notify("%s: %d runs that were recorded are missing: `kappa db check` names them, the next `kappa run` of their specs executes them again", path, n)
	}
}

// OpenAbsent makes a temporary database without any run in the place of one that is not there, for plans. Where the file of
// acknowledged ends is there, they count as lost. Close removes it.
func OpenAbsent(ctx context.Context, path string) (*DB, error) {
	db, err := Empty(ctx)
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		_ = db.Close()
		return nil, &Error{Path: path, Op: "open", Err: err}
	}
	db.acked = ackFile(abs + "-acked")
	if all, err := db.acked.all(); err == nil {
		db.unsaved = all.lines
	}
	db.tellLost(abs, db.unsaved)
	return db, nil
}
