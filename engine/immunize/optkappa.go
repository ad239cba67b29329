package immunize

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

// OptKappa is gradient descent on log κ(H_P(θ)) + 1/log κ(H_H(θ)), one of the paper's baselines (Section 5). The gradient is the
// plain one, without K⁻¹:
//
//	∇_θ = 2K_Pθ·A_P − 2K_Hθ·A_H/log²κ(H_H),  A = v_1v_1ᵀ/σ_1 − v_kv_kᵀ/σ_k.
//
// Under Normalized the whole of it is scaled to the norm s. A task whose κ is 1 by its rank (D = 1 or k = 1) contributes nothing;
// with none left the status is Converged. Elsewhere κ(H_H) = 1 makes 1/log κ infinite: the status is Degenerate, as it is where
// κ(H_H) is not resolved in double precision.
//
// It reads Theta0, Optimizer, Step, StepFraction, Steps, LearningRate, Momentum, TraceAt and Progress, and draws no random numbers.
// A step costs what one of Algorithm1 costs.
func OptKappa(ctx context.Context, p Problem, o Options, _ *rand.Rand) (Result, error) {
	d, err := p.prepare(0)
	if err != nil {
		return Result{}, err
	}
	if err := o.prepare(d); err != nil {
		return Result{}, err
	}
	m := &optKappa{
		descent: newDescent(&o, o.start(d), p.Primary.Factor, p.Harmful.Factor), g: mat.NewDense(d, d, nil),
		primary: d > 1 && p.Primary.Factor.Rank() > 1, harmful: d > 1 && p.Harmful.Factor.Rank() > 1,
	}
	return m.run(ctx, m)
}

type optKappa struct {
	*descent
	g                *mat.Dense
	work             regularizer.Workspace
	primary, harmful bool // the term takes part
}

func (m *optKappa) direction(bool) (step, error) {
	s := newStep(m.o.LearningRate)
	dir := m.blocks[0].dir
	clear(dir)
	if m.primary {
		s.gradWell = m.addTerm(dir, 1, m.fp, m.xp)
		s.degenerate = s.degenerate || m.xp.TopRepeated() || m.xp.BottomRepeated()
	}
	if m.harmful {
		log := m.logH
		if m.xh.Flat() || !(log > 0) {
			s.stop, s.reason = Degenerate, "κ(H_H) is 1, or not resolved: 1/log κ has no gradient"
			return s, nil
		}
		s.gradIll = m.addTerm(dir, -1/(log*log), m.fh, m.xh)
		s.degenerate = s.degenerate || m.xh.TopRepeated() || m.xh.BottomRepeated()
	}
	if m.o.Step == Normalized {
		normalize(m.o, m.theta, dir, &s)
	}
	return s, nil
}

// addTerm adds c·∇_θ log κ(H) to dir and returns the norm of what it added.
func (m *optKappa) addTerm(dir []float64, c float64, f *spectrum.Factor, x *spectrum.Extremes) float64 {
	m.work.LogKappa(m.g, regularizer.Plain, f, m.theta, x)
	floats.AddScaled(dir, c, m.g.RawMatrix().Data)
	return math.Abs(c) * mat.Norm(m.g, 2)
}

// normalize scales the direction to the norm s = StepFraction·‖θ‖_F/√D and the rate to 1.
func normalize(o *Options, theta *mat.Dense, dir []float64, s *step) {
	s.rate = 1
	if norm := floats.Norm(dir, 2); norm > 0 {
		floats.Scale(stepLength(o, theta)/norm, dir)
	}
}
