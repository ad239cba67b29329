package store

import (
	"context"
	"errors"
	"runtime"
	"sync"
)

// States says what is known of each of keys; a key that was never tried is missing. A running attempt whose holder is
// gone is reported as interrupted, or not at all behind a finished one. Of a removed run nothing is told but that, and whether somebody
// is at it again.
func (db *DB) States(ctx context.Context, keys []string) (map[string]State, error) {
	if db.net != nil {
		if err := db.net.look(ctx, db, false); err != nil {
			return nil, err
		}
	}
	m, err := db.states(ctx, db.r, keys)
	if db.net != nil && err == nil {
		db.net.addLive(db, keys, m)
	}
	return m, db.fault("read the states of runs", err)
}

// Of so many keys, or more, the states are found by passing over all runs, as long as those are not many times as many: the order of
// the table is the order of a plan, that of the keys is none.
const (
	manyStates = 2000
	timesMany  = 4
)

func (db *DB) states(ctx context.Context, q querier, keys []string) (m map[string]State, err error) {
	runs := 0
	if len(keys) >= manyStates {
		if err := q.QueryRowContext(ctx, "SELECT ifnull(max(id), 0) FROM run").Scan(&runs); err != nil {
			return nil, err
		}
	}
	if runs > 0 && runs <= timesMany*len(keys) {
		m, err = db.passOver(ctx, q, keys, runs)
	} else {
		m, err = db.lookUpStates(ctx, q, keys)
	}
	if err != nil {
		return nil, err
	}
	return m, db.addLost(ctx, q, keys, m)
}

// stateColumns are the columns of a state, of run r, its shown attempt a and its running attempt b.
const stateColumns = `r.key, a.status, ifnull(a.reason, ''), ifnull(a.error, ''), a.attempt, ifnull(a.wall_seconds, 0),
	ifnull(a.finished, ''), ifnull(b.id, 0), ifnull(b.holder, ''), ifnull(b.lease, 0), ifnull(b.beat, 0), r.removed IS NOT NULL`

// lookUpStates looks keys up one by one.
func (db *DB) lookUpStates(ctx context.Context, q querier, keys []string) (map[string]State, error) {
	if keys == nil {
		keys = []string{}
	}
	m := make(map[string]State, len(keys))
	err := each(ctx, q, "SELECT "+stateColumns+`
		  FROM json_each(?) AS j
		 CROSS JOIN run AS r ON r.key = j.value
		 CROSS JOIN attempt AS a ON a.id = r.shown
		  LEFT JOIN attempt AS b ON b.run = r.id AND b.status = 'running'`, []any{mustJSON(keys)}, // a run has at most one that is running
		db.stateScanner(func(s State) { m[s.Key] = s }))
	return m, err
}

// passOver goes through all runs, whose row ids are at most last, and takes the states of those that are asked for. Where it has
// connections to do so it goes through several parts at once, each as of its own moment.
func (db *DB) passOver(ctx context.Context, q querier, keys []string, last int) (map[string]State, error) {
	m := make(map[string]State, len(keys))
	asked := make(map[string]struct{}, len(keys))
	for _, key := range keys {
		asked[key] = struct{}{}
	}
	parts := 1
	if q == querier(db.r) {
		parts = min(readers, runtime.GOMAXPROCS(0))
	}
	found, errs := make([][]State, parts), make([]error, parts)
	var wait sync.WaitGroup
	for part := range parts {
		wait.Go(func() {
			found[part] = make([]State, 0, min(len(keys), last)/parts+1)
			errs[part] = each(ctx, q, "SELECT "+stateColumns+`
				  FROM run AS r CROSS JOIN attempt AS a ON a.id = r.shown
				  LEFT JOIN attempt AS b ON b.run = r.id AND b.status = 'running'
				 WHERE r.id > ? AND r.id <= ?`, []any{part * last / parts, (part + 1) * last / parts},
				db.stateScanner(func(s State) {
					if _, ok := asked[s.Key]; ok {
						found[part] = append(found[part], s)
					}
				}))
		})
	}
	wait.Wait()
	for _, states := range found {
		for _, s := range states {
			m[s.Key] = s
		}
	}
	return m, errors.Join(errs...)
}

// stateScanner reads rows of stateColumns, one after the other.
func (db *DB) stateScanner(take func(State)) func(scan func(...any) error) error {
	var s State
	var status, finished string
	var h hold
	into := []any{
		&s.Key, &status, &s.Reason, &s.Error, &s.Attempt, &s.Seconds, &finished, &h.attempt, &h.holder, &h.lease, &h.beat, &s.Removed,
	}
	return func(scan func(...any) error) error {
		s = State{}
		if err := scan(into...); err != nil {
			return err
		}
		s.Status, s.Finished = Status(status), parseTime(finished)
		s.Live = h.attempt != 0 && db.standing(h)
		switch {
		case s.Removed && s.Live:
			s = State{Key: s.Key, Status: Running, Attempt: s.Attempt, Live: true, Removed: true}
		case s.Removed:
			s = State{Key: s.Key, Removed: true}
		case s.Status == Running && !s.Live:
			s.Status, s.Reason = Interrupted, abandoned
		}
		if s.Live {
			other, _ := parseHolder(h.holder)
			s.Host, s.Foreign = other.host, h.holder != db.holder && db.self.sees(h.holder) == unseen
			s.Beat, s.Sign = h.beat, h.sign()
		}
		take(s)
		return nil
	}
}

// addLost marks the states of those keys of which an end is lost.
func (db *DB) addLost(ctx context.Context, q querier, keys []string, m map[string]State) error {
	lost := make(map[string]bool)
	err := each(ctx, q, "SELECT DISTINCT key FROM lost", nil, func(scan func(...any) error) error {
		var key string
		err := scan(&key)
		lost[key] = true
		return err
	})
	for _, a := range db.unsaved {
		lost[a.Key] = true
	}
	if len(lost) == 0 {
		return err
	}
	for _, key := range keys {
		if lost[key] {
			s := m[key]
			s.Key, s.Lost = key, true
			m[key] = s
		}
	}
	return err
}
