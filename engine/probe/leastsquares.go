package probe

import (
	"context"
	"math/rand/v2"
)

// LeastSquares solves the problem in closed form, by the bidiagonal form of the features, or the diagonal one: one step takes w to the
// minimum-norm solution from wherever it starts. What excess is left, measured on the reduced features, is the rounding of the
// solution. With Options.Steps = 0 it stays where it starts.
func LeastSquares(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	return attack(ctx, t, ambient{t}, o, func(s *state) func() (bool, bool) {
		return func() (moved, over bool) {
			copy(s.z, s.t.wStar)
			s.in.residual(s.r, s.z)
			return true, true
		}
	})
}
