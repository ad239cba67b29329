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
		rate := 1 / (s.in.top() * s.in.top()) // of half the gradient
		m := newMomentum(len(s.z))
		return func() (moved, over bool) {
			s.in.halfGradient(g, s.r)
			gradient := squared(g)
			s.in.residual(rv, v)
			s.in.halfGradient(g, rv)
			if max(gradient, squared(g)) <= s.negligible*s.negligible {
				return false, false
			}
			m.step(s.z, v, g, rate)
			s.in.residual(s.r, s.z)
			return true, false
		}
	})
}

// momentum is what Nesterov's method carries from step to step besides w and v.
type momentum struct {
	before []float64 // w of the step before
	weight float64   // s_t
}

func newMomentum(d int) *momentum { return &momentum{before: make([]float64, d), weight: 1} }

// step moves w and v, given the gradient g at v.
func (m *momentum) step(w, v, g []float64, rate float64) {
	copy(m.before, w)
	copy(w, v)
	axpy(-rate, g, w)
	next := (1 + math.Sqrt(1+4*m.weight*m.weight)) / 2
	share := (m.weight - 1) / next
	m.weight = next
	for i, a := range w {
		v[i] = a + share*(a-m.before[i])
	}
}
