package probe

import (
	"context"
	"math"
	"math/rand/v2"
)

// Adam's constants, those of its authors and of PyTorch, with a step size an attacker of a linear probe would take.
const (
	defaultRate  = 1e-2
	firstMoment  = 0.9
	secondMoment = 0.999
	adamEpsilon  = 1e-8
)

// Adam runs Adam on the mean loss ‖Xw − y‖²/N, with bias correction and without decay. Alone among the attackers it knows coordinates, and
// runs on the features as they are: a step costs O(D·min(N, D)).
//
// D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980, algorithm 1.
func Adam(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	return attack(ctx, t, ambient{t}, o, func(s *state) func() (bool, bool) {
		g := make([]float64, len(s.z))
		// The gradient and the weights of the given problem are those of the scaled one times these.
		unit := math.Ldexp(1, s.t.ef-s.t.ey)
		a := newAdam(len(s.z), s.rate)
		return func() (moved, over bool) {
			s.in.halfGradient(g, s.r)
			if squared(g) <= s.negligible*s.negligible {
				return false, false
			}
			for i, v := range g {
				g[i] = math.Ldexp(2*v/float64(s.t.n), s.t.ef+s.t.ey)
			}
			a.step(s.z, g, unit)
			s.in.residual(s.r, s.z)
			return true, false
		}
	})
}

// adam is the state of Adam.
type adam struct {
	rate   float64
	m, v   []float64
	b1, b2 float64 // powers of the two constants
}

func newAdam(d int, rate float64) *adam {
	if rate == 0 {
		rate = defaultRate
	}
	return &adam{rate: rate, m: make([]float64, d), v: make([]float64, d), b1: 1, b2: 1}
}

// step moves w, which is in units of 1/unit, against the gradient g.
func (a *adam) step(w, g []float64, unit float64) {
	a.b1 *= firstMoment
	a.b2 *= secondMoment
	for i, v := range g {
		a.m[i] = firstMoment*a.m[i] + (1-firstMoment)*v
		a.v[i] = secondMoment*a.v[i] + (1-secondMoment)*v*v
		w[i] -= unit * a.rate * (a.m[i] / (1 - a.b1)) / (math.Sqrt(a.v[i]/(1-a.b2)) + adamEpsilon)
	}
}
