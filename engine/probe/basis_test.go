package probe

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// TestDominant compares both roads to the left singular subspace with the vectors that the matrix was made of.
func TestDominant(t *testing.T) {
	rng := numtest.Rand(1)
	for _, size := range []struct{ p, d int }{{2, 2}, {6, 6}, {6, 20}, {40, 40}, {65, 65}} {
		for _, next := range []float64{0, 1e-12, 1e-7, 1e-3, 0.5} { // σ_(k+1) for σ_k = 1
			for _, top := range []float64{1, 1e3} {
				k := max(1, size.p*2/3)
				sigma := numtest.Geometric(top, 1, k)
				for len(sigma) < size.p {
					sigma = append(sigma, next)
				}
				left := numtest.Orthogonal(rng, size.p)
				scaled := mat.DenseCopyOf(left)
				for j, s := range sigma {
					for i := range size.p {
						scaled.Set(i, j, scaled.At(i, j)*s)
					}
				}
				var f mat.Dense
				f.Mul(scaled, numtest.Orthogonal(rng, size.d).Slice(0, size.d, 0, size.p).T())
				before := mat.DenseCopyOf(&f)

				u, err := dominant(f.RawMatrix(), sigma, k)
				if err != nil {
					t.Fatal(err)
				}
				name := fmt.Sprintf("%d×%d, σ = %g … 1, %g", size.p, size.d, top, next)
				var gram, want, got mat.Dense
				gram.Mul(dense(u).T(), dense(u))
				for i := range k {
					gram.Set(i, i, gram.At(i, i)-1)
				}
				if e := mat.Norm(&gram, 2); e > 1e-13 {
					t.Errorf("%s: UᵀU is off the identity by %.2g", name, e)
				}
				uk := left.Slice(0, size.p, 0, k)
				want.Mul(uk, uk.T())
				got.Mul(dense(u), dense(u).T())
				got.Sub(&got, &want)
				// ε·‖F‖/(σ_k − σ_(k+1)) is what a change of F by rounding does to the subspace.
				if e := mat.Norm(&got, 2); e > 50*eps*float64(size.d)*top {
					t.Errorf("%s: the projector is off by %.2g", name, e)
				}
				if !mat.Equal(before, &f) {
					t.Errorf("%s: the matrix was changed", name)
				}
			}
		}
	}
}
