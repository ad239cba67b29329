package spectrum

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/blas"
)

// BenchmarkTrajectory steps along a trajectory whose θ changes a little from call to call, and times the ends of both tasks' H: from
// θ on, and from F = Rθ on, where an eigen-decomposition would start with H formed.
func BenchmarkTrajectory(b *testing.B) {
	for _, from := range []string{"theta", "F"} {
		for _, d := range []int{64, 79, 200, 784} {
			if testing.Short() && d > shortSize {
				continue
			}
			b.Run(fmt.Sprintf("%s/n=%d", from, d), func(b *testing.B) {
				tr := newTrajectory(columns(b, 1, 7*d, d, 1, 0.03), columns(b, 2, 7*d, d, 0.05, 1), 1e-3, 1e-3)
				tr.look(b)
				passes, factors := 0, 0
				for b.Loop() {
					b.StopTimer()
					tr.move()
					if from == "F" {
						tr.multiply()
						b.StartTimer()
						tr.find(b)
					} else {
						b.StartTimer()
						tr.look(b)
					}
					for _, w := range []*Workspace{&tr.wp, &tr.wh} {
						passes += w.upper.passes + w.lower.passes
						factors += w.upper.factors + w.lower.factors
					}
				}
				b.ReportMetric(float64(passes)/float64(4*b.N), "passes/end")
				b.ReportMetric(float64(factors)/float64(4*b.N), "factors/end")
				b.ReportMetric(float64(tr.wp.fallbacks+tr.wh.fallbacks), "fallbacks")
			})
		}
	}
}

// multiply does the first part of look, find the rest.
func (tr *trajectory) multiply() {
	multiply(tr.xp.F.RawMatrix(), tr.fp.r.RawMatrix(), tr.theta.RawMatrix(), true)
	multiply(tr.xh.F.RawMatrix(), tr.fh.r.RawMatrix(), tr.theta.RawMatrix(), true)
}

func (tr *trajectory) find(b *testing.B) {
	blas.Split(2, 1, func(lo, hi int) { // side by side, as in a step
		for i := lo; i < hi; i++ {
			w, x := &tr.wp, tr.xp
			if i == 1 {
				w, x = &tr.wh, tr.xh
			}
			x.formed, w.hessian.known = false, false
			p, m := x.F.Dims()
			if err := w.find(x, p, m, magnitude(w.feature)); err != nil {
				b.Error(err)
			}
		}
	})
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
