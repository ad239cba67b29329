package store

import (
	"context"
	"time"
)

// Past is a finished attempt at a run: what it was and how long it took.
type Past struct {
	Key              string // of the run
	Method, Model    string
	Primary, Harmful DataRef
	Params           []Param
	CPUSeconds       float64
	CPU, Kernel      string // of the machine
	Log              string
	// First says that no finished attempt of the same command on the same two tasks began earlier, FirstOfMethod that none by the
	// same method did: it may have borne what such runs share.
	First, FirstOfMethod bool
	// Numbers are the run's metrics at step 0 that were asked for, by name.
	Numbers map[string]float64
}

// Limits of a history: so many attempts of a kind, and in all.
const (
	historyOfKind = 16
	historyMost   = 4000
)

// History returns the latest finished attempts that have their CPU time recorded, the latest first: at most 16 of each kind (method,
// model, data sets, steps), with those of their metrics at step 0 whose names are in metrics. It tells how long runs take.
func (db *DB) History(ctx context.Context, metrics ...string) ([]Past, error) {
	h, err := db.history(ctx, metrics)
	return h, db.fault("read how long runs took", err)
}

func (db *DB) history(ctx context.Context, metrics []string) ([]Past, error) {
	type ids struct{ attempt, run int64 }
	var out []Past
	var at []ids
	ofRun, ofAttempt := map[int64][]int{}, map[int64]int{} // indices in out
	err := each(ctx, db.r, `
		WITH finished AS (
			SELECT a.id, a.run, row_number() OVER (PARTITION BY a.provenance, r.primary_dataset, r.primary_class, r.primary_digest,
					r.harmful_dataset, r.harmful_class, r.harmful_digest ORDER BY a.id) = 1 AS first,
				row_number() OVER (PARTITION BY a.provenance, r.method, r.primary_dataset, r.primary_class, r.primary_digest,
					r.harmful_dataset, r.harmful_class, r.harmful_digest ORDER BY a.id) = 1 AS first_of_method,
				row_number() OVER (PARTITION BY r.method, r.model, r.primary_dataset, r.harmful_dataset,
					s.number, e.number, b.number ORDER BY a.id DESC) AS back
			FROM attempt AS a JOIN run AS r ON r.id = a.run
			LEFT JOIN param AS s ON s.run = a.run AND s.path = 'train.steps'
			LEFT JOIN param AS e ON e.run = a.run AND e.path = 'train.epochs'
			LEFT JOIN param AS b ON b.run = a.run AND b.path = 'train.batch'
			WHERE a.status IN ('done', 'diverged') AND a.cpu_seconds > 0 AND r.removed IS NULL)
		SELECT f.id, f.run, r.key, ifnull(r.method, ''), ifnull(r.model, ''),
			ifnull(r.primary_dataset, ''), r.primary_class, ifnull(r.primary_digest, ''),
			ifnull(r.harmful_dataset, ''), r.harmful_class, ifnull(r.harmful_digest, ''),
			a.cpu_seconds, ifnull(p.cpu, ''), ifnull(p.kernel, ''), ifnull(a.log, ''), f.first, f.first_of_method
		FROM finished AS f JOIN attempt AS a ON a.id = f.id JOIN run AS r ON r.id = f.run JOIN provenance AS p ON p.id = a.provenance
		WHERE f.back <= ? ORDER BY f.id DESC LIMIT ?`, []any{historyOfKind, historyMost},
		func(scan func(...any) error) error {
			var p Past
			var id ids
			err := scan(&id.attempt, &id.run, &p.Key, &p.Method, &p.Model, &p.Primary.Dataset, &p.Primary.Class, &p.Primary.Digest,
				&p.Harmful.Dataset, &p.Harmful.Class, &p.Harmful.Digest, &p.CPUSeconds, &p.CPU, &p.Kernel, &p.Log, &p.First, &p.FirstOfMethod)
			if err != nil {
				return err
			}
			ofRun[id.run] = append(ofRun[id.run], len(out))
			ofAttempt[id.attempt] = len(out)
			out, at = append(out, p), append(at, id)
			return nil
		})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	runs, attempts := make([]int64, len(at)), make([]int64, len(at))
	for i, id := range at {
		runs[i], attempts[i] = id.run, id.attempt
	}
	err = each(ctx, db.r, `SELECT run, path, number, text FROM param WHERE run IN (SELECT value FROM json_each(?))`,
		[]any{mustJSON(runs)}, func(scan func(...any) error) error {
			var run int64
			var p Param
			err := scan(&run, &p.Path, &p.Number, &p.Text)
			for _, i := range ofRun[run] {
				out[i].Params = append(out[i].Params, p)
			}
			return err
		})
	if err != nil {
		return nil, err
	}
	err = each(ctx, db.r, `SELECT attempt, name, value FROM metric WHERE step = 0 AND value IS NOT NULL
		AND attempt IN (SELECT value FROM json_each(?)) AND name IN (SELECT value FROM json_each(?))`,
		[]any{mustJSON(attempts), mustJSON(metrics)}, func(scan func(...any) error) error {
			var attempt int64
			var name string
			var value float64
			err := scan(&attempt, &name, &value)
			p := &out[ofAttempt[attempt]]
			if p.Numbers == nil {
				p.Numbers = make(map[string]float64, len(metrics))
			}
			p.Numbers[name] = value
			return err
		})
	return out, err
}

// Pace is how the latest attempts went together.
type Pace struct {
	Attempts int
	Busy     time.Duration // that at least one of them was under way
	Wall     time.Duration // the sum of their durations: Wall/Busy of them were under way at once
	CPU      time.Duration // the processor time of all: CPU/Busy cores worked
}

// paceOf is the number of attempts that a pace is taken from.
const paceOf = 200

// Pace returns how the latest 200 finished attempts on processors of that name went, of those that began since a time.
func (db *DB) Pace(ctx context.Context, cpu string, since time.Time) (Pace, error) {
	var p Pace
	var wall, used float64
	var from, to time.Time // the stretch of work that is being added up, which ends at to
	err := each(ctx, db.r, `SELECT started, wall_seconds, cpu_seconds FROM (
			SELECT a.started, a.wall_seconds, a.cpu_seconds FROM attempt AS a JOIN provenance AS p ON p.id = a.provenance
			WHERE a.status IN ('done', 'diverged') AND a.cpu_seconds > 0 AND a.wall_seconds > 0 AND p.cpu = ? AND a.started >= ?
			ORDER BY a.id DESC LIMIT ?) ORDER BY started`, []any{cpu, formatTime(since), paceOf},
		func(scan func(...any) error) error {
			var started string
			var w, c float64
			if err := scan(&started, &w, &c); err != nil {
				return err
			}
			p.Attempts++
			wall, used = wall+w, used+c
			begin := parseTime(started)
			end := begin.Add(seconds(w))
			if begin.After(to) {
				p.Busy += to.Sub(from)
				from, to = begin, begin
			}
			if end.After(to) {
				to = end
			}
			return nil
		})
	p.Busy += to.Sub(from)
	p.Wall, p.CPU = seconds(wall), seconds(used)
	return p, db.fault("read how the latest runs went", err)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
