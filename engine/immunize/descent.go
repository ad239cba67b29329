package immunize

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/blas"
	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

// roseTolerance is the change of log κ that counts as rounding, where the error of the larger κ, Extremes.KappaError, is not larger:
// with 200 rows that is so up to κ(H) = 2·10⁶.
const roseTolerance = 1e-9

// block is one array of parameters.
type block struct {
	x     []float64 // value
	dir   []float64 // direction of the next step; x moves along −dir
	other []float64 // value before the last step
	owner *mat.Dense
	m     *mover
}

func newBlock(x []float64, o *Options) *block {
	return &block{
		x: x, dir: make([]float64, len(x)), other: make([]float64, len(x)),
		m: newMover(o.Optimizer, o.Momentum, len(x)),
	}
}

// move takes a step and reports whether all values are finite.
func (b *block) move(rate, scale float64) (finite bool) {
	finite = b.m.step(b.other, b.x, b.dir, rate, scale)
	b.swap()
	return finite
}

// swap exchanges the value with that before the last step: a matrix changes its memory, a vector its elements.
func (b *block) swap() {
	if b.owner == nil {
		for i, v := range b.x {
			b.x[i], b.other[i] = b.other[i], v
		}
		return
	}
	b.x, b.other = b.other, b.x
	raw := b.owner.RawMatrix()
	raw.Data = b.x
	b.owner.SetRawMatrix(raw)
}

// step is what a method says about the step it proposes.
type step struct {
	rate                                float64 // factor of the direction
	scale                               float64 // what the direction stored is to be multiplied by before the optimizer sees it
	stop                                Status  // not empty: no step is to be taken
	reason                              string
	wellOutside, illOutside, degenerate bool
	skipped                             bool    // a term takes no part in this step, and may in the next
	loss, gradLoss, gradWell, gradIll   float64 // for the trace; NaN where they do not apply
}

func newStep(rate float64) step {
	nan := math.NaN()
	return step{rate: rate, scale: 1, loss: nan, gradLoss: nan, gradWell: nan, gradIll: nan}
}

// method is what differs from one iterative method to the next.
type method interface {
	// direction stores the direction of a step from the present state in the blocks. With trace the numbers of a trace point
	// are wanted, and the ends of both spectra are those of the present state.
	direction(trace bool) (step, error)
}

// descent is the loop all iterative methods share: it takes the steps, keeps the last usable parameters, the trace and the counts.
type descent struct {
	o      *Options
	theta  *mat.Dense // shares its data with blocks[0]
	blocks []*block
	// features returns what maps the data of fp and fh to features: θ, or with a bias [θ; bᵀ].
	features func() *mat.Dense
	fp, fh   *spectrum.Factor
	// everyStep: the ends of the spectra are computed after every step (full batch), else at trace points only.
	everyStep  bool
	wp, wh     spectrum.Workspace
	xp, xh     *spectrum.Extremes // of H_P and H_H over all rows
	mapped     *mat.Dense         // what features returned
	looks      func(from, to int) // finds xp (0) and xh (1)
	lookErr    [2]error
	logP, logH float64 // log κ at the same state
	errP, errH float64 // and what rounding leaves in it
	out        Result
}

func newDescent(o *Options, theta *mat.Dense, fp, fh *spectrum.Factor) *descent {
	d := &descent{o: o, theta: theta, fp: fp, fh: fh, features: func() *mat.Dense { return theta }, everyStep: true}
	d.add(theta.RawMatrix().Data).owner = theta
	d.looks = d.lookAt
	return d
}

// add makes x a block of parameters.
func (d *descent) add(x []float64) *block {
	b := newBlock(x, d.o)
	d.blocks = append(d.blocks, b)
	return b
}

