package budget

import (
	"os"
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

// syncing measures the processor time that the disk's sync takes of the system: that of a log after pages like those of a run were written
// to it, and that of a list after a line was added, in the folder in which runs are recorded. It is not what recording costs, and depends on the file system alone.
func syncing(b *testing.B, n int) (perRun time.Duration) {
	b.Helper()
	dir := b.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	list, err := os.Create(filepath.Join(dir, "list"))
	if err != nil {
		b.Fatal(err)
	}
	defer list.Close()
	const frame, frames, fold = 4096 + 24, 12, 4 << 20
	pages, line := make([]byte, frames*frame), make([]byte, 120)
	var used time.Duration
	for i := range n {
		for _, part := range []struct {
			file *os.File
			data []byte
			at   int64
		}{{log, pages, int64(i * len(pages) % fold)}, {list, line, int64(i * len(line))}} {
			if _, err := part.file.WriteAt(part.data, part.at); err != nil {
				b.Fatal(err)
			}
			began := cpuTime()
			if err := part.file.Sync(); err != nil {
				b.Fatal(err)
			}
			used += cpuTime() - began
		}
	}
	return used / time.Duration(n)
}

// BenchmarkRecord: budget 1 ms of processor time a run, with its 27 parameters, its provenance and its result, and 10 µs a metric
// point. That the end of a run is on the disk takes what the disk takes, which `kappa doctor` measures: the processor time of the
// two syncs of a run is measured alone, on files like these, and taken off.
func BenchmarkRecord(b *testing.B) {
	var bare, points time.Duration
	b.Run("run", func(b *testing.B) {
		bare = recording(b, (*recorder).bare)
		const syncs = 200
		sync := min(syncing(b, syncs), bare)
		b.ReportMetric(float64(bare.Microseconds()), "cpu-µs/run")
		b.ReportMetric(float64(sync.Microseconds()), "sync-cpu-µs/run")
		measured.add(result{
			what: "record a run (processor time, without that of its two syncs)", unit: "µs", budget: 1000,
			value: float64((bare - sync).Nanoseconds()) / 1e3,
		})
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
