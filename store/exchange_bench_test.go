package store

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkExchange measures how long it takes to export and to import 500 runs of 200 metric points each.
func BenchmarkExchange(b *testing.B) {
	const runs, points = 500, 200
	ctx := b.Context()
	src, err := Open(ctx, filepath.Join(b.TempDir(), "runs.db"), Options{scratch: true})
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	for i := range runs {
		a, _, _, err := src.Claim(ctx, start(i), false)
		if err != nil {
			b.Fatal(err)
		}
		o := outcome(i)
		for p := range points {
			o.Metrics = append(o.Metrics, Metric{"m", p, float64(i) / float64(p+3)})
		}
		if err := src.Finish(ctx, a, o); err != nil {
			b.Fatal(err)
		}
	}
	var text strings.Builder
	if _, err := src.ExportJSONL(ctx, &text, ExportOptions{}); err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "x.db")
	if _, err := src.ExportDB(ctx, file, ExportOptions{}); err != nil {
		b.Fatal(err)
	}
	fresh := func(n int) *DB {
		db, err := Open(ctx, filepath.Join(b.TempDir(), fmt.Sprintf("%d.db", n)), Options{})
		if err != nil {
			b.Fatal(err)
		}
		return db
	}
	for _, c := range []struct {
		name string
		f    func(db *DB) error
	}{
		{"export jsonl", func(*DB) error { _, err := src.ExportJSONL(ctx, io.Discard, ExportOptions{}); return err }},
		{"import jsonl", func(db *DB) error {
			_, err := db.ImportJSONL(ctx, "x", strings.NewReader(text.String()), ImportOptions{})
			return err
		}},
		{"import db", func(db *DB) error { _, err := db.Import(ctx, file, ImportOptions{}); return err }},
		{"import again", func(*DB) error { _, err := src.Import(ctx, file, ImportOptions{}); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				b.StopTimer()
				db := fresh(n)
				n++
				b.StartTimer()
				if err := c.f(db); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := db.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/runs, "µs/run")
		})
	}
	b.ReportMetric(float64(text.Len())/runs, "bytes/run")
}
