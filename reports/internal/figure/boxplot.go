package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"kappa/engine/summary"
)

// boxMin is the number of values below which a box would only repeat the values: they are drawn themselves.
const boxMin = 5

// maxCounts is the number of boxes whose numbers of values are listed in the caption where they differ.
const maxCounts = 10

// five is what a box shows.
type five struct {
	q1, median, q3 float64
	low, high      float64 // ends of the whiskers
	outside        []float64
	values         []float64
}

// Box draws one box a category and group: quartiles and median, whiskers to the farthest value within 1.5 interquartile ranges
// (Tukey; on a log axis of the logarithms), and the values beyond them. Fewer than five values are drawn as they are, with their
// median.
func Box(o Options, rows []Value) *Figure {
	kept, left := keepValues(o, rows)
	if len(kept) == 0 {
		return blankValues(o, left)
	}
	o.Reference = finiteOnly(o.Reference, o.YLog)
	groups := split(kept, o.Groups, func(v Value) string { return v.Group })
	names := categories(categoryNames(kept))
	values := slices.Clone(o.Reference)
	for _, v := range kept {
		values = append(values, v.V)
	}
	f, l := newCatFrame(o, names, len(groups), newScale(o.YLog, values...), entriesOf(groups))
	f.grid()
	f.reference(o.Reference, f.sideways)
	least, most, few := math.MaxInt, 0, 0
	var counts []string
	for g, s := range groups {
		byName := map[string][]float64{}
		for _, r := range s.rows {
			byName[r.Category] = append(byName[r.Category], r.V)
		}
		for i, name := range names {
			v := byName[name]
			if len(v) == 0 {
				continue
			}
			least, most = min(least, len(v)), max(most, len(v))
			if name != "" {
				counts = append(counts, fmt.Sprintf("%d (%s)", len(v), name))
			}
			middle, half := f.lane(i, g)
			if len(v) < boxMin {
				few++
			}
			f.box(newFive(v, o.YLog), middle, half, s.look)
		}
	}
	f.axes()
	if len(groups) > 1 {
		l.draw(f.frame, func(e entry, r rect) { f.swatch(e.look.color, r) })
	}
	n := fmt.Sprintf("n = %d", least)
	switch {
	case most == least:
	case len(groups) == 1 && len(counts) > 1 && len(counts) <= maxCounts:
		n = "n = " + strings.Join(counts, ", ")
	default:
		n = fmt.Sprintf("n = %d to %d", least, most)
	}
	of := ""
	if o.YLog {
		of = " of the logarithms"
	}
	if most >= boxMin {
		f.note("Boxes: quartiles and median; whiskers: to the farthest value within 1.5 interquartile ranges%s; %s.", of, n)
	}
	if few > 0 {
		f.note("Fewer than %d values: drawn singly with their median (%s).", boxMin, countOf(few, "place"))
	}
	f.notes = append(f.notes, left.notes()...)
	return f.figure(o)
}

func newFive(values []float64, log bool) five {
	v := slices.Clone(values)
	slices.Sort(v)
	b := five{q1: summary.Quantile(v, 0.25), median: summary.Quantile(v, 0.5), q3: summary.Quantile(v, 0.75), values: v}
	lower, upper := b.q1-1.5*(b.q3-b.q1), b.q3+1.5*(b.q3-b.q1)
	if log {
		d := 1.5 * (math.Log(b.q3) - math.Log(b.q1))
		lower, upper = math.Exp(math.Log(b.q1)-d), math.Exp(math.Log(b.q3)+d)
	}
	b.low, b.high = b.q1, b.q3
	for _, x := range v {
		switch {
		case x < lower*(1-1e-12*sign(lower)) || x > upper*(1+1e-12*sign(upper)):
			b.outside = append(b.outside, x)
		default:
			b.low, b.high = min(b.low, x), max(b.high, x)
		}
	}
	return b
}

func sign(x float64) float64 { return math.Copysign(1, x) }

// box draws one box, or the values themselves where there are few.
func (f *catFrame) box(b five, middle, half float64, l look) {
	median := stroke{color: textColor(l.color), width: lineWidth}
	if len(b.values) < boxMin {
		for _, v := range b.values {
			f.marker(0, f.spot(middle, v), markerSize*0.8, l.color)
		}
		f.line(median, f.spot(middle-half*0.7, b.median), f.spot(middle+half*0.7, b.median))
		return
	}
	s := stroke{color: l.color, width: thinWidth}
	for _, w := range [][2]float64{{b.q1, b.low}, {b.q3, b.high}} {
		f.line(s, f.spot(middle, w[0]), f.spot(middle, w[1]))
		f.line(s, f.spot(middle-half*0.4, w[1]), f.spot(middle+half*0.4, w[1]))
	}
	corners := f.block(middle, half, b.q1, b.q3)
	f.fill(fade(l.color, fillOpacity), corners...)
	f.outline(s, corners...)
	f.line(median, f.spot(middle-half, b.median), f.spot(middle+half, b.median))
	for _, v := range b.outside {
		f.marker(4, f.spot(middle, v), min(1.5, max(half, 0.9)), l.color)
	}
}
