package budget

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// buildKappa builds the program into the folder of this call's histories.
func buildKappa(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "kappa")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, "kappa/cmd/kappa").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// startUp measures a whole process, from its start to its end.
func startUp(b *testing.B, program, dir, what string, args ...string) {
	b.Helper()
	var took, used []time.Duration
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), program, args...)
		cmd.Dir = dir
		began := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		took = append(took, time.Since(began))
		used = append(used, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	report(b, what, 50*time.Millisecond, middle(took), middle(used))
}

// BenchmarkStart: budget 50 ms, of processes that have little to do.
func BenchmarkStart(b *testing.B) {
	program := buildKappa(b)
	b.Run("version", func(b *testing.B) { startUp(b, program, b.TempDir(), "start-up: kappa version", "version") })
	b.Run("help", func(b *testing.B) { startUp(b, program, b.TempDir(), "start-up: kappa --help", "--help") })
	small := made(b, "small", makeSmall)
	b.Run("list", func(b *testing.B) { startUp(b, program, small, "start-up: kappa runs list (20 runs)", "runs", "list") })
	b.Run("query", func(b *testing.B) {
		startUp(b, program, small, "start-up: kappa query (20 runs)", "query", "SELECT count(*) FROM runs")
	})
}

// makeSmall writes a database of 20 runs.
func makeSmall(tb testing.TB, dir string) {
	r := newRecorder(tb, filepath.Join(dir, ".kappa", "runs.db"))
	spec, plan := planOf(tb, "small", sweepSpec("A few runs", methods[:1], 1))
	r.experiment(spec, plan)
	for _, run := range plan.Runs[:20] {
		r.run(run, r.whole())
	}
	if err := r.db.Close(); err != nil {
		tb.Fatal(err)
	}
}
