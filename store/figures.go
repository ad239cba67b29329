package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
)

// Figures has, for each key in its order, a digest of what the shown attempt of the run ended with: its status with reason and error,
// its final figures and the files it kept. It is "" for a run that was removed or has not ended. Two computations to the same bits
// have the same digest, whichever machine and however many attempts; that no metric of a step has been altered since is not told by
// it. It costs one row a run, however many steps.
func (db *DB) Figures(ctx context.Context, keys []string) ([]string, error) {
	parts := 1
	if len(keys) >= manyStates {
		parts = min(readers, runtime.GOMAXPROCS(0))
	}
	out, errs := make([]string, len(keys)), make([]error, parts)
	var wait sync.WaitGroup
	for part := range parts {
		from, to := part*len(keys)/parts, (part+1)*len(keys)/parts
		wait.Go(func() { errs[part] = figuresOf(ctx, db.r, keys[from:to], out[from:to]) })
	}
	wait.Wait()
	return out, db.fault("read the final figures", errors.Join(errs...))
}

// Figures is [DB.Figures] of the plan's runs, as of the report's moment.
func (r *Report) Figures(ctx context.Context) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]string, len(r.keys))
	err := figuresOf(ctx, r.c, r.keys, out)
	return out, r.db.fault("read the final figures", err)
}

// figuresOf writes the digests of the runs of keys into out, which is as long and empty.
func figuresOf(ctx context.Context, q querier, keys, out []string) error {
	if len(keys) == 0 {
		return nil
	}
	// The values as they are, not as text: SQLite takes longer to write a number than to read a row.
	values := make([]any, figuresRead)
	dest := make([]any, figuresRead)
	for i := range values {
		dest[i] = &values[i]
	}
	var record []byte
	return each(ctx, q, `
		SELECT j.key, a.status, a.reason, a.error, s.steps, s.rir, s.ratio_harmful, s.ratio_primary, s.rir_ridge, s.ratio_harmful_ridge,
			s.ratio_primary_ridge, s.ridge_dominated, s.ceiling, s.unbounded, s.freedom, s.kappa_theta, s.loss_primary, s.loss_base,
			s.def_a, s.def_b, s.def_c, s.def_a_ridge, s.def_b_ridge, s.bound, s.reached, s.reached_bound, s.deep, s.kinds,
			(SELECT json_group_array(f.name || ' ' || f.digest) FROM artifact AS f WHERE f.attempt = a.id)
		  FROM json_each(?) AS j
		 CROSS JOIN run AS r ON r.key = j.value
		 CROSS JOIN attempt AS a ON a.id = r.shown
		  LEFT JOIN result AS s ON s.attempt = a.id
		 WHERE r.removed IS NULL AND a.status IN ('done', 'diverged', 'failed', 'timeout')`, []any{mustJSON(keys)},
		func(scan func(...any) error) error {
			if err := scan(dest...); err != nil {
				return err
			}
			i, ok := values[0].(int64)
			if !ok || i < 0 || i >= int64(len(out)) {
				return fmt.Errorf("place %v of %d keys", values[0], len(out))
			}
			record = record[:0]
			for _, v := range values[1:] {
				record = appendFigure(record, v)
			}
			sum := sha256.Sum256(record)
			out[i] = hex.EncodeToString(sum[:])
			return nil
		})
}

// figuresRead is the number of columns that figuresOf reads.
const figuresRead = 29

// appendFigure appends a value of SQL so that no two sequences of values make the same bytes.
func appendFigure(b []byte, v any) []byte {
	switch v := v.(type) {
	case int64:
		return binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 'r'), math.Float64bits(v))
	case string:
		b = binary.BigEndian.AppendUint64(append(b, 't'), uint64(len(v)))
		return append(b, v...)
	case nil:
		return append(b, '0')
	}
	return fmt.Appendf(append(b, '?'), "%T %v", v, v)
}
