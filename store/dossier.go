package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// Dossier is everything that is recorded about a run.
type Dossier struct {
	Run     RunRow
	Outcome Outcome // of the attempt that is shown
	Made    Making  // of the attempt that is shown

	TrainKey                     string // what determines θ
	PrimaryDigest, HarmfulDigest string // SHA-256 of the data
	Params                       []Param
	Depends                      []Relative   // the runs that it needs
	Dependents                   []Relative   // the runs that need it
	Experiments                  []Membership // versions of specs, the current one first
	Claims                       []Standing   // verdicts, as last judged, of claims that the run is behind
	Attempts                     []Attempt    // all of them, the first first
}

// Making says on what and from what an attempt was computed.
type Making struct {
	Provenance
	DiffHash  string // SHA-256 of what was not committed; "": nothing, or not known
	DiffBytes int64
	DiffKept  bool // the text is in the database
}

// Relative is a run that another one needs, or that needs it.
type Relative struct {
	Key, What string // what is needed of it: θ_0, base line
	Method    string
	Status    Status // "": it was never tried
	Removed   bool
}

// Membership says that a version of a spec has the run.
type Membership struct {
	Name, Title, Hash string
	Recorded          time.Time
	Current           bool // no version of the name was recorded later
	Ordinal, Runs     int  // the run's place in the plan, from 1, and how many runs that has
	Swept             string
}

// Standing is the verdict of a claim.
type Standing struct {
	Experiment, ID, Verdict string
	Value                   *float64
	Runs                    int // behind the value
	Evaluated               time.Time
}

// Attempt is one try at a run.
type Attempt struct {
	Number                  int
	Status                  Status
	Reason, Error, Log      string
	Started, Finished       time.Time
	WallSeconds, CPUSeconds float64
	Host, GitCommit, Kernel string
	Shown                   bool
}

// Dossier reads everything about the run key as of one moment. It fails with ErrNotFound, also for a removed run.
func (db *DB) Dossier(ctx context.Context, key string) (Dossier, error) {
	d, err := db.dossier(ctx, key)
	return d, db.fault("read a run", err)
}

func (db *DB) dossier(ctx context.Context, key string) (Dossier, error) {
	var d Dossier
	tx, err := db.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return d, err
	}
	defer func() { _ = tx.Rollback() }()
	rows, err := runsList(ctx, tx, Filter{keys: []string{key}})
	if err != nil {
		return d, err
	}
	if len(rows) == 0 {
		return d, fmt.Errorf("run %s: %w", key, ErrNotFound)
	}
	d.Run = rows[0]
	if d.Outcome, err = readOutcome(ctx, tx, key); err != nil {
		return d, err
	}
	for _, read := range []func(context.Context, querier, *Dossier) error{
		getMaking, getParams, getRelatives, getMemberships, getStandings, getAttempts,
	} {
		if err := read(ctx, tx, &d); err != nil {
			return Dossier{}, err
		}
	}
	return d, nil
}

func getMaking(ctx context.Context, q querier, d *Dossier) error {
	var argv, modules string
	m := &d.Made
	err := q.QueryRowContext(ctx, `SELECT ifnull(r.train_key, ''), ifnull(r.primary_digest, ''), ifnull(r.harmful_digest, ''),
		ifnull(p.go_version, ''), ifnull(p.kernel, ''), ifnull(p.cpu, ''), ifnull(p.os, ''), ifnull(p.host, ''), ifnull(p.git_commit, ''),
		p.git_dirty, p.argv, p.modules, ifnull(p.diff_hash, ''), ifnull(p.diff_bytes, 0), p.diff IS NOT NULL
		FROM run AS r JOIN attempt AS a ON a.id = r.shown JOIN provenance AS p ON p.id = a.provenance WHERE r.key = ?`, d.Run.Key).
		Scan(&d.TrainKey, &d.PrimaryDigest, &d.HarmfulDigest, &m.GoVersion, &m.Kernel, &m.CPU, &m.OS, &m.Host, &m.GitCommit,
			&m.GitDirty, &argv, &modules, &m.DiffHash, &m.DiffBytes, &m.DiffKept)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(argv), &m.Argv); err != nil {
		return fmt.Errorf("the command of run %s: %w", d.Run.Key, err)
	}
	if err := json.Unmarshal([]byte(modules), &m.Modules); err != nil {
		return fmt.Errorf("the modules of run %s: %w", d.Run.Key, err)
	}
	return nil
}

