package blas

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// TestOverlapsPanic: a destination that overlaps a factor in part is refused, as gonum's mat refuses it with its own routines; one that
// is a factor as a whole is computed beside it.
func TestOverlapsPanic(t *testing.T) {
	defer blas64.Use(blas64.Implementation())
	const n = 40
	rng := rand.New(rand.NewPCG(1, 2))
	data := random[float64](rng, 2*n*n)
	for _, impl := range append(supported(), Implementation{}) {
		blas64.Use(impl)
		a, b := mat.NewDense(n, n, slices.Clone(data[:n*n])), mat.NewDense(n, n, slices.Clone(data[n*n:]))
		var want mat.Dense
		want.Mul(a, b)
		whole := mat.DenseCopyOf(a)
		whole.Mul(whole, b)
		if !mat.Equal(whole, &want) {
			t.Errorf("%s: a product in place of its factor differs", impl.Kernel())
		}
		room := mat.NewDense(n+1, n+1, nil)
		x, y := room.Slice(0, n, 0, n).(*mat.Dense), room.Slice(1, n+1, 1, n+1).(*mat.Dense)
		x.Copy(a)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: a destination that overlaps a factor did not panic", impl.Kernel())
				}
			}()
			y.Mul(x, b)
		}()
	}
}
