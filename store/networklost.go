package store

import (
	"context"
	"database/sql"
)

// The file of acknowledged ends lies beside the notebook, not beside a copy, and is written by whoever replaces the notebook, after it:
// of what it tells, all is in a notebook that is read later.

// reconcile holds the file against the copy of who has the lock, and notes in it what is lost.
func (n *network) reconcile(ctx context.Context, db *DB) error {
	db.acked = ackFile(n.main + "-acked")
	var before, after int
	err := db.write(ctx, false, func(tx *sql.Tx) (err error) {
		if before, err = count(ctx, tx, "SELECT count(*) FROM lost"); err != nil {
			return err
		}
		if err = db.reconcile(ctx, tx, true); err == nil {
			after, err = count(ctx, tx, "SELECT count(*) FROM lost")
		}
		return err
	})
	if after != before {
		n.changed = true
	}
	return db.fault("open", err)
}

// miss keeps what of the file, up to an end, is lost, for a copy that is only read.
func (n *network) miss(ctx context.Context, db *DB, last int64) error {
	all, err := ackFile(n.main + "-acked").all()
	if err != nil {
		return nil // it cannot be told
	}
	for i, a := range all.lines {
		if a.Seq > last { // of a later notebook
			all.lines = all.lines[:i]
			break
		}
	}
	db.unsaved, err = missing(ctx, db.r, all.lines)
	return db.fault("open", err)
}

// tellLost says what the notebook has lost.
func (n *network) tellLost(ctx context.Context, db *DB) error {
	known, err := lostRows(ctx, db.r)
	db.tellLost(n.main, append(known, db.unsaved...))
	return db.fault("open", err)
}
