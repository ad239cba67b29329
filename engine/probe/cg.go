package probe

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas/blas64"
)

// CG is the method of conjugate gradients on the normal equations in the form CGLS, which works on the features and their residual
// and keeps the digits that XᵀX would lose. Its excess loss after t steps is at most 4((√κ(H)−1)/(√κ(H)+1))^(2t), and without
// rounding it is 0 after as many steps as H has distinct non-zero eigenvalues. A step costs O(D).
//
// M. R. Hestenes, E. Stiefel, "Methods of Conjugate Gradients for Solving Linear Systems", J. Res. Nat. Bur. Standards 49 (1952),
// section 10; Å. Björck, "Numerical Methods for Least Squares Problems", SIAM 1996, algorithm 7.4.1.
func CG(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	return attack(ctx, t, t.basis, o, func(s *state) func() (bool, bool) {
		g := make([]float64, len(s.z)) // Fᵀr
		p := make([]float64, len(s.z)) // direction, pointing uphill
		fp := make([]float64, len(s.r))
		last := 0.0 // gᵀg of the step before
		return func() (moved, over bool) {
			s.in.halfGradient(g, s.r)
			gg := squared(g)
			if gg <= s.negligible*s.negligible {
				return false, false
			}
			beta := 0.0
			if last > 0 {
				beta = gg / last
			}
			last = gg
			blas64.Scal(beta, vec(p))
			axpy(1, g, p)
			s.in.product(fp, p)
			curvature := squared(fp)
			if curvature == 0 {
				return false, false
			}
			alpha := gg / curvature
			axpy(-alpha, p, s.z)
			axpy(-alpha, fp, s.r)
			return true, false
		}
	})
}
