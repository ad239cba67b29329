package runner

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"kappa/engine/deep"
	"kappa/engine/immunize"
	"kappa/store"
)

// netAttackLabel is how an attacker on a net is called in the database.
func netAttackLabel(r reader, i int, name string) string {
	if optimizer := r.str(attackKey(i, "optimizer")); optimizer != "" {
		name += "-" + optimizer
	}
	return name
}

// attack lets every attacker of the run loose on θ and the harmful task, and compares what it reaches with what it reaches on θ_0. The
// first done attackers are on record already, and training is a state of the next one, nil where there is none.
func (n *netRun) attack(done int, training *deep.State) error {
	names := n.r.attacks()
	if len(names) == 0 {
		return nil
	}
	base, err := n.baseCurves()
	if err != nil {
		return err
	}
	for i, name := range names {
		if i < done {
			continue
		}
		if err := n.saveTheta(i, training); err != nil {
			return err
		}
		label := netAttackLabel(n.r, i, name)
		points, err := n.attackOne(i, name, label, training)
		training = nil
		if err != nil {
			return fmt.Errorf("attacker %s: %w", label, err)
		}
		n.out.Attacks = append(n.out.Attacks, points...)
		if base == nil {
			continue
		}
		d := deep.Deviate(curves(base[label], points))
		n.metric(attackMetric("rfd", label, "harmful"), 0, d.RFD)
		n.metric(attackMetric("rfd_signed", label, "harmful"), 0, d.Signed)
		if d.LeftOut > 0 {
			n.metric(attackMetric("rfd_left_out", label, "harmful"), 0, float64(d.LeftOut))
		}
	}
	return nil
}

// attackOne runs one attacker, from a state of its training where that is not nil, and returns its states, one an epoch.
func (n *netRun) attackOne(i int, name, label string, from *deep.State) ([]store.AttackPoint, error) {
	list := netAttackers()
	at := slices.IndexFunc(list, func(a netAttacker) bool { return a.Name == name })
	if at < 0 {
		return nil, fmt.Errorf("no attacker on nets is named %q", name)
	}
	task := n.data.harmful
	key := func(name string) string { return attackKey(i, name) }
	images := min(n.r.integer(key("n")), task.Train.Len())
	o := deep.AttackOptions{
		TrainOptions: deep.TrainOptions{
			Epochs: n.r.integer(key("epochs")), Batch: min(testBatch, images), // of an attack without batches, to compute features
			Optimizer: deep.Optimizer(n.r.str(key("optimizer"))), LearningRate: n.r.number(key("learning_rate")),
			Momentum: n.r.number(key("momentum")), WeightDecay: n.r.number(key("weight_decay")),
		},
		Images: images, TestImages: min(n.r.integer(key("test_n")), task.Test.Len()),
		Rank: n.r.integer(key("rank")), Progress: n.work.attackPhase(n.trial, i),
	}
	if n.r.has(key("batch")) {
		o.Batch = n.r.integer(key("batch"))
	}
	o.Checkpoint = func(s deep.State) error {
		if s.Epoch == o.Epochs { // what is left to do is to record it
			return nil
		}
		return n.saveTheta(i, &s)
	}
	if from != nil {
		o.From, o.Progress = from, releasing(&from.Tensors, o.Progress)
		n.logf(resumed+" epoch %d of attacker %s, from the checkpoint of an earlier attempt", from.Epoch, label)
	}
	res, err := list[at].run(n.ctx, n.net, task, o, seeded(n.r.integer("train.seed")))
	if errors.Is(err, deep.ErrState) {
		n.notTakenUp(err)
		o.From = nil
		res, err = list[at].run(n.ctx, n.net, task, o, seeded(n.r.integer("train.seed")))
	}
	if err != nil {
		return nil, err
	}
	n.logf("attacker %s: %s", label, ending(res.Status, res.Steps, res.Reason))
	if what := attackTrouble(res); what != "" {
		n.logf("warning: attacker %s: %s", label, what)
		n.metric(attackMetric(divergedMetric, label, "harmful"), res.Steps, 1)
	}
	var out []store.AttackPoint
	for _, e := range res.Epochs {
		out = append(out, store.AttackPoint{
			Attacker: label, Task: "harmful", Step: e.Epoch, Loss: e.Loss, Excess: math.NaN(), NormRatio: math.NaN(), Accuracy: e.Accuracy,
		})
	}
	return out, nil
}

// divergedMetric is the metric, 1 at the last step, of an attack whose figures do not stand for what it reaches.
const divergedMetric = "diverged"

// attackTrouble says why the last figures of an attack on a net stand for nothing, "" where they do not: it has diverged, or what it ended
// with, though finite itself, gives test images losses that are not, and an accuracy of 0 then means that no answer was given.
func attackTrouble(res deep.TrainResult) string {
	if res.Status == immunize.Diverged {
		return "it diverged: " + res.Reason
	}
	if len(res.Epochs) == 0 {
		return ""
	}
	last := res.Epochs[len(res.Epochs)-1]
	if loss := last.TestLoss; math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Sprintf("after epoch %d, the last, the loss on the test images is %v: its accuracy of %v counts answers that are none", last.Epoch, loss, last.Accuracy)
	}
	return ""
}

// baseCurves are the attacks on θ_0 that the run's are compared with, by label; nil for the run on θ_0 itself.
func (n *netRun) baseCurves() (map[string][]store.AttackPoint, error) {
	i := slices.IndexFunc(n.run.Depends, func(d Dependency) bool { return d.What == BaseLine })
	if i < 0 {
		return nil, nil
	}
	key := n.run.Depends[i].Key
	out, err := n.of.db.Outcome(n.ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read the attacks of run %s on θ_0: %w", short(key), err)
	}
	base := make(map[string][]store.AttackPoint)
	for _, p := range out.Attacks {
		base[p.Attacker] = append(base[p.Attacker], p)
	}
	return base, nil
}

// curves are the accuracies of two attacks after the epochs that both have, the first on θ_0.
func curves(base, immunized []store.AttackPoint) (a, b []float64) {
	for _, p := range base {
		i := slices.IndexFunc(immunized, func(q store.AttackPoint) bool { return q.Step == p.Step })
		if p.Step > 0 && i >= 0 {
			a, b = append(a, p.Accuracy), append(b, immunized[i].Accuracy)
		}
	}
	return a, b
}
