package blas

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
)

// FuzzGemm compares products of any shape, in any arrangement, with the naive one.
func FuzzGemm(f *testing.F) {
	f.Add(uint64(1), uint16(8), uint16(24), uint16(196), uint8(0), uint8(0), 1.0, 0.0)
	f.Add(uint64(2), uint16(79), uint16(79), uint16(79), uint8(1), uint8(2), -1.0, 1.0)
	f.Add(uint64(3), uint16(1), uint16(97), uint16(257), uint8(6), uint8(1), 0.5, 2.0)
	all := supported()
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k uint16, form, gap uint8, alpha, beta float64) {
		const most = 300
		moderate := func(x float64) bool { return x == 0 || math.Abs(x) >= 1e-10 && math.Abs(x) <= 1e10 }
		if !moderate(alpha) || !moderate(beta) { // nothing overflows or underflows, in float32 either
			t.Skip("scalars beyond what the tolerance is for")
		}
		for _, impl := range all {
			rng := rand.New(rand.NewPCG(seed, 0))
			tA, tB := trans[int(form)%3], trans[int(form)/3%3]
			rows, cols, depth := int(m)%most, int(n)%most, int(k)%most
			checkGemm(t, rng, impl.Dgemm, unit64, tA, tB, rows, cols, depth, int(gap)%4, alpha, beta)
			checkGemm(t, rng, impl.Sgemm, unit32, tA, tB, rows, cols, depth, int(gap)%4, float64(float32(alpha)), float64(float32(beta)))
		}
	})
}

// FuzzTriangle compares solutions with triangular matrices of any shape with gonum's.
func FuzzTriangle(f *testing.F) {
	f.Add(uint64(1), uint8(33), uint8(40), uint8(0), uint8(0))
	f.Add(uint64(2), uint8(100), uint8(1), uint8(23), uint8(2))
	all := supported()
	f.Fuzz(func(t *testing.T, seed uint64, order, free, form, gap uint8) {
		for _, impl := range all {
			rng := rand.New(rand.NewPCG(seed, 0))
			s, ul, d, tA := sides[form%2], uplos[form/2%2], diags[form/4%2], trans[form/8%3]
			m, n := int(order)+1, int(free)+1
			if s == blas.Right {
				m, n = n, m
			}
			a := triangleOf(rng, ul, d, int(order)+1, int(gap%4))
			b := newMatrix[float64](rng, m, n, int(gap%4))
			got, want := b.copy(), b.copy()
			impl.Dtrsm(s, ul, tA, d, m, n, 1, a.data, a.ld, got.data, got.ld)
			reference.Dtrsm(s, ul, tA, d, m, n, 1, a.data, a.ld, want.data, want.ld)
			near(t, "Dtrsm", got, want, 1e-12)

			want = b.copy()
			impl.Dtrmm(s, ul, tA, d, m, n, 1, a.data, a.ld, b.data, b.ld)
			reference.Dtrmm(s, ul, tA, d, m, n, 1, a.data, a.ld, want.data, want.ld)
			near(t, "Dtrmm", b, want, 1e-12)
		}
	})
}
