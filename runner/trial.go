package runner

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"strconv"
	"time"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/audit"
	"kappa/engine/immunize"
	"kappa/engine/probe"
	"kappa/engine/regularizer"
	"kappa/store"
)

// trial is one attempt at one run.
type trial struct {
	ctx  context.Context // a trial lives exactly as long as its context
	run  Planned
	of   *execution
	seat *seat
	log  journal
	out  store.Outcome
}

// guarded runs the trial and turns a panic into an error with the place it came from.
func (t *trial) guarded() (out store.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			fmt.Fprintf(&t.log, "%v\n%s", p, debug.Stack())
		}
	}()
	err = t.do()
	t.out.Log = t.log.String()
	return t.out, err
}

func (t *trial) logf(format string, args ...any) {
	fmt.Fprintf(&t.log, format+"\n", args...)
}

// do is the road of one run: data → θ → condition numbers → attacks.
func (t *trial) do() error {
	r := reader{t.run.Settings}
	if r.net() {
		return t.doNet(r)
	}
	var problem *problem
	var err error
	t.seat.lend(func() { problem, err = t.of.problems.get(r) })
	if err != nil {
		return err
	}
	for _, w := range problem.warnings {
		t.logf("warning: %s", w)
	}
	if err := t.ctx.Err(); err != nil {
		return err
	}
	res, reused, err := t.reuse()
	if err != nil {
		return err
	}
	if !reused {
		if res, err = t.train(r, problem); err != nil {
			return err
		}
		t.recordTraining(res)
	}
	t.recordSizes(problem)
	in := problem.measured()
	in.Theta, in.Bias = res.Theta, res.Bias
	if !r.boolean(rotateKey) { // of θQ the figures are the same but for rounding, and it is θQ that is kept and attacked
		in.Known = known(res)
	}
	attacked := t.out.Status == store.Done && len(r.attacks()) > 0
	if attacked {
		if in.Fit, err = t.target(problem, "primary", res); err != nil {
			return err
		}
	}
	report, err := audit.Measure(in)
	if err != nil {
		return fmt.Errorf("measure θ: %w", err)
	}
	t.recordResult(res.Steps, report)
	for _, w := range doubts(report) {
		t.logf("warning: %s", w)
	}
	if attacked {
		if err := t.attack(r, problem, res, in.Fit); err != nil {
			return err
		}
	}
	return t.keep(r, res)
}

// known returns the condition numbers of θ where the trace ends at it: those that a measurement would find, to the last bit.
func known(res immunize.Result) *audit.Known {
	n := len(res.Trace)
	if n == 0 || res.Theta == nil || res.Status == immunize.Diverged || res.Trace[n-1].Step != res.Steps {
		return nil
	}
	last := res.Trace[n-1]
	return &audit.Known{Primary: last.Primary, Harmful: last.Harmful, KappaTheta: last.KappaTheta}
}

// train runs the method.
func (t *trial) train(r reader, problem *problem) (immunize.Result, error) {
	m, ok := methodNamed(t.run.Method())
	if !ok {
		return immunize.Result{}, fmt.Errorf("no method is named %q", t.run.Method())
	}
	opt, err := t.options(r, problem)
	if err != nil {
		return immunize.Result{}, err
	}
	posed := problem.Problem
	if r.str("train.loss") == "logistic" {
		posed.Loss = immunize.Logistic
	}
	res, err := m.run(t.ctx, posed, opt, draw(r.integer("train.seed"), "train"))
	if err != nil {
		return res, fmt.Errorf("method %s: %w", m.Name, err)
	}
	t.logf("method %s: %s", m.Name, ending(res.Status, res.Steps, res.Reason))
	t.logCounts(res)
	if r.boolean(rotateKey) {
		immunize.Rotate(&res, draw(r.integer("train.seed"), "rotate"))
	}
	return res, nil
}

