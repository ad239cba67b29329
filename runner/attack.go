package runner

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"kappa/engine/audit"
	"kappa/engine/immunize"
	"kappa/engine/probe"
	"kappa/store"
)

// target makes one task's features under the trained extractor ready for attackers.
func (t *trial) target(problem *problem, side string, res immunize.Result) (*probe.Target, error) {
	data, err := problem.fit(side, res.Bias != nil)
	if err != nil {
		return nil, fmt.Errorf("attack the %s task: %w", side, err)
	}
	theta := res.Theta
	if res.Bias != nil {
		theta = audit.Stacked(theta, res.Bias)
	}
	target, err := data.Under(theta)
	if err != nil {
		return nil, fmt.Errorf("attack the %s task: %w", side, err)
	}
	return target, nil
}

// attack lets every attacker of the run loose on the features of both tasks; primary holds those of the primary task.
func (t *trial) attack(r reader, problem *problem, res immunize.Result, primary *probe.Target) error {
	for _, side := range []string{"primary", "harmful"} {
		target := primary
		if side == "harmful" {
			var err error
			if target, err = t.target(problem, side, res); err != nil {
				return err
			}
		}
		for i, name := range r.attacks() {
			a, ok := attackerNamed(name)
			if !ok {
				return fmt.Errorf("no attacker is named %q", name)
			}
			points, err := t.attackOne(r, i, a, side, target)
			if err != nil {
				return fmt.Errorf("attacker %s on the %s task: %w", name, side, err)
			}
			t.out.Attacks = append(t.out.Attacks, points...)
		}
	}
	return nil
}

// attackLabel is how an attacker is called in the database: by its name, "-logistic" where it minimises the logistic loss, and "-random"
// where it starts from random weights, so that one spec can hold them all.
func attackLabel(r reader, i int, name string) string {
	if r.str(attackKey(i, "loss")) == "logistic" {
		name += "-logistic"
	}
	if r.str(attackKey(i, "start")) == "random" {
		name += "-random"
	}
	return name
}

// attackOne runs one attacker on one task, from w₀ = 0 or from several random starts, and returns the mean over the starts
// at every recorded step. The mean steps to 1 % and to 0.1 % of the excess loss become metrics where every start gets there within
// the attacker's steps, and the share of starts that do in any case; where there is no excess loss neither does.
func (t *trial) attackOne(r reader, i int, a attacker, side string, target *probe.Target) ([]store.AttackPoint, error) {
	starts, label := 1, attackLabel(r, i, a.Name)
	random := r.str(attackKey(i, "start")) == "random"
	if random {
		starts = max(1, r.integer(attackKey(i, "seeds")))
	}
	run := a.run
	if r.str(attackKey(i, "loss")) == "logistic" {
		if run = a.logistic; run == nil {
			return nil, errors.New("it has no form for the logistic loss")
		}
	}
	var traces [][]probe.Point
	var to1, to01 arrivals
	diverged := 0
	for s := range starts {
		rng := draw(r.integer(attackKey(i, "seed")), "attack", side, strconv.Itoa(s))
		opt := probe.Options{
			Steps: max(1, r.integer(attackKey(i, "steps"))), TraceAt: probe.LogSteps, LearningRate: r.number(attackKey(i, "learning_rate")),
			Accuracy: r.str(side+".task") == "one-vs-rest",
		}
		if random {
			_, d := target.Dims()
			opt.W0 = make([]float64, d)
			for j := range opt.W0 {
				opt.W0[j] = rng.NormFloat64()
			}
		}
		res, err := run(t.ctx, target, opt, rng)
		if err != nil {
			return nil, err
		}
		t.logf("attacker %s on the %s task: %s after %d steps", label, side, res.Status, res.Steps)
		if res.Status == probe.Diverged {
			diverged++
			t.logf("warning: attacker %s on the %s task diverged: %s", label, side, res.Reason)
		}
		to1.add(res.StepsTo1, res.Trace)
		to01.add(res.StepsTo01, res.Trace)
		traces = append(traces, res.Trace)
	}
	if diverged > 0 { // the share of the starts
		t.metric(attackMetric(divergedMetric, label, side), 0, float64(diverged)/float64(starts))
	}
	for _, m := range []struct {
		level string
		arrivals
	}{{"1pct", to1}, {"0.1pct", to01}} {
		t.metric(attackMetric("steps_to_"+m.level, label, side), 0, m.mean())
		t.metric(attackMetric("reached_"+m.level, label, side), 0, m.share())
	}
	return meanTrace(traces, label, side), nil
}

// arrivals counts how many starts fall below a level of the excess loss, and after how many steps.
type arrivals struct {
	steps                    float64 // of those that do, together
	reached, starts, without int     // without any excess loss to speak of
}

// add takes up a start: its steps to the level, −1 for never, and its trace.
func (c *arrivals) add(steps int, trace []probe.Point) {
	c.starts++
	switch {
	case steps >= 0:
		c.reached++
		c.steps += float64(steps)
	case len(trace) > 0 && math.IsNaN(trace[0].Excess):
		c.without++
	}
}

// mean returns the mean steps, NaN where a start does not get there.
func (c arrivals) mean() float64 {
	if c.reached < c.starts {
		return math.NaN()
	}
	return c.steps / float64(c.starts)
}

// share returns the share of the starts that get there, NaN where the excess loss of one is not defined.
func (c arrivals) share() float64 {
	if c.without > 0 {
		return math.NaN()
	}
	return float64(c.reached) / float64(c.starts)
}

// meanTrace averages traces over starts at every step that any of them recorded. A start that stopped early counts with
// the last point that it reached.
func meanTrace(traces [][]probe.Point, name, side string) []store.AttackPoint {
	steps := make(map[int]bool)
	for _, trace := range traces {
		for _, p := range trace {
			steps[p.Step] = true
		}
	}
	n := float64(len(traces))
	out := make([]store.AttackPoint, 0, len(steps))
	for _, step := range slices.Sorted(maps.Keys(steps)) {
		mean := store.AttackPoint{Attacker: name, Task: side, Step: step}
		for _, trace := range traces {
			p := at(trace, step)
			mean.Loss += p.Loss / n
			mean.Excess += p.Excess / n
			mean.NormRatio += p.NormRatio / n
			mean.Accuracy += p.Accuracy / n
		}
		out = append(out, mean)
	}
	return out
}

// at returns a trace's last point at or before a step. A trace begins at step 0, or is empty where the start itself has no finite loss.
func at(trace []probe.Point, step int) probe.Point {
	i := sort.Search(len(trace), func(i int) bool { return trace[i].Step > step })
	if i == 0 {
		nan := math.NaN()
		return probe.Point{Loss: nan, Excess: nan, NormRatio: nan, Accuracy: nan}
	}
	return trace[i-1]
}

// attackMetric names a figure of one attacker on one task.
func attackMetric(name, attacker, side string) string { return name + ":" + attacker + ":" + side }

func isAttackMetric(name string) bool { return strings.Contains(name, ":") }
