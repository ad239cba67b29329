package probe

import (
	"context"
	"math"
	"math/rand/v2"
)

// Nesterov is the accelerated gradient method with the constant step 1/L, L = 2σ_max(H), and momentum that grows with the steps:
//
//	w_(t+1) = v_t − g(v_t)/L,  v_(t+1) = w_(t+1) + (s_t − 1)/s_(t+1)·(w_(t+1) − w_t),  s_(t+1) = (1 + √(1 + 4s_t²))/2,  s_0 = 1, v_0 = w_0.
//
// It needs no knowledge of σ_min, and is not monotone: L(w_t) − L* ≤ 2L‖w_0 − w*‖²/(t+1)². A step costs O(D).
//
// Y. Nesterov, "A method for solving the convex programming problem with convergence rate O(1/k²)", Dokl. Akad. Nauk SSSR 269 (1983),
// 543–547; in the form of A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm", SIAM J. Imaging Sci. 2 (2009),
// 183–202, without shrinkage.
func Nesterov(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	return attack(ctx, t, t.basis, o, func(s *state) func() (bool, bool) {
		g, rv := make([]float64, len(s.z)), append([]float64(nil), s.r...)
		v := append([]float64(nil), s.z...)
		before := make([]float64, len(s.z))
		weight := 1.0
		return func() (moved, over bool) {
			s.in.halfGradient(g, s.r)
			gradient := squared(g)
			s.in.residual(rv, v)
			s.in.halfGradient(g, rv)
			if max(gradient, squared(g)) <= s.negligible*s.negligible {
				return false, false
			}
			copy(before, s.z)
			copy(s.z, v)
			axpy(-1/(s.in.top()*s.in.top()), g, s.z)
			s.in.residual(s.r, s.z)
			next := (1 + math.Sqrt(1+4*weight*weight)) / 2
			momentum := (weight - 1) / next
			weight = next
			for i, z := range s.z {
				v[i] = z + momentum*(z-before[i])
			}
			return true, false
		}
	})
}
