package blas

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
)

// BenchmarkGemv is a matrix times a vector: bound by what memory delivers.
func BenchmarkGemv(b *testing.B) {
	for _, n := range []int{64, 784} {
		for _, t := range []blas.Transpose{blas.NoTrans, blas.Trans} {
			b.Run(fmt.Sprintf("n=%d/%c", n, t), func(b *testing.B) {
				rng := rand.New(rand.NewPCG(1, 2))
				a, x, y := random[float64](rng, n*n), random[float64](rng, n), random[float64](rng, n)
				impl := best()
				b.SetBytes(int64(8 * n * n))
				for b.Loop() {
					impl.Dgemv(t, n, n, 1, a, n, x, 1, 0, y, 1)
				}
			})
		}
	}
}

// BenchmarkLevel3 is what gonum's factorisations lean on.
func BenchmarkLevel3(b *testing.B) {
	const n = 784
	rng := rand.New(rand.NewPCG(1, 2))
	a, x, c := random[float64](rng, n*n), random[float64](rng, n*n), random[float64](rng, n*n)
	tri := triangleOf(rng, blas.Lower, blas.NonUnit, n, 0)
	impl := best()
	for _, r := range []struct {
		name string
		ops  float64
		f    func()
	}{
		{"syrk", n * n * n, func() { impl.Dsyrk(blas.Upper, blas.Trans, n, n, 1, a, n, 0, c, n) }},
		{"nt", 2 * n * n * n, func() { impl.Dgemm(blas.NoTrans, blas.Trans, n, n, n, 1, a, n, x, n, 0, c, n) }},
		{"tn", 2 * n * n * n, func() { impl.Dgemm(blas.Trans, blas.NoTrans, n, n, n, 1, a, n, x, n, 0, c, n) }},
		{"trsm-left", n * n * n, func() {
			impl.Dtrsm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, n, n, 1, tri.data, n, x, n)
		}},
		{"trsm-right", n * n * n, func() {
			impl.Dtrsm(blas.Right, blas.Lower, blas.NoTrans, blas.NonUnit, n, n, 1, tri.data, n, x, n)
		}},
		{"trmm-left", n * n * n, func() {
			impl.Dtrmm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, n, n, 1e-1, tri.data, n, x, n)
		}},
	} {
		b.Run(fmt.Sprintf("%s/n=%d", r.name, n), func(b *testing.B) {
			for b.Loop() {
				r.f()
			}
			b.ReportMetric(r.ops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
