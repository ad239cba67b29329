package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// RecordExperiment records a version of a spec and the runs it consists of, before any of them has run. A version that
// is known already becomes the current one again; its runs are replaced by e.Runs.
func (db *DB) RecordExperiment(ctx context.Context, e Experiment) error {
	if len(e.Swept) != 0 && len(e.Swept) != len(e.Runs) {
		return fmt.Errorf("record experiment %s: %d runs and %d sets of swept values", e.Name, len(e.Runs), len(e.Swept))
	}
	for _, key := range e.Runs {
		if err := checkKey(key); err != nil {
			return fmt.Errorf("record experiment %s: %w", e.Name, err)
		}
	}
	digest := planDigest(e)
	if db.w != nil {
		if ok, err := db.isCurrent(ctx, e, digest); ok || err != nil {
			return db.fault("record an experiment", err)
		}
	}
	err := db.write(ctx, false, func(tx *sql.Tx) error { return db.putExperiment(ctx, tx, e, digest) })
	if err == nil && db.net != nil {
		return db.net.leave(ctx, db, exportPart{name: e.Name, hash: e.Hash})
	}
	return db.fault("record an experiment", err)
}

func (db *DB) putExperiment(ctx context.Context, tx *sql.Tx, e Experiment, digest string) error {
	data := e.Bytes
	if data == nil {
		data = []byte{} // nil would be NULL
	}
	var id int64
	err := tx.QueryRowContext(ctx, `
		INSERT INTO experiment (name, title, source, hash, bytes, recorded, touched)
		VALUES (?, ?, ?, ?, ?, ?, (SELECT ifnull(max(touched), 0) + 1 FROM experiment))
		ON CONFLICT (name, hash) DO UPDATE SET touched = excluded.touched RETURNING id`,
		e.Name, e.Title, orNull(e.Source), e.Hash, data, formatTime(db.now())).Scan(&id)
	if err != nil {
		return err
	}
	if ok, err := recordedPlan(ctx, tx, id, digest); ok || err != nil {
		return err
	}
	err = insert(ctx, tx, "INSERT INTO run (key) VALUES (?) ON CONFLICT (key) DO NOTHING", len(e.Runs),
		func(i int) []any { return []any{e.Runs[i]} })
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM experiment_runs WHERE experiment = ?", id); err != nil {
		return err
	}
	err = insert(ctx, tx, `INSERT INTO experiment_runs (experiment, ordinal, run, swept)
		SELECT ?, ?, id, ? FROM run WHERE key = ?`, len(e.Runs), func(i int) []any { return []any{id, i, sweptText(e, i), e.Runs[i]} })
	if err != nil {
		return err
	}
	return notePlan(ctx, tx, id, digest)
}

// Claim is the verdict on one claim of a spec. A number that there is none of is NaN and becomes NULL.
type Claim struct {
	ID, Verdict string
	Value, SD   float64
	N           int // rows of the claim's query
	Low, High   float64
	Expect      any // nil, float64, or a string: JSON, for the operator "order"
	Op          string
	Tolerance   float64
	PaperValue  float64
	Runs        []string // keys of the runs behind the value
}

// RecordClaims records one judging of all claims of the experiment version with the hash. Earlier ones are kept; the view
// claims shows the newest of each experiment. It fails with ErrNotFound for an unknown version.
func (db *DB) RecordClaims(ctx context.Context, experiment, hash string, claims []Claim) error {
	err := db.write(ctx, true, func(tx *sql.Tx) error {
		var version int64
		err := tx.QueryRowContext(ctx, "SELECT id FROM experiment WHERE name = ? AND hash = ?", experiment, hash).Scan(&version)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("experiment %s, version %.12s: %w", experiment, hash, ErrNotFound)
		}
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, "INSERT INTO evaluation (experiment, evaluated) VALUES (?, ?)", version, formatTime(db.now()))
		if err != nil {
			return err
		}
		id, err := res.LastInsertId()
		if err != nil {
			return err
		}
		return insert(ctx, tx, `INSERT INTO claim (evaluation, ordinal, id, verdict, value, sd, n, low, high, expect, op,
			tolerance, paper_value, runs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, len(claims), func(i int) []any {
			c := claims[i]
			runs := "[]"
			if len(c.Runs) > 0 {
				runs = mustJSON(c.Runs)
			}
			return []any{
				id, i, c.ID, c.Verdict, orNaN(c.Value), orNaN(c.SD), c.N, orNaN(c.Low), orNaN(c.High), c.Expect, c.Op,
				orNaN(c.Tolerance), orNaN(c.PaperValue), runs,
			}
		})
	})
	if err == nil && db.net != nil {
		return db.net.leave(ctx, db, exportPart{name: experiment, hash: hash, evaluations: true})
	}
	return db.fault("record verdicts", err)
}

// Digests are the digests of the data that were last read, by canonical data reference.
func (db *DB) Digests(ctx context.Context) (map[string]string, error) {
	m := map[string]string{}
	err := each(ctx, db.r, "SELECT ref, digest FROM digest", nil, func(scan func(...any) error) error {
		var ref, digest string
		err := scan(&ref, &digest)
		m[ref] = digest
		return err
	})
	return m, db.fault("read the digests of data", err)
}

// RecordDigest records the digest of what was read for a data reference; an earlier one is replaced.
func (db *DB) RecordDigest(ctx context.Context, ref, digest string) error {
	err := db.write(ctx, false, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO digest (ref, digest, recorded) VALUES (?, ?, ?)
			ON CONFLICT (ref) DO UPDATE SET digest = excluded.digest, recorded = excluded.recorded
			WHERE digest IS NOT excluded.digest`, ref, digest, formatTime(db.now()))
		return err
	})
	if err == nil && db.net != nil {
		return db.net.leave(ctx, db, exportPart{digests: true})
	}
	return db.fault("record a digest", err)
}
