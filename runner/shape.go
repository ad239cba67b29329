package runner

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"kappa/experiments"
	"kappa/runner/dataset"
	"kappa/store"
)

// Size is how large a problem is.
type Size struct {
	Rows    [2]int // of the primary and the harmful task
	Columns int
	net     netSize    // of a run on a net, in their place
	sets    [2]float64 // bytes of the data sets as they are loaded; 0: none, or not known
}

// sizeMetrics are the metrics that hold a run's Size.
var sizeMetrics = []string{"rows_primary", "rows_harmful", "columns"}

// SizeMetrics names the metrics of recorded runs that [Sizes] and [Predict] read.
func SizeMetrics() []string { return append(slices.Clone(sizeMetrics), workMetric) }

// Sizes returns the sizes of the plan's problems, by problem: from the data, without forming any task, and where these cannot be
// read from recorded runs on the same data. Those that are known from neither are missing.
func Sizes(ctx context.Context, plan *Plan, data fs.FS, past []store.Past) map[string]Size {
	cache := newProblemCache(data, 1)
	out, failed := make(map[string]Size), make(map[string]bool)
	var recorded map[string]Size
	for _, run := range plan.Runs {
		r := reader{run.Settings}
		id := problemID(r)
		if _, ok := out[id]; ok || failed[id] || ctx.Err() != nil {
			continue
		}
		size, ok := cache.size(r)
		if !ok && !r.net() {
			if recorded == nil {
				recorded = recordedSizes(past)
			}
			size, ok = recorded[taskID(run.Data, params(run.Settings))]
		}
		if ok {
			out[id] = size
		} else {
			failed[id] = true
		}
	}
	return out
}

// size finds how large a run's problem is.
func (c *problemCache) size(r reader) (Size, bool) {
	if r.net() {
		s, sets, ok := c.netSize(r)
		return Size{net: s, sets: sets}, ok
	}
	primary, harmful := side(r, "primary"), side(r, "harmful")
	if primary.Name == "synthetic" {
		s := synthetic(r)
		if s.N == 0 {
			s.N = 2 * s.D
		}
		return Size{Rows: [2]int{s.N, s.N}, Columns: s.D}, s.D > 0
	}
	ps, err := c.set(primary.Source)
	if err != nil {
		return Size{}, false
	}
	hs, err := c.set(harmful.Source)
	if err != nil {
		return Size{}, false
	}
	rows, cols, err := dataset.Sizes(ps, primary, hs, harmful)
	return Size{Rows: rows, Columns: cols, sets: [2]float64{float64(ps.Bytes()), float64(hs.Bytes())}}, err == nil
}

// recordedSizes are those of the problems of recorded runs, by taskID.
func recordedSizes(past []store.Past) map[string]Size {
	out := make(map[string]Size)
	for _, p := range past {
		if size, ok := sizeOf(p); ok {
			out[taskID([]string{p.Primary.Digest, p.Harmful.Digest}, p.Params)] = size
		}
	}
	return out
}

// recordSizes leaves the size of the problem among the run's metrics; a run that reuses another's θ has them from it.
func (t *trial) recordSizes(p *problem) {
	rows, columns := p.Primary.X.Dims()
	harmful, _ := p.Harmful.X.Dims()
	for i, v := range []int{rows, harmful, columns} {
		if !slices.ContainsFunc(t.out.Metrics, func(m store.Metric) bool { return m.Name == sizeMetrics[i] }) {
			t.metric(sizeMetrics[i], 0, float64(v))
		}
	}
}

// sizeOf reads the size of a recorded run's problem.
func sizeOf(p store.Past) (Size, bool) {
	var v [3]int
	for i, name := range sizeMetrics {
		if v[i] = int(p.Numbers[name]); v[i] < 1 {
			return Size{}, false
		}
	}
	return Size{Rows: [2]int{v[0], v[1]}, Columns: v[2]}, true
}

// taskID says which runs have the same two tasks, wherever their data lay.
func taskID(digests []string, list []store.Param) string {
	var lines []string
	for _, p := range list {
		table, _, _ := strings.Cut(p.Path, ".")
		if table != "primary" && table != "harmful" || isDataPath(p.Path) {
			continue
		}
		lines = append(lines, settingLine(p))
	}
	slices.Sort(lines)
	return strings.Join(digests[:2], " ") + "\n" + strings.Join(lines, "\n")
}

func settingLine(p store.Param) string {
	switch {
	case p.Number != nil:
		return fmt.Sprintf("%s=%v", p.Path, *p.Number)
	case p.Text != nil:
		return p.Path + "=" + *p.Text
	}
	return p.Path
}

// settingsOf turns recorded parameters back into settings, but for lists.
func settingsOf(list []store.Param) experiments.Settings {
	s := make(experiments.Settings, len(list))
	for _, p := range list {
		switch {
		case p.Number != nil:
			s[p.Path] = *p.Number
		case p.Text != nil && (*p.Text == "true" || *p.Text == "false"):
			s[p.Path] = *p.Text == "true"
		case p.Text != nil:
			s[p.Path] = *p.Text
		}
	}
	return s
}

// shapeOf is what a run's duration depends on, but for what it shares with others.
func shapeOf(r reader, size Size) shape {
	s := shape{
		n: [2]float64{float64(size.Rows[0]), float64(size.Rows[1])}, d: float64(size.Columns),
		batch: r.number("train.batch"), inner: r.number("train.inner_steps"), rule: stepRules[r.str("train.step")],
		drawn: r.str("primary.dataset") == "synthetic", clipped: r.number("train.kappa_theta_max") > 1, rotates: r.boolean("train.rotate"),
	}
	steps := stepsOf(r, size.Rows[0], size.Rows[1])
	s.steps, s.points = float64(steps), float64(points(r, steps))
	for i, name := range r.attacks() {
		a := attackShape{steps: max(1, r.number(attackKey(i, "steps"))), starts: 1, logistic: r.str(attackKey(i, "loss")) == "logistic"}
		a.attacker, _ = attackerNamed(name)
		if r.str(attackKey(i, "start")) == "random" {
			a.starts = max(1, r.number(attackKey(i, "seeds")))
		}
		a.points = float64(logPoints(int(a.steps)))
		s.attacks = append(s.attacks, a)
	}
	return s
}

// stepsOf is the number of steps that a run takes on tasks of so many rows.
func stepsOf(r reader, primary, harmful int) int {
	batch := r.integer("train.batch")
	if epochs := r.integer("train.epochs"); epochs > 0 && batch > 0 && !r.has("train.steps") {
		return epochs * max(1, min(primary, harmful)/batch)
	}
	return r.integer("train.steps")
}

// points is the number of states that a run of so many steps records.
func points(r reader, steps int) int {
	every := r.integer("train.trace")
	switch {
	case every > 0:
		return 1 + (steps+every-1)/every
	case r.str("train.trace") == "all":
		return 1 + steps
	case r.str("train.trace") == "none":
		return min(2, 1+steps)
	}
	return logPoints(steps)
}

// logPoints counts 0, 1, 2, 5, 10, 20, 50, … and the last.
func logPoints(steps int) int {
	n, last := 1, 0
	for decade := 1; decade <= steps; decade *= 10 {
		for _, m := range []int{1, 2, 5} {
			if m*decade <= steps {
				n, last = n+1, m*decade
			}
		}
	}
	if last < steps {
		n++
	}
	return n
}
