package spectrum

import (
	"fmt"
	"testing"
	"time"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// BenchmarkTrajectory steps along a trajectory whose θ changes a little from call to call, and times the ends of one task's H.
func BenchmarkTrajectory(b *testing.B) {
	for _, d := range []int{64, 79, 200, 784} {
		b.Run(fmt.Sprintf("n=%d", d), func(b *testing.B) {
			tr := newTrajectory(columns(b, 1, 7*d, d, 1, 0.03), columns(b, 2, 7*d, d, 0.05, 1), 1e-3, 1e-3)
			tr.look(b)
			tr.move()
			tr.look(b)
			var spent [2]time.Duration
			var passes, factors [4]int
			for b.Loop() {
				b.StopTimer()
				tr.move()
				b.StartTimer()
				start := time.Now()
				var err error
				if tr.xp, err = tr.wp.Extremes(tr.fp, tr.theta); err != nil {
					b.Fatal(err)
				}
				spent[0] += time.Since(start)
				start = time.Now()
				if tr.xh, err = tr.wh.Extremes(tr.fh, tr.theta); err != nil {
					b.Fatal(err)
				}
				spent[1] += time.Since(start)
				for i, e := range []*end{&tr.wp.upper, &tr.wp.lower, &tr.wh.upper, &tr.wh.lower} {
					passes[i] += e.passes
					factors[i] += e.factors
				}
			}
			for i, name := range []string{"primary", "harmful"} {
				b.ReportMetric(spent[i].Seconds()*1e3/float64(b.N), name+"-ms")
			}
			for i, name := range []string{"p-top", "p-bottom", "h-top", "h-bottom"} {
				b.ReportMetric(float64(passes[i])/float64(b.N), name+"-passes")
				b.ReportMetric(float64(factors[i])/float64(b.N), name+"-factors")
			}
			b.ReportMetric(float64(tr.wp.fallbacks+tr.wh.fallbacks), "fallbacks")
		})
	}
}

// BenchmarkParts times what the ends at n = 784 are made of.
func BenchmarkParts(b *testing.B) {
	const d = 784
	f := columns(b, 1, 2*d, d, 1, 0.03)
	theta := eye(d, d)
	var w Workspace
	x, err := w.Extremes(f, theta)
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, do func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				do()
			}
		})
	}
	dst := blas64.General{Rows: d, Cols: d, Stride: d, Data: make([]float64, d*d)}
	out := mat.NewDense(d, d, nil)
	run("product", func() { multiply(dst, f.r.RawMatrix(), theta.RawMatrix(), true) })
	run("whole product", func() { multiply(dst, f.r.RawMatrix(), theta.RawMatrix(), false) })
	run("magnitude", func() { magnitude(dst.Data) })
	run("H", func() { w.gram.form(x.F.RawMatrix(), 1) })
	run("mirror", func() { mirror(w.gram.g, d) })
	run("Cholesky", func() { w.lower.tri.cholesky(w.gram.g, 1, 0, 0, nil) })
	run("LQ", func() { w.lower.factorC(&w.gram) })
	three := rows(w.lower.lead, d, 0, 3)
	run("solve", func() { w.lower.tri.solve(three); clear(three.Data) })
	run("apply", func() { w.gram.apply(three, rows(w.lower.sub.basis, d, 0, 3)) })
	run("backward", func() { w.gram.backward(three, rows(w.lower.sub.basis, d, 0, 3)) })
	run("ritz24", func() { w.lower.sub.size = 24; w.lower.sub.ritz() })
	run("ritz12", func() { w.lower.sub.size = 12; w.lower.sub.ritz() })
	w.lower.sub.size = basisKept
	run("MulH", func() { x.MulH(out, 1, theta) })
	run("same", func() { w.Extremes(f, theta) })
}
