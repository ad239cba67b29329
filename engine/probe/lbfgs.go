package probe

import (
	"context"
	"math/rand/v2"
)

// lbfgsPairs is how many pairs of steps and changes of the gradient LBFGS remembers.
const lbfgsPairs = 10

// LBFGS is the limited-memory BFGS method with exact line search, which a quadratic has in closed form, and with the scaled identity
// as the first guess of the inverse Hessian. It remembers 10 pairs. As long as it forgets none, its iterates are those of conjugate
// gradients without rounding. A step costs O(D).
//
// J. Nocedal, S. J. Wright, "Numerical Optimization", 2nd ed., Springer 2006, algorithms 7.4 and 7.5 (eq. 7.20 for the guess).
func LBFGS(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	return attack(ctx, t, t.basis, o, func(s *state) func() (bool, bool) {
		g := make([]float64, len(s.z)) // half the gradient
		before := make([]float64, len(s.z))
		p := make([]float64, len(s.z)) // direction, pointing uphill
		ap := make([]float64, len(s.r))
		m := newMemory(lbfgsPairs)
		s.in.halfGradient(g, s.r)
		return func() (moved, over bool) {
			if squared(g) <= s.negligible*s.negligible {
				return false, false
			}
			copy(p, g)
			m.apply(p)
			s.in.product(ap, p)
			curvature := squared(ap)
			if curvature == 0 {
				return false, false
			}
			eta := dot(p, g) / curvature
			axpy(-eta, p, s.z)
			s.in.residual(s.r, s.z)
			copy(before, g)
			s.in.halfGradient(g, s.r)
			step, change := make([]float64, len(g)), make([]float64, len(g))
			for i := range g {
				step[i], change[i] = -eta*p[i], g[i]-before[i]
			}
			m.learn(step, change)
			return true, false
		}
	})
}

// memory is the inverse Hessian that the last pairs of steps and changes of the gradient suggest.
type memory struct {
	pairs        int
	step, change [][]float64 // oldest first
	rho          []float64   // 1/(stepᵀchange)
}

func newMemory(pairs int) *memory { return &memory{pairs: pairs} }

// learn takes up a pair; one without positive curvature says nothing.
func (m *memory) learn(step, change []float64) {
	curvature := dot(step, change)
	if !(curvature > 0) {
		return
	}
	m.step, m.change, m.rho = append(m.step, step), append(m.change, change), append(m.rho, 1/curvature)
	if len(m.rho) > m.pairs {
		m.step, m.change, m.rho = m.step[1:], m.change[1:], m.rho[1:]
	}
}

// apply multiplies p by the inverse Hessian, by the two loops of the recursion.
func (m *memory) apply(p []float64) {
	n := len(m.rho)
	if n == 0 {
		return
	}
	alpha := make([]float64, n)
	for i := n - 1; i >= 0; i-- {
		alpha[i] = m.rho[i] * dot(m.step[i], p)
		axpy(-alpha[i], m.change[i], p)
	}
	guess := 1 / (m.rho[n-1] * squared(m.change[n-1]))
	for i := range p {
		p[i] *= guess
	}
	for i := range n {
		axpy(alpha[i]-m.rho[i]*dot(m.change[i], p), m.step[i], p)
	}
}
