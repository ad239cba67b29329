package immunize

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

// certified takes certified steps: see the package comment. It shares descent's state and not its loop, since the spectra are
// looked at twice a step.
type certified struct {
	*descent
	halves   [2]half // of R_well, of R_ill
	dir      *mat.Dense
	start    []float64 // θ before the step, to go back to
	pass     *passes
	norm     float64 // ‖θ‖_F
	repeated bool    // an extreme value was repeated in this step
}

func runCertified(ctx context.Context, p Problem, o Options, well bool) (Result, error) {
	d, err := p.prepare(0)
	if err != nil {
		return Result{}, err
	}
	if err := o.prepare(d); err != nil {
		return Result{}, err
	}
	switch {
	case o.Supervised:
		return Result{}, errors.New("immunize: a certified step has no supervised term")
	case o.Batch != 0:
		return Result{}, errors.New("immunize: a certified step is over all rows, not a mini-batch")
	case o.Form == regularizer.Plain:
		return Result{}, errors.New("immunize: a certified step needs the preconditioner: the form that cancels K or that with its pseudo-inverse")
	case o.Form > regularizer.PseudoInverse || o.Form < 0:
		panic(badForm)
	}
	c := &certified{
		descent: newDescent(&o, o.start(d), p.Primary.Factor, p.Harmful.Factor),
		halves:  [2]half{newHalf(p.Primary.Factor), newHalf(p.Harmful.Factor)},
		dir:     mat.NewDense(d, d, nil), start: make([]float64, d*d), pass: newPasses(d),
	}
	c.blocks[0].dir = c.dir.RawMatrix().Data
	c.halves[0].on = well
	c.halves[1].on, c.halves[1].ill = true, true
	return c.run(ctx)
}

// run takes up to o.Steps steps.
func (c *certified) run(ctx context.Context) (Result, error) {
	if err := c.measure(); err != nil {
		return Result{}, fmt.Errorf("spectra at θ_0: %w", err)
	}
	for t, last := 0, c.o.Steps; ; t++ {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		c.out.Steps, c.out.Counts.Steps = t, t
		if c.traced(t) {
			if err := c.point(t, c.gradients()); err != nil {
				return Result{}, err
			}
		}
		if t == last {
			return c.end(StepLimit, ""), nil
		}
		s := CertifiedStep{Step: t + 1}
		status, reason, err := c.step(&s)
		switch {
		case err != nil:
			copy(c.blocks[0].x, c.start)
			return c.finish(t, Diverged, fmt.Sprintf("step %d: %v", t+1, err))
		case status != "":
			return c.finish(t, status, reason)
		}
		if c.traced(t + 1) {
			c.out.Certified = append(c.out.Certified, s)
		}
		if c.o.Progress != nil {
			c.o.Progress(t+1, last)
		}
	}
}

func (c *certified) traced(t int) bool {
	return t == 0 || t == c.o.Steps || c.o.TraceAt != nil && c.o.TraceAt(t, c.o.Steps)
}

// finish ends the run at the state t, which is to be in the trace.
func (c *certified) finish(t int, status Status, reason string) (Result, error) {
	if !c.traced(t) {
		if err := c.point(t, newStep(0)); err != nil {
			return Result{}, err
		}
	}
	return c.end(status, reason), nil
}

// measure looks at the present state.
func (c *certified) measure() error {
	c.norm = c.pass.norm(c.theta)
	return c.look()
}

// gradients holds the norms of both gradients at the present state, for the trace.
func (c *certified) gradients() step {
	s := newStep(0)
	for i := range c.halves {
		h, x := &c.halves[i], c.ends(i)
		if h.on && x.Rank > 1 && h.gradient(c.dir, c.o.Form, c.theta, x) {
			if norm := c.pass.norm(c.dir); h.ill {
				s.gradIll = norm
			} else {
				s.gradWell = norm
			}
		}
	}
	return s
}

// ends returns the ends of the spectrum of H_P (0) or H_H (1).
func (c *certified) ends(i int) *spectrum.Extremes {
	if i == 0 {
		return c.xp
	}
	return c.xh
}

