package immunize

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

// roseTolerance is the change of log κ that counts as rounding: κ comes from squared singular values, whose relative error is a
// modest multiple of ε·κ(Xθ), below 10⁻⁹ up to κ(Xθ) = 10⁶ (κ(H) = 10¹²).
const roseTolerance = 1e-9

// block is one array of parameters.
type block struct {
	x    []float64 // value
	dir  []float64 // direction of the next step; x moves along −dir
	prev []float64 // value before the last step
	m    *mover
}

func newBlock(x []float64, o *Options) *block {
	return &block{
		x: x, dir: make([]float64, len(x)), prev: make([]float64, len(x)),
		m: newMover(o.Optimizer, o.Momentum, len(x)),
	}
}

// step is what a method says about the step it proposes.
type step struct {
	rate                                float64 // factor of the direction
	stop                                Status  // not empty: no step is to be taken
	reason                              string
	wellOutside, illOutside, degenerate bool
	loss, gradLoss, gradWell, gradIll   float64 // for the trace; NaN where they do not apply
}

func newStep(rate float64) step {
	nan := math.NaN()
	return step{rate: rate, loss: nan, gradLoss: nan, gradWell: nan, gradIll: nan}
}

// method is what differs from one iterative method to the next.
type method interface {
	// direction stores the direction of a step from the present state in the blocks. With trace the numbers for a trace point
	// are wanted, over all rows.
	direction(trace bool) (step, error)
	// spectra returns the spectra of H_P and H_H over all rows, with vectors if the method needs them. The error says that they
	// are not finite.
	spectra() (p, h *spectrum.Spectrum, err error)
}

// descent is the loop all iterative methods share: it takes the steps, keeps the last usable parameters, the trace and the counts.
type descent struct {
	o      *Options
	theta  *mat.Dense // shares its data with blocks[0]
	blocks []*block
	// everyStep: the spectra are computed after every step (full batch), else at trace points only.
	everyStep bool
	sp, sh    *spectrum.Spectrum // of H_P and H_H at the present state if everyStep, else at the last trace point
	out       Result
}

func newDescent(o *Options, theta *mat.Dense, everyStep bool) *descent {
	d := &descent{o: o, theta: theta, everyStep: everyStep}
	d.add(theta.RawMatrix().Data)
	return d
}

// add makes x a block of parameters, whose direction it returns.
func (d *descent) add(x []float64) *block {
	b := newBlock(x, d.o)
	d.blocks = append(d.blocks, b)
	return b
}

// run takes up to o.Steps steps.
func (d *descent) run(ctx context.Context, m method) (Result, error) {
	var err error
	if d.sp, d.sh, err = m.spectra(); err != nil {
		return Result{}, fmt.Errorf("spectra at θ_0: %w", err)
	}
	last := d.o.Steps
	fresh := true // d.sp and d.sh belong to the present state
	for t := 0; ; t++ {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		trace := t == 0 || t == last || d.o.TraceAt != nil && d.o.TraceAt(t, last)
		if trace && !fresh {
			if err := d.compare(m); err != nil {
				return d.diverge(m, t, err), nil
			}
		}
		var s step
		if t < last || trace {
			if s, err = m.direction(trace); err != nil {
				return Result{}, err
			}
			if s.stop == "" && d.still(t) {
				s.stop, s.reason = Converged, "no term asks for a step"
			}
		}
		if trace || s.stop != "" {
			d.point(t, s)
		}
		d.out.Steps, d.out.Counts.Steps = t, t
		switch {
		case s.stop != "":
			return d.end(s.stop, s.reason), nil
		case t == last:
			return d.end(StepLimit, ""), nil
		}
		d.count(s)
		d.move(s.rate)
		fresh = d.everyStep
		if err := d.check(m); err != nil {
			return d.diverge(m, t+1, err), nil
		}
		if d.o.Progress != nil {
			d.o.Progress(t+1, last)
		}
	}
}

// still reports whether the step from state t leaves every parameter where it is.
func (d *descent) still(t int) bool {
	if t > 0 && d.o.Optimizer != GD {
		return false // momentum goes on
	}
	for _, b := range d.blocks {
		for _, v := range b.dir {
			if v != 0 {
				return false
			}
		}
	}
	return true
}

