package nn

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// resident returns the most memory that this process has had and what it has now, in MiB; false where the system does not say.
func resident() (peak, now float64, ok bool) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0, false
	}
	found := 0
	for line := range strings.Lines(string(text)) {
		for name, to := range map[string]*float64{"VmHWM:": &peak, "VmRSS:": &now} {
			if rest, is := strings.CutPrefix(line, name); is {
				kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
				if err != nil {
					return 0, 0, false
				}
				*to = kib / 1024
				found++
			}
		}
	}
	return peak, now, found == 2
}

// reportPeak adds to a benchmark's line the most memory that the process has had, and by how much that is more than before. It says
// something of one net only where no other has run in the process.
func reportPeak(b *testing.B, before float64) {
	if peak, _, ok := resident(); ok {
		b.ReportMetric(peak, "peak-MiB")
		b.ReportMetric(peak-before, "grown-MiB")
	}
}
