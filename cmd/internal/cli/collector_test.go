package cli

import (
	"math"
	"runtime/debug"
	"testing"
)

// TestRoomyCollector: the collector is as it was afterwards, and GOGC is left alone.
func TestRoomyCollector(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	for _, tt := range []struct {
		gogc    string
		memory  int64
		percent int
		limit   int64
	}{
		{"", 8 << 30, 400, 4 << 30},
		{"", 0, 400, math.MaxInt64},
		{"50", 8 << 30, 100, math.MaxInt64},
	} {
		a := &app{env: Env{Getenv: func(string) string { return tt.gogc }, Memory: func() int64 { return tt.memory }}}
		restore := a.roomyCollector()
		percent := debug.SetGCPercent(tt.percent)
		if limit := debug.SetMemoryLimit(-1); percent != tt.percent || limit != tt.limit {
			t.Errorf("GOGC %q, %d bytes: percent %d, limit %d, want %d and %d", tt.gogc, tt.memory, percent, limit, tt.percent, tt.limit)
		}
		restore()
		debug.SetGCPercent(77) // a second call changes nothing
		restore()
		if again, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1); tt.gogc == "" && again != 77 || limit != math.MaxInt64 {
			t.Errorf("GOGC %q: percent %d, limit %d afterwards", tt.gogc, again, limit)
		}
	}
}
