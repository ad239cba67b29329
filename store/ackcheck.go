package store

import (
	"context"
	"database/sql"
)

// Unlisted counts the recorded ends that have no line in the whole file of acknowledged ones, so that their loss could not be told: a
// process was killed, or suspended for long, between the two, or the file was damaged. Open looks at the file's end alone. A process that is at
// it this very moment counts too. It is 0 where the file cannot be read: Open tells of that. Cost: O(attempts).
func (db *DB) Unlisted(ctx context.Context) (int, error) {
	var version int
	if err := db.r.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version < len(migrations()) || db.scratch {
		return 0, db.fault("look for ends that are not listed", err)
	}
	n, err := db.unlisted(ctx, db.r)
	return n, db.fault("look for ends that are not listed", err)
}

func (db *DB) unlisted(ctx context.Context, q querier) (n int, err error) {
	all, err := db.acked.all()
	if err != nil {
		return 0, nil //nolint:nilerr // that is told elsewhere
	}
	held, err := acknowledgedSince(ctx, q, 0)
	if err != nil {
		return 0, err
	}
	keys := make(map[int64]string, len(all.lines))
	for _, a := range all.lines {
		keys[a.Seq] = a.Key
	}
	for _, a := range held {
		if keys[a.Seq] != a.Key {
			n++
		}
	}
	return n, nil
}

// CompleteAcked writes the file of acknowledged ends anew where recorded ends have no line in it, and returns how many these were. What the
// file alone knows of is kept, as lost.
func (db *DB) CompleteAcked(ctx context.Context) (n int, err error) {
	err = db.write(ctx, true, func(tx *sql.Tx) error {
		if n, err = db.unlisted(ctx, tx); err != nil || n == 0 {
			return err
		}
		if err := db.noteLost(ctx, tx); err != nil {
			return err
		}
		return db.rewriteAcked(ctx, tx)
	})
	return n, db.fault("complete the list of recorded ends", err)
}
