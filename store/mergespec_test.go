package store

import (
	"context"
	"testing"
	"time"
)

// TestMergeJudgings: after a clock was set back the latest verdict is the same one where it came from and where it was brought, at once
// and in parts.
func TestMergeJudgings(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clk := newClock()
	from, to := openTest(t, newPath(t), Options{Now: clk.now}), openTest(t, newPath(t), Options{Now: clk.now})
	spec := specTest("e", "x", 1, 2)
	must(t, from.RecordExperiment(ctx, spec))
	judge := func(verdict string) {
		t.Helper()
		must(t, from.RecordClaims(ctx, "e", spec.Hash, []Claim{{ID: "c", Verdict: verdict, Op: ">"}}))
	}
	same := func(of *DB, want string, added int) {
		t.Helper()
		for i, n := range []int{added, 0} {
			if r := importTest(t, of, exportTest(t, from, ExportOptions{}), ImportOptions{}); r.Evaluations != n {
				t.Errorf("import %d: %+v, want %d judgings", i+1, r, n)
			}
			for _, db := range []*DB{from, of} {
				if got := one(t, db, "SELECT verdict FROM claims"); got != want {
					t.Errorf("the latest verdict is %v, want %s", got, want)
				}
			}
		}
	}
	judge("first")
	same(to, "first", 1)
	clk.advance(-time.Hour)
	judge("set back")
	same(to, "set back", 1)
	clk.advance(-time.Hour)
	judge("set back again")
	judge("at last")
	same(to, "at last", 2)
	same(openTest(t, newPath(t), Options{Now: clk.now}), "at last", 4)

	// One of its own that is later stays the last.
	clk.advance(9 * time.Hour)
	must(t, to.RecordClaims(ctx, "e", spec.Hash, []Claim{{ID: "c", Verdict: "own", Op: ">"}}))
	clk.advance(-5 * time.Hour)
	judge("once more")
	importTest(t, to, exportTest(t, from, ExportOptions{}), ImportOptions{})
	if got := one(t, to, "SELECT verdict FROM claims"); got != "own" {
		t.Errorf("the latest verdict is %v", got)
	}
	mustCheck(t, to)
}
