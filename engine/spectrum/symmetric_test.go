package spectrum

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

func TestSymmetric(t *testing.T) {
	rng := numtest.Rand(80)
	for _, values := range [][]float64{{2}, {5, 3, 1}, {5, 0, 0}, {4, 2, -3}, numtest.Geometric(10, 1e-6, 33)} {
		m := numtest.WithEigenvalues(rng, values)
		s, err := Symmetric(m, true)
		if err != nil {
			t.Fatal(err)
		}
		rank, bottom, top := 0, math.Inf(1), 0.0
		for _, v := range values {
			if v != 0 {
				rank++
				bottom, top = min(bottom, math.Abs(v)), max(top, math.Abs(v))
			}
		}
		k := s.RankCondition()
		if k.Rank != rank || numtest.RelError(k.Kappa, top/bottom) > 1e-8 || k.Unresolved {
			t.Errorf("%v: %+v, want rank %d and κ = %g", values, k, rank, top/bottom)
		}
		for i := range s.Sigma {
			var sv mat.VecDense
			v := s.V.ColView(i)
			sv.MulVec(m, v)
			if e := math.Abs(mat.Norm(&sv, 2) - s.Sigma[i]); e > 1e-13*top {
				t.Errorf("%v: |S·v_%d| differs from σ_%d by %g", values, i+1, i+1, e)
			}
		}
	}
}

func TestSymmetricErrors(t *testing.T) {
	for name, m := range map[string]*mat.SymDense{
		"empty": {}, "NaN": mat.NewSymDense(2, []float64{1, math.NaN(), 0, 1}), "Inf": mat.NewSymDense(1, []float64{math.Inf(1)}),
	} {
		if _, err := Symmetric(m, false); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A spectrum put together by hand has all that the spectrum of a matrix has.
func TestSpectrumByHand(t *testing.T) {
	m := numtest.WithEigenvalues(numtest.Rand(81), []float64{4, 2, 1, 0})
	s, err := Symmetric(m, true)
	if err != nil {
		t.Fatal(err)
	}
	hand := &Spectrum{Sigma: s.Sigma, Rank: 3, V: s.V, Size: 4}
	if e := numtest.MaxRelError(hand.Gram(nil), m); e > 1e-14 {
		t.Errorf("Gram matrix off by %g", e)
	}
	if e := numtest.RelError(hand.Condition().Rank.Kappa, 4); e > 1e-14 {
		t.Errorf("κ = %g, want 4", hand.Condition().Rank.Kappa)
	}
	if hand.Resolution() != s.Resolution() {
		t.Errorf("resolution %g, want %g", hand.Resolution(), s.Resolution())
	}
}

func TestRepeated(t *testing.T) {
	for _, c := range []struct {
		values            []float64
		top, bottom, flat bool
	}{
		{[]float64{3, 2, 1}, false, false, false},
		{[]float64{3, 3, 1}, true, false, false},
		{[]float64{3, 1, 1}, false, true, false},
		{[]float64{3, 1, 1, 0, 0}, false, true, false},
		{[]float64{3, 2, 1, 0, 0}, false, false, false},
		{[]float64{2, 2, 2}, true, true, true},
		{[]float64{2, 0, 0}, false, false, true},
		{[]float64{2}, false, false, true},
		{[]float64{0, 0}, false, false, false},
		{[]float64{2, 2 * (1 - 1e-12), 1}, false, false, false},
	} {
		rng := numtest.Rand(82)
		s, err := Symmetric(numtest.WithEigenvalues(rng, c.values), false)
		if err != nil {
			t.Fatal(err)
		}
		roots := make([]float64, len(c.values))
		for i, v := range c.values {
			roots[i] = math.Sqrt(v)
		}
		f := factor(t, numtest.WithSingularValues(rng, len(roots), len(roots), roots))
		theta := numtest.Orthogonal(rng, len(roots))
		var w Workspace
		x, err := w.Extremes(f, theta)
		if err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string][3]bool{
			"matrix":    {s.TopRepeated(), s.BottomRepeated(), s.Flat()},
			"workspace": {x.TopRepeated(), x.BottomRepeated(), x.Flat()},
		} {
			if got != [3]bool{c.top, c.bottom, c.flat} {
				t.Errorf("%v from the %s: top %v, bottom %v, flat %v", c.values, name, got[0], got[1], got[2])
			}
		}
	}
}
