package store

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// Lease is how long a process that cannot be seen from here may be silent before its runs are taken, Beat how often it should give
// a sign of life.
const (
	Lease = 15 * time.Second
	Beat  = 3 * time.Second
)

// Heartbeat gives a sign of life for attempts, as Claim returned them. One that was taken over in the meantime is left alone; it can
// still be finished.
func (db *DB) Heartbeat(ctx context.Context, attempts []int64) error {
	if len(attempts) == 0 {
		return nil
	}
	err := db.write(ctx, false, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE attempt SET lease = ?, beat = beat + 1 WHERE status = 'running' AND holder = ?
			AND id IN (SELECT value FROM json_each(?))`, db.now().Add(Lease).UnixMilli(), db.holder, mustJSON(attempts))
		return err
	})
	if err == nil && db.net != nil && db.net.share {
		return db.net.alive(db)
	}
	return db.fault("renew leases", err)
}

// hold is what a running attempt says of its holder.
type hold struct {
	attempt int64
	holder  string
	lease   int64 // Lease after the last sign of life, in milliseconds since 1970 by the clock of the holder
	beat    int64 // grows with each of them
}

// sign is the last sign of life, by the clock of the holder.
func (h hold) sign() time.Time { return time.UnixMilli(h.lease).Add(-Lease) }

// standing says whether a running attempt's holder is still at it. Where its process can be looked for, that it lives decides; where it
// cannot, that its beat has grown within Lease, by a clock of our own that nobody sets. What is seen for the first time stands.
func (db *DB) standing(h hold) bool {
	if h.holder == db.holder {
		return true
	}
	switch db.self.sees(h.holder) {
	case alive:
		return true
	case gone:
		return false
	}
	return db.watch.silence(h.attempt, h.beat) <= Lease
}

// watch remembers when the beats of attempts were last seen to grow.
type watch struct {
	elapsed func() time.Duration

	mu   sync.Mutex
	seen map[int64]beat // by attempt
}

type beat struct {
	n     int64
	since time.Duration // on the watch's clock
}

// silence is how long an attempt's beat has stood at n, as far as it was looked at.
func (w *watch) silence(attempt, n int64) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.elapsed()
	b, ok := w.seen[attempt]
	if !ok || b.n != n {
		b = beat{n, now}
		if w.seen == nil {
			w.seen = make(map[int64]beat)
		}
		w.seen[attempt] = b
	}
	return now - b.since
}

// interruptAbandoned marks the running attempts of one run (of every run for key "") whose holder is gone as interrupted. They end
// with the last sign of life.
func (db *DB) interruptAbandoned(ctx context.Context, tx *sql.Tx, key string) (n int, err error) {
	type end struct {
		id   int64
		when time.Time
	}
	var ends []end
	err = each(ctx, tx, `SELECT a.id, a.holder, a.lease, a.beat, a.started FROM attempt AS a
		WHERE a.status = 'running' AND (?1 = '' OR a.run = (SELECT id FROM run WHERE key = ?1))`, []any{key},
		func(scan func(...any) error) error {
			var h hold
			var started string
			err := scan(&h.attempt, &h.holder, &h.lease, &h.beat, &started)
			if !db.standing(h) {
				ends = append(ends, end{h.attempt, endOf(parseTime(started), h.sign(), 0)})
			}
			return err
		})
	if err != nil || len(ends) == 0 {
		return 0, err
	}
	seq, err := db.nextSeq(ctx, tx)
	for i, e := range ends {
		if err != nil {
			return 0, err
		}
		_, err = tx.ExecContext(ctx, "UPDATE attempt SET status = 'interrupted', reason = ?, finished = ?, seq = ? WHERE id = ?",
			abandoned, formatTime(e.when), seq+int64(i), e.id)
	}
	return len(ends), err
}

// abandoned is the reason of an attempt that ended without saying so.
const abandoned = "its process ended"