// move takes one step in every block.
func (d *descent) move(rate float64) {
	for _, b := range d.blocks {
		copy(b.prev, b.x)
		b.m.move(b.x, b.dir, rate)
	}
}

// check returns an error if the parameters, or what was computed from them, are not finite, and otherwise brings the spectra up to
// date where they are kept at every step.
func (d *descent) check(m method) error {
	for _, b := range d.blocks {
		for _, v := range b.x {
			if v-v != 0 {
				return fmt.Errorf("a parameter is %v", v)
			}
		}
	}
	if d.everyStep {
		return d.compare(m)
	}
	return nil
}

// compare computes the spectra of the present state and compares κ with those of the state before. On error nothing changes.
func (d *descent) compare(m method) error {
	p, h, err := m.spectra()
	if err != nil {
		return err
	}
	c := &d.out.Counts
	dp := regularizer.LogKappa(p) - regularizer.LogKappa(d.sp)
	dh := regularizer.LogKappa(h) - regularizer.LogKappa(d.sh)
	c.Compared++
	if dp > roseTolerance {
		c.PrimaryRose++
	}
	if dh < -roseTolerance {
		c.HarmfulFell++
	}
	d.sp, d.sh = p, h
	return nil
}

func (d *descent) count(s step) {
	for _, c := range []struct {
		is bool
		n  *int
	}{
		{s.wellOutside, &d.out.Counts.WellOutside},
		{s.illOutside, &d.out.Counts.IllOutside},
		{s.degenerate, &d.out.Counts.Degenerate},
	} {
		if c.is {
			*c.n++
		}
	}
}

// diverge ends the run at the state before step t, whose result cannot be used.
func (d *descent) diverge(m method, t int, cause error) Result {
	for _, b := range d.blocks {
		copy(b.x, b.prev)
	}
	d.out.Steps, d.out.Counts.Steps = t-1, t-1
	if n := len(d.out.Trace); n == 0 || d.out.Trace[n-1].Step != t-1 {
		if !d.everyStep {
			// The state before may not have been measured, and may itself be beyond measuring.
			p, h, err := m.spectra()
			if err != nil {
				return d.end(Diverged, fmt.Sprintf("step %d: %v", t, cause))
			}
			d.sp, d.sh = p, h
		}
		d.point(t-1, newStep(0))
	}
	return d.end(Diverged, fmt.Sprintf("step %d: %v", t, cause))
}

func (d *descent) end(status Status, reason string) Result {
	d.out.Theta, d.out.Status, d.out.Reason = d.theta, status, reason
	return d.out
}

// point adds the present state to the trace.
func (d *descent) point(t int, s step) {
	pt := measure(t, d.theta, d.sp, d.sh)
	pt.LossPrimary, pt.GradLoss, pt.GradWell, pt.GradIll = s.loss, s.gradLoss, s.gradWell, s.gradIll
	d.out.Trace = append(d.out.Trace, pt)
}

// measure returns the trace point of the state θ with the spectra p of H_P and h of H_H; what takes more is NaN.
func measure(t int, theta *mat.Dense, p, h *spectrum.Spectrum) Point {
	nan := math.NaN()
	return Point{
		Step: t, LossPrimary: nan, GradLoss: nan, GradWell: nan, GradIll: nan,
		RWell: regularizer.Well(p), RIll: regularizer.Ill(h),
		Primary: p.Condition(), Harmful: h.Condition(), KappaTheta: spectrum.ThetaCondition(theta),
	}
}

// pairSpectra returns the spectra of θᵀK_Pθ and θᵀK_Hθ. The error says that one overflows.
func pairSpectra(fp, fh *spectrum.Factor, theta *mat.Dense, vectors bool) (p, h *spectrum.Spectrum, err error) {
	if p, err = fp.Spectrum(theta, vectors); err != nil {
		return nil, nil, err
	}
	if h, err = fh.Spectrum(theta, vectors); err != nil {
		return nil, nil, err
	}
	for _, s := range []*spectrum.Spectrum{p, h} {
		// ‖H‖_F² is what the regularizers are made of.
		if math.IsInf(s.Sigma[0]*s.Sigma[0], 0) {
			return nil, nil, fmt.Errorf("‖H‖₂ = %.3g is too large to square", s.Sigma[0])
		}
	}
	return p, h, nil
}
