package immunize

import (
	"context"
	"math"
	"math/rand/v2"

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
	if o.Step == Certified {
		return Result{}, errNotCertified
	}
	m := &optKappa{
		descent: newDescent(&o, o.start(d), p.Primary.Factor, p.Harmful.Factor), pass: newPasses(d),
		primary: d > 1 && p.Primary.Factor.Rank() > 1, harmful: d > 1 && p.Harmful.Factor.Rank() > 1,
	}
	m.dir = mat.NewDense(d, d, m.blocks[0].dir)
	return m.run(ctx, m)
}

type optKappa struct {
	*descent
	dir              *mat.Dense
	work             regularizer.Workspace
	pass             *passes
	primary, harmful bool // the term takes part
}

func (m *optKappa) direction(bool) (step, error) {
	s := newStep(m.o.LearningRate)
	m.dir.Zero()
	if m.primary {
		s.gradWell = m.addTerm(1, m.fp, m.xp)
		s.degenerate = s.degenerate || m.xp.TopRepeated() || m.xp.BottomRepeated()
	}
	if m.harmful {
		log := m.logH
		if m.xh.Flat() || !(log > 0) {
			s.stop, s.reason = Degenerate, "κ(H_H) is 1, or not resolved: 1/log κ has no gradient"
			return s, nil
		}
		s.gradIll = m.addTerm(-1/(log*log), m.fh, m.xh)
		s.degenerate = s.degenerate || m.xh.TopRepeated() || m.xh.BottomRepeated()
	}
	if m.o.Step == Normalized {
		s.normalize(m.o, m.theta, m.pass.norm(m.dir), m.pass)
	}
	return s, nil
}

// addTerm adds c·∇_θ log κ(H) to the direction and returns the norm of what it added.
func (m *optKappa) addTerm(c float64, f *spectrum.Factor, x *spectrum.Extremes) float64 {
	return math.Abs(c) * m.work.AddLogKappa(m.dir, c, regularizer.Plain, f, m.theta, x)
}

// normalize makes the length of the step s = StepFraction·‖θ‖_F/√D, for a direction of the given norm.
func (s *step) normalize(o *Options, theta *mat.Dense, norm float64, pass *passes) {
	s.rate = 1
	if norm > 0 {
		s.scale = pass.stepLength(o, theta) / norm
	}
}
