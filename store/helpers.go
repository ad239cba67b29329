package store

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"math"

	"modernc.org/sqlite"

	"kappa/engine/summary"
)

// helper is one aggregate function of SQL: its name, its number of arguments, and its value for a sample (at least one
// number; NaN becomes NULL) and the last argument.
type helper struct {
	name string
	args int32
	of   func(x []float64, p float64) float64
}

// helpers are the statistics that every query may use; engine/summary computes them.
var helpers = []helper{
	{"median", 1, func(x []float64, _ float64) float64 { return summary.Median(x) }},
	{"stddev", 1, func(x []float64, _ float64) float64 { return summary.StdDev(x) }},
	{"quantile", 2, summary.Quantile},
	{"ci95", 1, func(x []float64, _ float64) float64 { return summary.CI95(x) }},
	{"ci95_low", 1, func(x []float64, _ float64) float64 { return summary.Mean(x) - summary.CI95(x) }},
	{"ci95_high", 1, func(x []float64, _ float64) float64 { return summary.Mean(x) + summary.CI95(x) }},
}

func registerHelpers(d *sqlite.Driver) {
	for _, h := range helpers {
		d.MustRegisterFunction(h.name, &sqlite.FunctionImpl{
			NArgs:         h.args,
			Deterministic: true,
			MakeAggregate: func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) {
				return &sample{helper: h}, nil
			},
		})
	}
}

// sample gathers the numbers that one aggregate sees.
type sample struct {
	helper helper
	x      []float64
	p      float64
}

// maxSample is how many numbers a statistic takes: 128 MiB of them.
const maxSample = 16 << 20

// Step adds one row. NULL is passed over, as SQLite's own aggregates do.
func (s *sample) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	if s.helper.args == 2 {
		p, err := s.number(args[1])
		if err != nil {
			return err
		}
		if args[1] == nil || !(p >= 0 && p <= 1) {
			return fmt.Errorf("%s(x, p): p must lie between 0 and 1, not %v", s.helper.name, args[1])
		}
		if len(s.x) > 0 && p != s.p {
			return fmt.Errorf("%s(x, p): p must be the same in every row, not %v and %v", s.helper.name, s.p, p)
		}
		s.p = p
	}
	if args[0] == nil {
		return nil
	}
	x, err := s.number(args[0])
	if err != nil {
		return err
	}
	if len(s.x) == maxSample {
		return fmt.Errorf("%s: a sample has more than %d numbers", s.helper.name, maxSample)
	}
	s.x = append(s.x, x)
	return nil
}

func (s *sample) number(v driver.Value) (float64, error) {
	switch v := v.(type) {
	case nil:
		return math.NaN(), nil
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	}
	return 0, fmt.Errorf("%s takes numbers, not the text %q", s.helper.name, v)
}

// WindowInverse would let a frame slide; the helpers are statistics of whole groups.
func (s *sample) WindowInverse(*sqlite.FunctionContext, []driver.Value) error {
	return errors.New(s.helper.name + " cannot be used over a sliding window")
}

// WindowValue is the statistic of the rows so far: NULL for none, and where it is not defined (stddev of one number).
func (s *sample) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	if len(s.x) == 0 {
		return nil, nil
	}
	if v := s.helper.of(s.x, s.p); !math.IsNaN(v) {
		return v, nil
	}
	return nil, nil
}

// Final has nothing to release.
func (s *sample) Final(*sqlite.FunctionContext) {}
