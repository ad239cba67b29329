package runner

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"kappa/engine/deep"
	"kappa/engine/immunize"
	"kappa/engine/nn"
	"kappa/store"
)

// testBatch is the number of images that a net sees at once where it is only tested.
const testBatch = 64

// doNet is the road of one run on a net: data → θ_0 → θ → condition numbers and accuracy → attacks; of a pre-training data → θ_0.
func (t *trial) doNet(r reader) error {
	var data pictures
	var err error
	t.seat.lend(func() { data, err = t.of.problems.netTasks(r) })
	if err != nil {
		return err
	}
	for _, w := range data.warnings {
		t.logf("warning: %s", w)
	}
	if err := t.ctx.Err(); err != nil {
		return err
	}
	net, err := nn.New(r.str("model.kind"), dims(data.primary.Train), data.primary.Train.Classes())
	if err != nil {
		return err
	}
	if t.run.Method() == pretrainMethod {
		return t.pretrain(r, net, data)
	}
	base, err := t.theta0(r, net)
	if err != nil {
		return err
	}
	n := &netRun{trial: t, r: r, data: data, before: net, net: net.Clone(), theta0: base, saved: t.of.opt.Now()}
	if unfrozen := n.unfrozen(); unfrozen != nil {
		n.net.Unfrozen = unfrozen // of methods and of attackers alike
	}
	at := n.takeUp()
	if at.Method != nil {
		if n.reused, err = n.reuse(); err != nil {
			return err
		}
	}
	n.work = workOf(r, sizeOfPictures(data), passesOf(n.net, n.unfrozen()), n.reused)
	if at.Method != nil {
		t.recordWork(n.work)
		if !n.reused {
			if err := n.immunize(at.Method); err != nil {
				return err
			}
		}
	}
	if t.out.Result == nil {
		if err := n.measure(); err != nil {
			return err
		}
	}
	n.before = nil // its buffers are as large as those of an attack
	if t.out.Status == store.Done {
		if err := n.attack(at.Attacks, at.Training); err != nil {
			return err
		}
	}
	return n.keep()
}

// netRun is a trial on a net.
type netRun struct {
	*trial
	r           reader
	data        pictures
	before, net *nn.Net    // θ_0 and θ
	theta0      store.Kept // the run whose θ_0 it is, with its file; none where θ_0 is a file of the user's
	work        work
	steps       int       // of the method
	figures     figures   // of θ_0 and θ
	reused      bool      // θ is another run's
	saved       time.Time // when the last checkpoint was written, or the run began
}

// seeded returns what a run on a net draws from.
func seeded(seed int, for_ ...string) deep.Draw {
	return func(purpose ...string) *rand.Rand { return draw(seed, slices.Concat(for_, purpose)...) }
}

// immunize runs the method, from a state of it where that is after a step.
func (n *netRun) immunize(from *deep.MethodState) error {
	m, ok := netMethodNamed(n.run.Method())
	if !ok {
		return fmt.Errorf("no method on nets is named %q", n.run.Method())
	}
	o := n.options()
	if from.Steps > 0 {
		o.From, o.Progress = from, releasing(&from.Tensors, o.Progress)
		n.logf(resumed+" step %d of the method, from the checkpoint of an earlier attempt", from.Steps)
	}
	run := func() (deep.Result, error) {
		return m.run(n.ctx, deep.Problem{Net: n.net, Primary: n.data.primary.Train, Harmful: n.data.harmful.Train}, o, seeded(n.r.integer("train.seed"), "train"))
	}
	res, err := run()
	if errors.Is(err, deep.ErrState) {
		n.notTakenUp(err)
		o.From = nil
		res, err = run()
	}
	if err != nil {
		return fmt.Errorf("method %s: %w", m.Name, err)
	}
	n.steps = res.Steps
	n.logf("method %s: %s", m.Name, ending(res.Status, res.Steps, res.Reason))
	n.recordMethod(res)
	return nil
}

