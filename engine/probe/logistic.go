package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/optimize"
)

// Separable: the classes can be told apart without an error, so that the logistic loss has no minimum, and the excess is NaN. The
// attacker has taken all its steps, or as many as took it to rounding.
const Separable Status = "separable"

// logistic is the mean logistic loss of a linear head,
//
//	L(w) = 1/N·Σ ln(1 + exp(−s_i·x_iᵀw)),  s_i = 2y_i − 1,
//
// in the units given. It has no reduced form: an evaluation reads all N rows, O(ND).
type logistic struct {
	t    *Target
	sign []float64
	best float64 // inf L, NaN where it is not attained

	last, lastLogits []float64 // the weights whose logits were asked for last
}

// newLogistic checks the labels and looks up the optimum.
func newLogistic(t *Target) (*logistic, error) {
	l := &logistic{t: t, sign: make([]float64, t.n)}
	for i, y := range t.y {
		if y != 0 && y != 1 {
			return nil, fmt.Errorf("probe: the logistic loss needs labels 0 or 1; target %d is %v", i, y)
		}
		l.sign[i] = 2*y - 1
	}
	var err error
	l.best, err = t.optimum()
	return l, err
}

// logits returns Xw, which must not be modified. Methods and their record ask for those of the same weights in succession.
func (l *logistic) logits(w []float64) []float64 {
	if !slices.Equal(w, l.last) {
		l.last, l.lastLogits = slices.Clone(w), l.t.features(w)
	}
	return l.lastLogits
}

// value returns the loss and the share of right labels at the logits; where slope is not nil it receives the derivatives of the loss
// by the logits.
func (l *logistic) value(logits, slope []float64) (loss, accuracy float64) {
	n, hits := float64(len(logits)), 0
	for i, z := range logits {
		margin := l.sign[i] * z
		tail := math.Exp(-math.Abs(margin))
		loss += (max(-margin, 0) + math.Log1p(tail)) / n
		if (z >= 0) == (l.sign[i] > 0) {
			hits++
		}
		if slope != nil {
			wrong := 1 / (1 + tail) // the probability of the wrong label, for negative margins
			if margin >= 0 {
				wrong = tail / (1 + tail)
			}
			slope[i] = -l.sign[i] * wrong / n
		}
	}
	return loss, float64(hits) / n
}

// gradient stores the gradient at w in g and returns the loss.
func (l *logistic) gradient(g, w []float64) float64 {
	slope := make([]float64, l.t.n)
	loss, _ := l.value(l.logits(w), slope)
	copy(g, l.t.pulled(slope))
	return loss
}

// lipschitz returns σ_max(X)²/(4N), the Lipschitz constant of the gradient.
func (l *logistic) lipschitz() float64 {
	top := math.Ldexp(l.t.sigma[0], l.t.ef)
	return top * top / (4 * float64(l.t.n))
}

// negligibleSlope is the length of the gradient, relative to σ_max/√N, its largest possible one, below which it is rounding.
const negligibleSlope = 64 * eps

// logisticWatch follows an attack on the logistic loss.
type logisticWatch struct {
	l      *logistic
	o      Options
	res    Result
	excess float64 // L(w_0) − L*
	least  float64 // length of a gradient that is rounding
}

// watchLogistic begins an attack; w is its start.
func watchLogistic(t *Target, o Options) (watch *logisticWatch, w []float64, err error) {
	switch {
	case o.W0 != nil && len(o.W0) != t.d:
		panic(badWeights)
	case o.Steps < 0:
		panic(badSteps)
	}
	if i := notFinite(o.W0); i >= 0 {
		return nil, nil, fmt.Errorf("probe: weight %d at the start is %v", i, o.W0[i])
	}
	l, err := newLogistic(t)
	if err != nil {
		return nil, nil, err
	}
	if o.TraceAt == nil {
		o.TraceAt = LogSteps
	}
	w = make([]float64, t.d)
	copy(w, o.W0)
	watch = &logisticWatch{l: l, o: o, least: negligibleSlope * math.Ldexp(t.sigma[0], t.ef) / math.Sqrt(float64(t.n))}
	watch.res.StepsTo1, watch.res.StepsTo01 = -1, -1
	watch.res.W = append([]float64(nil), w...)
	return watch, w, nil
}

// observe looks at the weights after a step, or at the start, and reports whether all is finite.
func (k *logisticWatch) observe(w []float64, last bool) bool {
	loss, accuracy := math.NaN(), 0.0
	if notFinite(w) < 0 {
		loss, accuracy = k.l.value(k.l.logits(w), nil)
	}
	if loss-loss != 0 {
		return false
	}
	step := k.res.Steps
	if step == 0 {
		k.excess = loss - k.l.best
		if k.excess <= negligibleSlope*loss {
			k.excess = math.NaN() // optimal already
		}
	}
	p := Point{Step: step, Loss: loss, Excess: (loss - k.l.best) / k.excess, NormRatio: math.NaN(), Accuracy: accuracy}
	if k.res.StepsTo1 < 0 && p.Excess < level1 {
		k.res.StepsTo1 = step
	}
	if k.res.StepsTo01 < 0 && p.Excess < level01 {
		k.res.StepsTo01 = step
	}
	if step == 0 || last || k.o.TraceAt(step, k.o.Steps) {
		if n := len(k.res.Trace); n == 0 || k.res.Trace[n-1].Step != step {
			k.res.Trace = append(k.res.Trace, p)
		}
	}
	copy(k.res.W, w)
	return true
}

