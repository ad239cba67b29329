package probe

import (
	"context"
	"fmt"
	"math"
)

// The levels of excess loss whose first step is reported.
const (
	level1  = 0.01
	level01 = 0.001
)

// state is what an attacker moves on the scaled problem: the coordinates of the weights and their residual r = Az − b.
type state struct {
	t          *Target
	in         space
	z, r       []float64
	rate       float64 // Options.LearningRate
	rounding   float64 // roundingOf(N, D)
	negligible float64 // the length of Aᵀr below which the gradient is rounding
}

// roundingOf returns the relative error that rounding leaves in a sum of max(N, D) products: the errors add up like a random walk,
// and 8 is well above what is observed. An attacker that stops where ‖Fᵀr‖ ≤ roundingOf·σ_max·‖b‖ leaves an excess of at most
// 64·max(N, D)·ε²·κ(H) of ‖b‖²: 2·10⁻¹³ for N = 6000 and κ(H) = 10¹³.
func roundingOf(n, d int) float64 { return 8 * math.Sqrt(float64(max(n, d))) * eps }

// method begins an attack: it returns the function that takes one step. The step reports whether it moved, and whether the attack
// is over with it.
type method func(s *state) (step func() (moved, over bool))

// attack runs a method to its end in the given coordinates.
func attack(ctx context.Context, t *Target, in space, o Options, m method) (Result, error) {
	switch {
	case o.W0 != nil && len(o.W0) != t.d:
		panic(badWeights)
	case o.Steps < 0:
		panic(badSteps)
	}
	if i := notFinite(o.W0); i >= 0 {
		return Result{}, fmt.Errorf("probe: weight %d at the start is %v", i, o.W0[i])
	}
	s := &state{t: t, in: in, z: make([]float64, t.d), r: make([]float64, in.rows()), rate: o.LearningRate, rounding: roundingOf(t.n, t.d)}
	start := make([]float64, t.d)
	if o.W0 != nil {
		start = t.scaled(o.W0)
		s.z = in.enter(start)
	}
	in.residual(s.r, s.z)
	scale := math.Sqrt(max(squared(t.b), squared(s.r)))
	s.negligible = s.rounding * in.top() * scale

	rec := newRecorder(s, o)
	if !s.finite() || !rec.observe() {
		return rec.diverged(start), nil
	}
	step := m(s)
	before := make([]float64, t.d)
	for {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		if rec.res.Steps == o.Steps {
			return rec.stop(StepLimit, fmt.Sprintf("step limit of %d", o.Steps)), nil
		}
		copy(before, s.z)
		moved, over := step()
		if !moved {
			return rec.stop(Converged, fmt.Sprintf("no gradient above rounding after %d steps", rec.res.Steps)), nil
		}
		rec.res.Steps++
		if !s.finite() || !rec.observe() {
			return rec.diverged(in.leave(before)), nil
		}
		if over {
			return rec.stop(Converged, "solved"), nil
		}
	}
}

func (s *state) finite() bool { return notFinite(s.z) < 0 && notFinite(s.r) < 0 }

// excess returns L − L* of the scaled problem for coordinates z with the residual r.
func (s *state) excess(z, r []float64) float64 {
	if s.t.rank == len(r) {
		return squared(r)
	}
	t := s.t.basis
	if s.in != space(t) {
		z = t.enter(s.in.leave(z))
		r = make([]float64, t.rows())
		t.residual(r, z)
	}
	return t.excess(r)
}

// distance2 returns ‖w − w*‖² for the coordinates z of w.
func (s *state) distance2(z []float64) float64 {
	if s.in == space(s.t.basis) {
		return distance2(z, s.t.basis.star)
	}
	return distance2(s.in.leave(z), s.t.wStar)
}

// recorder watches a run and fills in its Result.
type recorder struct {
	s       *state
	o       Options
	res     Result
	labels  bool    // every target is 0 or 1
	excess0 float64 // L(w_0) − L*, scaled; 0 where it is rounding
	dist0   float64 // ‖w_0 − w*‖², scaled; 0 where it is rounding

	r []float64 // scratch, p long
}

