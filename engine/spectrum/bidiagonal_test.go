package spectrum

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// upper returns a bidiagonal with the given elements, which must already be near 1, and BᵀB.
func upper(d, e []float64) (*bidiagonal, *mat.SymDense) {
	var b bidiagonal
	n := len(d)
	b.reset(n)
	copy(b.d, d)
	clear(b.e)
	copy(b.e, e)
	b.square()
	full := numtest.Diagonal(d...)
	for i, v := range e {
		full.Set(i, i+1, v)
	}
	s := mat.NewSymDense(n, nil)
	gram(s, full)
	return &b, s
}

// Pivots that vanish exactly, zeros on both diagonals, and an element that dwarfs the others.
func TestBidiagonal(t *testing.T) {
	for _, c := range []struct {
		name string
		d, e []float64
	}{
		{"1×1", []float64{0.5}, nil},
		{"pivot 1 − 1", []float64{1, 1, 1}, []float64{1, 1}},
		{"split", []float64{1, 0.5, 1, 0.25}, []float64{0.5, 0, 0.5}},
		{"zero diagonal", []float64{1, 0, 0.5}, []float64{0.5, 0.5}},
		{"last zero", []float64{1, 0.5, 0}, []float64{0.5, 0.5}},
		{"diagonal", []float64{0.25, 1, 0.5}, []float64{0, 0}},
		{"graded", []float64{1, 1e-3, 1e-6}, []float64{1e-2, 1e-5}},
	} {
		b, s := upper(c.d, c.e)
		var eig mat.EigenSym
		if !eig.Factorize(s, false) {
			t.Fatal("no eigenvalues")
		}
		values := eig.Values(nil)
		n := len(c.d)
		for j := 1; j <= n; j++ {
			if got, want := b.eigenvalue(j), values[n-j]; math.Abs(got-want) > 1e-15*8 {
				t.Errorf("%s: eigenvalue %d is %g, want %g", c.name, j, got, want)
			}
		}
		// Counts at shifts that meet elements exactly, against the eigenvalues.
		for _, shift := range []float64{1, 0.25, 0.3125, 1.25} {
			want, near := 0, false
			for _, v := range values {
				if v > shift {
					want++
				}
				near = near || math.Abs(v-shift) < 1e-14
			}
			if got := b.above(&[sections]float64{shift, shift, shift, shift}); !near && got != [sections]int{want, want, want, want} {
				t.Errorf("%s: %v eigenvalues above %g, want %d", c.name, got, shift, want)
			}
		}
		if b, _ := upper(c.d, c.e); numtest.RelError(b.frobenius(), frobenius(s)) > 1e-15 {
			t.Errorf("%s: ‖BᵀB‖_F² = %g, want %g", c.name, b.frobenius(), frobenius(s))
		}
	}
}

func frobenius(s mat.Matrix) float64 {
	norm := mat.Norm(s, 2)
	return norm * norm
}

// An eigenvalue known to three digits is refined; the eigenvector of (1, 0, 1)-pattern meets a pivot that vanishes.
func TestBidiagonalVector(t *testing.T) {
	b, s := upper([]float64{1, 1, 0.8}, []float64{1, 0.6})
	z := make([]float64, 3)
	for _, lambda := range []float64{1, 1.001, 0.999} {
		if !b.vector(z, lambda) {
			t.Errorf("from %g: no vector", lambda)
		}
		want := mat.NewVecDense(3, []float64{0.6, 0, -1})
		want.ScaleVec(1/mat.Norm(want, 2), want)
		if dot := math.Abs(mat.Dot(mat.NewVecDense(3, z), want)); math.Abs(dot-1) > 1e-14 {
			t.Errorf("from %g: vector %v of %v", lambda, z, mat.Formatted(s))
		}
	}
	b.d[1], b.q[1] = math.NaN(), math.NaN()
	if b.vector(z, 1) {
		t.Error("a vector of NaN is accepted")
	}
}
