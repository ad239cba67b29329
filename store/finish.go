package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"
)

// Finish records the end of an attempt and everything it leaves behind in one transaction; when Finish returns it is on
// the disk, and so is the line of runs.db-acked that tells of it. An attempt ends once. One that another process has declared abandoned can still be finished: its figures
// are as good. The views show the run's latest finished attempt from then on; a run that was removed comes back when it is finished.
func (db *DB) Finish(ctx context.Context, attempt int64, o Outcome) error {
	if o.Status == Running || o.Status == "" {
		return fmt.Errorf("finish attempt %d: the status %q is no end", attempt, o.Status)
	}
	if o.Result != nil && !o.Status.Finished() {
		return fmt.Errorf("finish attempt %d: an attempt that is %s has no result", attempt, o.Status)
	}
	var end ack
	err := db.write(ctx, true, func(tx *sql.Tx) (err error) {
		end, err = db.finish(ctx, tx, attempt, o)
		return err
	})
	if err != nil {
		return db.fault("record the end of a run", err)
	}
	db.acknowledge(ctx, end)
	if db.net != nil {
		return db.net.finished(ctx, db, attempt, o.Status)
	}
	return nil
}

func (db *DB) finish(ctx context.Context, tx *sql.Tx, attempt int64, o Outcome) (ack, error) {
	end := ack{Status: o.Status}
	var run int64
	var status Status
	var reason sql.NullString
	var started string
	err := tx.QueryRowContext(ctx, "SELECT a.run, a.status, a.reason, a.started, a.attempt, r.key, "+experimentOfRun+`
		FROM attempt AS a JOIN run AS r ON r.id = a.run WHERE a.id = ?`, attempt).
		Scan(&run, &status, &reason, &started, &end.Attempt, &end.Key, &end.Experiment)
	if errors.Is(err, sql.ErrNoRows) {
		return ack{}, fmt.Errorf("attempt %d: %w", attempt, ErrNotFound)
	}
	if err != nil {
		return ack{}, err
	}
	if status != Running && !(status == Interrupted && reason.String == abandoned) {
		return ack{}, fmt.Errorf("attempt %d has ended before: %s", attempt, status)
	}
	if end.Seq, err = db.nextSeq(ctx, tx); err != nil {
		return ack{}, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE attempt SET status = ?, reason = ?, finished = ?, wall_seconds = ?,
		cpu_seconds = ?, error = ?, log = ?, lease = 0, seq = ? WHERE id = ?`,
		o.Status, orNull(o.Reason), formatTime(endOf(parseTime(started), db.now(), o.WallSeconds)), orNaN(o.WallSeconds),
		orNaN(o.CPUSeconds), orNull(o.Error), orNull(o.Log), end.Seq, attempt)
	if err != nil {
		return ack{}, err
	}
	for _, write := range []func(context.Context, *sql.Tx, int64, Outcome) error{
		putMetrics, putConditions, putAttacks, putResult, putArtifacts,
	} {
		if err := write(ctx, tx, attempt, o); err != nil {
			return ack{}, err
		}
	}
	if o.Status.Finished() {
		if _, err := tx.ExecContext(ctx, "UPDATE run SET removed = NULL WHERE id = ? AND removed IS NOT NULL", run); err != nil {
			return ack{}, err
		}
	}
	if err := madeGood(ctx, tx, end); err != nil {
		return ack{}, err
	}
	return end, show(ctx, tx, run)
}

// endOf is when an attempt ended: now, but where the clock was set back meanwhile, after its start as long as it took.
func endOf(started, now time.Time, wallSeconds float64) time.Time {
	if now.Before(started) && wallSeconds >= 0 { // not NaN
		return started.Add(seconds(wallSeconds))
	}
	if now.Before(started) {
		return started
	}
	return now
}

func putMetrics(ctx context.Context, tx *sql.Tx, attempt int64, o Outcome) error {
	err := insert(ctx, tx, "INSERT INTO metric (attempt, name, step, value, kind) VALUES (?, ?, ?, ?, ?)",
		len(o.Metrics), func(i int) []any {
			m := o.Metrics[i]
			value, kind := encode(m.Value)
			return []any{attempt, m.Name, m.Step, value, kind}
		})
	return within("metrics", err)
}

// within names the part of an outcome that could not be recorded.
func within(part string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", part, err)
	}
	return nil
}

func putConditions(ctx context.Context, tx *sql.Tx, attempt int64, o Outcome) error {
	err := insert(ctx, tx, `INSERT INTO condition_number (attempt, task, protocol, step, kappa, log10_kappa, sigma_max,
		sigma_min, rank, next, ridge_dominated, degenerate, rank_unclear, kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		len(o.Conditions), func(i int) []any {
			c := o.Conditions[i]
			kappa, kind := encode(c.Kappa)
			if c.Unresolved {
				kappa, kind = nil, kindUnresolved
			}
			var log10 any
			if kappa != nil && c.Kappa > 0 {
				log10 = math.Log10(c.Kappa)
			}
			return []any{
				attempt, c.Task, c.Protocol, c.Step, kappa, log10, orNonFinite(c.SigmaMax), orNonFinite(c.SigmaMin), c.Rank,
				orNonFinite(c.Next), bit(c.RidgeDominated), bit(c.Degenerate), bit(c.RankUnclear), kind,
			}
		})
	return within("condition numbers", err)
}

// orNonFinite is NULL for a number that is not finite, where no kind is kept.
func orNonFinite(x float64) any {
	if math.IsInf(x, 0) {
		return nil
	}
	return orNaN(x)
}

func putAttacks(ctx context.Context, tx *sql.Tx, attempt int64, o Outcome) error {
	err := insert(ctx, tx, `INSERT INTO attack (attempt, attacker, task, step, loss, excess, norm_ratio, accuracy, kinds)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		len(o.Attacks), func(i int) []any {
			a := o.Attacks[i]
			var k kinds
			row := []any{attempt, a.Attacker, a.Task, a.Step}
			for _, f := range a.figures() {
				if math.IsNaN(*f.value) {
					row = append(row, nil) // does not apply
					continue
				}
				row = append(row, k.put(f.column, *f.value))
			}
			return append(row, k.text())
		})
	return within("attacks", err)
}

// figure is a number of a row and the column it goes to.
type figure struct {
	column string
	value  *float64
}

func (a *AttackPoint) figures() []figure {
	return []figure{{"loss", &a.Loss}, {"excess", &a.Excess}, {"norm_ratio", &a.NormRatio}, {"accuracy", &a.Accuracy}}
}

func (r *Result) figures() []figure {
	return []figure{
		{"rir", &r.RIR},
		{"ratio_harmful", &r.RatioHarmful},
		{"ratio_primary", &r.RatioPrimary},
		{"rir_ridge", &r.RIRRidge},
		{"ratio_harmful_ridge", &r.RatioHarmfulRidge},
		{"ratio_primary_ridge", &r.RatioPrimaryRidge},
		{"ceiling", &r.Ceiling},
		{"kappa_theta", &r.KappaTheta},
		{"loss_primary", &r.LossPrimary},
		{"loss_base", &r.LossBase},
		{"bound", &r.Bound},
		{"reached", &r.Reached},
		{"reached_bound", &r.ReachedBound},
	}
}

// inapplicable says of a figure that is not a number that it should not be one: there is no kind to report.
func (r *Result) inapplicable(value *float64) bool {
	switch value {
	case &r.Ceiling:
		return r.Unbounded || r.Deep
	case &r.Bound, &r.Reached, &r.ReachedBound:
		return math.IsNaN(*value)
	case &r.KappaTheta, &r.LossPrimary, &r.LossBase:
		return r.Deep && math.IsNaN(*value)
	}
	return false
}

func putResult(ctx context.Context, tx *sql.Tx, attempt int64, o Outcome) error {
	if o.Result == nil {
		return nil
	}
	r := *o.Result
	var k kinds
	row := []any{
		attempt, r.Steps, bit(r.RidgeDominated), bit(r.Unbounded), r.Freedom, bit(r.DefA), bit(r.DefB), bit(r.DefC),
		bit(r.DefARidge), bit(r.DefBRidge), bit(r.Deep),
	}
	for _, f := range r.figures() {
		if r.inapplicable(f.value) {
			row = append(row, nil)
			continue
		}
		row = append(row, k.put(f.column, *f.value))
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO result (attempt, steps, ridge_dominated, unbounded, freedom, def_a, def_b, def_c,
		def_a_ridge, def_b_ridge, deep, rir, ratio_harmful, ratio_primary, rir_ridge, ratio_harmful_ridge, ratio_primary_ridge,
		ceiling, kappa_theta, loss_primary, loss_base, bound, reached, reached_bound, kinds)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, append(row, k.text())...)
	return within("result", err)
}

func putArtifacts(ctx context.Context, tx *sql.Tx, attempt int64, o Outcome) error {
	err := insert(ctx, tx, "INSERT INTO artifact (attempt, name, path, digest, bytes) VALUES (?, ?, ?, ?, ?)",
		len(o.Artifacts), func(i int) []any {
			a := o.Artifacts[i]
			return []any{attempt, a.Name, a.Path, a.Digest, a.Bytes}
		})
	return within("artifacts", err)
}
