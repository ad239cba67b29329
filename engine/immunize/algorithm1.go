package immunize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/blas"
	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

// Algorithm1 is the paper's Algorithm 1: it minimises λ_H·R_ill(H_H(θ)) + λ_P·R_well(H_P(θ)) + L(D_P, ω, θ) (Eq. 11) by
//
//	ω ← ω − η∇_ωL(ω, θ)
//	θ ← θ − η(∇_θL(ω, θ) + λ_P·K_P⁻¹∇_θR_well(H_P(θ)) + λ_H·K_H⁻¹∇_θR_ill(H_H(θ)))
//
// with all gradients at the same (θ, ω), ω = 0 at the start, and L only if o.Supervised. The directions of θ (the bracket as a
// whole) and of ω go through o.Optimizer. As the paper ran it: Form Cancelled, GD, Fixed, both λ balanced, Supervised.
//
// With o.Batch rows of each task a step, every epoch permutes the rows of either task on its own and drops the rest. A batch's
// Hessian is H_b = (N/B)·F_bᵀF_b, F_b = X_bθ, so that H_b is an unbiased estimate of H, the λ keep their meaning, and B = N is the
// full batch. Its order is D, as that of H; its rank, which R_ill divides by, is k_b = #{σ_i(H_b) > max(B, D)·ε·σ_1(H_b)}, at
// most the rank of the task's data. A term whose batch has k_b = 1, or k_b equal singular values, takes no part in that step.
//
// A term whose κ is 1 by its rank (D = 1 or k = 1) takes no part at all; with none left the status is Converged. Where all
// non-zero singular values of H_H are equal R_ill is +∞ and has no gradient: the status is Degenerate.
//
// It reads Theta0, Optimizer, Step, StepFraction, Steps, Batch, LearningRate, Momentum, LambdaPrimary, LambdaHarmful, BalanceNorm,
// Supervised, Form, TraceAt and Progress. A step over all rows costs both ends of two spectra (spectrum.Workspace.Extremes)
// and some products of a min(N, D)×D matrix; on a batch a step costs O(D²B).
func Algorithm1(ctx context.Context, p Problem, o Options, rng *rand.Rand) (Result, error) {
	return runAlgorithm1(ctx, p, o, rng, true)
}

// RillOnly minimises R_ill(H_H) alone: Algorithm1 without R_well and without L. It keeps nothing on the primary task in check, and
// mostly inflates ‖H_H‖. It reads what Algorithm1 reads but for LambdaPrimary and Supervised.
func RillOnly(ctx context.Context, p Problem, o Options, rng *rand.Rand) (Result, error) {
	o.Supervised = false
	return runAlgorithm1(ctx, p, o, rng, false)
}

func runAlgorithm1(ctx context.Context, p Problem, o Options, rng *rand.Rand, well bool) (Result, error) {
	if o.Step == Certified {
		return runCertified(ctx, p, o, well)
	}
	a, err := newAlgorithm1(p, o, rng, well)
	if err != nil {
		return Result{}, err
	}
	out, err := a.run(ctx, a)
	if err == nil {
		out.Omega = a.omega
	}
	return out, err
}

