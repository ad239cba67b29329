package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
)

// Lost is the end of a run that was acknowledged and that the database does not hold: hardware has lost it, or an older copy of the
// file was put in its place.
type Lost struct {
	Seq        int64 // the order in which ends were recorded
	Key        string
	Attempt    int // of its run
	Status     Status
	Experiment string // a spec that the run belongs to; "": not known
}

// ackedSince is the schema version that first had a file of acknowledged ends.
const ackedSince = 4

// Lost lists the ends that were acknowledged and are missing, the last of each run, in the order in which they were recorded: it compares
// the whole of the file runs.db-acked with the database. An end counts as missing until its run has ended again.
func (db *DB) Lost(ctx context.Context) ([]Lost, error) {
	known, err := lostRows(ctx, db.r)
	if err != nil {
		return nil, db.fault("look for lost runs", err)
	}
	lines := append(known, db.unsaved...)
	if all, err := db.acked.all(); err == nil {
		found, err := missing(ctx, db.r, all.lines)
		if err != nil {
			return nil, db.fault("look for lost runs", err)
		}
		lines = append(lines, found...)
	}
	lines = lastOfEach(lines)
	out := make([]Lost, len(lines))
	for i, a := range lines {
		out[i] = Lost(a)
	}
	return out, nil
}

// acknowledgedSince lists the ends after seq that the database holds, in order. An interruption leaves nothing that could be lost.
func acknowledgedSince(ctx context.Context, q querier, seq int64) ([]ack, error) {
	return scanAcks(ctx, q, `SELECT a.seq, r.key, a.attempt, a.status, `+experimentOfRun+`
		FROM attempt AS a JOIN run AS r ON r.id = a.run
		WHERE a.seq > ? AND a.status IN ('done', 'diverged', 'failed', 'timeout') ORDER BY a.seq`, seq)
}

// experimentOfRun is the name of the spec that was recorded last of those that the run r belongs to.
const experimentOfRun = `ifnull((SELECT e.name FROM experiment_runs AS x JOIN experiment AS e ON e.id = x.experiment
	WHERE x.run = r.id ORDER BY e.touched DESC LIMIT 1), '')`

// lostRows lists what is known to be lost.
func lostRows(ctx context.Context, q querier) ([]ack, error) {
	return scanAcks(ctx, q, "SELECT seq, key, attempt, status, experiment FROM lost ORDER BY seq")
}

func scanAcks(ctx context.Context, q querier, query string, args ...any) (out []ack, err error) {
	err = each(ctx, q, query, args, func(scan func(...any) error) error {
		var a ack
		err := scan(&a.Seq, &a.Key, &a.Attempt, &a.Status, &a.Experiment)
		out = append(out, a)
		return err
	})
	return out, err
}

// lastOfEach leaves of each run the last end, the last finished one where there is any, in order.
func lastOfEach(lines []ack) (out []ack) {
	last := make(map[string]ack)
	for _, a := range lines {
		old, ok := last[a.Key]
		later := a.Seq > old.Seq
		if fa, fo := a.Status.Finished(), old.Status.Finished(); fa != fo {
			later = fa
		}
		if !ok || later {
			last[a.Key] = a
		}
	}
	return slices.SortedFunc(maps.Values(last), func(a, b ack) int { return int(a.Seq - b.Seq) })
}

// missing says which of lines, the last of each run, the database does not hold: neither that end nor a later one of the same run that
// makes up for it.
func missing(ctx context.Context, q querier, lines []ack) (out []ack, err error) {
	keys := make(map[int64]string) // by seq
	type ends struct{ finished, any int64 }
	latest := make(map[string]ends) // of each run
	err = each(ctx, q, "SELECT a.seq, r.key, a.status FROM attempt AS a JOIN run AS r ON r.id = a.run WHERE a.seq IS NOT NULL", nil,
		func(scan func(...any) error) error {
			var seq int64
			var key string
			var s Status
			err := scan(&seq, &key, &s)
			keys[seq] = key
			e := latest[key]
			if s != Interrupted {
				e.any = max(e.any, seq)
			}
			if s.Finished() {
				e.finished = max(e.finished, seq)
			}
			latest[key] = e
			return err
		})
	for _, a := range lines {
		since := latest[a.Key].any
		if a.Status.Finished() {
			since = latest[a.Key].finished
		}
		if keys[a.Seq] != a.Key && since < a.Seq {
			out = append(out, a)
		}
	}
	return lastOfEach(out), err
}

