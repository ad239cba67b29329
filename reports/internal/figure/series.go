package figure

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"kappa/engine/summary"
)

// series is the rows of one group, in the order in which groups first appear.
type series[T any] struct {
	name string
	rows []T
	look look
}

// split groups rows. A group's look is that of its place among the known groups; groups that are not there take the looks after those.
func split[T any](rows []T, known []string, group func(T) string) []series[T] {
	var all []series[T]
	index := map[string]int{}
	next := len(known)
	for _, r := range rows {
		g := group(r)
		i, ok := index[g]
		if !ok {
			i = len(all)
			index[g] = i
			place := slices.Index(known, g)
			if place < 0 {
				place = next
				next++
			}
			all = append(all, series[T]{name: g, look: lookOf(place)})
		}
		all[i].rows = append(all[i].rows, r)
	}
	return all
}

// tally counts what cannot be drawn, by reason and group.
type tally struct {
	order  []string
	counts map[string]map[string]int
	groups []string
	total  int
	turned int // rows with low above high
}

// take says whether v can stand on an axis and counts it if not.
func (t *tally) take(v float64, log bool, axis, group string) bool {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		t.add("non-finite on the "+axis+" axis", group)
	case math.Abs(v) > maxValue:
		t.add("beyond 10"+superscript(300)+" on the "+axis+" axis", group)
	case log && v == 0 && axis == "x":
		t.add(atZero, group)
	case log && v <= 0:
		t.add("≤ 0 on the logarithmic "+axis+" axis", group)
	default:
		return true
	}
	return false
}

// atZero is why a step 0 is left out.
const atZero = "at 0 on the logarithmic x axis"

// starts takes the values at 0 on the x axis out of the tally if every series that has one also has values that can be drawn, and returns
// their number: they are the beginnings of lines, such as step 0, and nothing else is missing with them.
func (t *tally) starts(kept []Point) int {
	n := 0
	for group, count := range t.counts[atZero] {
		if !slices.ContainsFunc(kept, func(p Point) bool { return p.Group == group }) {
			return 0
		}
		n += count
	}
	t.order = slices.DeleteFunc(t.order, func(why string) bool { return why == atZero })
	return n
}

func (t *tally) add(why, group string) {
	if t.counts == nil {
		t.counts = map[string]map[string]int{}
	}
	if t.counts[why] == nil {
		t.counts[why] = map[string]int{}
		t.order = append(t.order, why)
	}
	if !slices.Contains(t.groups, group) {
		t.groups = append(t.groups, group)
	}
	t.counts[why][group]++
	t.total++
}

// upright returns the ends of a band with the lower one first, and counts those that came the other way round.
func (t *tally) upright(low, high float64) (float64, float64) {
	if low > high { // false where there is no band
		t.turned++
		return high, low
	}
	return low, high
}

// drawable returns the rows that both axes can show, the ends of their bars in order, and the tally of the others.
func drawable(o Options, rows []Point) (kept []Point, left tally) {
	for _, p := range rows {
		okX, okY := left.take(p.X, o.XLog, "x", p.Group), left.take(p.Y, o.YLog, "y", p.Group)
		if okX && okY {
			p.Low, p.High = left.upright(p.Low, p.High)
			kept = append(kept, p)
		}
	}
	return kept, left
}

// notes writes a sentence for each reason.
func (t *tally) notes() []string {
	var notes []string
	for _, why := range t.order {
		sum := 0
		var parts []string
		for _, g := range t.groups {
			if n := t.counts[why][g]; n > 0 {
				sum += n
				if g != "" {
					parts = append(parts, fmt.Sprintf("%s: %d", g, n))
				}
			}
		}
		s := fmt.Sprintf("Left out: %s %s", countOf(sum, "value"), why)
		if len(parts) > 0 {
			s += " (" + strings.Join(parts, ", ") + ")"
		}
		notes = append(notes, s+".")
	}
	if t.turned > 0 {
		notes = append(notes, fmt.Sprintf("Exchanged: the ends of %s with low above high.", countOf(t.turned, "band")))
	}
	return notes
}

func countOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// spread is the centre of some values and the ends of a band around it, NaN where there is no band.
type spread struct{ mid, low, high float64 }

// spreadOf condenses values, which all fit the axis. On a log axis it works on logarithms: the mean is geometric.
func spreadOf(values []float64, band Band, log bool) spread {
	v := slices.Clone(values)
	if log {
		for i := range v {
			v[i] = math.Log(v[i])
		}
	}
	s := summary.Summarize(v)
	out := spread{s.Mean, math.NaN(), math.NaN()}
	switch {
	case s.N < 2 || band == NoBand:
	case band == CI95:
		out.low, out.high = s.Low, s.High
	case band == SD:
		out.low, out.high = s.Mean-s.SD, s.Mean+s.SD
	case band == Range:
		out.low, out.high = s.Min, s.Max
	}
	if log {
		out = spread{math.Exp(out.mid), math.Exp(out.low), math.Exp(out.high)}
		if band == Range && s.N > 1 { // exactly the values, not exp of log of them
			out.low, out.high = slices.Min(values), slices.Max(values)
		}
	}
	if s.N == 1 {
		out.mid = values[0]
	}
	return out
}

// bandNote says what a band is and how many values stand behind each of its points.
func bandNote(what string, band Band, log bool, least, most int) string {
	mean, scale := "mean", ""
	if log {
		mean, scale = "geometric mean", " of the logarithms"
	}
	n := fmt.Sprintf("n = %d", least)
	if most != least {
		n = fmt.Sprintf("n = %d to %d", least, most)
	}
	names := map[Band]string{
		CI95:  "95 % Student-t interval" + scale,
		SD:    "± one standard deviation" + scale,
		Range: "least to largest value",
	}
	if band == NoBand || most < 2 {
		return fmt.Sprintf("Shown: %s, %s.", mean, n)
	}
	return fmt.Sprintf("Shown: %s; %s: %s; %s.", mean, what, names[band], n)
}
