package spectrum

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/blas"
	"kappa/engine/internal/numtest"
)

// residual returns ‖Sv − λv‖ relative to ‖S‖, and checks that v has length 1.
func residual(t *testing.T, name string, s *mat.SymDense, lambda float64, v []float64) float64 {
	t.Helper()
	x := mat.NewVecDense(len(v), v)
	if e := math.Abs(mat.Norm(x, 2) - 1); e > 1e-13 {
		t.Errorf("%s: |v| differs from 1 by %.1e", name, e)
	}
	var image mat.VecDense
	image.MulVec(s, x)
	image.AddScaledVec(&image, -lambda, x)
	return mat.Norm(&image, 2) / mat.Norm(s, 2)
}

func TestTopAndBottom(t *testing.T) {
	rng := numtest.Rand(20)
	var w Workspace
	for _, n := range []int{1, 2, 3, 9, 40, 64, 130} {
		for _, bottom := range []float64{1, 0.5, 1e-3, 1e-9} {
			for _, scale := range []float64{1, 1e-100, 1e100} {
				name := fmt.Sprintf("n = %d, bottom %g, scale %g", n, bottom, scale)
				s := numtest.WithEigenvalues(rng, numtest.Geometric(3*scale, 3*scale*bottom, n))
				kept := mat.NewSymDense(n, nil)
				kept.CopySym(s)
				for i := range n {
					for j := range i {
						s.RawSymmetric().Data[i*n+j] = math.NaN() // below the diagonal nothing is read
					}
				}
				low := 3 * scale * bottom
				if n == 1 {
					low = 3 * scale
				}
				lambda, v, err := w.Top(s)
				if err != nil {
					t.Fatal(err)
				}
				if e := math.Abs(lambda-3*scale) / (3 * scale); e > 1e-15*float64(n+10) {
					t.Errorf("%s: λ_1 = %g is off by %.1e", name, lambda, e)
				}
				if e := residual(t, name, kept, lambda, v); e > 1e-15*float64(n+10) {
					t.Errorf("%s: residual %.1e of the first pair", name, e)
				}
				lambda, v, ok, err := w.Bottom(s)
				if err != nil || !ok {
					t.Fatalf("%s: no smallest eigenvalue: %v", name, err)
				}
				if e := math.Abs(lambda-low) / (3 * scale); e > 1e-15*float64(n+10) {
					t.Errorf("%s: λ_n = %g, want %g", name, lambda, low)
				}
				if e := residual(t, name, kept, lambda, v); e > 1e-15*float64(n+10) {
					t.Errorf("%s: residual %.1e of the last pair", name, e)
				}
			}
		}
	}
	if w.fallbacks > 0 {
		t.Errorf("%d fallbacks to the full decomposition", w.fallbacks)
	}
	// Eigenvalues that mix up under the fallback's order.
	s := numtest.WithEigenvalues(rng, []float64{4, 2, 1})
	if _, _, err := w.Top(s); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{1, 2, 4} {
		lambda, v, err := w.eigen(s, i)
		if err != nil || numtest.RelError(lambda, want) > 1e-13 || residual(t, "fallback", s, lambda, v) > 1e-14 {
			t.Errorf("fallback: eigenvalue %d is %g, want %g (%v)", i, lambda, want, err)
		}
	}
}

func TestBottomOfSingularMatrices(t *testing.T) {
	rng := numtest.Rand(21)
	var w Workspace
	gram := mat.NewSymDense(12, nil)
	gram.SymOuterK(1, numtest.Gaussian(rng, 12, 7))
	for name, s := range map[string]*mat.SymDense{
		"zero": mat.NewSymDense(3, nil), "1×1 zero": mat.NewSymDense(1, nil), "Gram matrix of rank 7 of 12": gram,
		"diag(1, 0, 2)": mat.NewSymDense(3, []float64{1, 0, 0, 0, 0, 0, 0, 0, 2}),
		"below n·ε":     numtest.WithEigenvalues(rng, []float64{1, 0.5, 1e-16}),
	} {
		if lambda, v, ok, err := w.Bottom(s); ok || lambda != 0 || v != nil || err != nil {
			t.Errorf("%s: λ_n = %g, %v, %t, %v; want none", name, lambda, v, ok, err)
		}
	}
	if lambda, v, err := w.Top(mat.NewSymDense(2, nil)); lambda != 0 || v[0] != 0 || v[1] != 0 || err != nil {
		t.Errorf("zero: λ_1 = %g, %v, %v", lambda, v, err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		s := mat.NewSymDense(2, []float64{1, bad, 0, 1})
		if _, _, err := w.Top(s); err == nil {
			t.Errorf("an element %v is accepted by Top", bad)
		}
		if _, _, ok, err := w.Bottom(s); ok || err == nil {
			t.Errorf("an element %v is accepted by Bottom", bad)
		}
	}
}

// After the first call nothing is allocated.
func TestPairsAllocateNothing(t *testing.T) {
	rng := numtest.Rand(22)
	for _, n := range []int{1, 8, 64, 79, 127, 240} {
		s := numtest.WithEigenvalues(rng, numtest.Geometric(40, 0.1, n))
		f := factor(t, numtest.WithSingularValues(rng, n+3, n, numtest.Geometric(40, 0.1, n)))
		wide := factor(t, numtest.WithSingularValues(rng, (n+1)/2, n, numtest.Geometric(40, 0.1, (n+1)/2)))
		theta := numtest.Gaussian(rng, n, n)
		var w Workspace
		step := func() {
			_, _, errTop := w.Top(s)
			_, _, _, errBottom := w.Bottom(s)
			_, errTall := w.Extremes(f, theta)
			_, errWide := w.Extremes(wide, theta)
			if errTop != nil || errBottom != nil || errTall != nil || errWide != nil {
				t.Fatal("an error")
			}
		}
		if got := testing.AllocsPerRun(20, step); got != 0 && blas.Kernel() != "gonum" { // gonum's Dgemm allocates
			t.Errorf("n = %d: %g allocations a step", n, got)
		}
	}
}

func BenchmarkTop(b *testing.B) {
	s := numtest.WithEigenvalues(numtest.Rand(1), numtest.Geometric(40, 0.1, 64))
	b.Run("workspace/n=64", func(b *testing.B) {
		var w Workspace
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := w.Top(s); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("full/n=64", func(b *testing.B) {
		var eig mat.EigenSym
		b.ReportAllocs()
		for b.Loop() {
			if !eig.Factorize(s, true) {
				b.Fatal("no decomposition")
			}
		}
	})
}
