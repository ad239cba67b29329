package store

import "testing"

// BenchmarkAcknowledge is what the list of acknowledged ends adds to the end of a run, its sync apart.
func BenchmarkAcknowledge(b *testing.B) {
	f := ackFile(b.TempDir() + "/runs.db-acked")
	var lines []ack
	for i := range 1000 {
		lines = append(lines, ack{int64(i + 1), key(i), 1, Done, "digits"})
	}
	if err := f.replace(lines); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if t, _, err := f.tail(); err != nil || t.last() != 1000 {
			b.Fatal(t.last(), err)
		}
		_ = lines[0].line()
	}
}
