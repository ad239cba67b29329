package figure

import (
	"math"
	"slices"
)

// widestLegend is the part of a scatter figure's width from which its legend makes it wider.
const widestLegend = 0.28

// Scatter draws one marker a row, in colour and shape by group, with error bars from Low to High and labels beside the points where
// there is room for them.
func Scatter(o Options, rows []Point) *Figure {
	const width, height = oneAndHalfColumns, oneAndHalfColumns * aspect
	kept, left := drawable(o, rows)
	if len(kept) == 0 {
		f := blank(o, width, height, noData(left.total))
		f.Notes = left.notes()
		return f
	}
	o.Reference = finiteOnly(o.Reference, o.YLog)
	var xs []float64
	ys := slices.Clone(o.Reference)
	for _, p := range kept {
		xs, ys = append(xs, p.X), append(ys, p.Y)
		for _, v := range []float64{p.Low, p.High} {
			if fits(v, o.YLog) {
				ys = append(ys, v)
			}
		}
	}
	all := split(kept, o.Groups, func(p Point) string { return p.Group })
	w, h := o.size(width, height)
	c := newCanvas(w, h)
	curves, out := newCurves(o)
	x, y := withCurves(curves, o.XLog, o.YLog, xs, ys)
	c.clipTo(curves, x, y)
	var entries []entry
	if len(all) > 1 || all[0].name != "" {
		entries = entriesOf(all)
	}
	for _, t := range tags(curves) {
		entries = append(entries, t.entry)
	}
	var l legend
	right, top := 0.0, 0.0
	if len(entries) > 0 {
		l = newLegend(entries, w, h)
		if l.w > widestLegend*w { // room for the legend
			w, h = o.size(twoColumns, twoColumns*aspect*0.75)
			c.resize(w, h)
			l = newLegend(entries, w, h)
		}
		right, top = l.room()
	}
	f := newFrame(c, axis{title: o.XLabel, scale: x}, axis{title: o.YLabel, scale: y}, right, top)
	f.grid()
	f.reference(o.Reference, false)
	f.curves(curves)
	opacity := 1.0
	if len(kept) > 400 {
		opacity = 0.5 // so that density shows
	}
	for _, s := range all {
		for _, p := range s.rows {
			if !math.IsNaN(p.Low) && !math.IsNaN(p.High) {
				f.errorBar(s.look.color, f.at(p.X, clampTo(f.y.scale, p.Low)), f.at(p.X, clampTo(f.y.scale, p.High)))
			}
			f.marker(s.look.marker, f.at(p.X, p.Y), markerSize, fade(s.look.color, opacity))
		}
	}
	f.axes()
	if len(entries) > 0 {
		l.draw(f, func(e entry, r rect) {
			if e.curve {
				f.dashed(e.look, r)
				return
			}
			f.marker(e.look.marker, pt{(r.x0 + r.x1) / 2, (r.y0 + r.y1) / 2}, markerSize, e.look.color)
		})
	}
	f.pointLabels(all)
	c.notes = append(append(c.notes, left.notes()...), out.notes()...)
	return c.figure(o)
}

func entriesOf[T any](all []series[T]) []entry {
	entries := make([]entry, len(all))
	for i, s := range all {
		entries[i] = entry{name: s.name, look: s.look}
	}
	return entries
}

// pointLabels writes the labels of points, off the markers and each other, and notes those without room.
func (f *frame) pointLabels(all []series[Point]) {
	var taken []rect
	for _, s := range all {
		for _, p := range s.rows {
			at := f.at(p.X, p.Y)
			taken = append(taken, rect{at.x - markerSize, at.y - markerSize, at.x + markerSize, at.y + markerSize})
			if !math.IsNaN(p.Low) && !math.IsNaN(p.High) {
				low, high := f.at(p.X, clampTo(f.y.scale, p.Low)), f.at(p.X, clampTo(f.y.scale, p.High))
				taken = append(taken, rect{at.x - 1, low.y, at.x + 1, high.y})
			}
		}
	}
	dropped := 0
	for _, s := range all {
		for _, p := range s.rows {
			if p.Label == "" {
				continue
			}
			l := layout(p.Label, smallSize, 0.3*f.w, 1)
			at := f.at(p.X, p.Y)
			where, leader, ok := around(l, at, markerSize, f.area, taken)
			if !ok {
				dropped++
				continue
			}
			if leader {
				end := pt{clamp(at.x, where.x0, where.x1), clamp(at.y, where.y0, where.y1)}
				d := math.Hypot(end.x-at.x, end.y-at.y)
				u := (markerSize + 0.5) / d
				f.line(stroke{color: leaderColor, width: leaderWidth}, pt{at.x + u*(end.x-at.x), at.y + u*(end.y-at.y)}, end)
			}
			f.text(l, pt{where.x0, where.y0}, align{}, inkColor)
			taken = append(taken, where)
		}
	}
	if dropped > 0 {
		f.note("No room for the labels of %s.", countOf(dropped, "point"))
	}
}
