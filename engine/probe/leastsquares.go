package probe

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// LeastSquares solves the problem in closed form, by the singular value decomposition of the features: one step takes w to the
// minimum-norm solution from wherever it starts. What excess is left is the rounding of the solution. With Options.Steps = 0 it
// stays where it starts.
func LeastSquares(ctx context.Context, x *mat.Dense, y []float64, o Options, _ *rand.Rand) (Result, error) {
	return attack(ctx, x, y, o, func(s *state) func() (bool, bool) {
		return func() (moved, over bool) {
			copy(s.w, s.t.wStar)
			s.t.residual(s.r, s.w)
			return true, true
		}
	})
}
