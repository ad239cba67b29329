package budget

import (
	"os"
	"path/filepath"
	"testing"

	"kappa/store"
)

// BenchmarkBytes measures what a run and a metric point take in the database file. There is no budget.
func BenchmarkBytes(b *testing.B) {
	const runs = 300
	_, plan := planOf(b, "bytes", sweepSpec("Bytes", methods[:1], 4))
	size := func(outcome func(r *recorder) store.Outcome) float64 {
		path := filepath.Join(b.TempDir(), "runs.db")
		r := newRecorder(b, path)
		for _, run := range plan.Runs[:runs] {
			r.run(run, outcome(r))
		}
		if err := r.db.Close(); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		return float64(info.Size()) / runs
	}
	var bare, points float64
	for b.Loop() {
		bare = size((*recorder).bare)
		points = size(func(r *recorder) store.Outcome {
			o := r.whole()
			o.Attacks, o.Conditions = nil, nil
			return o
		})
	}
	b.ReportMetric(bare, "B/run")
	b.ReportMetric((points-bare)/pointsPerRun, "B/point")
	measured.add(result{what: "a run with parameters and result, in the database", unit: "B", value: bare})
	measured.add(result{what: "a metric point, in the database", unit: "B", value: (points - bare) / pointsPerRun})
}
