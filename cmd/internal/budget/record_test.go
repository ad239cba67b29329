package budget

import (
	"path/filepath"
	"testing"
	"time"

	"kappa/store"
)

// recording measures the processor time of the record of a run, from its claim to its end.
func recording(b *testing.B, outcome func(r *recorder) store.Outcome) (perRun time.Duration) {
	b.Helper()
	b.ReportAllocs()
	r := newRecorder(b, filepath.Join(b.TempDir(), "runs.db"))
	spec, plan := planOf(b, "recording", sweepSpec("Recording", methods[:1], 200))
	r.experiment(spec, plan)
	runs := plan.Runs
	const ahead = 50 // starts and outcomes are made ahead: a real run has them from its computation
	starts, outcomes := make([]store.Start, ahead), make([]store.Outcome, ahead)
	var used time.Duration
	n := 0
	for b.Loop() {
		if n == len(runs) {
			b.Fatalf("there are only %d runs to record; give a smaller -benchtime", len(runs))
		}
		if n%ahead == 0 {
			b.StopTimer()
			for i, run := range runs[n:min(n+ahead, len(runs))] {
				starts[i], outcomes[i] = startOf(run), outcome(r)
			}
			b.StartTimer()
		}
		began := cpuTime()
		r.record(starts[n%ahead], outcomes[n%ahead])
		used += cpuTime() - began
		n++
	}
	if err := r.db.Close(); err != nil {
		b.Fatal(err)
	}
	return used / time.Duration(n)
}

// BenchmarkRecord: budget 1 ms of processor time a run, with its 27 parameters, its provenance and its result, and 10 µs a metric
// point. That the end of a run is on the disk takes what the disk takes, which `kappa doctor` measures.
func BenchmarkRecord(b *testing.B) {
	var bare, points time.Duration
	b.Run("run", func(b *testing.B) {
		bare = recording(b, (*recorder).bare)
		b.ReportMetric(float64(bare.Microseconds()), "cpu-µs/run")
		measured.add(result{what: "record a run (processor time)", unit: "µs", budget: 1000, value: float64(bare.Nanoseconds()) / 1e3})
	})
	b.Run("points", func(b *testing.B) {
		points = recording(b, func(r *recorder) store.Outcome {
			o := r.whole()
			o.Attacks, o.Conditions = nil, nil
			return o
		})
		each := float64((points - bare).Nanoseconds()) / pointsPerRun / 1e3
		b.ReportMetric(each, "cpu-µs/point")
		measured.add(result{what: "record a metric point (processor time)", unit: "µs", budget: 10, value: each})
	})
	b.Run("whole", func(b *testing.B) {
		whole := recording(b, (*recorder).whole)
		b.ReportMetric(float64(whole.Microseconds()), "cpu-µs/run")
		measured.add(result{what: "record a run of 200 points, 40 κ and 32 points of attacks", unit: "µs", value: float64(whole.Nanoseconds()) / 1e3})
	})
}