func getParams(ctx context.Context, q querier, d *Dossier) error {
	return each(ctx, q, "SELECT p.path, p.number, p.text FROM run AS r JOIN param AS p ON p.run = r.id WHERE r.key = ? ORDER BY p.path",
		[]any{d.Run.Key}, func(scan func(...any) error) error {
			var p Param
			err := scan(&p.Path, &p.Number, &p.Text)
			d.Params = append(d.Params, p)
			return err
		})
}

func getRelatives(ctx context.Context, q querier, d *Dossier) error {
	for _, way := range []struct {
		query string
		to    *[]Relative
	}{
		{"FROM run AS me JOIN dependency AS d ON d.run = me.id JOIN run AS r ON r.id = d.needs", &d.Depends},
		{"FROM run AS me JOIN dependency AS d ON d.needs = me.id JOIN run AS r ON r.id = d.run", &d.Dependents},
	} {
		err := each(ctx, q, `SELECT r.key, d.what, ifnull(r.method, ''), ifnull(a.status, ''), r.removed IS NOT NULL `+way.query+`
			LEFT JOIN attempt AS a ON a.id = r.shown WHERE me.key = ? ORDER BY d.what DESC, r.key`, []any{d.Run.Key},
			func(scan func(...any) error) error {
				var r Relative
				err := scan(&r.Key, &r.What, &r.Method, &r.Status, &r.Removed)
				*way.to = append(*way.to, r)
				return err
			})
		if err != nil {
			return err
		}
	}
	return nil
}

func getMemberships(ctx context.Context, q querier, d *Dossier) error {
	return each(ctx, q, `SELECT e.name, e.title, e.hash, e.recorded, e.touched = (SELECT max(touched) FROM experiment AS f WHERE f.name = e.name),
		x.ordinal + 1, (SELECT count(*) FROM experiment_runs AS y WHERE y.experiment = e.id), x.swept
		FROM run AS r JOIN experiment_runs AS x ON x.run = r.id JOIN experiment AS e ON e.id = x.experiment
		WHERE r.key = ? ORDER BY e.touched DESC`, []any{d.Run.Key}, func(scan func(...any) error) error {
		var m Membership
		var recorded string
		err := scan(&m.Name, &m.Title, &m.Hash, &recorded, &m.Current, &m.Ordinal, &m.Runs, &m.Swept)
		m.Recorded = parseTime(recorded)
		d.Experiments = append(d.Experiments, m)
		return err
	})
}

func getStandings(ctx context.Context, q querier, d *Dossier) error {
	return each(ctx, q, `SELECT c.experiment, c.id, c.verdict, c.value, json_array_length(c.runs), c.evaluated FROM claims AS c
		WHERE EXISTS (SELECT 1 FROM json_each(c.runs) WHERE value = ?) ORDER BY c.experiment, c.id`, []any{d.Run.Key},
		func(scan func(...any) error) error {
			var s Standing
			var evaluated string
			err := scan(&s.Experiment, &s.ID, &s.Verdict, &s.Value, &s.Runs, &evaluated)
			s.Evaluated = parseTime(evaluated)
			d.Claims = append(d.Claims, s)
			return err
		})
}

func getAttempts(ctx context.Context, q querier, d *Dossier) error {
	return each(ctx, q, `SELECT a.attempt, a.status, ifnull(a.reason, ''), ifnull(a.error, ''), ifnull(a.log, ''), a.started,
		ifnull(a.finished, ''), ifnull(a.wall_seconds, 0), ifnull(a.cpu_seconds, 0), ifnull(p.host, ''), ifnull(p.git_commit, ''),
		ifnull(p.kernel, ''), a.id = r.shown
		FROM run AS r JOIN attempt AS a ON a.run = r.id JOIN provenance AS p ON p.id = a.provenance WHERE r.key = ? ORDER BY a.attempt`,
		[]any{d.Run.Key}, func(scan func(...any) error) error {
			var t Attempt
			var started, finished string
			err := scan(&t.Number, &t.Status, &t.Reason, &t.Error, &t.Log, &started, &finished, &t.WallSeconds, &t.CPUSeconds, &t.Host,
				&t.GitCommit, &t.Kernel, &t.Shown)
			t.Started, t.Finished = parseTime(started), parseTime(finished)
			d.Attempts = append(d.Attempts, t)
			return err
		})
}
