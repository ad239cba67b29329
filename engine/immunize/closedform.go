package immunize

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/ceiling"
)

// Identity returns θ_0 (the identity if o.Theta0 is nil): the baseline that every ratio is taken against. Its trace has one point,
// its status is Converged. It reads Theta0.
func Identity(ctx context.Context, p Problem, o Options, _ *rand.Rand) (Result, error) {
	d, err := begin(ctx, &p, &o)
	if err != nil {
		return Result{}, err
	}
	out := Result{Theta: o.start(d), Status: Converged}
	return out, out.closedPoint(p, 0, out.Theta)
}

// Optimum returns the closed form that attains the ceiling of RIR, or, where that is infinite, goes far at no price in κ(H_P); see
// ceiling.Optimum, whose error it returns. It is not in the paper. One solve counts as one step: the trace has θ_0 at step 0 and
// the solution at step 1, the status is Converged. It reads Theta0, for the trace alone, KappaMax, which takes the place of the
// closed form by ceiling.Bounded, and Progress.
func Optimum(ctx context.Context, p Problem, o Options, _ *rand.Rand) (Result, error) {
	d, err := begin(ctx, &p, &o)
	if err != nil {
		return Result{}, err
	}
	var theta *mat.Dense
	if o.KappaMax > 0 {
		theta, _, err = ceiling.Bounded(ctx, p.Primary.Factor, p.Harmful.Factor, o.KappaMax)
	} else {
		theta, _, err = ceiling.Optimum(p.Primary.Factor, p.Harmful.Factor)
	}
	if err != nil {
		return Result{}, err
	}
	out := Result{Theta: theta, Status: Converged, Steps: 1}
	for t, x := range []*mat.Dense{o.start(d), theta} {
		if err := out.closedPoint(p, t, x); err != nil {
			return Result{}, err
		}
	}
	out.Counts.Steps = 1
	if o.Progress != nil {
		o.Progress(1, 1)
	}
	return out, nil
}

// begin prepares problem and options of a closed form and returns D.
func begin(ctx context.Context, p *Problem, o *Options) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	d, err := p.prepare(0)
	if err != nil {
		return 0, err
	}
	return d, o.prepare(d)
}

func (r *Result) closedPoint(p Problem, t int, theta *mat.Dense) error {
	sp, sh, err := pairSpectra(p.Primary.Factor, p.Harmful.Factor, theta)
	if err != nil {
		return err
	}
	r.Trace = append(r.Trace, measure(t, theta, sp, sh))
	return nil
}
