package store

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// clock is a clock that tests turn.
type clock struct {
	mu     sync.Mutex
	t      time.Time
	passed time.Duration
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// elapsed is the clock that nobody sets: it goes with advance alone.
func (c *clock) elapsed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passed
}

// set sets the clock, as people and time servers do.
func (c *clock) set(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(by)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	c.passed += d
}

func newPath(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), ".kappa", "runs.db")
}

func openTest(t *testing.T, path string, o Options) *DB {
	t.Helper()
	db, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

// key is the i-th test key; keys do not sort in the order of i.
func key(i int) string { return fmt.Sprintf("%02x%062x", (i*73+41)%256, i) }

func ptr[T any](v T) *T { return &v }

// start is a claim of key(i) with method and class from i.
func start(i int) Start {
	return Start{
		Key: key(i), TrainKey: key(1000 + i), Method: fmt.Sprintf("method-%d", i%3), Model: "linear",
		Primary:       DataRef{Dataset: "digits", Class: ptr(int64(i % 10)), Digest: "p"},
		Harmful:       DataRef{Dataset: "digits", Class: ptr(int64((i + 1) % 10)), Digest: "h"},
		Seed:          ptr(int64(i)),
		Params:        []Param{{Path: "train.learning_rate", Number: ptr(0.5)}, {Path: "train.method", Text: ptr("x")}},
		EngineVersion: 3,
		Provenance:    Provenance{GoVersion: "go1.26", Kernel: "avx2", CPU: "c", OS: "linux", Host: "h", Argv: []string{"kappa", "run"}},
	}
}

func claimTest(t *testing.T, db *DB, s Start, force bool) int64 {
	t.Helper()
	a, ok, st, err := db.Claim(t.Context(), s, force)
	if err != nil || !ok {
		t.Fatalf("claim %.6s: ok %v, state %+v, err %v", s.Key, ok, st, err)
	}
	return a
}

// outcome is what run i leaves behind.
func outcome(i int) Outcome {
	return Outcome{
		Status: Done, Reason: "step limit", WallSeconds: 1.5, CPUSeconds: 2.5,
		Metrics: []Metric{
			{"grad_well", 0, float64(i)},
			{"loss_primary", 0, float64(10 * i)},
			{"loss_primary", 100, float64(i)},
		},
		Conditions: []Condition{
			{Step: 0, Task: "harmful", Protocol: "rank", Kappa: 100 + float64(i), SigmaMax: 100, SigmaMin: 1, Rank: 5, Next: 1e-9},
			{Step: 0, Task: "primary", Protocol: "rank", Kappa: 10, SigmaMax: 10, SigmaMin: 1, Rank: 6, Next: math.NaN()},
		},
		Attacks: []AttackPoint{
			{"gd-exact", "harmful", 0, 3, 1, 0, math.NaN()},
			{"gd-exact", "harmful", 10, float64(i), 0.5, 0.1, 0.75},
		},
		Result: &Result{
			Steps: 100, RIR: float64(i) + 0.5, RatioHarmful: 2, RatioPrimary: 1, Ceiling: math.Inf(1), Unbounded: true, Freedom: 1,
			KappaTheta: 4, LossPrimary: 0.25, DefA: i%2 == 0,
		},
	}
}

// record runs i to its end.
func record(t *testing.T, db *DB, i int) int64 {
	t.Helper()
	a := claimTest(t, db, start(i), false)
	if err := db.Finish(t.Context(), a, outcome(i)); err != nil {
		t.Fatalf("finish run %d: %v", i, err)
	}
	return a
}

func stateOf(t *testing.T, db *DB, key string) State {
	t.Helper()
	m, err := db.States(t.Context(), []string{key})
	if err != nil {
		t.Fatalf("states: %v", err)
	}
	return m[key]
}

// one is the single value of a query over the history.
func one(t *testing.T, db *DB, query string) any {
	t.Helper()
	rows, err := db.Query(t.Context(), query, QueryOptions{})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if len(rows.Values) != 1 || len(rows.Values[0]) != 1 {
		t.Fatalf("%s: %d rows of %d columns, want one value", query, len(rows.Values), len(rows.Columns))
	}
	return rows.Values[0][0]
}

func mustCheck(t *testing.T, db *DB) {
	t.Helper()
	problems, _, err := db.Check(context.Background())
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	for _, p := range problems {
		t.Errorf("check: %s", p)
	}
}