func newRecorder(s *state, o Options) *recorder {
	if o.TraceAt == nil {
		o.TraceAt = LogSteps
	}
	rec := &recorder{s: s, o: o, labels: o.Accuracy, r: make([]float64, len(s.r))}
	rec.res.StepsTo1, rec.res.StepsTo01 = -1, -1
	rec.dist0 = s.distance2(s.z)
	rec.excess0 = s.excess(s.z, s.r)
	if rec.excess0 <= s.rounding*s.rounding*max(squared(s.r), squared(s.t.b)) {
		rec.excess0 = 0
	}
	if rec.dist0 <= s.rounding*s.rounding*squared(s.t.wStar) {
		rec.dist0 = 0
	}
	for _, a := range s.t.y {
		rec.labels = rec.labels && (a == 0 || a == 1)
	}
	return rec
}

// observe looks at the present step: it notes the first steps below the levels and records the step where the trace wants it. It
// reports whether the loss is finite.
func (rec *recorder) observe() bool {
	if loss := squared(rec.s.r); math.IsInf(loss, 0) || math.IsNaN(loss) {
		return false
	}
	excess, step := rec.excess(rec.s.r), rec.res.Steps
	if rec.res.StepsTo1 < 0 && excess < level1 {
		rec.res.StepsTo1 = step
	}
	if rec.res.StepsTo01 < 0 && excess < level01 {
		rec.res.StepsTo01 = step
	}
	if step == 0 || rec.o.TraceAt(step, rec.o.Steps) {
		rec.record()
	}
	return true
}

// excess returns the excess loss of the residual r relative to that of the start, NaN where the start was optimal.
func (rec *recorder) excess(r []float64) float64 {
	if rec.excess0 == 0 {
		return math.NaN()
	}
	return rec.s.excess(rec.s.z, r) / rec.excess0
}

// record appends the present step to the trace. It computes the residual from the weights: that of the state is updated from step
// to step, and what is reported should not inherit its drift.
func (rec *recorder) record() {
	s := rec.s
	s.in.residual(rec.r, s.z)
	p := Point{
		Step: rec.res.Steps, Loss: s.t.loss(s.t.rest + squared(rec.r)), Excess: rec.excess(rec.r),
		NormRatio: math.NaN(), Accuracy: math.NaN(),
	}
	if rec.dist0 > 0 {
		p.NormRatio = s.distance2(s.z) / rec.dist0
	}
	if rec.labels {
		p.Accuracy = s.t.accuracy(s.t.unscaled(s.in.leave(s.z)))
	}
	rec.res.Trace = append(rec.res.Trace, p)
}

// stop ends the run at the present step.
func (rec *recorder) stop(status Status, reason string) Result {
	if tr := rec.res.Trace; tr[len(tr)-1].Step != rec.res.Steps {
		rec.record()
	}
	rec.res.Status, rec.res.Reason = status, reason
	rec.res.W = rec.s.t.unscaled(rec.s.in.leave(rec.s.z))
	return rec.res
}

// diverged ends the run at a step that left the finite numbers; last holds the scaled weights before it.
func (rec *recorder) diverged(last []float64) Result {
	rec.res.Status = Diverged
	rec.res.Reason = fmt.Sprintf("not finite at step %d", rec.res.Steps)
	rec.res.W = rec.s.t.unscaled(last)
	return rec.res
}

// accuracy returns the share of labels 0 or 1 that Xw meets at the threshold ½.
func (t *Target) accuracy(w []float64) float64 {
	hits := 0
	for i, p := range t.features(w) {
		if (p >= 0.5) == (t.y[i] == 1) {
			hits++
		}
	}
	return float64(hits) / float64(len(t.y))
}

// distance2 returns ‖a − b‖².
func distance2(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		d := a[i] - b[i]
		sum += d * d
	}
	return sum
}
