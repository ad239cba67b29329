package figure

import (
	"cmp"
	"math"
	"slices"
)

// reach is how far a reference curve may stretch the value axis beyond the data, in spans of these, at either end: a bound far above
// what was measured must not press the measurements into a corner.
const reach = 0.5

// referenceDashes tell reference curves apart; they share one grey.
var referenceDashes = [][]float64{{5, 3}, {1.5, 2}, {9, 2.5}, {6, 2, 1.5, 2}}

// curve is a reference curve: what is left of it inside the axes.
type curve struct {
	name   string
	dash   []float64
	knots  []knot   // all that the axes can show, by x
	pieces [][]knot // inside the axes
}

// newCurves sorts the points of reference curves into curves, without those that the axes cannot show.
func newCurves(o Options) (curves []*curve, left tally) {
	for _, p := range o.Curves {
		okX, okY := left.take(p.X, o.XLog, "x", p.Group), left.take(p.Y, o.YLog, "y", p.Group)
		i := slices.IndexFunc(curves, func(c *curve) bool { return c.name == p.Group })
		if i < 0 {
			i = len(curves)
			curves = append(curves, &curve{name: p.Group, dash: referenceDashes[i%len(referenceDashes)]})
		}
		if okX && okY {
			curves[i].knots = append(curves[i].knots, knot{p.X, spread{p.Y, math.NaN(), math.NaN()}})
		}
	}
	for _, c := range curves {
		slices.SortStableFunc(c.knots, func(a, b knot) int { return cmp.Compare(a.x, b.x) })
	}
	return curves, left
}

// withCurves returns the scales of the data, the value axis stretched by reach at the most for what reference curves show over the
// data's x; the x axis is the data's, unless these share one x.
func withCurves(curves []*curve, xLog, yLog bool, xs, ys []float64) (x, y scale) {
	x, y = newScale(xLog, xs...), newScale(yLog, ys...)
	if len(curves) == 0 {
		return x, y
	}
	if slices.Min(xs) == slices.Max(xs) {
		for _, c := range curves {
			for _, k := range c.knots {
				xs = append(xs, k.x)
			}
		}
		x = newScale(xLog, xs...)
	}
	all := slices.Clone(ys)
	for _, c := range curves {
		for _, piece := range clip(c.knots, x, scale{log: yLog, min: y.value(-reach), max: y.value(1 + reach)}) {
			for _, k := range piece {
				all = append(all, k.mid)
			}
		}
	}
	return x, newScale(yLog, all...)
}

// value is the inverse of unit, kept within what can be drawn.
func (s scale) value(u float64) float64 {
	if s.log {
		a, b := math.Log10(s.min), math.Log10(s.max)
		return math.Pow(10, clamp(a+u*(b-a), -299, 299))
	}
	return clamp(s.min+u*(s.max/2-s.min/2)*2, -maxValue, maxValue)
}

// clipTo keeps what of the curves lies inside the axes, and notes those of which nothing does.
func (c *canvas) clipTo(curves []*curve, x, y scale) {
	for _, r := range curves {
		r.pieces = clip(r.knots, x, y)
		if len(r.pieces) == 0 && len(r.knots) > 0 {
			if r.name == "" {
				c.note("The reference curve lies outside the axes.")
			} else {
				c.note("The reference curve “%s” lies outside the axes.", r.name)
			}
		}
	}
}

// clip cuts a line through knots at the ends of two axes, on which it is straight between knots, and returns what is left of it.
func clip(line []knot, x, y scale) (pieces [][]knot) {
	var run []knot
	flush := func() {
		if len(run) > 1 {
			pieces = append(pieces, run)
		}
		run = nil
	}
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		from, to, ok := inUnitSquare(pt{x.unit(a.x), y.unit(a.mid)}, pt{x.unit(b.x), y.unit(b.mid)})
		if !ok {
			flush()
			continue
		}
		p, q := between(a, b, from, x, y), between(a, b, to, x, y)
		if len(run) == 0 || from > 0 {
			flush()
			run = append(run, p)
		}
		run = append(run, q)
		if to < 1 {
			flush()
		}
	}
	flush()
	return pieces
}

// between is the point a part of the way from a to b, on the axes.
func between(a, b knot, part float64, x, y scale) knot {
	switch part {
	case 0:
		return a
	case 1:
		return b
	}
	at := func(s scale, v, w float64) float64 {
		return clamp(s.value(s.unit(v)+part*(s.unit(w)-s.unit(v))), s.min, s.max)
	}
	return knot{at(x, a.x, b.x), spread{at(y, a.mid, b.mid), math.NaN(), math.NaN()}}
}

// inUnitSquare returns the part of the way from a to b that lies in the unit square (Liang and Barsky, "A new concept and method for
// line clipping", ACM Transactions on Graphics 3, 1984).
func inUnitSquare(a, b pt) (from, to float64, ok bool) {
	const slack = 1e-9 // a point on the edge is inside
	from, to = 0, 1
	dx, dy := b.x-a.x, b.y-a.y
	for _, e := range [][2]float64{{-dx, a.x + slack}, {dx, 1 + slack - a.x}, {-dy, a.y + slack}, {dy, 1 + slack - a.y}} {
		p, q := e[0], e[1]
		switch {
		case p == 0 && q < 0:
			return 0, 0, false
		case p < 0:
			from = max(from, q/p)
		case p > 0:
			to = min(to, q/p)
		}
	}
	return from, to, from < to || (from == to && dx == 0 && dy == 0)
}

// curves draws reference curves.
func (f *frame) curves(curves []*curve) {
	for _, c := range curves {
		for _, piece := range c.pieces {
			pts := make([]pt, len(piece))
			for i, k := range piece {
				pts[i] = f.at(k.x, k.mid)
			}
			f.line(stroke{color: referenceColor, width: referenceWidth, dash: c.dash}, pts...)
		}
	}
}

// tags are the names of the curves that can be seen, for a legend or for their ends.
func tags(curves []*curve) (all []tag) {
	for _, c := range curves {
		if c.name != "" && len(c.pieces) > 0 {
			all = append(all, tag{entry{c.name, look{color: referenceColor, dash: c.dash}, true}, c.pieces[len(c.pieces)-1]})
		}
	}
	return all
}

// dashed draws a legend's piece of a reference curve.
func (f *frame) dashed(l look, r rect) {
	y := (r.y0 + r.y1) / 2
	f.line(stroke{color: l.color, width: referenceWidth, dash: l.dash}, pt{r.x0, y}, pt{r.x1, y})
}

// countCurves is the number of reference curves with a name.
func countCurves(o Options) int {
	var names []string
	for _, p := range o.Curves {
		if p.Group != "" && !slices.Contains(names, p.Group) {
			names = append(names, p.Group)
		}
	}
	return len(names)
}
