package spectrum

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// TestGolubKahan: PᵀP = 1, ‖Fw − b‖ = ‖BPᵀw − βe_1‖ for any w, and the singular values are those of F, on both sides of the order from
// which on panels are used, and where the reduction ends early.
func TestGolubKahan(t *testing.T) {
	rng := numtest.Rand(31)
	for _, size := range []struct{ p, d, k int }{
		{1, 1, 1}, {1, 5, 1}, {2, 2, 2}, {3, 3, 1}, {5, 9, 5}, {8, 8, 4}, {40, 41, 40}, {64, 64, 50}, {201, 201, 201}, {230, 300, 230},
	} {
		sigma := numtest.Geometric(3, 1e-3, size.k)
		for len(sigma) < size.p {
			sigma = append(sigma, 0)
		}
		f := numtest.WithSingularValues(rng, size.p, size.d, sigma)
		for _, zero := range []bool{false, true} {
			b := make([]float64, size.p)
			if !zero {
				copy(b, numtest.Gaussian(rng, size.p, 1).RawMatrix().Data)
			}
			g := NewGolubKahan(f, b)
			values, err := g.Values()
			if err != nil {
				t.Fatal(err)
			}
			s, utb, v, err := g.Decompose()
			if err != nil {
				t.Fatal(err)
			}
			for i := range sigma {
				if e := max(math.Abs(values[i]-sigma[i]), math.Abs(s[i]-sigma[i])); e > 1e-14*float64(size.d) {
					t.Errorf("%v: singular value %d is off by %.2g", size, i, e)
				}
			}
			w := numtest.Gaussian(rng, size.d, 1)
			var r mat.VecDense
			r.MulVec(f, w.ColView(0))
			r.SubVec(&r, mat.NewVecDense(size.p, b))
			z := make([]float64, size.d)
			g.Lower(z, w.RawMatrix().Data)
			bidiagonal, singular := 0.0, 0.0
			for i := range size.p {
				e := g.Alpha[i] * z[i]
				if i == 0 {
					e -= g.Beta[0]
				} else {
					e += g.Beta[i] * z[i-1]
				}
				bidiagonal += e * e
				c := mat.Dot(v.ColView(i), mat.NewVecDense(size.p, z[:size.p]))*s[i] - utb[i]
				singular += c * c
			}
			want := mat.Dot(&r, &r)
			if e := max(math.Abs(bidiagonal-want), math.Abs(singular-want)); e > 1e-13*float64(size.d)*want {
				t.Errorf("%v: ‖Fw − b‖² is %g, %g in the coordinates and %g in the singular ones", size, want, bidiagonal, singular)
			}
			if e := math.Abs(inner(z, z) - inner(w.RawMatrix().Data, w.RawMatrix().Data)); e > 1e-13*float64(size.d) {
				t.Errorf("%v: the coordinates change the length by %.2g", size, e)
			}
			g.Lift(z, z)
			for i, a := range z {
				if math.Abs(a-w.At(i, 0)) > 1e-13*float64(size.d) {
					t.Fatalf("%v: up and down again changes element %d from %g to %g", size, i, w.At(i, 0), a)
				}
			}
		}
	}
}

func TestGolubKahanPanics(t *testing.T) {
	for name, call := range map[string]func(){
		"targets": func() { NewGolubKahan(mat.NewDense(2, 3, nil), make([]float64, 3)) },
		"tall":    func() { NewGolubKahan(mat.NewDense(3, 2, nil), make([]float64, 3)) },
	} {
		func() {
			defer func() {
				if got := recover(); got != badProblem {
					t.Errorf("%s: panic %v, want %s", name, got, badProblem)
				}
			}()
			call()
		}()
	}
}
