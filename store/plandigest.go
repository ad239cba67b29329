package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
)

// A plan of many runs is recorded again with every `kappa run`, mostly as it was. The table plan_digest knows what was recorded, so
// that it is not written anew; whether it still stands in experiment_runs is seen by a sum over the rows.

// planDigest is the SHA-256 of the runs of a version and what they sweep, in order.
func planDigest(e Experiment) string {
	h := sha256.New()
	var b []byte
	for i, key := range e.Runs {
		b = append(b[:0], key...)
		swept := sweptText(e, i)
		b = binary.AppendUvarint(b, uint64(len(swept)))
		b = append(b, swept...)
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// sweptText is what run i of a version sweeps, as it is stored.
func sweptText(e Experiment, i int) string {
	if len(e.Swept) == 0 || e.Swept[i] == "" {
		return "{}"
	}
	return e.Swept[i]
}

// recordedPlan says whether the plan of a version is recorded with that digest.
func recordedPlan(ctx context.Context, q querier, experiment int64, digest string) (bool, error) {
	var sum int64
	var was string
	err := q.QueryRowContext(ctx, "SELECT digest, sum FROM plan_digest WHERE experiment = ?", experiment).Scan(&was, &sum)
	if errors.Is(err, sql.ErrNoRows) || err == nil && was != digest {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	now, err := planSum(ctx, q, experiment)
	return now == sum, err
}

// planSum depends on which runs a version's plan has, and on their order.
func planSum(ctx context.Context, q querier, experiment int64) (sum int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT count(*) + ifnull(sum(run * (ordinal % 1000003 + 1) % 2147483647), 0)
		FROM experiment_runs WHERE experiment = ?`, experiment).Scan(&sum)
	return sum, err
}

// notePlan notes that the plan of a version is recorded.
func notePlan(ctx context.Context, tx *sql.Tx, experiment int64, digest string) error {
	sum, err := planSum(ctx, tx, experiment)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO plan_digest (experiment, digest, sum) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET digest = excluded.digest, sum = excluded.sum`, experiment, digest, sum)
	return err
}

// isCurrent says whether a version is recorded with its plan, and is the current one of all: then there is nothing to write.
func (db *DB) isCurrent(ctx context.Context, e Experiment, digest string) (bool, error) {
	var id int64
	err := db.r.QueryRowContext(ctx, `SELECT id FROM experiment WHERE name = ? AND hash = ?
		AND touched = (SELECT max(touched) FROM experiment)`, e.Name, e.Hash).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return recordedPlan(ctx, db.r, id, digest)
}
