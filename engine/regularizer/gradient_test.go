package regularizer

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// Central differences are good to about 10⁻¹⁰ of the largest element here; a wrong factor or a wrong index shows at 10⁻².
const differenceTol = 1e-8

// The plain form is the gradient of the value, for full-rank, rank-deficient and short data, and for a rectangular θ.
func TestGradientsAgainstDifferences(t *testing.T) {
	rng := numtest.Rand(1)
	for _, c := range []struct{ n, d, m, rank int }{{9, 4, 4, 4}, {9, 5, 5, 3}, {3, 5, 5, 3}, {6, 5, 3, 5}, {2, 2, 2, 2}, {6, 4, 4, 2}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			values := make([]float64, min(c.n, c.d))
			copy(values, numtest.Geometric(2, 0.5, c.rank))
			f := factor(t, numtest.WithSingularValues(rng, c.n, c.d, values))
			theta := numtest.Gaussian(rng, c.d, c.m)
			s := spectrumOf(t, f, theta)
			var inner mat.SymDense
			var grad mat.Dense
			WellInner(&inner, s)
			Gradient(&grad, Plain, f, theta, &inner)
			if e := numtest.GradientError(func(x *mat.Dense) float64 { return Well(spectrumOf(t, f, x)) }, &grad, theta, 0.1); e > differenceTol {
				t.Errorf("∇R_well is off by %g", e)
			}
			if !IllInner(&inner, s) {
				t.Fatal("∇R_ill is said to be undefined")
			}
			Gradient(&grad, Plain, f, theta, &inner)
			if e := numtest.GradientError(func(x *mat.Dense) float64 { return Ill(spectrumOf(t, f, x)) }, &grad, theta, 0.02); e > differenceTol {
				t.Errorf("∇R_ill is off by %g", e)
			}
			LogKappaInner(&inner, s)
			Gradient(&grad, Plain, f, theta, &inner)
			if e := numtest.GradientError(func(x *mat.Dense) float64 { return LogKappa(spectrumOf(t, f, x)) }, &grad, theta, 0.02); e > differenceTol {
				t.Errorf("∇log κ is off by %g", e)
			}
		})
	}
}

