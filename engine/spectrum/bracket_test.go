package spectrum

import (
	"math"
	"testing"

	"kappa/engine/internal/numtest"
)

// divided is the j-th eigenvalue by dividing its bracket alone, and the number of passes.
func (b *bidiagonal) divided(j int) (value float64, passes int) {
	s := [1]bracket{{j: j}}
	b.start(s[:])
	for ; s[0].high > s[0].low+1; passes++ {
		b.divide(s[:], 0)
	}
	if s[0].low == math.Float64bits(negligible) {
		return 0, passes
	}
	return math.Float64frombits(s[0].low), passes
}

// matrices returns bidiagonal matrices of all kinds of spectra: apart, in clusters, repeated, graded, with zeros.
func matrices(n int) map[string]*bidiagonal {
	rng := numtest.Rand(50)
	out := make(map[string]*bidiagonal)
	of := func(name string, values []float64) {
		w, _ := reduced(numtest.WithSingularValues(rng, n, n, values))
		out[name] = &w.b
	}
	of("apart", numtest.Geometric(40, 0.1, n))
	of("steep", numtest.Geometric(1, 1e-13, n))
	of("close", numtest.Geometric(1, 1-1e-10, n))
	equal := make([]float64, n)
	pairs := numtest.Geometric(3, 1, n)
	for i := range n {
		equal[i] = 2
		pairs[i] = pairs[i/2*2]
	}
	of("equal", equal)
	of("pairs", pairs)
	deficient := numtest.Geometric(9, 0.1, n)
	clear(deficient[2*n/3:])
	of("deficient", deficient)
	d, e := make([]float64, n), make([]float64, n-1)
	for i := range n {
		d[i] = rng.Float64()
		if i < n-1 {
			e[i] = rng.NormFloat64() / 4
		}
	}
	out["random"], _ = upper(d, e)
	for i := range n {
		d[i] = math.Pow(10, -12*float64(i)/float64(n))
		if i < n-1 {
			e[i] = d[i] / 3
		}
	}
	out["graded"], _ = upper(d, e)
	if n > 4 {
		d[n/2], e[n/4] = 0, 0
		out["split"], _ = upper(d, e)
	}
	return out
}

// The quotients save passes and change nothing: both ways end at a place where the counts change, and those are some units in the last
// place apart at most.
func TestBrackets(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 64, 79} {
		for name, b := range matrices(n) {
			together := [4]bracket{{j: 1}, {j: n}, {j: min(2, n)}, {j: max(1, n-1)}}
			b.start(together[:])
			for i, s := range together {
				want, _ := b.divided(s.j)
				for which, got := range map[string]float64{"alone": b.eigenvalue(s.j), "together": b.find(together[:], i)} {
					if want == 0 && got == 0 {
						continue
					}
					if e := numtest.RelError(got, want); e > 4*eps*float64(n) {
						t.Errorf("%s, n = %d: eigenvalue %d %s is %.17g, %.17g by division", name, n, s.j, which, got, want)
					}
					at := math.Float64bits(got)
					near := [sections]float64{math.Float64frombits(at - 64), got, math.Float64frombits(at + 1), math.Float64frombits(at + 64)}
					if c := b.above(&near); c[0] < s.j || c[3] >= s.j {
						t.Errorf("%s, n = %d: eigenvalue %d %s is %.17g, but %v are above its neighbours", name, n, s.j, which, got, c)
					}
				}
			}
		}
	}
}

// The Rayleigh quotients do converge: without them a value takes 25 passes.
func TestBracketsAreFast(t *testing.T) {
	for name, b := range matrices(64) {
		if name != "apart" && name != "random" {
			continue
		}
		for _, j := range []int{1, 2, 63, 64} {
			s := [1]bracket{{j: j}}
			b.start(s[:])
			b.passes = 0
			b.find(s[:], 0)
			passes := b.passes
			if _, divided := b.divided(j); passes == 0 || passes > 14 || divided < 24 {
				t.Errorf("%s: eigenvalue %d took %d passes, %d by division", name, j, passes, divided)
			}
		}
	}
}

// The bound of the spectrum is one.
func TestBound(t *testing.T) {
	for name, b := range matrices(33) {
		if top, _ := b.divided(1); !(top < b.bound()) || b.bound() > 4*top {
			t.Errorf("%s: λ_1 = %g, bound %g", name, top, b.bound())
		}
	}
}
