package store

import "context"

// States says what is known of each of keys; a key that was never tried is missing. A running attempt whose holder is
// gone is reported as interrupted, or not at all behind a finished one. Of a removed run nothing is told but that, and whether somebody
// is at it again.
func (db *DB) States(ctx context.Context, keys []string) (map[string]State, error) {
	m, err := db.states(ctx, db.r, keys)
	return m, db.fault("read the states of runs", err)
}

func (db *DB) states(ctx context.Context, q querier, keys []string) (map[string]State, error) {
	if keys == nil {
		keys = []string{}
	}
	m := make(map[string]State, len(keys))
	asked := mustJSON(keys)
	err := each(ctx, q, `
		SELECT r.key, a.status, ifnull(a.reason, ''), ifnull(a.error, ''), a.attempt, ifnull(a.wall_seconds, 0),
			ifnull(a.finished, ''), ifnull(b.id, 0), ifnull(b.holder, ''), ifnull(b.lease, 0), ifnull(b.beat, 0), r.removed IS NOT NULL
		  FROM json_each(?) AS j
		 CROSS JOIN run AS r ON r.key = j.value
		 CROSS JOIN attempt AS a ON a.id = r.shown
		  LEFT JOIN attempt AS b ON b.run = r.id AND b.status = 'running'`, []any{asked}, // a run has at most one that is running
		func(scan func(...any) error) error {
			var s State
			var finished string
			var h hold
			err := scan(&s.Key, &s.Status, &s.Reason, &s.Error, &s.Attempt, &s.Seconds, &finished, &h.attempt, &h.holder, &h.lease, &h.beat, &s.Removed)
			if err != nil {
				return err
			}
			s.Finished = parseTime(finished)
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
			m[s.Key] = s
			return nil
		})
	if err != nil {
		return nil, err
	}
	lost := func(key string) {
		s := m[key]
		s.Key, s.Lost = key, true
		m[key] = s
	}
	err = each(ctx, q, "SELECT DISTINCT key FROM lost WHERE key IN (SELECT value FROM json_each(?))", []any{asked},
		func(scan func(...any) error) error {
			var key string
			err := scan(&key)
			lost(key)
			return err
		})
	if len(db.unsaved) > 0 {
		known := make(map[string]bool, len(keys))
		for _, key := range keys {
			known[key] = true
		}
		for _, a := range db.unsaved {
			if known[a.Key] {
				lost(a.Key)
			}
		}
	}
	return m, err
}
