package budget

import (
	"path/filepath"
	"testing"
	"time"
)

// sweepRuns is the size of the large sweep.
const sweepRuns = 100_000

// makeSweep writes a database in which every run of a sweep of 100,000 is finished, each with its parameters and its result.
func makeSweep(tb testing.TB, dir string) {
	tb.Helper()
	text := sweepSpec("A large sweep", methods, (sweepRuns+90*len(methods)-1)/(90*len(methods)))
	writeSpec(tb, dir, "sweep", text)
	r := newRecorder(tb, filepath.Join(dir, ".kappa", "runs.db"))
	spec, plan := planOf(tb, "sweep", text)
	if len(plan.Runs) < sweepRuns {
		tb.Fatalf("the sweep has %d runs, want at least %d", len(plan.Runs), sweepRuns)
	}
	r.experiment(spec, plan)
	began := time.Now()
	for _, run := range plan.Runs {
		r.run(run, r.bare())
	}
	if err := r.db.Close(); err != nil {
		tb.Fatal(err)
	}
	tb.Logf("recorded %d runs in %v", len(plan.Runs), time.Since(began).Round(time.Second))
}

// BenchmarkUpToDate: budget 1 s, to find that nothing of a sweep of 100,000 runs is left to do.
func BenchmarkUpToDate(b *testing.B) {
	dir := made(b, "sweep", makeSweep)
	within(b, "kappa run of 100,000 finished runs", time.Second, func() { kappa(b, dir, 0, "run", "sweep", "--no-report", "-q") })
}

// BenchmarkPlan lists the same sweep; budget 1 s.
func BenchmarkPlan(b *testing.B) {
	dir := made(b, "sweep", makeSweep)
	within(b, "kappa plan of 100,000 finished runs", time.Second, func() { kappa(b, dir, 0, "plan", "sweep") })
}
