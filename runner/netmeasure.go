package runner

import (
	"fmt"
	"math"
	"slices"

	"kappa/engine/audit"
	"kappa/engine/deep"
	"kappa/engine/nn"
	"kappa/engine/spectrum"
	"kappa/store"
)

// recordMethod turns a method's trace into rows.
func (n *netRun) recordMethod(res deep.Result) {
	n.out.Status, n.out.Reason = statusOf(res.Status, res.Reason)
	for _, p := range res.Trace {
		for _, m := range []struct {
			name  string
			value float64
		}{
			{"loss_primary", p.LossPrimary},
			{"loss_harmful", p.LossHarmful},
			{"r_well", p.RWell},
			{"r_ill", p.RIll},
			{"grad_loss", p.GradLoss},
			{"grad_well", p.GradWell},
			{"grad_ill", p.GradIll},
		} {
			n.metric(m.name, p.Step, m.value)
		}
		n.conditions(p.Step, "primary", p.Primary)
		n.conditions(p.Step, "harmful", p.Harmful)
	}
	n.metric("degenerate_steps", res.Steps, float64(res.Skipped))
}

// measure compares θ with θ_0: condition numbers on groups of training images, accuracy and loss on the primary task's test images.
func (n *netRun) measure() error {
	primary, harmful := n.data.primary.Train, n.data.harmful.Train
	groups, err := deep.DrawGroups(primary, harmful, n.r.integer("train.groups"), n.r.integer("train.group_size"), draw(n.r.integer("train.seed"), "groups"))
	if err != nil {
		return fmt.Errorf("measure θ: %w", err)
	}
	before, err := part(n, &n.figures.Before, func() (deep.Measured, error) {
		return n.of.problems.base.measured(n, func() (deep.Measured, error) { return deep.Measure(n.ctx, n.before, primary, harmful, groups) })
	})
	if err != nil {
		return fmt.Errorf("measure θ_0: %w", err)
	}
	tests := n.data.primary.Test
	accuracy := func(net *nn.Net) (tested, error) {
		accuracy, loss, err := deep.Accuracy(n.ctx, net, tests, testBatch)
		return tested{accuracy, loss}, err
	}
	base, err := part(n, &n.figures.Base, func() (tested, error) {
		return n.of.problems.base.tested(n, func() (tested, error) { return accuracy(n.before) })
	})
	if err != nil {
		return fmt.Errorf("test θ_0: %w", err)
	}
	after, test := before, base
	if n.run.Method() != "identity" {
		if after, err = part(n, &n.figures.After, func() (deep.Measured, error) { return deep.Measure(n.ctx, n.net, primary, harmful, groups) }); err != nil {
			return fmt.Errorf("measure θ: %w", err)
		}
		if test, err = accuracy(n.net); err != nil {
			return fmt.Errorf("test θ: %w", err)
		}
	}
	res := &store.Result{
		Deep: true, Steps: n.steps, Ceiling: math.NaN(), KappaTheta: math.NaN(),
		Bound: math.NaN(), Reached: math.NaN(), ReachedBound: math.NaN(),
	}
	rank, ridge := deep.RIR(before, after)
	res.RIR, res.RatioHarmful, res.RatioPrimary = n.ratios(rank, "")
	res.RIRRidge, res.RatioHarmfulRidge, res.RatioPrimaryRidge = n.ratios(ridge, "_ridge")
	res.DefA, res.DefARidge = res.RatioHarmful >= audit.MuchWorse, res.RatioHarmfulRidge >= audit.MuchWorse
	res.DefB, res.DefBRidge = res.RatioPrimary <= audit.NoWorse, res.RatioPrimaryRidge <= audit.NoWorse
	res.RidgeDominated = slices.ContainsFunc(slices.Concat(before.Primary, before.Harmful, after.Primary, after.Harmful),
		func(c spectrum.Conditions) bool { return c.Ridge.RidgeDominated })
	n.groups("primary", before.Primary, after.Primary)
	n.groups("harmful", before.Harmful, after.Harmful)
	n.metric("accuracy_primary_before", 0, base.Accuracy)
	n.metric("accuracy_primary", n.steps, test.Accuracy)
	res.LossBase, res.LossPrimary = base.Loss, test.Loss
	n.out.Result = res
	return nil
}

// figures are the parts of the measurement that are done.
type figures struct {
	Before, After *deep.Measured // θ_0 and θ on groups of training images
	Base          *tested        // θ_0 on test images
}

// part returns a part of the measurement that is done, or does it; a checkpoint may be left then.
func part[T any](n *netRun, done **T, compute func() (T, error)) (v T, err error) {
	if *done != nil {
		return **done, nil
	}
	if v, err = compute(); err != nil {
		return v, err
	}
	*done = &v
	return v, n.saveTheta(0, nil)
}

// groups records the condition number and the rank of every group by the protocol rank, of θ and of θ_0: where a rank falls, a
// direction has gone below what float32 resolves, and κ is that of the others.
func (n *netRun) groups(task string, before, after []spectrum.Conditions) {
	for i := range after {
		n.metric("group_kappa_"+task, i+1, after[i].Rank.Kappa)
		n.metric("group_rank_"+task, i+1, float64(after[i].Rank.Rank))
		n.metric("group_kappa_"+task+"_before", i+1, before[i].Rank.Kappa)
		n.metric("group_rank_"+task+"_before", i+1, float64(before[i].Rank.Rank))
	}
}

// ratios records what happened to the condition numbers by one protocol, group by group, and returns the means.
func (n *netRun) ratios(r deep.Ratios, protocol string) (rir, harmful, primary float64) {
	for _, f := range []struct {
		group, sd string
		values    []float64
	}{
		{"group_rir", "rir_sd", r.RIR}, {"group_ratio_harmful", "ratio_harmful_sd", r.Harmful}, {"group_ratio_primary", "ratio_primary_sd", r.Primary},
	} {
		for i, v := range f.values {
			n.out.Metrics = append(n.out.Metrics, store.Metric{Name: f.group + protocol, Step: i + 1, Value: v})
		}
	}
	a, b, c := r.Summaries()
	n.metric("rir_sd"+protocol, 0, a.SD)
	n.metric("ratio_harmful_sd"+protocol, 0, b.SD)
	n.metric("ratio_primary_sd"+protocol, 0, c.SD)
	return a.Mean, b.Mean, c.Mean
}