// stop ends the attack at its present step.
func (k *logisticWatch) stop(status Status, reason string) Result {
	if status != Diverged {
		k.observe(append([]float64(nil), k.res.W...), true)
		if math.IsNaN(k.l.best) {
			status, reason = Separable, reason+"; the classes are separable, the loss has no minimum"
		}
	}
	k.res.Status, k.res.Reason = status, reason
	return k.res
}

// descendLogistic takes steps that are functions of the gradient at a point which they choose.
func descendLogistic(ctx context.Context, t *Target, o Options, begin func(l *logistic) func(w []float64) (slope float64)) (Result, error) {
	k, w, err := watchLogistic(t, o)
	if err != nil {
		return Result{}, err
	}
	if !k.observe(w, false) {
		return k.stop(Diverged, "not finite at step 0"), nil
	}
	step := begin(k.l)
	for {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		if k.res.Steps == o.Steps {
			return k.stop(StepLimit, fmt.Sprintf("step limit of %d", o.Steps)), nil
		}
		if slope := step(w); slope <= k.least {
			return k.stop(Converged, fmt.Sprintf("no gradient above rounding after %d steps", k.res.Steps)), nil
		}
		k.res.Steps++
		if !k.observe(w, false) {
			return k.stop(Diverged, fmt.Sprintf("not finite at step %d", k.res.Steps)), nil
		}
	}
}

// LogisticGDFixed is GDFixed on the mean logistic loss, with the step 1/L, L = σ_max(H)/(4N).
func LogisticGDFixed(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	return descendLogistic(ctx, t, o, func(l *logistic) func([]float64) float64 {
		g, rate := make([]float64, t.d), 1/l.lipschitz()
		return func(w []float64) float64 {
			l.gradient(g, w)
			axpy(-rate, g, w)
			return math.Sqrt(squared(g))
		}
	})
}

// LogisticNesterov is Nesterov on the mean logistic loss, with the step 1/L, L = σ_max(H)/(4N).
func LogisticNesterov(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	return descendLogistic(ctx, t, o, func(l *logistic) func([]float64) float64 {
		g, rate := make([]float64, t.d), 1/l.lipschitz()
		v := make([]float64, t.d)
		copy(v, o.W0)
		m := newMomentum(t.d)
		return func(w []float64) float64 {
			l.gradient(g, v)
			m.step(w, v, g, rate)
			return math.Sqrt(squared(g))
		}
	})
}

// LogisticAdam is Adam on the mean logistic loss.
func LogisticAdam(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	return descendLogistic(ctx, t, o, func(l *logistic) func([]float64) float64 {
		g, a := make([]float64, t.d), newAdam(t.d, o.LearningRate)
		return func(w []float64) float64 {
			l.gradient(g, w)
			a.step(w, g, 1)
			return math.Sqrt(squared(g))
		}
	})
}

// LogisticLBFGS is the L-BFGS method of gonum's package optimize on the mean logistic loss, with its default line search (bisection for
// the weak Wolfe conditions) and a memory of 10 pairs; a step is one of its major iterations.
func LogisticLBFGS(ctx context.Context, t *Target, o Options, _ *rand.Rand) (Result, error) {
	k, w, err := watchLogistic(t, o)
	if err != nil {
		return Result{}, err
	}
	if !k.observe(w, false) {
		return k.stop(Diverged, "not finite at step 0"), nil
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if o.Steps == 0 {
		return k.stop(StepLimit, "step limit of 0"), nil
	}
	g := make([]float64, t.d)
	loss := k.l.gradient(g, w)
	if math.Sqrt(squared(g)) > k.least {
		problem := optimize.Problem{
			Func: func(w []float64) float64 { loss, _ := k.l.value(k.l.logits(w), nil); return loss },
			Grad: func(g, w []float64) { k.l.gradient(g, w) },
		}
		settings := &optimize.Settings{
			InitValues: &optimize.Location{F: loss, Gradient: g}, GradientThreshold: k.least,
			Converger: optimize.NeverTerminate{}, Recorder: &majorIterations{ctx: ctx, k: k},
		}
		_, err := optimize.Minimize(problem, w, settings, &optimize.LBFGS{Store: lbfgsPairs, GradStopThreshold: math.NaN()})
		switch {
		case ctx.Err() != nil:
			return Result{}, ctx.Err()
		case errors.Is(err, errNotFinite):
			return k.stop(Diverged, fmt.Sprintf("not finite at step %d", k.res.Steps)), nil
		case errors.Is(err, errEnough):
			return k.stop(StepLimit, fmt.Sprintf("step limit of %d", o.Steps)), nil
		}
	}
	// A line search that finds no lower loss has met rounding.
	return k.stop(Converged, fmt.Sprintf("no step lowers the loss above rounding after %d steps", k.res.Steps)), nil
}

// What majorIterations ends an attack with. An optimizer's own limit would keep its last iteration to itself.
var (
	errEnough    = errors.New("probe: all steps are taken")
	errNotFinite = errors.New("probe: the loss is not finite")
)

// majorIterations shows an optimizer's major iterations to a watch.
type majorIterations struct {
	ctx   context.Context
	k     *logisticWatch
	begun bool // the start, which the optimizer takes for a major iteration, has been seen
}

// Init does nothing.
func (m *majorIterations) Init() error { return nil }

// Record takes up a major iteration.
func (m *majorIterations) Record(at *optimize.Location, op optimize.Operation, _ *optimize.Stats) error {
	if err := m.ctx.Err(); err != nil {
		return err
	}
	if op != optimize.MajorIteration {
		return nil
	}
	if !m.begun {
		m.begun = true
		return nil
	}
	m.k.res.Steps++
	if !m.k.observe(at.X, false) {
		return errNotFinite
	}
	if m.k.res.Steps == m.k.o.Steps {
		return errEnough
	}
	return nil
}
