package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Finished says whether s ends a run: a finished run is not repeated.
func (s Status) Finished() bool { return s == Done || s == Diverged }

// Claim takes the run s.Key for this process: it records an attempt `running` and returns its number for Heartbeat and
// Finish. ok is false, and st says why, where the run is finished already (unless force, or its latest end is lost; force goes over no
// attempt later than s.Over, unless that is 0) or where somebody else is at it. An attempt of the run whose holder is gone becomes `interrupted`.
//
// Of any number of processes that claim a run at once one gets it.
func (db *DB) Claim(ctx context.Context, s Start, force bool) (attempt int64, ok bool, st State, err error) {
	if err := checkKey(s.Key); err != nil {
		return 0, false, State{}, err
	}
	if db.net != nil && db.net.share {
		if ok, st, err = db.net.take(ctx, db, s.Key, force); err != nil || !ok {
			return 0, false, st, err
		}
		defer func() { db.net.took(attempt, s.Key, ok && err == nil) }()
	}
	err = db.write(ctx, false, func(tx *sql.Tx) error {
		attempt, ok, st, err = db.claim(ctx, tx, s, force)
		return err
	})
	if err != nil {
		return 0, false, State{}, db.fault("claim a run", err)
	}
	return attempt, ok, st, nil
}

func checkKey(key string) error {
	if len(key) != 2*sha256.Size || strings.Trim(key, "0123456789abcdef") != "" {
		return fmt.Errorf("a run's key is %d lower-case hexadecimal digits, not %q", 2*sha256.Size, key)
	}
	return nil
}

func (db *DB) claim(ctx context.Context, tx *sql.Tx, s Start, force bool) (attempt int64, ok bool, st State, err error) {
	if _, err := db.interruptAbandoned(ctx, tx, s.Key); err != nil {
		return 0, false, State{}, err
	}
	states, err := db.states(ctx, tx, []string{s.Key})
	if err != nil {
		return 0, false, State{}, err
	}
	st = states[s.Key]
	if force && s.Over > 0 && st.Status.Finished() && st.Attempt > s.Over {
		force = false
	}
	if st.Status.Finished() && !force && !st.Lost {
		return 0, false, st, nil
	}
	var running int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM attempt AS a JOIN run AS r ON r.id = a.run
		WHERE r.key = ? AND a.status = 'running'`, s.Key).Scan(&running)
	if err != nil {
		return 0, false, State{}, err
	}
	if running > 0 {
		st.Live = true
		return 0, false, st, nil
	}
	run, err := putRun(ctx, tx, s)
	if err != nil {
		return 0, false, State{}, err
	}
	provenance, err := putProvenance(ctx, tx, s.Provenance)
	if err != nil {
		return 0, false, State{}, err
	}
	now := db.now()
	res, err := tx.ExecContext(ctx, `
		INSERT INTO attempt (run, attempt, status, started, provenance, holder, lease)
		SELECT ?1, ifnull(max(attempt), 0) + 1, 'running', ?2, ?3, ?4, ?5 FROM attempt WHERE run = ?1`,
		run, formatTime(now), provenance, db.holder, now.Add(Lease).UnixMilli())
	if err != nil {
		return 0, false, State{}, err
	}
	if attempt, err = res.LastInsertId(); err != nil {
		return 0, false, State{}, err
	}
	return attempt, true, st, show(ctx, tx, run)
}

// show points a run at the attempt that its views show.
func show(ctx context.Context, tx *sql.Tx, run int64) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE run SET shown = (SELECT id FROM attempt WHERE run = ?1
			ORDER BY status IN ('done', 'diverged') DESC, attempt DESC LIMIT 1)
		WHERE id = ?1`, run)
	return err
}

