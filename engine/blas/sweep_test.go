package blas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// swept is Sweep by its definition.
func swept(m, n int, a []float64, lda int, c []float64, scale float64, y, v []float64, tau float64, t []float64, first int) {
	clear(t[:n])
	for i := range m {
		row := a[i*lda:][:n]
		s, yv := 0.0, 0.0
		for j := range n {
			s += row[j] * v[j]
			yv += y[j] * v[j]
		}
		u := c[i] * scale
		x := tau * (s - u*yv)
		for j := range n {
			row[j] -= u*y[j] + x*v[j]
		}
		c[i] = row[first]
		if i > 0 {
			for j := range n {
				t[j] += c[i] * row[j]
			}
		}
	}
}

func TestSweep(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = rng.NormFloat64()
		}
		return out
	}
	defer func(kept Implementation) { sweeping = kept }(sweeping)
	for _, sweeping = range append(supported(), Implementation{}) {
		for _, m := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 17, 31} {
			for _, n := range []int{8, 16, 40, 64} {
				for _, first := range []int{0, 3, 7} {
					lda := n + 3
					a, c, y, v, sums := random(m*lda), random(m), random(n), random(n), random(n)
					wantA, wantC, wantT := slices.Clone(a), slices.Clone(c), slices.Clone(sums)
					swept(m, n, wantA, lda, wantC, 0.5, y, v, 0.7, wantT, first)
					Sweep(m, n, a, lda, c, 0.5, y, v, 0.7, sums, first)
					name := fmt.Sprintf("%s, %d×%d, column %d", sweeping.Kernel(), m, n, first)
					for what, pair := range map[string][2][]float64{"A": {a, wantA}, "c": {c, wantC}, "t": {sums, wantT}} {
						for i, got := range pair[0] {
							if e := math.Abs(got - pair[1][i]); !(e <= 1e-12*float64(n)) {
								t.Fatalf("%s: %s[%d] = %g, want %g", name, what, i, got, pair[1][i])
							}
						}
					}
					for i := range m {
						if c[i] != a[i*lda+first] {
							t.Errorf("%s: c[%d] is not the element of A to the last bit", name, i)
						}
					}
				}
			}
		}
	}
}

// TestSweepRoundsAlike: all kernels give the same bits.
func TestSweepRoundsAlike(t *testing.T) {
	all := supported()
	if len(all) < 2 {
		t.Skipf("this processor has %d kinds of kernels: there is nothing to compare", len(all))
	}
	defer func(kept Implementation) { sweeping = kept }(sweeping)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		m, n := 1+rng.IntN(40), 8*(1+rng.IntN(12))
		a, c, y, v := random[float64](rng, m*n), random[float64](rng, m), random[float64](rng, n), random[float64](rng, n)
		var first [][]float64
		for _, sweeping = range all {
			out := [][]float64{slices.Clone(a), slices.Clone(c), make([]float64, n)}
			Sweep(m, n, out[0], n, out[1], 0.5, y, v, 0.7, out[2], n/2)
			for i, x := range out {
				if first != nil && !slices.Equal(x, first[i]) {
					t.Fatalf("%d×%d: result %d differs between %s and %s", m, n, i, sweeping.Kernel(), all[0].Kernel())
				}
			}
			if first == nil {
				first = out
			}
		}
	}
}

func TestSweepPanics(t *testing.T) {
	v := make([]float64, 16)
	for name, f := range map[string]func(){
		"length":    func() { Sweep(1, 9, v, 9, v, 1, v, v, 1, v, 0) },
		"short a":   func() { Sweep(2, 16, v, 16, v, 1, v, v, 1, v, 0) },
		"short c":   func() { Sweep(2, 8, v, 8, v[:1], 1, v, v, 1, v, 0) },
		"short t":   func() { Sweep(1, 16, v, 16, v, 1, v, v, 1, v[:8], 0) },
		"no column": func() { Sweep(1, 8, v, 8, v, 1, v, v, 1, v, 8) },
	} {
		func() {
			defer func() {
				if recover() != badSweep {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