// ending says how a training has ended.
func ending(status immunize.Status, steps int, reason string) string {
	said := fmt.Sprintf("%s after %d steps", status, steps)
	if reason != "" {
		said += ": " + reason
	}
	return said
}

// options turns settings into the engine's.
func (n *netRun) options() deep.Options {
	r := n.r
	o := deep.Options{
		Steps: r.integer("train.steps"), Batch: r.integer("train.batch"), LearningRate: r.number("train.learning_rate"),
		Momentum: r.number("train.momentum"), WeightDecay: r.number("train.weight_decay"), Warmup: r.integer("train.warmup"),
		LabelSmoothing: r.number("train.label_smoothing"), ClipNorm: r.number("train.clip_norm"), Unfrozen: n.unfrozen(),
		LambdaPrimary: lambda(r, "train.lambda_primary"), LambdaHarmful: lambda(r, "train.lambda_harmful"),
		BalanceNorm: r.number("train.balance_norm"), InnerSteps: r.integer("train.inner_steps"), InnerRate: r.number("train.inner_rate"),
		TraceAt: tracer(r), Progress: n.work.phase(n.trial, 0, n.work.method),
		CheckpointAt: func(int, int) bool { return n.due() }, Checkpoint: func(s deep.MethodState) error { return n.save(&standing{Method: &s}) },
	}
	if o.Batch == 0 { // identity, whose trace is one state
		o.Batch = min(baseBatch, n.data.primary.Train.Len(), n.data.harmful.Train.Len())
	}
	return o
}

// baseBatch is the batch on which identity's one state is measured.
const baseBatch = 64

// unfrozen are the patterns of the parameters that move; nil are the net's own.
func (n *netRun) unfrozen() []string { return n.r.strings("model.unfrozen") }

// theta0 loads θ_0 into the net: that of the run it depends on, or the user's file.
func (t *trial) theta0(r reader, net *nn.Net) (store.Kept, error) {
	i := slices.IndexFunc(t.run.Depends, func(d Dependency) bool { return d.What == Theta0 })
	if i < 0 {
		net.Init(draw(r.integer("train.seed"), "init"))
		left, err := readTheta0(t.of.opt.Data, initFile(r), t.run.Data[2], net) // as in inputs
		if left != "" {
			t.logf("warning: the head is drawn: %s", left)
		}
		return store.Kept{}, err
	}
	key := t.run.Depends[i].Key
	fail := func(err error) (store.Kept, error) {
		return store.Kept{}, fmt.Errorf("θ_0 of run %s: %w", short(key), err)
	}
	of := slices.IndexFunc(t.of.plan.Runs, func(p Planned) bool { return p.Key == key })
	if of < 0 {
		return fail(errors.New("the plan has no such run"))
	}
	kept, ok, err := t.of.db.FindTheta(t.ctx, t.of.plan.Runs[of].TrainKey)
	if err != nil {
		return fail(err)
	}
	if !ok {
		return fail(errors.New("its file is not there; the same command trains it again"))
	}
	for _, a := range kept.Artifacts {
		if a.Name != "theta" {
			continue
		}
		data, err := t.of.db.ReadArtifact(a)
		if err != nil {
			return fail(fmt.Errorf("%w; remove the file, and the same command trains it again", err))
		}
		if err := loadNet(net, data); err != nil {
			return fail(err)
		}
	}
	return kept, nil
}

// statusOf is how a method's end is recorded.
func statusOf(status immunize.Status, reason string) (store.Status, string) {
	s := store.Done
	if status == immunize.Diverged {
		s = store.Diverged
	}
	if reason == "" {
		reason = string(status)
	}
	return s, reason
}

// recordWork leaves the size of a run's work among its metrics.
func (t *trial) recordWork(w work) {
	t.out.Metrics = slices.DeleteFunc(t.out.Metrics, func(m store.Metric) bool { return m.Name == workMetric })
	t.metric(workMetric, 0, w.total())
}