// putRun records what a key stands for, and returns its row. Tags add up; a new note replaces the old one.
func putRun(ctx context.Context, tx *sql.Tx, s Start) (int64, error) {
	var id int64
	var tags string
	err := tx.QueryRowContext(ctx, "SELECT id, tags FROM run WHERE key = ?", s.Key).Scan(&id, &tags)
	known := err == nil
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	all := slices.Clone(s.Tags)
	if known {
		var old []string
		if err := json.Unmarshal([]byte(tags), &old); err != nil {
			return 0, fmt.Errorf("tags of run %s: %w", s.Key, err)
		}
		all = append(all, old...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if all == nil {
		all = []string{}
	}
	err = tx.QueryRowContext(ctx, `
		INSERT INTO run (key, train_key, kin, method, model, primary_dataset, primary_class, primary_digest,
			harmful_dataset, harmful_class, harmful_digest, seed, engine_version, tags, note)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET train_key = excluded.train_key, kin = excluded.kin, method = excluded.method,
			model = excluded.model, primary_dataset = excluded.primary_dataset, primary_class = excluded.primary_class,
			primary_digest = excluded.primary_digest, harmful_dataset = excluded.harmful_dataset,
			harmful_class = excluded.harmful_class, harmful_digest = excluded.harmful_digest, seed = excluded.seed,
			engine_version = excluded.engine_version, tags = excluded.tags, note = ifnull(excluded.note, note)
		RETURNING id`,
		s.Key, orNull(s.TrainKey), kinHash(s), orNull(s.Method), orNull(s.Model),
		orNull(s.Primary.Dataset), s.Primary.Class, orNull(s.Primary.Digest),
		orNull(s.Harmful.Dataset), s.Harmful.Class, orNull(s.Harmful.Digest),
		s.Seed, s.EngineVersion, mustJSON(all), orNull(s.Note)).Scan(&id)
	if err != nil {
		return 0, err
	}
	for _, p := range s.Params {
		if (p.Number == nil) == (p.Text == nil) {
			return 0, fmt.Errorf("parameter %s of run %s: exactly one of number and text must be set", p.Path, s.Key)
		}
	}
	err = insert(ctx, tx, `INSERT INTO param (run, path, number, text) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET number = excluded.number, text = excluded.text`, len(s.Params),
		func(i int) []any { return []any{id, s.Params[i].Path, s.Params[i].Number, s.Params[i].Text} })
	if err != nil {
		return 0, within("parameters", err)
	}
	return id, putDependencies(ctx, tx, id, s)
}

// putDependencies records what a run needs; a run that it needs may be known by its key alone.
func putDependencies(ctx context.Context, tx *sql.Tx, run int64, s Start) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM dependency WHERE run = ?", run); err != nil {
		return err
	}
	for _, d := range s.Depends {
		if err := checkKey(d.Needs); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO run (key) VALUES (?) ON CONFLICT DO NOTHING", d.Needs); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO dependency (run, needs, what) SELECT ?, id, ? FROM run WHERE key = ?`,
			run, d.What, d.Needs); err != nil {
			return err
		}
	}
	return nil
}

// kinHash identifies everything that makes a run but the digests of its data and the engine's version.
func kinHash(s Start) string {
	params := slices.Clone(s.Params)
	slices.SortFunc(params, func(a, b Param) int { return strings.Compare(a.Path, b.Path) })
	for i, p := range params {
		if p.Number != nil && (math.IsNaN(*p.Number) || math.IsInf(*p.Number, 0)) { // which JSON has no number for
			text := strconv.FormatFloat(*p.Number, 'g', -1, 64)
			params[i] = Param{Path: p.Path, Text: &text}
		}
	}
	return hash(struct {
		Method, Model, Primary, Harmful string
		Classes                         [2]*int64
		Seed                            *int64
		Params                          []Param
	}{s.Method, s.Model, s.Primary.Dataset, s.Harmful.Dataset, [2]*int64{s.Primary.Class, s.Harmful.Class}, s.Seed, params})
}

// hash is the SHA-256 of v's JSON, in hexadecimal digits.
func hash(v any) string {
	sum := sha256.Sum256([]byte(mustJSON(v)))
	return hex.EncodeToString(sum[:])
}

func putProvenance(ctx context.Context, tx *sql.Tx, p Provenance) (int64, error) {
	h := hash(p)
	argv, modules := "[]", "[]"
	if p.Argv != nil {
		argv = mustJSON(p.Argv)
	}
	if p.Modules != nil {
		modules = mustJSON(p.Modules)
	}
	var id int64
	err := tx.QueryRowContext(ctx, "SELECT id FROM provenance WHERE hash = ?", h).Scan(&id)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	err = tx.QueryRowContext(ctx, `
		INSERT INTO provenance (hash, go_version, kernel, cpu, os, host, git_commit, git_dirty, argv, modules, diff_hash, diff_bytes, diff)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?) RETURNING id`,
		h, orNull(p.GoVersion), orNull(p.Kernel), orNull(p.CPU), orNull(p.OS), orNull(p.Host), orNull(p.GitCommit),
		bit(p.GitDirty), argv, modules, orNull(p.DiffHash), p.DiffBytes, orNull(p.Diff)).Scan(&id)
	return id, err
}