// General matrices: square, tall, wide and a single row. They have full rank, because a difference quotient leaves the matrices
// of lower rank.
func TestMatrixGradientsAgainstDifferences(t *testing.T) {
	rng := numtest.Rand(2)
	for _, shape := range [][2]int{{4, 4}, {6, 3}, {3, 6}, {1, 4}, {2, 2}} {
		m, n := shape[0], shape[1]
		s := numtest.WithSingularValues(rng, m, n, numtest.Geometric(3, 0.7, min(m, n)))
		for _, c := range []struct {
			name string
			f    func(*mat.Dense) (float64, *mat.Dense, error)
		}{{"R_well", WellMatrix}, {"R_ill", IllMatrix}, {"log κ", LogKappaMatrix}} {
			_, grad, err := c.f(s)
			if err != nil {
				t.Fatal(err)
			}
			if min(m, n) == 1 && c.name == "R_ill" {
				if grad != nil {
					t.Errorf("∇R_ill of a row is %v, want none", grad)
				}
				continue
			}
			value := func(x *mat.Dense) float64 {
				v, _, err := c.f(x)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			if min(m, n) == 1 { // both R_well and log κ of a row are 0, and so are their gradients
				if e := mat.Norm(grad, 2); e > 1e-14 || value(s) > 1e-14 {
					t.Errorf("%s of a row is %g, its gradient %g", c.name, value(s), e)
				}
				continue
			}
			if e := numtest.GradientError(value, grad, s, 0.05); e > differenceTol {
				t.Errorf("∇%s of a %d×%d matrix is off by %g", c.name, m, n, e)
			}
		}
	}
}

// For a symmetric positive semi-definite matrix of rank k < n the matrix forms and the spectral forms are one.
func TestMatrixFormsAgree(t *testing.T) {
	rng := numtest.Rand(3)
	f := factor(t, numtest.WithSingularValues(rng, 9, 5, []float64{3, 2, 1, 0, 0}))
	theta := numtest.Orthogonal(rng, 5)
	s := spectrumOf(t, f, theta)
	h := mat.DenseCopyOf(s.Gram(nil))
	var inner mat.SymDense
	check := func(name string, value, want float64, grad *mat.Dense, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if e := numtest.RelError(value, want); e > 1e-12 {
			t.Errorf("%s = %g, want %g", name, value, want)
		}
		if e := numtest.MaxRelError(grad, &inner); e > 1e-12 {
			t.Errorf("∇%s is off by %g", name, e)
		}
	}
	value, grad, err := WellMatrix(h)
	WellInner(&inner, s)
	check("R_well", value, Well(s), grad, err)
	value, grad, err = IllMatrix(h)
	IllInner(&inner, s)
	check("R_ill", value, Ill(s), grad, err)
	value, grad, err = LogKappaMatrix(h)
	LogKappaInner(&inner, s)
	check("log κ", value, LogKappa(s), grad, err)
}

// The two preconditioned forms differ by a matrix in null(K), which changes H of the own task not at all.
func TestFormsDifferInNullSpace(t *testing.T) {
	rng := numtest.Rand(4)
	f := factor(t, numtest.WithSingularValues(rng, 9, 6, []float64{3, 2, 1, 0.5, 0, 0}))
	theta := numtest.Gaussian(rng, 6, 6)
	var inner mat.SymDense
	WellInner(&inner, spectrumOf(t, f, theta))
	plain, cancelled, pinv := gradients(f, theta, &inner)
	var difference, image, k mat.Dense
	difference.Sub(cancelled, pinv)
	if mat.Norm(&difference, 2) < 1e-3 {
		t.Fatal("the forms agree: the case tests nothing")
	}
	image.Mul(f.R(), &difference)
	if e := mat.Norm(&image, 2) / mat.Norm(cancelled, 2); e > 1e-13 {
		t.Errorf("R·difference = %g", e)
	}
	k.Mul(f.K(), pinv)
	if e := numtest.MaxRelError(&k, plain); e > 1e-12 {
		t.Errorf("K·(pseudo-inverse form) is not the plain form: off by %g", e)
	}
}

func TestPanics(t *testing.T) {
	f := factor(t, numtest.Diagonal(2, 1))
	bare, err := f.Spectrum(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	theta, inner := numtest.Diagonal(1, 1), mat.NewSymDense(2, nil)
	for _, c := range []struct {
		name, want string
		f          func()
	}{
		{"no vectors", noVectors, func() { WellInner(&mat.SymDense{}, bare) }},
		{"order", badDst, func() { IllInner(mat.NewSymDense(3, nil), spectrumOf(t, f, nil)) }},
		{"shape", badDst, func() { Gradient(mat.NewDense(2, 3, nil), Plain, f, theta, inner) }},
		{"form", badForm, func() { Gradient(&mat.Dense{}, Form(7), f, theta, inner) }},
	} {
		func() {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("%s: panic %v, want %q", c.name, got, c.want)
				}
			}()
			c.f()
		}()
	}
}

func TestPoisonedDestinations(t *testing.T) {
	rng := numtest.Rand(5)
	f := factor(t, numtest.WithSingularValues(rng, 9, 4, []float64{3, 2, 1, 0}))
	theta := numtest.PoisonedCopy(numtest.Gaussian(rng, 4, 4))
	s := spectrumOf(t, f, theta)
	for name, fill := range map[string]func(*mat.SymDense){
		"well":  func(a *mat.SymDense) { WellInner(a, s) },
		"ill":   func(a *mat.SymDense) { IllInner(a, s) },
		"log κ": func(a *mat.SymDense) { LogKappaInner(a, s) },
	} {
		var want mat.SymDense
		fill(&want)
		got := numtest.PoisonedSym(4)
		fill(got)
		if !mat.Equal(got, &want) {
			t.Errorf("%s: the result depends on what dst held", name)
		}
		for _, form := range []Form{Plain, Cancelled, PseudoInverse} {
			var want mat.Dense
			Gradient(&want, form, f, mat.DenseCopyOf(theta), got)
			dst := numtest.Poisoned(4, 4)
			Gradient(dst, form, f, theta, got)
			if !mat.Equal(dst, &want) || !numtest.Intact(dst) {
				t.Errorf("%s, form %d: the result depends on what dst held", name, form)
			}
		}
	}
	if math.IsNaN(Well(s)) {
		t.Error("R_well is NaN")
	}
}
