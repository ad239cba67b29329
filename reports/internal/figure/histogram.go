package figure

import (
	"math"
	"slices"
	"strings"

	"kappa/engine/summary"
)

// maxBins bounds the bins that Freedman and Diaconis's rule may ask for where a few values lie far out.
const maxBins = 60

// loneCount is where a logarithmic count axis begins, so that a bin of one value shows.
const loneCount = 0.5

// Histogram draws the number of values a bin; groups share the bins and are drawn over each other, translucent and outlined. Bins are
// of equal width, on a log axis of equal ratio.
func Histogram(o Options, rows []Value) *Figure {
	const width, height = oneAndHalfColumns, oneAndHalfColumns * aspect
	left := new(tally)
	var kept []Value
	for _, v := range rows {
		if left.take(v.V, o.XLog, "x", v.Group) {
			kept = append(kept, v)
		}
	}
	if o.YLabel == "" {
		o.YLabel = "count"
	}
	if len(kept) == 0 {
		return blankValues(o, left)
	}
	groups := split(kept, o.Groups, func(v Value) string { return v.Group })
	values := make([]float64, len(kept))
	for i, v := range kept {
		values[i] = v.V
	}
	edges := binEdges(values, o.Bins, o.XLog)
	counts := make([][]int, len(groups))
	most := 0
	for g, s := range groups {
		counts[g] = make([]int, len(edges)-1)
		for _, r := range s.rows {
			i, found := slices.BinarySearch(edges, r.V)
			if !found {
				i--
			}
			i = min(max(i, 0), len(edges)-2)
			counts[g][i]++
			most = max(most, counts[g][i])
		}
	}
	w, h := o.size(width, height)
	c := newCanvas(w, h)
	named := len(groups) > 1
	var l legend
	right, top := 0.0, 0.0
	if named {
		l = newLegend(entriesOf(groups), w, h)
		right, top = l.room()
	}
	o.Reference = finiteOnly(o.Reference, o.YLog)
	y := newBarScale(false, append(slices.Clone(o.Reference), float64(most))...)
	if o.YLog {
		y = newScale(true, append(slices.Clone(o.Reference), loneCount, float64(most))...)
	}
	y.whole = true
	f := newFrame(c, axis{title: o.XLabel, scale: histogramScale(edges, o.XLog)}, axis{title: o.YLabel, scale: y}, right, top)
	f.grid()
	for g, s := range groups {
		f.bins(edges, counts[g], s.look, named)
	}
	f.reference(o.Reference, false)
	f.axes()
	if named {
		l.draw(f, func(e entry, r rect) { f.swatch(fade(e.look.color, 0.7), r) })
	}
	c.note("n = %d in %s%s.", len(kept), countOf(len(edges)-1, "bin"), groupSizes(groups))
	c.notes = append(c.notes, left.notes()...)
	return c.figure(o)
}

// histogramScale is the axis under the bins; a single bin gets air on both sides.
func histogramScale(edges []float64, log bool) scale {
	a, b := edges[0], edges[len(edges)-1]
	switch {
	case len(edges) > 2:
		return newScale(log, edges...)
	case log:
		return newScale(true, a*a/b, b*b/a)
	}
	return newScale(false, a-1.5*(b-a), b+1.5*(b-a))
}

// bins draws one group's bars; several groups are seen through each other.
func (f *frame) bins(edges []float64, counts []int, l look, several bool) {
	base := f.y.scale.min
	outline := []pt{f.at(edges[0], base)}
	for i, n := range counts {
		top := max(base, float64(n))
		a, b := f.at(edges[i], top), f.at(edges[i+1], top)
		outline = append(outline, a, b)
		if n > 0 && !several {
			corners := rect{a.x, f.area.y0, b.x, b.y}.corners()
			f.fill(l.color, corners...)
			f.outline(stroke{color: whiteColor, width: axisWidth}, corners...)
		}
	}
	outline = append(outline, f.at(edges[len(edges)-1], base))
	if several {
		f.fill(fade(l.color, fillOpacity), outline...)
		f.line(stroke{color: l.color, width: lineWidth, dash: l.dash}, outline...)
	}
}

func groupSizes(groups []series[Value]) string {
	if len(groups) < 2 {
		return ""
	}
	parts := make([]string, len(groups))
	for i, g := range groups {
		parts[i] = g.name + ": " + itoa(len(g.rows))
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// binEdges returns the edges of n bins over the values, or of Freedman and Diaconis's number of bins for n = 0: width 2·IQR/∛N
// (Zeitschrift für Wahrscheinlichkeitstheorie 57 (1981), 453–476), and Sturges's number where the IQR is 0. Equal values make one
// bin around them.
func binEdges(values []float64, n int, log bool) []float64 {
	v := slices.Clone(values)
	if log {
		for i := range v {
			v[i] = math.Log10(v[i])
		}
	}
	lo, hi := slices.Min(v), slices.Max(v)
	if hi-lo <= 1e-12*max(math.Abs(lo), math.Abs(hi)) {
		d := max(math.Abs(lo)/20, 1e-300)
		if lo == 0 || log {
			d = 0.5
		}
		lo, hi, n = lo-d, hi+d, 1
	}
	if n <= 0 {
		iqr := summary.Quantile(v, 0.75) - summary.Quantile(v, 0.25)
		bins := math.Ceil(math.Log2(float64(len(v)))) + 1
		if iqr > 0 {
			bins = math.Ceil((hi/2 - lo/2) / (iqr / math.Cbrt(float64(len(v)))))
		}
		n = int(clamp(bins, 1, maxBins))
	}
	edges := make([]float64, n+1)
	for i := range edges {
		t := float64(i) / float64(n)
		edges[i] = lo*(1-t) + hi*t
		if log {
			edges[i] = math.Pow(10, edges[i])
		}
	}
	return edges
}
