package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// RunRow is one run as the view runs shows it.
type RunRow struct {
	Key, Experiment                string
	Status                         Status
	Reason, Method, Model          string
	PrimaryDataset, HarmfulDataset string
	PrimaryClass, HarmfulClass     *int64
	Seed                           *int64
	Attempt                        int
	Started, Finished              time.Time // zero: not yet
	WallSeconds                    float64
	EngineVersion                  int
	Error                          string
	Tags                           []string
	Note                           string
	Removed                        time.Time // zero: it was not removed
}

// Filter selects runs; an empty field selects everything.
type Filter struct {
	Experiment string // name
	Method     string
	Tag        string
	Prefix     string // of the key
	Status     Status
	Since      time.Time // when the attempt that is shown began, or later; zero: ever
	Removed    bool      // the removed runs instead of the others
	Limit      int       // the latest so many; 0: all

	skip int      // not the latest so many
	keys []string // of these runs; nil: of any
}

// RunsList lists the runs that pass f, the latest attempt first.
func (db *DB) RunsList(ctx context.Context, f Filter) ([]RunRow, error) {
	rows, err := runsList(ctx, db.r, f)
	return rows, db.fault("list runs", err)
}

func runsList(ctx context.Context, q querier, f Filter) ([]RunRow, error) {
	where := []string{"r.removed IS NULL"}
	if f.Removed {
		where[0] = "r.removed IS NOT NULL"
	}
	var args []any
	add := func(condition string, value string) {
		if value != "" {
			where, args = append(where, condition), append(args, value)
		}
	}
	add(`EXISTS (SELECT 1 FROM experiment_runs AS x JOIN experiment AS e ON e.id = x.experiment
		WHERE x.run = r.id AND e.name = ?)`, f.Experiment)
	add("r.method = ?", f.Method)
	add("EXISTS (SELECT 1 FROM json_each(r.tags) WHERE value = ?)", f.Tag)
	add("a.status = ?", string(f.Status))
	if f.Prefix != "" { // a range of keys: the index serves it
		low := strings.ToLower(f.Prefix)
		where, args = append(where, "r.key >= ?", "r.key < ?"), append(args, low, low+"g")
	}
	if !f.Since.IsZero() {
		add("a.started >= ?", formatTime(f.Since))
	}
	if f.keys != nil {
		add("r.key IN (SELECT value FROM json_each(?))", mustJSON(f.keys))
	}
	limit := -1
	if f.Limit > 0 {
		limit = f.Limit
	}
	// In the order of attempts, so that the latest few of a large history are found at its end; a few runs by themselves.
	from := "attempt AS a CROSS JOIN run AS r ON r.shown = a.id"
	if f.Prefix != "" || f.keys != nil || f.Removed {
		from = "run AS r CROSS JOIN attempt AS a ON a.id = r.shown"
	}
	var out []RunRow
	err := each(ctx, q, `
		SELECT r.key, ifnull((SELECT e.name FROM experiment_runs AS x JOIN experiment AS e ON e.id = x.experiment
				WHERE x.run = r.id ORDER BY e.touched DESC LIMIT 1), ''),
			a.status, ifnull(a.reason, ''), ifnull(r.method, ''), ifnull(r.model, ''), ifnull(r.primary_dataset, ''),
			ifnull(r.harmful_dataset, ''), r.primary_class, r.harmful_class, r.seed, a.attempt, a.started,
			ifnull(a.finished, ''), ifnull(a.wall_seconds, 0), r.engine_version, ifnull(a.error, ''), r.tags, ifnull(r.note, ''),
			ifnull(r.removed, '')
		  FROM `+from+`
		 WHERE `+strings.Join(where, " AND ")+` ORDER BY a.id DESC LIMIT ? OFFSET ?`, append(args, limit, f.skip),
		func(scan func(...any) error) error {
			var r RunRow
			var started, finished, tags, removed string
			err := scan(&r.Key, &r.Experiment, &r.Status, &r.Reason, &r.Method, &r.Model, &r.PrimaryDataset, &r.HarmfulDataset,
				&r.PrimaryClass, &r.HarmfulClass, &r.Seed, &r.Attempt, &started, &finished, &r.WallSeconds, &r.EngineVersion,
				&r.Error, &tags, &r.Note, &removed)
			if err != nil {
				return err
			}
			r.Started, r.Finished, r.Removed = parseTime(started), parseTime(finished), parseTime(removed)
			out = append(out, r)
			return json.Unmarshal([]byte(tags), &out[len(out)-1].Tags)
		})
	return out, err
}

// RunByPrefix finds the one run whose key begins with prefix, which may be a whole key. It fails with ErrNotFound, or
// with *AmbiguousError, which lists the candidates.
func (db *DB) RunByPrefix(ctx context.Context, prefix string) (RunRow, error) {
	if prefix == "" || strings.Trim(strings.ToLower(prefix), "0123456789abcdef") != "" {
		return RunRow{}, fmt.Errorf("run %q: %w: a key is made of hexadecimal digits", prefix, ErrNotFound)
	}
	rows, err := db.RunsList(ctx, Filter{Prefix: prefix})
	if err != nil {
		return RunRow{}, err
	}
	switch len(rows) {
	case 0:
		return RunRow{}, fmt.Errorf("run %q: %w", prefix, ErrNotFound)
	case 1:
		return rows[0], nil
	}
	return RunRow{}, ambiguous(prefix, rows)
}

// Kin is a finished run of the same parameters under another key: of another engine version, or from other data.
type Kin struct {
	Key                          string
	EngineVersion                int
	PrimaryDigest, HarmfulDigest string
}

// Kin finds, for each of starts whose key has no finished run, the latest finished one that differs only in the digests
// of its data or in the engine's version; those without one are missing. It tells why a run is new.
func (db *DB) Kin(ctx context.Context, starts []Start) (map[string]Kin, error) {
	byHash := make(map[string]string, len(starts)) // to the key asked for
	hashes := make([]string, len(starts))
	for i, s := range starts {
		hashes[i] = kinHash(s)
		byHash[hashes[i]] = s.Key
	}
	m := map[string]Kin{}
	err := each(ctx, db.r, `SELECT r.kin, r.key, r.engine_version, ifnull(r.primary_digest, ''), ifnull(r.harmful_digest, '')
		FROM json_each(?) AS j CROSS JOIN run AS r ON r.kin = j.value CROSS JOIN attempt AS a ON a.id = r.shown
		WHERE a.status IN ('done', 'diverged') AND r.removed IS NULL ORDER BY a.id`, []any{mustJSON(hashes)},
		func(scan func(...any) error) error {
			var kin string
			var k Kin
			if err := scan(&kin, &k.Key, &k.EngineVersion, &k.PrimaryDigest, &k.HarmfulDigest); err != nil {
				return err
			}
			if key := byHash[kin]; key != k.Key {
				m[key] = k // later rows are later attempts
			} else {
				m[key] = Kin{} // finished under this very key
			}
			return nil
		})
	for key, k := range m {
		if k.Key == "" {
			delete(m, key)
		}
	}
	return m, db.fault("look for related runs", err)
}
