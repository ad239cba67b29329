package blas

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
)

func random[T float](rng *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
	return x
}

type shape struct {
	m, n, k int
	ta, tb  blas.Transpose
}

func (s shape) String() string {
	if s.m == s.n && s.n == s.k {
		return fmt.Sprintf("n=%d", s.m)
	}
	out := fmt.Sprintf("%dx%dx%d", s.m, s.n, s.k)
	if s.ta == blas.Trans {
		out += "T"
	}
	return out
}

var shapes = []shape{
	{64, 64, 64, blas.NoTrans, blas.NoTrans},
	{79, 79, 79, blas.NoTrans, blas.NoTrans},
	{256, 256, 256, blas.NoTrans, blas.NoTrans},
	{784, 784, 784, blas.NoTrans, blas.NoTrans},
	{64, 784, 784, blas.NoTrans, blas.NoTrans},
	{784, 784, 64, blas.Trans, blas.NoTrans},
}

// BenchmarkGemm multiplies matrices as the engine does. The peer's names are the same.
func BenchmarkGemm(b *testing.B) {
	for _, s := range shapes {
		b.Run("f64/"+s.String(), func(b *testing.B) { benchmarkGemm(b, s, best().Dgemm) })
	}
	for _, s := range shapes {
		b.Run("f32/"+s.String(), func(b *testing.B) { benchmarkGemm(b, s, best().Sgemm) })
	}
}

func benchmarkGemm[T float](b *testing.B, s shape, gemm func(tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda int, x []T, ldb int, beta T, c []T, ldc int)) {
	rng := rand.New(rand.NewPCG(1, 2))
	lda, ldb := s.k, s.n
	if s.ta == blas.Trans {
		lda = s.m
	}
	x, y, c := random[T](rng, s.m*s.k), random[T](rng, s.k*s.n), make([]T, s.m*s.n)
	for b.Loop() {
		gemm(s.ta, s.tb, s.m, s.n, s.k, 1, x, lda, y, ldb, 0, c, s.n)
	}
	b.ReportMetric(2*float64(s.m)*float64(s.n)*float64(s.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
