package numtest

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func TestOrthogonal(t *testing.T) {
	for _, n := range []int{1, 2, 7, 65} {
		q := Orthogonal(Rand(1), n)
		var qtq mat.Dense
		qtq.Mul(q.T(), q)
		eye := mat.NewDense(n, n, nil)
		for i := range n {
			eye.Set(i, i, 1)
		}
		if e := MaxRelError(&qtq, eye); e > 1e-14*float64(n) {
			t.Errorf("n=%d: QᵀQ differs from I by %g", n, e)
		}
	}
}

// A uniformly distributed Q has a first diagonal element of mean zero; without the sign fix it is never positive.
func TestOrthogonalIsUniform(t *testing.T) {
	rng, positive := Rand(2), 0
	for range 200 {
		if Orthogonal(rng, 3).At(0, 0) > 0 {
			positive++
		}
	}
	if positive < 70 || positive > 130 {
		t.Errorf("Q[0,0] is positive in %d of 200 draws", positive)
	}
}

func TestWithSingularValues(t *testing.T) {
	for _, shape := range [][2]int{{1, 1}, {5, 3}, {3, 5}, {6, 6}} {
		want := Geometric(10, 1e-3, min(shape[0], shape[1]))
		a := WithSingularValues(Rand(3), shape[0], shape[1], want)
		var svd mat.SVD
		svd.Factorize(a, mat.SVDNone)
		for i, got := range svd.Values(nil) {
			if math.Abs(got-want[i]) > 1e-13 {
				t.Errorf("%v: singular value %d is %g, want %g", shape, i, got, want[i])
			}
		}
	}
}

func TestWithEigenvalues(t *testing.T) {
	want := []float64{-1, 0, 2, 5}
	var eig mat.EigenSym
	eig.Factorize(WithEigenvalues(Rand(4), want), false)
	for i, got := range eig.Values(nil) {
		if math.Abs(got-want[i]) > 1e-13 {
			t.Errorf("eigenvalue %d is %g, want %g", i, got, want[i])
		}
	}
}

func TestPoisoned(t *testing.T) {
	a := PoisonedCopy(Diagonal(1, 2, 3))
	if !Intact(a) || a.At(1, 1) != 2 || a.At(0, 1) != 0 {
		t.Fatal("a poisoned copy does not hold its elements")
	}
	raw := a.RawMatrix()
	raw.Data[raw.Cols] = 0
	if Intact(a) {
		t.Error("a write between the rows was not seen")
	}
	if b := Poisoned(2, 2); !math.IsNaN(b.At(0, 0)) {
		t.Error("a poisoned matrix has an element that is not NaN")
	}
}

func TestRelError(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct{ got, want, err float64 }{
		{1, 1, 0},
		{1.5, 1, 0.5},
		{-1, 1, 2},
		{0.25, 0, 0.25},
		{0, 0, 0},
		{inf, inf, 0},
		{nan, nan, 0},
		{nan, 1, inf},
		{1, nan, inf},
		{inf, 1, inf},
		{inf, -inf, inf},
	} {
		if e := RelError(c.got, c.want); e != c.err {
			t.Errorf("RelError(%g, %g) = %g, want %g", c.got, c.want, e, c.err)
		}
	}
}

func TestMaxRelError(t *testing.T) {
	if e := MaxRelError(Diagonal(1, 2), Diagonal(1, 4)); e != 0.5 {
		t.Errorf("error %g, want 0.5", e)
	}
	if e := MaxRelError(Diagonal(1), Diagonal(1, 4)); !math.IsInf(e, 1) {
		t.Errorf("error of different shapes %g, want +Inf", e)
	}
	if e := MaxRelError(Diagonal(math.NaN()), Diagonal(1)); !math.IsInf(e, 1) {
		t.Errorf("error of NaN %g, want +Inf", e)
	}
}

// The checker must pass the right gradient of Σ exp(x) and fail a slightly wrong one.
func TestGradientError(t *testing.T) {
	f := func(x *mat.Dense) float64 {
		var e mat.Dense
		e.Apply(func(_, _ int, v float64) float64 { return math.Exp(v) }, x)
		return mat.Sum(&e)
	}
	at := Gaussian(Rand(5), 3, 2)
	before := mat.DenseCopyOf(at)
	var grad mat.Dense
	grad.Apply(func(_, _ int, v float64) float64 { return math.Exp(v) }, at)
	if e := GradientError(f, &grad, at, 0); e > 1e-10 {
		t.Errorf("error of the right gradient: %g", e)
	}
	grad.Set(1, 1, grad.At(1, 1)*1.01)
	if e := GradientError(f, &grad, at, 0); e < 1e-4 {
		t.Errorf("error of a wrong gradient: %g", e)
	}
	if !mat.Equal(at, before) {
		t.Error("the point was not restored")
	}
}

func TestVectors(t *testing.T) {
	sets := Vectors()
	if len(sets) != 6 {
		t.Fatalf("%d sets, want 6", len(sets))
	}
	unbounded := 0
	for _, s := range sets {
		e := s.Expected
		if r, c := s.Theta.Dims(); r != s.D || c != s.D || s.Name == "" || len(s.Omega) != s.D {
			t.Errorf("%q: wrong shapes", s.Name)
		}
		if e.RIR == 0 || e.KappaRank.KH == 0 || e.KappaRidge.HP == 0 || e.NextKappa.HP == 0 || e.IllToZero == 0 || len(e.ProbeNormRatio) != 4 {
			t.Errorf("%q: a field was not decoded", s.Name)
		}
		if RelError(e.RatioHarmful/e.RatioPrimary, e.RIR) > 1e-14 {
			t.Errorf("%q: RIR is not (i)/(ii)", s.Name)
		}
		if math.IsInf(e.Ceiling, 1) {
			unbounded++
		}
	}
	if unbounded != 2 {
		t.Errorf("%d sets have an infinite ceiling, want 2", unbounded)
	}
}
