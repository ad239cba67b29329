package spectrum

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// Every way to θH, small and large, against the product with K.
func TestMulH(t *testing.T) {
	rng := numtest.Rand(80)
	for _, c := range []struct{ n, d, m, k int }{
		{1, 1, 1, 1}, {30, 12, 12, 12}, {30, 12, 5, 12}, {6, 20, 20, 6}, {20, 24, 24, 20}, // through the bidiagonal form
		{200, 140, 140, 140}, {200, 180, 150, 180}, {135, 300, 300, 135}, {300, 180, 180, 170}, {300, 200, 200, 40},
	} {
		p := min(c.n, c.d)
		values := append(numtest.Geometric(2, 0.2, c.k), make([]float64, p-c.k)...)
		f := factor(t, numtest.WithSingularValues(rng, c.n, c.d, values))
		theta := numtest.Gaussian(rng, c.d, c.m)
		var w Workspace
		x, err := w.Extremes(f, theta)
		if err != nil {
			t.Fatal(err)
		}
		var image, h mat.Dense
		image.Mul(f.K(), theta)
		h.Mul(theta.T(), &image)
		for _, rows := range []int{c.d, 1, 3 * c.d} {
			a := numtest.Gaussian(rng, rows, c.m)
			dst, want := numtest.Poisoned(rows, c.m), mat.NewDense(rows, c.m, nil)
			want.Mul(a, &h)
			want.Scale(-0.5, want)
			for range 2 {
				x.MulH(dst, -0.5, a)
				if e := numtest.MaxRelError(dst, want); e > 1e-11 {
					t.Errorf("%+v, %d rows: off by %.1e", c, rows, e)
				}
			}
		}
	}
}

func TestMulHAfterTheFallback(t *testing.T) {
	rng := numtest.Rand(81)
	f, err := NewFactorTol(numtest.WithSingularValues(rng, 140, 140, numtest.Geometric(1, 1e-12, 140)), 0)
	if err != nil {
		t.Fatal(err)
	}
	var w Workspace
	x, err := w.Extremes(f, eye(140, 140))
	if err != nil {
		t.Fatal(err)
	}
	if w.fallbacks == 0 {
		t.Fatal("the iteration found σ_k = 10⁻²⁴·σ_1")
	}
	dst := numtest.Poisoned(140, 140)
	x.MulH(dst, 1, eye(140, 140))
	if e := numtest.MaxRelError(dst, f.K()); e > 1e-12 {
		t.Errorf("off by %.1e", e)
	}
}

func TestMulHPanics(t *testing.T) {
	f := factor(t, numtest.Diagonal(3, 2, 1))
	var w Workspace
	x, err := w.Extremes(f, eye(3, 3))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dst, theta *mat.Dense }{
		{eye(3, 3), eye(3, 2)}, {eye(2, 3), eye(3, 3)}, {eye(3, 2), eye(3, 3)},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for %s", fmt.Sprint(c.dst.Dims()))
				}
			}()
			x.MulH(c.dst, 1, c.theta)
		}()
	}
}