func newAlgorithm1(p Problem, o Options, rng *rand.Rand, well bool) (*algorithm1, error) {
	var want needs
	if o.Supervised {
		want = needPrimary
	}
	d, err := p.prepare(want)
	if err != nil {
		return nil, err
	}
	if err := o.prepare(d); err != nil {
		return nil, err
	}
	if o.Form < regularizer.Plain || o.Form > regularizer.PseudoInverse {
		panic(badForm)
	}
	np, _ := p.Primary.Factor.Dims()
	nh, _ := p.Harmful.Factor.Dims()
	a := &algorithm1{
		problem: &p, descent: newDescent(&o, o.start(d), p.Primary.Factor, p.Harmful.Factor),
		well: term{on: well && d > 1 && p.Primary.Factor.Rank() > 1, factor: p.Primary.Factor},
		ill:  term{on: d > 1 && p.Harmful.Factor.Rank() > 1, factor: p.Harmful.Factor, ill: true},
		pass: newPasses(d),
	}
	a.gradients = a.gradientsOf
	a.well.pass, a.ill.pass = newPasses(d), newPasses(d)
	a.well.g, a.ill.g = mat.NewDense(d, d, a.blocks[0].dir), mat.NewDense(d, d, nil)
	if o.Batch != 0 && o.Batch < max(np, nh) {
		a.everyStep = false
		if rng == nil {
			return nil, errors.New("immunize: mini-batches need random numbers")
		}
		a.well.batch = newMinibatch(p.Primary, o.Batch, rng)
		a.ill.batch = newMinibatch(p.Harmful, o.Batch, rng)
	}
	if o.Supervised {
		a.sup = newSupervised(p.Loss, d)
		a.omega, a.xdz = make([]float64, d), make([]float64, d)
		a.reduced = a.well.batch == nil && a.sup.reduce(p.Primary)
		a.dirOmega = a.add(a.omega).dir
	}
	if o.Step == Fixed {
		if err := a.balance(); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// term is one of the two regularizers.
type term struct {
	on     bool
	ill    bool
	factor *spectrum.Factor
	lambda float64
	batch  *minibatch // nil: all rows
	g      *mat.Dense // its gradient
	work   regularizer.Workspace
	pass   *passes

	// What gradient found.
	norm float64
	ok   bool
}

type algorithm1 struct {
	*descent
	problem   *Problem
	well, ill term               // the direction of θ takes the place of well.g
	traced    bool               // the present state is a trace point
	gradients func(from, to int) // over all rows, of well (0) and ill (1)
	pass      *passes
	sup       *supervised // nil: no supervised term
	reduced   bool        // sup.fromFactor serves
	omega     []float64
	dirOmega  []float64
	xdz       []float64 // weighted
}

// ends returns the ends of the spectrum that t is about, over all rows.
func (a *algorithm1) ends(t *term) *spectrum.Extremes {
	if t.ill {
		return a.xh
	}
	return a.xp
}

// gradient stores the gradient of t over all rows in t.g and returns its norm; ok is false where it is undefined.
func (a *algorithm1) gradient(t *term) (norm float64, ok bool) {
	if t.ill {
		if !t.work.Ill(t.g, a.o.Form, t.factor, a.theta, a.xh) {
			return math.NaN(), false
		}
	} else {
		t.work.Well(t.g, a.o.Form, t.factor, a.theta, a.xp)
	}
	return t.pass.norm(t.g), true
}

// gradientsOf finds the gradients of one or both terms over all rows: they go side by side where a core is free.
func (a *algorithm1) gradientsOf(from, to int) {
	for i := from; i < to; i++ {
		t := &a.well
		if i == 1 {
			t = &a.ill
		}
		if t.on && (t.batch == nil || a.traced) {
			t.norm, t.ok = a.gradient(t)
		}
	}
}

// balance sets the weights λ. (The norm of a gradient that is undefined, or zero, balances to no weight: the first step says
// what is the matter.)
func (a *algorithm1) balance() error {
	p, h := a.o.LambdaPrimary, a.o.LambdaHarmful
	a.well.lambda, a.ill.lambda = p.Value, h.Value
	if !p.Balance && !h.Balance {
		return nil
	}
	if err := a.look(); err != nil {
		return fmt.Errorf("spectra at θ_0: %w", err)
	}
	for _, v := range []struct {
		t *term
		l Lambda
	}{{&a.well, p}, {&a.ill, h}} {
		if !v.l.Balance {
			continue
		}
		v.t.lambda = 0
		if !v.t.on {
			continue
		}
		if norm, ok := a.gradient(v.t); ok && norm > 0 {
			v.t.lambda = a.o.BalanceNorm / norm
		}
	}
	return nil
}

// direction: with rate η the direction is ∇L + λ_P·g_P + λ_H·g_H; under Normalized the rate is 1 and the direction
// η∇L + s·g_P/‖g_P‖ + s·g_H/‖g_H‖.
func (a *algorithm1) direction(trace bool) (step, error) {
	s := newStep(a.o.LearningRate)
	loss, length := 1.0, 0.0
	if a.o.Step == Normalized {
		s.rate = 1
		loss, length = a.o.LearningRate, a.pass.stepLength(a.o, a.theta)
	}
	a.traced = trace
	blas.Split(2, 1, a.gradients)
	well, outside := a.propose(&a.well, &s, &s.gradWell, trace, length)
	s.wellOutside = outside
	ill, outside := a.propose(&a.ill, &s, &s.gradIll, trace, length)
	s.illOutside = outside
	if a.sup != nil {
		a.supervise(&s, loss, trace)
		a.pass.combine(well, a.well.g, ill, a.ill.g, a.xdz, a.omega)
	} else {
		a.pass.combine(well, a.well.g, ill, a.ill.g, nil, nil)
	}
	return s, nil
}

// propose completes t.g, the gradient of t, and stores its norm over all rows, where that is known, in norm. It returns the weight of the
// gradient in the direction, 0 where t takes no part, and whether the step along it lies outside its interval.
func (a *algorithm1) propose(t *term, s *step, norm *float64, trace bool, length float64) (weight float64, outside bool) {
	if !t.on {
		return 0, false
	}
	var present, end float64 // norm of the gradient of this step, end of the interval
	repeated, ok := false, true
	if t.batch == nil || trace {
		x := a.ends(t)
		if present, ok = t.norm, t.ok; !ok {
			s.stop, s.reason = Degenerate, "all non-zero singular values of H_H are equal: R_ill has no gradient"
			if !x.Flat() {
				s.stop, s.reason = Diverged, fmt.Sprintf("1/g(H_H)², a factor of the gradient of R_ill, is beyond double precision: ‖H_H‖₂ = %.3g", x.Sigma1)
			}
			return 0, false
		}
		*norm = present
		end, repeated = t.ends(x)
	}
	if t.batch != nil {
		var x *spectrum.Extremes
		if x, ok = t.batch.gradient(t.g, t, a.theta, a.o.Form); !ok {
			s.degenerate = s.degenerate || x.Rank > 1
			s.skipped = s.skipped || t.batch.rows.b > 1
			return 0, false
		}
		if a.o.Step == Normalized {
			present = t.pass.norm(t.g)
		}
		end, repeated = t.ends(x)
	}
	weight = t.lambda
	if a.o.Step == Normalized {
		weight = 0
		if present != 0 { // NaN and Inf go on into the parameters: the step diverged
			weight = length / present
		}
		if math.IsInf(present, 1) {
			weight = math.NaN()
		}
	}
	s.degenerate = s.degenerate || repeated
	return weight, a.o.Optimizer != Adam && a.o.Form != regularizer.Plain && weight > 0 && s.rate*weight >= end
}

// supervise stores weight·Xᵀ∂L/∂z and weight·∇_ωL in a.xdz and a.dirOmega. The trace's numbers are of all rows.
func (a *algorithm1) supervise(s *step, weight float64, trace bool) {
	t, b := a.problem.Primary, a.well.batch
	switch {
	case b != nil:
		if trace {
			s.loss = a.sup.fromData(t.X, a.theta, a.omega, t.Y)
			s.gradLoss = a.sup.spread(a.dirOmega, a.theta, a.omega)
		}
		a.sup.fromData(b.x, a.theta, a.omega, b.y)
		a.sup.spread(a.dirOmega, a.theta, a.omega)
	case a.reduced:
		if trace {
			s.loss = a.sup.value(t.X, a.theta, a.omega, t.Y)
		}
		a.sup.fromFactor(a.theta, a.omega)
		s.gradLoss = a.sup.spread(a.dirOmega, a.theta, a.omega)
	default:
		s.loss = a.sup.fromData(t.X, a.theta, a.omega, t.Y)
		s.gradLoss = a.sup.spread(a.dirOmega, a.theta, a.omega)
	}
	copy(a.xdz, a.sup.xdz)
	blas64.Scal(weight, vector(a.xdz))
	blas64.Scal(weight, vector(a.dirOmega))
}

// ends returns the upper end of the corrected interval of t, and whether the singular value that t takes its vector from is
// repeated.
func (t *term) ends(x *spectrum.Extremes) (end float64, repeated bool) {
	v := regularizer.At(x)
	if t.ill {
		return v.IllInterval.Corrected, x.BottomRepeated()
	}
	return v.WellInterval.Corrected, x.TopRepeated()
}

// stepLength returns s = StepFraction·‖θ‖_F/√D.
func (p *passes) stepLength(o *Options, theta *mat.Dense) float64 {
	d, _ := theta.Dims()
	return o.StepFraction * p.norm(theta) / math.Sqrt(float64(d))
}
