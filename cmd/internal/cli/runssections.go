package cli

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"kappa/store"
)

// results shows the final figures.
func (s *sheet) results() {
	r := s.d.Outcome.Result
	if r == nil {
		return
	}
	g := &grid{columns: []string{"figure", "rank protocol", "ridge protocol"}}
	g.add("RIR", r.RIR, r.RIRRidge)
	g.add("κ(H_H) ratio", r.RatioHarmful, r.RatioHarmfulRidge)
	g.add("κ(H_P) ratio", r.RatioPrimary, r.RatioPrimaryRidge)
	g.add("definition 3.1 (a) κ(H_H) up", verdict(r.DefA, r.RatioHarmful), verdict(r.DefARidge, r.RatioHarmfulRidge))
	g.add("definition 3.1 (b) κ(H_P) not up", verdict(r.DefB, r.RatioPrimary), verdict(r.DefBRidge, r.RatioPrimaryRidge))
	s.add("results", g)
	more := &grid{columns: []string{"what", "value"}}
	base := "θ = I"
	if r.Deep {
		base = "θ_0"
	} else if r.Unbounded {
		more.add("ceiling", fmt.Sprintf("unbounded (freedom %d)", r.Freedom))
	} else {
		more.add("ceiling", r.Ceiling)
	}
	if !r.Deep {
		more.add("κ(θ)", r.KappaTheta)
	}
	for _, f := range []struct {
		what  string
		value float64
	}{{"bound of RIR at κ(θ)", r.Bound}, {"ln RIR / ln ceiling", r.Reached}, {"ln RIR / ln bound", r.ReachedBound}} {
		if !math.IsNaN(f.value) {
			more.add(f.what, f.value)
		}
	}
	more.add("loss on D_P", r.LossPrimary)
	if !math.IsNaN(r.LossBase) {
		more.add("loss on D_P with "+base, r.LossBase)
	}
	if !r.Deep {
		more.add("definition 3.1 (c) loss kept", verdict(r.DefC, r.LossPrimary))
	}
	more.add("steps", r.Steps)
	if r.RidgeDominated {
		more.add("ridge protocol", "ridge-dominated: σ_min is the ridge itself, the ratios follow σ_max")
	}
	s.add("", more)
}

// verdict is nothing where the figure that it rests on is missing, as in the view results.
func verdict(holds bool, figure float64) any {
	switch {
	case math.IsNaN(figure) || math.IsInf(figure, 0):
		return nil
	case holds:
		return "yes"
	}
	return "no"
}

// conditions shows the condition numbers of the first and the last recorded step.
func (s *sheet) conditions() {
	first, last := math.MaxInt, -1
	for _, c := range s.d.Outcome.Conditions {
		first, last = min(first, c.Step), max(last, c.Step)
	}
	g := &grid{columns: []string{"step", "task", "protocol", "κ", "σ_max", "σ_min", "rank", "remarks"}}
	for _, step := range slices.Compact([]int{first, last}) {
		for _, c := range s.d.Outcome.Conditions {
			if c.Step != step {
				continue
			}
			var remarks []string
			for name, on := range map[string]bool{
				"ridge-dominated": c.RidgeDominated, "degenerate": c.Degenerate, "rank-unclear": c.RankUnclear, "unresolved": c.Unresolved,
			} {
				if on {
					remarks = append(remarks, name)
				}
			}
			slices.Sort(remarks)
			g.add(c.Step, c.Task, c.Protocol, c.Kappa, c.SigmaMax, c.SigmaMin, c.Rank, strings.Join(remarks, ", "))
		}
	}
	s.add("condition numbers, first and last recorded step", g)
}

