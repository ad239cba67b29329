package store

import "testing"

// BenchmarkEmpty: every command that checks a spec prepares its queries against an empty database.
func BenchmarkEmpty(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		db, err := Empty(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