// nextSeq is the place of an end that is being recorded: after all that the database holds and all that were ever acknowledged. It
// notes what it finds lost on the way: under the write lock the file of acknowledged ends cannot be ahead of the database.
func (db *DB) nextSeq(ctx context.Context, tx *sql.Tx) (int64, error) {
	last, err := lastSeq(ctx, tx)
	if err != nil {
		return 0, err
	}
	if seen, err := db.acked.look(db.ackSeen.Load()); err == nil {
		db.ackSeen.Store(seen)
		if seen.last > last {
			if err := db.noteLost(ctx, tx); err != nil {
				return 0, err
			}
			last = seen.last
		}
	}
	return last + 1, nil
}

// lastSeq is the greatest seq that the database knows of.
func lastSeq(ctx context.Context, q querier) (last int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT max(ifnull((SELECT seq FROM attempt WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1), 0),
		ifnull((SELECT max(seq) FROM lost), 0))`).Scan(&last)
	return last, err
}

// noteLost compares the whole file with the database and keeps what is missing in the table lost.
func (db *DB) noteLost(ctx context.Context, tx *sql.Tx) error {
	all, err := db.acked.all()
	if err != nil {
		return nil // it cannot be told, and that must not keep anybody from recording
	}
	lost, err := missing(ctx, tx, all.lines)
	if err != nil {
		return err
	}
	return insert(ctx, tx, "INSERT INTO lost (seq, key, attempt, status, experiment) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		len(lost), func(i int) []any {
			return []any{lost[i].Seq, lost[i].Key, lost[i].Attempt, lost[i].Status, lost[i].Experiment}
		})
}

// madeGood takes a run that has ended, as the seq-th, off the list of lost ones.
func madeGood(ctx context.Context, tx *sql.Tx, a ack) error {
	if a.Status == Interrupted {
		return nil
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM lost WHERE key = ? AND seq < ? AND (? OR status NOT IN ('done', 'diverged'))",
		a.Key, a.Seq, a.Status.Finished())
	return err
}

// acknowledge writes an end that is on the disk into the file of acknowledged ones. Where that fails the file is written anew; where
// that fails too, the end stands, and a notice says that its loss could not be told.
func (db *DB) acknowledge(ctx context.Context, a ack) {
	if a.Status == Interrupted || db.scratch {
		return
	}
	now, err := db.acked.extend([]ack{a}, db.ackSeen.Load())
	db.ackSeen.Store(now)
	if err == nil {
		return
	}
	err = db.write(ctx, true, func(tx *sql.Tx) error { return db.rewriteAcked(ctx, tx) })
	if err != nil {
		db.notify("%s cannot be written, so that a loss of runs could not be told: %v", db.acked, err)
	} else {
		db.notify("%s could not be added to, and was written anew from the database", db.acked)
	}
}

// rewriteAcked writes the file of acknowledged ends anew as tx sees it, with those that are known to be lost. tx holds the write lock.
// Whoever deletes ended attempts calls it last in the transaction, before the commit: a crash in between leaves a file that knows too
// little, never one that tells of a loss: the next Open completes its end, CompleteAcked all of it. Whoever adds some calls it in a transaction after that.
func (db *DB) rewriteAcked(ctx context.Context, tx querier) error {
	lines, err := acknowledgedSince(ctx, tx, 0)
	if err != nil {
		return err
	}
	lost, err := lostRows(ctx, tx)
	if err != nil {
		return err
	}
	lines = append(lines, lost...)
	slices.SortFunc(lines, func(a, b ack) int { return int(a.Seq - b.Seq) })
	return db.acked.replace(lines)
}

// ForgetLost takes all that is missing off the list: nothing is told of it any more, and no run is executed again for its sake.
func (db *DB) ForgetLost(ctx context.Context) error {
	err := db.write(ctx, true, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM lost"); err != nil {
			return err
		}
		return db.rewriteAcked(ctx, tx)
	})
	return db.fault("forget lost runs", err)
}

// notify keeps a sentence for Notices.
func (db *DB) notify(format string, args ...any) {
	db.noticeMu.Lock()
	defer db.noticeMu.Unlock()
	if s := fmt.Sprintf(format, args...); !slices.Contains(db.notices, s) {
		db.notices = append(db.notices, s)
	}
}

// Notices returns what people should be told about the database, one sentence each, and forgets it: runs that are lost, and trouble
// that kept nothing from being recorded.
func (db *DB) Notices() []string {
	db.noticeMu.Lock()
	defer db.noticeMu.Unlock()
	n := db.notices
	db.notices = nil
	return n
}