// run takes up to o.Steps steps.
func (d *descent) run(ctx context.Context, m method) (Result, error) {
	if err := d.look(); err != nil {
		return Result{}, fmt.Errorf("spectra at θ_0: %w", err)
	}
	last := d.o.Steps
	for t := 0; ; t++ {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		trace := t == 0 || t == last || d.o.TraceAt != nil && d.o.TraceAt(t, last)
		if trace && t > 0 && !d.everyStep {
			if err := d.compare(); err != nil {
				return d.diverge(t, err)
			}
		}
		var s step
		if t < last || trace {
			var err error
			if s, err = m.direction(trace); err != nil {
				return Result{}, err
			}
			if s.stop == "" && !s.skipped && d.still(t) {
				s.stop, s.reason = Converged, "no term asks for a step"
			}
		}
		if trace || s.stop != "" {
			if err := d.point(t, s); err != nil {
				return Result{}, err
			}
		}
		d.out.Steps, d.out.Counts.Steps = t, t
		switch {
		case s.stop != "":
			return d.end(s.stop, s.reason), nil
		case t == last:
			return d.end(StepLimit, ""), nil
		}
		d.count(s)
		if err := d.move(s); err != nil {
			return d.diverge(t+1, err)
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

// move takes one step in every block and brings the ends of the spectra up to date where they are kept at every step. It returns
// an error if the parameters, or what is computed from them, are not finite.
func (d *descent) move(s step) (err error) {
	for _, b := range d.blocks {
		if !b.move(s.rate, s.scale) && err == nil {
			err = b.offender()
		}
	}
	if err == nil && d.everyStep {
		return d.compare()
	}
	return err
}

// offender names a value that is not finite.
func (b *block) offender() error {
	for _, v := range b.x {
		if v-v != 0 {
			return fmt.Errorf("a parameter is %v", v)
		}
	}
	return nil
}

// look computes the ends of both spectra at the present state. The error says that one overflows.
func (d *descent) look() (err error) {
	d.mapped = d.features()
	blas.Split(2, 1, d.looks)
	for _, err := range d.lookErr {
		if err != nil {
			return err
		}
	}
	for _, x := range []*spectrum.Extremes{d.xp, d.xh} {
		if v := x.Sigma1 * x.Sigma1; v-v != 0 || x.Frobenius-x.Frobenius != 0 {
			return fmt.Errorf("‖H‖₂ = %.3g is too large to square", x.Sigma1)
		}
	}
	d.logP, d.logH = math.Log(d.xp.Kappa()), math.Log(d.xh.Kappa())
	d.errP, d.errH = d.xp.KappaError(), d.xh.KappaError()
	return nil
}

// lookAt finds the ends of one or both spectra: the two tasks go side by side where a core is free.
func (d *descent) lookAt(from, to int) {
	for i := from; i < to; i++ {
		if i == 0 {
			d.xp, d.lookErr[0] = d.wp.Extremes(d.fp, d.mapped)
		} else {
			d.xh, d.lookErr[1] = d.wh.Extremes(d.fh, d.mapped)
		}
	}
}

// compare looks, and compares κ with the state it last looked at.
func (d *descent) compare() error {
	p, h, errP, errH := d.logP, d.logH, d.errP, d.errH
	if err := d.look(); err != nil {
		return err
	}
	d.out.Counts.compare(d.logP-p, d.logH-h, max(errP, d.errP), max(errH, d.errH))
	return nil
}

// compare counts a change of log κ(H_P) and log κ(H_H), of which rounding may be errP and errH.
func (c *Counts) compare(p, h, errP, errH float64) {
	c.Compared++
	if p > max(roseTolerance, errP) {
		c.PrimaryRose++
	}
	if -h > max(roseTolerance, errH) {
		c.HarmfulFell++
	}
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
func (d *descent) diverge(t int, cause error) (Result, error) {
	for _, b := range d.blocks {
		b.swap()
	}
	d.out.Steps, d.out.Counts.Steps = t-1, t-1
	if n := len(d.out.Trace); n == 0 || d.out.Trace[n-1].Step != t-1 {
		// Between trace points the state before may itself be beyond measuring; the trace then ends earlier.
		if err := d.point(t-1, newStep(0)); err != nil && d.everyStep {
			return Result{}, err
		}
	}
	return d.end(Diverged, fmt.Sprintf("step %d: %v", t, cause)), nil
}

func (d *descent) end(status Status, reason string) Result {
	d.out.Theta, d.out.Status, d.out.Reason = d.theta, status, reason
	return d.out
}

// point adds the present state to the trace.
func (d *descent) point(t int, s step) error {
	p, h, err := pairSpectra(d.fp, d.fh, d.features())
	if err != nil {
		return err
	}
	pt := measure(t, d.theta, p, h)
	pt.LossPrimary, pt.GradLoss, pt.GradWell, pt.GradIll = s.loss, s.gradLoss, s.gradWell, s.gradIll
	d.out.Trace = append(d.out.Trace, pt)
	return nil
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

// pairSpectra returns the spectra of θᵀK_Pθ and θᵀK_Hθ, without vectors. The error says that one overflows.
func pairSpectra(fp, fh *spectrum.Factor, theta *mat.Dense) (p, h *spectrum.Spectrum, err error) {
	if p, err = fp.Spectrum(theta, false); err != nil {
		return nil, nil, err
	}
	if h, err = fh.Spectrum(theta, false); err != nil {
		return nil, nil, err
	}
	for _, s := range []*spectrum.Spectrum{p, h} {
		if v := s.Sigma[0] * s.Sigma[0]; v-v != 0 {
			return nil, nil, fmt.Errorf("‖H‖₂ = %.3g is too large to square", s.Sigma[0])
		}
	}
	return p, h, nil
}