// trace shows, of each metric, how many points there are, the first, the last and the extreme ones with their steps; metrics of a single
// point stand by themselves.
func (s *sheet) trace() {
	type span struct {
		n, atLow, atTop       int
		from, to              int
		first, last, low, top float64
	}
	var names []string
	spans := make(map[string]*span)
	for _, m := range s.d.Outcome.Metrics { // by name and step
		if strings.HasPrefix(m.Name, "steps_to_") || strings.HasPrefix(m.Name, "reached_") {
			continue // among the attacks
		}
		p, ok := spans[m.Name]
		if !ok {
			p = &span{from: m.Step, first: m.Value, low: m.Value, top: m.Value, atLow: m.Step, atTop: m.Step}
			spans[m.Name] = p
			names = append(names, m.Name)
		}
		p.n++
		p.to, p.last = m.Step, m.Value
		if m.Value < p.low || math.IsNaN(p.low) {
			p.low, p.atLow = m.Value, m.Step
		}
		if m.Value > p.top || math.IsNaN(p.top) {
			p.top, p.atTop = m.Value, m.Step
		}
	}
	at := func(value float64, step int) string { return fmt.Sprintf("%.4g @ %d", value, step) }
	g := &grid{columns: []string{"metric", "points", "first @ step", "last @ step", "least @ step", "greatest @ step"}}
	single := &grid{columns: []string{"metric", "step", "value"}}
	for _, name := range names {
		if p := spans[name]; p.n == 1 {
			single.add(name, p.from, p.first)
		} else {
			g.add(name, p.n, at(p.first, p.from), at(p.last, p.to), at(p.low, p.atLow), at(p.top, p.atTop))
		}
	}
	s.add("trace", g)
	s.add("figures of one step", single)
}

// attacks shows where each attacker began and where it stood at the end, and when its excess loss fell below 1 % and 0.1 %.
func (s *sheet) attacks() {
	type id struct{ attacker, task string }
	var order []id
	first, last := make(map[id]store.AttackPoint), make(map[id]store.AttackPoint)
	for _, p := range s.d.Outcome.Attacks { // by step
		k := id{p.Attacker, p.Task}
		if _, ok := first[k]; !ok {
			order, first[k] = append(order, k), p
		}
		last[k] = p
		if math.IsNaN(first[k].Loss) && !math.IsNaN(p.Loss) { // of nets the first epoch is the first with a loss
			first[k] = p
		}
	}
	singles := make(map[string]float64)
	for _, m := range s.d.Outcome.Metrics {
		if strings.HasPrefix(m.Name, "steps_to_") || strings.HasPrefix(m.Name, "reached_") {
			singles[m.Name] = m.Value
		}
	}
	g := &grid{columns: []string{
		"attacker", "task", "steps", "first loss", "last loss", "excess", "norm ratio", "accuracy", "to 1 %", "to 0.1 %",
	}}
	some := make([]bool, len(g.columns))
	for _, k := range order {
		p, of := last[k], ":"+k.attacker+":"+k.task
		row := []any{
			k.attacker, k.task, p.Step, blank(first[k].Loss), blank(p.Loss), blank(p.Excess), blank(p.NormRatio), blank(p.Accuracy),
			threshold(singles, "1pct"+of), threshold(singles, "0.1pct"+of),
		}
		for i, v := range row {
			some[i] = some[i] || v != nil
		}
		for _, share := range []string{"1pct", "0.1pct"} {
			delete(singles, "steps_to_"+share+of)
			delete(singles, "reached_"+share+of)
		}
		g.add(row...)
	}
	s.add("attacks, from the first to the last step; steps until the excess loss is below 1 % and 0.1 %", g.only(some))
	rest := &grid{columns: []string{"metric", "value"}} // of attackers without a trace
	for _, name := range slices.Sorted(maps.Keys(singles)) {
		rest.add(name, singles[name])
	}
	s.add("", rest)
}

// threshold is the mean number of steps until an attack's excess loss is below a share, "never", or from how many of its starts it got
// there; nil where nothing is recorded.
func threshold(singles map[string]float64, of string) any {
	if steps, ok := singles["steps_to_"+of]; ok {
		return steps
	}
	switch reached, ok := singles["reached_"+of]; {
	case !ok:
		return nil
	case reached == 0:
		return "never"
	default:
		return fmt.Sprintf("%.3g %% of starts", 100*reached)
	}
}

// only keeps the columns that are marked.
func (g *grid) only(keep []bool) *grid {
	out := &grid{}
	for i, name := range g.columns {
		if keep[i] {
			out.columns = append(out.columns, name)
		}
	}
	for _, row := range g.rows {
		var kept []any
		for i, v := range row {
			if keep[i] {
				kept = append(kept, v)
			}
		}
		out.rows = append(out.rows, kept)
	}
	return out
}

// blank is nothing where a figure does not apply.
func blank(x float64) any {
	if math.IsNaN(x) {
		return nil
	}
	return x
}
