package store

import (
	"math"
	"slices"
	"testing"
)

// figuresTest are the digests of runs 0 to 3 of a database.
func figuresTest(t *testing.T, db *DB) []string {
	t.Helper()
	f, err := db.Figures(t.Context(), []string{key(2), key(0), key(3), key(1)})
	if err != nil || len(f) != 4 {
		t.Fatalf("figures %v, %v", f, err)
	}
	return f
}

// TestFigures: the same figures have the same digest in every database and at every attempt, others another, and what has not ended none.
func TestFigures(t *testing.T) {
	one := openTest(t, newPath(t), Options{})
	record(t, one, 0)
	record(t, one, 1)
	claimTest(t, one, start(2), false) // under way
	before := figuresTest(t, one)
	if before[0] != "" || before[2] != "" || len(before[1]) != 64 || before[1] == before[3] {
		t.Fatalf("figures %q, want them of runs 0 and 1 alone, and different ones", before)
	}

	two := openTest(t, newPath(t), Options{Now: newClock().now})
	record(t, two, 1)
	record(t, two, 0)
	a := claimTest(t, two, start(0), true)
	again := outcome(0)
	again.WallSeconds, again.Log = 99, "slower"
	if err := two.Finish(t.Context(), a, again); err != nil {
		t.Fatal(err)
	}
	if got := figuresTest(t, two); !slices.Equal(got, before) {
		t.Errorf("in another order, computed twice: %q, want %q", got, before)
	}

	for name, change := range map[string]func(*Outcome){
		"a last bit": func(o *Outcome) { o.Result.RIR = math.Nextafter(o.Result.RIR, 9) },
		"a sign":     func(o *Outcome) { o.Result.LossPrimary = math.Copysign(0, -1) },
		"a kind":     func(o *Outcome) { o.Result.KappaTheta = math.NaN() },
		"an end":     func(o *Outcome) { o.Status, o.Reason = Diverged, "diverged at step 3" },
		"a file":     func(o *Outcome) { o.Artifacts = []Artifact{{"theta", "artifacts/x", "abc", 3}} },
		"none":       func(o *Outcome) { o.Status, o.Result = Failed, nil },
	} {
		db := openTest(t, newPath(t), Options{})
		o := outcome(1)
		change(&o)
		if err := db.Finish(t.Context(), claimTest(t, db, start(1), false), o); err != nil {
			t.Fatal(err)
		}
		if got := figuresTest(t, db); got[3] == before[3] || len(got[3]) != 64 {
			t.Errorf("%s: %q, want another digest than %q", name, got[3], before[3])
		}
	}

	if _, err := one.Remove(t.Context(), []string{key(0)}, true); err != nil {
		t.Fatal(err)
	}
	if got := figuresTest(t, one); got[1] != "" || got[3] != before[3] {
		t.Errorf("after removing run 0: %q", got)
	}

	r, err := two.OpenReport(t.Context(), []PlanRow{{Key: key(1)}, {Key: key(3)}, {Key: key(0)}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if got, err := r.Figures(t.Context()); err != nil || !slices.Equal(got, []string{before[3], "", before[1]}) {
		t.Errorf("in a report: %q, %v", got, err)
	}
}
