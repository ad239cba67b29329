package reports

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kappa/engine/summary"
	"kappa/store"
)

// collectWarnings lists everything that weakens the report's numbers: missing, failed and diverged runs, ridge-dominated condition
// numbers, figures that are not finite, few seeds, and what the cells had to leave out.
func (b *builder) collectWarnings() ([]string, error) {
	var out []string
	absent := slices.DeleteFunc(slices.Clone(b.doc.Missing), func(key string) bool {
		return slices.ContainsFunc(b.runs, func(r runState) bool { return r.key == key })
	})
	if len(absent) > 0 {
		out = append(out, fmt.Sprintf("%s missing: %s.", plural(len(absent), "run"), b.plan.list(absent)))
	}
	out = append(out, b.statusWarnings()...)
	for _, more := range []func() ([]string, error){b.ridgeWarnings, b.nonFiniteWarnings, b.seedWarnings} {
		w, err := more()
		if err != nil {
			return nil, err
		}
		out = append(out, w...)
	}
	return append(out, b.warnings...), nil
}

// statusWarnings lists runs that did not end well, by status and reason.
func (b *builder) statusWarnings() []string {
	var out []string
	for _, status := range []store.Status{store.Failed, store.TimedOut, store.Diverged} {
		var reasons []string
		byReason := map[string][]string{}
		for _, r := range b.runs {
			if r.status != string(status) {
				continue
			}
			why := r.reason
			if why == "" {
				why = withoutPaths(firstLine(r.fault))
			}
			if !slices.Contains(reasons, why) {
				reasons = append(reasons, why)
			}
			byReason[why] = append(byReason[why], r.key)
		}
		verb := map[store.Status]string{store.Failed: "failed", store.TimedOut: "ran out of time", store.Diverged: "diverged"}[status]
		for _, why := range reasons {
			s := fmt.Sprintf("%s %s", plural(len(byReason[why]), "run"), verb)
			if why != "" && why != string(status) {
				s += " (" + escape(why) + ")"
			}
			out = append(out, s+": "+b.plan.list(byReason[why])+".")
		}
	}
	return out
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

var absolutePath = regexp.MustCompile(`(^|[\s"'(=:])((?:[A-Za-z]:[\\/]|/)[^\s"'():]*[\\/])`)

// withoutPaths shortens absolute paths in an error to their last element: where files lie is nobody's business in a report.
func withoutPaths(s string) string { return absolutePath.ReplaceAllString(s, "$1…/") }

// ridgeWarnings lists the runs whose ridge-protocol condition numbers are none.
func (b *builder) ridgeWarnings() ([]string, error) {
	rows, err := b.query("SELECT run FROM results WHERE ridge_dominated = 1")
	if err != nil || len(rows.Values) == 0 {
		return nil, err
	}
	keys := make([]string, len(rows.Values))
	for i, r := range rows.Values {
		keys[i] = text(r[0])
	}
	return []string{fmt.Sprintf("%s with ridge-dominated κ: under the ridge protocol σ\\_min is the ridge itself there, so that their ridge figures "+
		"measure the largest singular value and no condition number (the rank protocol is not concerned): %s.", plural(len(keys), "run"), b.plan.list(keys))}, nil
}

// nonFiniteWarnings lists figures that are no numbers, by figure and kind, with their runs.
func (b *builder) nonFiniteWarnings() ([]string, error) {
	all, err := b.src.NonFinite(b.ctx)
	if err != nil {
		return nil, databaseFault{err}
	}
	type group struct {
		what  string
		runs  []string
		steps map[string][]int
		count int
	}
	var groups []*group
	byWhat := map[string]*group{}
	for _, n := range all {
		// −0 is a number, and an infinite ceiling is a result: the column unbounded says so.
		if n.Kind == "-0" || n.View == "results" && n.Column == "ceiling" && n.Kind == "+inf" {
			continue
		}
		what := figureName(n) + " " + kindName(n.Kind)
		g := byWhat[what]
		if g == nil {
			g = &group{what: what, steps: map[string][]int{}}
			byWhat[what] = g
			groups = append(groups, g)
		}
		if g.steps[n.Run] == nil {
			g.runs = append(g.runs, n.Run)
		}
		g.steps[n.Run] = append(g.steps[n.Run], n.Step)
		g.count++
	}
	var out []string
	for _, g := range groups {
		names, same := make([]string, len(g.runs)), stepList(g.steps[g.runs[0]])
		for i, r := range g.runs {
			steps := stepList(g.steps[r])
			if steps != same {
				same = ""
			}
			names[i] = b.plan.name(r) + steps
		}
		where := strings.Join(names, "; ")
		if same == stepList(g.steps[g.runs[0]]) {
			where = b.plan.list(g.runs) + same
		}
		out = append(out, fmt.Sprintf("%s, left out of all statistics (%s): %s.", g.what, plural(g.count, "value"), where))
	}
	return out, nil
}

// figureName names a figure for people.
func figureName(n store.NonFinite) string {
	switch n.View {
	case "metrics":
		return "Metric " + code(n.Of)
	case "condition_numbers":
		return "Condition number (" + escape(n.Of) + ")"
	case "attacks":
		return "Attack " + escape(n.Of) + ", " + code(n.Column)
	}
	return "Result " + code(n.Column)
}

func kindName(kind string) string {
	switch kind {
	case "+inf":
		return "infinite"
	case "-inf":
		return "minus infinite"
	case "nan":
		return "not a number"
	}
	return kind
}

// stepList writes the steps of a run: all of a few, the ends of many.
func stepList(steps []int) string {
	const few = 6
	switch {
	case steps[0] < 0:
		return ""
	case len(steps) == 1:
		return fmt.Sprintf(" at step %d", steps[0])
	case len(steps) <= few:
		s := make([]string, len(steps))
		for i, n := range steps {
			s[i] = strconv.Itoa(n)
		}
		return " at steps " + strings.Join(s, ", ")
	}
	return fmt.Sprintf(" at %d steps from %d to %d", len(steps), slices.Min(steps), slices.Max(steps))
}

// seedWarnings lists the methods that drew random numbers with too few seeds for an interval. Runs that differ in the seed alone repeat a
// setting.
func (b *builder) seedWarnings() ([]string, error) {
	rows, err := b.query("SELECT run, method, seed FROM results WHERE seed IS NOT NULL")
	if err != nil {
		return nil, err
	}
	var methods []string
	settings := map[string]map[string]int{}
	for _, r := range rows.Values {
		m := text(r[1])
		if settings[m] == nil {
			settings[m] = map[string]int{}
			methods = append(methods, m)
		}
		settings[m][b.plan.setting(text(r[0]))]++
	}
	var out []string
	for _, m := range methods {
		least, few := summary.Few, 0
		for _, n := range settings[m] {
			if n < summary.Few {
				few++
				least = min(least, n)
			}
		}
		if few == 0 {
			continue
		}
		s := fmt.Sprintf("Few seeds: method %s draws random numbers and has %s in %d of %s", code(m), plural(least, "seed"), few, plural(len(settings[m]), "setting"))
		if least == 1 {
			s += ", which shows no spread over seeds"
		} else {
			s += fmt.Sprintf("; the interval of a mean over fewer than %d is wide", summary.Few)
		}
		out = append(out, s+".")
	}
	return out, nil
}

// warningsSection lists the warnings.
func warningsSection(warnings []string) string {
	var b strings.Builder
	b.WriteString("## Warnings\n\n")
	if len(warnings) == 0 {
		b.WriteString("None.\n")
		return b.String()
	}
	for _, w := range warnings {
		b.WriteString("- " + w + "\n")
	}
	return b.String()
}
