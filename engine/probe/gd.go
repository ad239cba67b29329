package probe

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas/blas64"
)

// refreshEvery is the number of steps after which GDExact computes the residual from the weights instead of updating it, so that
// the rounding of the updates does not add up over thousands of steps.
const refreshEvery = 64

// GDExact is the paper's attacker: gradient descent with exact line search,
//
//	w ← w − η·g,  g = 2(Hw − Xᵀy),  η = gᵀg/(2gᵀHg),  H = XᵀX.
//
// Its excess loss falls at least by the factor ((κ(H)−1)/(κ(H)+1))² a step (Eq. 2 gives the rate in κ), and with κ(H) = 1 it is done
// in one step. H is never formed: Hw and Hg are products with the features. A step costs three products, O(D·min(N, D)).
func GDExact(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	return attack(ctx, t, t.basis, o, func(s *state) func() (bool, bool) {
		g := make([]float64, len(s.z)) // g/2 = Fᵀr
		fg := make([]float64, len(s.r))
		steps := 0
		return func() (moved, over bool) {
			s.in.halfGradient(g, s.r)
			gg := squared(g)
			s.in.product(fg, g)
			ghg := squared(fg)
			if gg <= s.negligible*s.negligible || ghg == 0 {
				return false, false
			}
			eta := gg / ghg // the factors 2 of g and of η cancel
			blas64.Axpy(-eta, vec(g), vec(s.z))
			if steps++; steps%refreshEvery == 0 {
				s.in.residual(s.r, s.z)
			} else {
				blas64.Axpy(-eta, vec(fg), vec(s.r))
			}
			return true, false
		}
	})
}