// options turns settings into the engine's.
func (t *trial) options(r reader, problem *problem) (immunize.Options, error) {
	o := immunize.Options{
		Optimizer: optimizers[r.str("train.optimizer")], Step: stepRules[r.str("train.step")],
		StepFraction: r.number("train.step_fraction"), StepLength: r.number("train.step_length"), Batch: r.integer("train.batch"),
		LearningRate: r.number("train.learning_rate"), Momentum: r.number("train.momentum"),
		LambdaPrimary: lambda(r, "train.lambda_primary"), LambdaHarmful: lambda(r, "train.lambda_harmful"),
		BalanceNorm: r.number("train.balance_norm"), Supervised: r.boolean("train.supervised"),
		Form: forms[r.str("train.form")], Side: sidesOfPreconditioner[r.str("train.side")],
		RidgePrimary: 1, RidgeHarmful: r.number("train.lambda_reg"),
		InnerSteps: r.integer("train.inner_steps"), KappaMax: r.number("train.kappa_theta_max"),
		TraceAt: tracer(r), Progress: t.progress(),
	}
	primary, _ := problem.Primary.X.Dims()
	harmful, _ := problem.Harmful.X.Dims()
	o.Steps = stepsOf(r, primary, harmful)
	theta0, err := t.initial(r, problem)
	o.Theta0 = theta0
	return o, err
}

// Names of the spec and what they mean to the engine; an absent name reads as the first.
var (
	optimizers = map[string]immunize.Optimizer{"gd": immunize.GD, "sgd": immunize.SGD, "adam": immunize.Adam}
	stepRules  = map[string]immunize.StepRule{"fixed": immunize.Fixed, "normalized": immunize.Normalized, "certified": immunize.Certified}
	forms      = map[string]regularizer.Form{
		"": regularizer.Cancelled, "cancelled": regularizer.Cancelled, "pseudo-inverse": regularizer.PseudoInverse, "plain": regularizer.Plain,
	}
	sidesOfPreconditioner = map[string]immunize.PreconditionSide{"released": immunize.AsReleased, "mended": immunize.Mended}
)

// initial returns θ₀, nil for the identity.
func (t *trial) initial(r reader, problem *problem) (*mat.Dense, error) {
	_, d := problem.Primary.X.Dims()
	switch init := r.str("model.init"); init {
	case "", "identity":
		return nil, nil
	case "torch-linear":
		rng := draw(r.integer("train.seed"), "init")
		bound := 1 / math.Sqrt(float64(d))
		theta := mat.NewDense(d, d, nil)
		for i := range theta.RawMatrix().Data {
			theta.RawMatrix().Data[i] = bound * (2*rng.Float64() - 1)
		}
		return theta, nil
	default:
		return t.of.problems.theta(init, d)
	}
}

func lambda(r reader, path string) immunize.Lambda {
	if r.str(path) == "balance" {
		return immunize.Lambda{Balance: true}
	}
	return immunize.Lambda{Value: r.number(path)}
}

// tracer says which steps are recorded.
func tracer(r reader) func(step, last int) bool {
	every := r.integer("train.trace")
	switch {
	case every > 0:
		return func(step, last int) bool { return step%every == 0 || step == last }
	case r.str("train.trace") == "all":
		return func(int, int) bool { return true }
	case r.str("train.trace") == "none":
		return func(step, last int) bool { return step == last }
	default:
		return probe.LogSteps
	}
}

// progress tells the board about steps, at most a few times a second.
func (t *trial) progress() func(step, steps int) {
	last := t.of.opt.Now()
	return func(step, steps int) {
		if now := t.of.opt.Now(); now.Sub(last) > 250*time.Millisecond {
			last = now
			t.of.board.stepped(t.run, step, steps)
		}
	}
}

// draw returns random numbers for one purpose: they depend on the seed and the purpose and on nothing else, so that two
// methods with one seed draw alike and an added attack changes no other number.
func draw(seed int, purpose ...string) *rand.Rand {
	fields := field(nil, strconv.Itoa(seed))
	for _, p := range purpose {
		fields = field(fields, p)
	}
	return rand.New(rand.NewChaCha8(sha256.Sum256(fields)))
}
