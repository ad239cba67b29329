package runner

import (
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

// attackLabel is how an attacker is called in the database: by its name, and "-random" where it starts from random weights, so
// that one spec can hold both.
func attackLabel(r reader, i int, name string) string {
	if r.str(attackKey(i, "start")) == "random" {
		return name + "-random"
	}
	return name
}

// attackOne runs one attacker on one task, from w₀ = 0 or from several random starts, and returns the mean over the starts
// at every recorded step. The steps to 1 % and to 0.1 % of the excess loss become metrics where every start gets there within
// the attacker's steps; no row says that one does not.
func (t *trial) attackOne(r reader, i int, a attacker, side string, target *probe.Target) ([]store.AttackPoint, error) {
	starts, label := 1, attackLabel(r, i, a.Name)
	random := r.str(attackKey(i, "start")) == "random"
	if random {
		starts = max(1, r.integer(attackKey(i, "seeds")))
	}
	var traces [][]probe.Point
	var to1, to01 float64
	for s := range starts {
		rng := draw(r.integer(attackKey(i, "seed")), "attack", side, strconv.Itoa(s))
		opt := probe.Options{Steps: max(1, r.integer(attackKey(i, "steps"))), TraceAt: probe.LogSteps}
		opt.Accuracy = r.str(side+".task") == "one-vs-rest"
		if random {
			_, d := target.Dims()
			opt.W0 = make([]float64, d)
			for j := range opt.W0 {
				opt.W0[j] = rng.NormFloat64()
			}
		}
		res, err := a.run(t.ctx, target, opt, rng)
		if err != nil {
			return nil, err
		}
		t.logf("attacker %s on the %s task: %s after %d steps", label, side, res.Status, res.Steps)
		to1 += stepsOrNaN(res.StepsTo1)
		to01 += stepsOrNaN(res.StepsTo01)
		traces = append(traces, res.Trace)
	}
	n := float64(starts)
	t.metric(attackMetric("steps_to_1pct", label, side), 0, to1/n)
	t.metric(attackMetric("steps_to_0.1pct", label, side), 0, to01/n)
	return meanTrace(traces, label, side), nil
}

func stepsOrNaN(steps int) float64 {
	if steps < 0 {
		return math.NaN()
	}
	return float64(steps)
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
