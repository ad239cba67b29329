package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Outcome reads back what the shown attempt of the run key left behind, number for number: NaN, ±Inf and −0 included.
// Log10 κ and σ that are not finite are the exception: σ reads NaN. It fails with ErrNotFound.
func (db *DB) Outcome(ctx context.Context, key string) (Outcome, error) {
	o, err := db.outcome(ctx, key)
	return o, db.fault("read a run", err)
}

func (db *DB) outcome(ctx context.Context, key string) (Outcome, error) {
	tx, err := db.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // all of it as of one moment
	if err != nil {
		return Outcome{}, err
	}
	defer func() { _ = tx.Rollback() }()
	return readOutcome(ctx, tx, key)
}

func readOutcome(ctx context.Context, q querier, key string) (Outcome, error) {
	var o Outcome
	var attempt int64
	err := q.QueryRowContext(ctx, `SELECT a.id, a.status, ifnull(a.reason, ''), ifnull(a.error, ''), ifnull(a.log, ''),
		ifnull(a.wall_seconds, 0), ifnull(a.cpu_seconds, 0) FROM run AS r JOIN attempt AS a ON a.id = r.shown
		WHERE r.key = ? AND r.removed IS NULL`, key).
		Scan(&attempt, &o.Status, &o.Reason, &o.Error, &o.Log, &o.WallSeconds, &o.CPUSeconds)
	if errors.Is(err, sql.ErrNoRows) {
		return Outcome{}, fmt.Errorf("run %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return Outcome{}, err
	}
	for _, read := range []func(context.Context, querier, int64, *Outcome) error{
		getMetrics, getConditions, getAttacks, getResult, getArtifacts,
	} {
		if err := read(ctx, q, attempt, &o); err != nil {
			return Outcome{}, err
		}
	}
	return o, nil
}

// each calls f once a row of a query, with a scanner of the row.
func each(ctx context.Context, q querier, query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func getMetrics(ctx context.Context, q querier, attempt int64, o *Outcome) error {
	return each(ctx, q, "SELECT name, step, value, ifnull(kind, '') FROM metric WHERE attempt = ? ORDER BY name, step",
		[]any{attempt}, func(scan func(...any) error) error {
			var m Metric
			var value *float64
			var kind string
			err := scan(&m.Name, &m.Step, &value, &kind)
			m.Value = decode(value, kind)
			o.Metrics = append(o.Metrics, m)
			return err
		})
}

func getConditions(ctx context.Context, q querier, attempt int64, o *Outcome) error {
	return each(ctx, q, `SELECT step, task, protocol, kappa, sigma_max, sigma_min, rank, next, ridge_dominated, degenerate,
		rank_unclear, ifnull(kind, '') FROM condition_number WHERE attempt = ? ORDER BY task, protocol, step`,
		[]any{attempt}, func(scan func(...any) error) error {
			var c Condition
			var kappa, largest, smallest, next *float64
			var kind string
			err := scan(&c.Step, &c.Task, &c.Protocol, &kappa, &largest, &smallest, &c.Rank, &next, &c.RidgeDominated,
				&c.Degenerate, &c.RankUnclear, &kind)
			c.Kappa, c.SigmaMax, c.SigmaMin, c.Next = decode(kappa, kind), decode(largest, ""), decode(smallest, ""), decode(next, "")
			c.Unresolved = kind == kindUnresolved
			o.Conditions = append(o.Conditions, c)
			return err
		})
}

func getAttacks(ctx context.Context, q querier, attempt int64, o *Outcome) error {
	return each(ctx, q, `SELECT attacker, task, step, ifnull(kinds, '{}'), loss, excess, norm_ratio, accuracy FROM attack
		WHERE attempt = ? ORDER BY attacker, task, step`, []any{attempt}, func(scan func(...any) error) error {
		var a AttackPoint
		err := scanFigures(scan, a.figures(), &a.Attacker, &a.Task, &a.Step)
		o.Attacks = append(o.Attacks, a)
		return err
	})
}

// scanFigures reads a row: head, kinds and the figures.
func scanFigures(scan func(...any) error, figures []figure, head ...any) error {
	var text string
	values := make([]*float64, len(figures))
	dest := append(head, &text)
	for i := range values {
		dest = append(dest, &values[i])
	}
	if err := scan(dest...); err != nil {
		return err
	}
	var k kinds
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return fmt.Errorf("kinds %q: %w", text, err)
	}
	for i, f := range figures {
		*f.value = decode(values[i], k[f.column])
	}
	return nil
}

func getResult(ctx context.Context, q querier, attempt int64, o *Outcome) error {
	return each(ctx, q, `SELECT steps, ridge_dominated, unbounded, freedom, def_a, def_b, def_c, ifnull(def_a_ridge, 0),
		ifnull(def_b_ridge, 0), deep, ifnull(kinds, '{}'), rir, ratio_harmful, ratio_primary, rir_ridge, ratio_harmful_ridge,
		ratio_primary_ridge, ceiling, kappa_theta, loss_primary, loss_base, bound, reached, reached_bound
		FROM result WHERE attempt = ?`, []any{attempt}, func(scan func(...any) error) error {
		var r Result
		err := scanFigures(scan, r.figures(), &r.Steps, &r.RidgeDominated, &r.Unbounded, &r.Freedom, &r.DefA, &r.DefB, &r.DefC,
			&r.DefARidge, &r.DefBRidge, &r.Deep)
		if r.Unbounded {
			r.Ceiling = math.Inf(1)
		}
		o.Result = &r
		return err
	})
}

func getArtifacts(ctx context.Context, q querier, attempt int64, o *Outcome) error {
	return each(ctx, q, "SELECT name, path, digest, bytes FROM artifact WHERE attempt = ? ORDER BY name",
		[]any{attempt}, func(scan func(...any) error) error {
			var a Artifact
			err := scan(&a.Name, &a.Path, &a.Digest, &a.Bytes)
			o.Artifacts = append(o.Artifacts, a)
			return err
		})
}