// step takes a step and tells s about it. A status says that there is none to take; the error, that where it leads cannot be used.
func (c *certified) step(s *CertifiedStep) (status Status, reason string, err error) {
	for i, name := range taskNames {
		if x := c.ends(i); x.Rank > 0 && math.IsNaN(x.Kappa()) {
			return Degenerate, fmt.Sprintf("κ(%s) is beyond what double precision resolves", name), nil
		}
	}
	copy(c.start, c.blocks[0].x)
	logP, logH, errP, errH := c.logP, c.logH, c.errP, c.errH
	counts := c.out.Counts
	c.repeated = false
	status, reason = Converged, "no term asks for a step"
	for i, out := range []*HalfStep{&s.Well, &s.Ill} {
		why, err := c.half(i, out)
		if err != nil {
			c.out.Counts = counts
			return "", "", err
		}
		if why != "" && status != "" {
			status, reason = Degenerate, why
		}
		if out.Taken {
			status, reason = "", ""
		}
	}
	if status != "" {
		c.out.Counts = counts
		return status, reason, nil
	}
	c.out.Counts.compare(c.logP-logP, c.logH-logH, max(errP, c.errP), max(errH, c.errH))
	if c.repeated {
		c.out.Counts.Degenerate++
	}
	return "", "", nil
}

// taskNames are the Hessians of the two tasks in the order of the half steps about them.
var taskNames = [...]string{"H_P", "H_H"}

// half takes the half step about one task and tells out about it. Where its theorem has nothing to say the half step is not taken, and
// why is the reason unless that is κ = 1. The error says that the state after it cannot be used.
func (c *certified) half(i int, out *HalfStep) (why string, err error) {
	h, x := &c.halves[i], c.ends(i)
	n := &c.out.Counts.Half[i]
	h.describe(out, x, c.o.StepFraction)
	if why, idle := h.idle(x); idle {
		c.repeated = c.repeated || why != ""
		if h.on {
			n.Idle++
		}
		return why, nil
	}
	n.printed(out)
	c.repeated = c.repeated || h.ill && x.BottomRepeated()
	if !h.gradient(c.dir, c.o.Form, c.theta, x) {
		return "", fmt.Errorf("1/g(H_H)², a factor of the gradient of R_ill, is beyond double precision: ‖H_H‖₂ = %.3g", x.Sigma1)
	}
	out.Eta = c.o.StepFraction * out.Interval.Corrected
	if c.o.StepLength > 0 {
		d, _ := c.theta.Dims()
		out.Eta = min(out.Eta, c.o.StepLength*c.norm/math.Sqrt(float64(d))/c.pass.norm(c.dir))
	}
	out.Predicted = h.after(x, out.Eta)
	logs, errs := [2]float64{c.logP, c.logH}, [2]float64{c.errP, c.errH}
	out.Tolerance = h.measured(x, c.norm)
	rounding := h.rounding(x, out.Eta, c.norm)
	if !c.blocks[0].move(out.Eta, 1) {
		return "", c.blocks[0].offender()
	}
	if err := c.measure(); err != nil {
		return "", err
	}
	for j, name := range taskNames {
		if x := c.ends(j); x.Rank > 0 && math.IsNaN(x.Kappa()) {
			return "", fmt.Errorf("the half step on %s leads beyond what double precision resolves of κ(%s), %.3g before it", taskNames[i], name, math.Exp(logs[j]))
		}
	}
	x = c.ends(i)
	out.Taken, out.After, out.Other = true, x.Kappa(), c.ends(1-i).Kappa()
	out.Tolerance += h.measured(x, c.norm) + h.spread(x, rounding+unit*c.norm)
	after, now := [2]float64{c.logP, c.logH}, [2]float64{c.errP, c.errH}
	h.judge(out, after[i]-logs[i])
	n.tally(out, h.otherWorse(after[1-i]-logs[1-i], max(roseTolerance, errs[1-i], now[1-i])))
	return "", nil
}

// errNotCertified is the answer of methods whose steps no theorem is about.
var errNotCertified = errors.New("immunize: no theorem is about this method's steps: certified steps are for Algorithm 1 and R_ill alone")
