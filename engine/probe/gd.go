package probe

import (
	"context"
	"math/rand/v2"
)

// refreshEvery is the number of steps after which GDExact computes the residual from the weights instead of updating it, so that
// the rounding of the updates does not add up over thousands of steps.
const refreshEvery = 64

// GDExact is the paper's attacker: gradient descent with exact line search,
//
//	w ← w − η·g,  g = 2(Hw − Xᵀy),  η = gᵀg/(2gᵀHg),  H = XᵀX.
//
// Its excess loss falls at least by the factor ((κ(H)−1)/(κ(H)+1))² a step (Eq. 2 gives the rate in κ), and with κ(H) = 1 it is done
// in one step. A step costs O(D).
func GDExact(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	return attack(ctx, t, t.basis, o, descend)
}

// GDStandardized is GDExact on features whose columns are scaled to unit norm, what a careful attacker does first. The scaling is that
// of the columns as they are, not centred; columns that are zero up to rounding stay. It undoes much of an extractor that treats
// some columns unlike others, and nothing of one that is rotated.
func GDStandardized(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	in, err := t.standardize()
	if err != nil {
		return Result{}, err
	}
	return attack(ctx, t, in, o, descend)
}

// descend is gradient descent with exact line search.
func descend(s *state) func() (bool, bool) {
	g := make([]float64, len(s.z)) // g/2 = Aᵀr
	ag := make([]float64, len(s.r))
	steps := 0
	return func() (moved, over bool) {
		s.in.halfGradient(g, s.r)
		gg := squared(g)
		s.in.product(ag, g)
		ghg := squared(ag)
		if gg <= s.negligible*s.negligible || ghg == 0 {
			return false, false
		}
		eta := gg / ghg // the factors 2 of g and of η cancel
		axpy(-eta, g, s.z)
		if steps++; steps%refreshEvery == 0 {
			s.in.residual(s.r, s.z)
		} else {
			axpy(-eta, ag, s.r)
		}
		return true, false
	}
}

// GDFixed is gradient descent with the constant step 1/L, L = 2σ_max(H) the Lipschitz constant of the gradient. Its excess loss after
// t steps is at most (1−1/κ(H))^(2t) of the first. A step costs O(D).
func GDFixed(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	return attack(ctx, t, t.basis, o, func(s *state) func() (bool, bool) {
		g := make([]float64, len(s.z))
		return func() (moved, over bool) {
			s.in.halfGradient(g, s.r)
			if squared(g) <= s.negligible*s.negligible {
				return false, false
			}
			axpy(-1/(s.in.top()*s.in.top()), g, s.z)
			s.in.residual(s.r, s.z)
			return true, false
		}
	})
}
