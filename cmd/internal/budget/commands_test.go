package budget

import (
	"strings"
	"testing"
	"time"
)

// BenchmarkRunsList: budget 100 ms.
func BenchmarkRunsList(b *testing.B) {
	dir := made(b, "history", makeHistory)
	within(b, "kappa runs list (10,000 runs)", 100*time.Millisecond, func() { kappa(b, dir, 0, "runs", "list") })
}

// BenchmarkRunsListAll lists every run; it has no budget of its own.
func BenchmarkRunsListAll(b *testing.B) {
	dir := made(b, "history", makeHistory)
	within(b, "kappa runs list --limit 0 (10,000 runs)", 0, func() {
		if out, _ := kappa(b, dir, 0, "runs", "list", "--limit", "0"); strings.Count(out, "\n") < historyRuns {
			b.Fatal("runs are missing")
		}
	})
}

// BenchmarkStatus: budget 300 ms, of four specs that consist of 10,000 runs together.
func BenchmarkStatus(b *testing.B) {
	dir := made(b, "history", makeHistory)
	within(b, "kappa status (4 specs, 10,000 runs)", 300*time.Millisecond, func() { kappa(b, dir, 0, "status") })
}
