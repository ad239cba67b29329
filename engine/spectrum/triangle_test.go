package spectrum

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// Orders on both sides of the widths of a leaf and of a panel.
var triangleOrders = []int{1, 2, 13, 14, 15, 27, 56, 57, 111, 112, 113, 130, 224, 225, 300}

func TestTriangleSolves(t *testing.T) {
	rng := numtest.Rand(70)
	var tri triangle
	for _, n := range triangleOrders {
		values := numtest.Geometric(5, 0.5, n)
		g := numtest.WithEigenvalues(rng, values)
		lower := numtest.Poisoned(n, n).RawMatrix().Data // the upper half is not read
		for i := range n {
			for j := range i + 1 {
				lower[i*n+j] = g.At(i, j)
			}
		}
		x := numtest.Gaussian(rng, 3, n)
		unit := mat.NewVecDense(n, nil)
		unit.SetVec(n/2, 1)
		for _, c := range []struct{ sign, shift, away float64 }{{1, 0, 0}, {1, -2, 0}, {1, 0.4, 0}, {-1, 6, 0}, {1, 0.4, 7}, {-1, 6, 3}} {
			name := fmt.Sprintf("n = %d, %+v", n, c)
			tri.reset(n)
			if !tri.cholesky(lower, c.sign, c.shift, c.away, unit.RawVector().Data) {
				t.Errorf("%s: not positive definite", name)
				continue
			}
			got := mat.DenseCopyOf(x)
			tri.solve(got.RawMatrix())
			var a, back mat.Dense
			a.CloneFrom(g)
			for i := range n {
				a.Set(i, i, a.At(i, i)-c.shift)
			}
			a.Scale(c.sign, &a)
			a.RankOne(&a, c.away, unit, unit)
			back.Mul(got, &a)
			if e := numtest.MaxRelError(&back, x); e > 1e-12 {
				t.Errorf("%s: the solution is off by %.1e", name, e)
			}
		}
		for _, c := range []struct{ sign, shift float64 }{{1, 1.01 * values[n-1]}, {1, 6}, {-1, 4.99}, {-1, 0}, {1, math.NaN()}, {1, math.Inf(1)}, {1, math.Inf(-1)}} {
			if tri.cholesky(lower, c.sign, c.shift, 0, nil) {
				t.Errorf("n = %d: %g·(G − %gI) is taken for positive definite", n, c.sign, c.shift)
			}
		}
	}
}

// L may come from another factorisation.
func TestTriangleInverts(t *testing.T) {
	rng := numtest.Rand(71)
	var tri triangle
	for _, n := range triangleOrders {
		l := mat.NewDense(n, n, nil)
		for i := range n {
			for j := range i {
				l.Set(i, j, rng.NormFloat64()/float64(n))
			}
			l.Set(i, i, -1-rng.Float64())
		}
		tri.reset(n)
		copy(tri.l, l.RawMatrix().Data)
		if !tri.invert() {
			t.Fatalf("n = %d: not inverted", n)
		}
		x := numtest.Gaussian(rng, 2, n)
		got := mat.DenseCopyOf(x)
		tri.solve(got.RawMatrix())
		var half, back mat.Dense
		half.Mul(got, l)
		back.Mul(&half, l.T())
		if e := numtest.MaxRelError(&back, x); e > 1e-12 {
			t.Errorf("n = %d: the solution is off by %.1e", n, e)
		}
		tri.l[(n-1)*n+n-1] = 0
		if tri.invert() {
			t.Errorf("n = %d: a singular triangle has an inverse", n)
		}
	}
}
