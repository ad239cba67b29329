package figure

import (
	"cmp"
	"image/color"
	"math"
	"slices"
)

// knot is one point of a drawn line.
type knot struct {
	x float64
	spread
}

// Line draws one line a group over numeric x, labelled at the lines' ends, or beside the area where there are more than six. With
// a band, rows of equal x and group are condensed to their mean and the band around it; Low and High of the rows give a band of
// their own. Long curves carry no markers; a line of one point is a marker.
func Line(o Options, rows []Point) *Figure {
	width, height := oneAndHalfColumns, oneAndHalfColumns*aspect
	kept, left := drawable(o, rows)
	if len(kept) == 0 {
		f := blank(o, width, height, noData(left.total))
		f.Notes = left.notes()
		return f
	}
	o.Reference = finiteOnly(o.Reference, o.YLog)
	all := split(kept, o.Groups, func(p Point) string { return p.Group })
	if len(all)+countCurves(o) > maxDirect { // room for the legend
		width, height = twoColumns, twoColumns*aspect*0.75
	}
	lines := make([][]knot, len(all))
	least, most, repeated := math.MaxInt, 0, false
	xs, ys := []float64{}, slices.Clone(o.Reference)
	for i, s := range all {
		var lo, hi int
		lines[i], lo, hi = knots(s.rows, o)
		least, most = min(least, lo), max(most, hi)
		repeated = repeated || hi > 1
		for _, k := range lines[i] {
			xs, ys = append(xs, k.x), append(ys, k.mid)
			for _, v := range []float64{k.low, k.high} {
				if fits(v, o.YLog) {
					ys = append(ys, v)
				}
			}
		}
	}
	w, h := o.size(width, height)
	c := newCanvas(w, h)
	curves, out := newCurves(o)
	x, y := axis{title: o.XLabel}, axis{title: o.YLabel}
	x.scale, y.scale = withCurves(curves, o.XLog, o.YLog, xs, ys)
	ends := x.scale // lines run up to their labels
	ends.max = largestX(lines, x.scale)
	c.clipTo(curves, ends, y.scale)
	var names []tag
	if len(all) > 1 || all[0].name != "" {
		for i, s := range all {
			names = append(names, tag{entry{name: s.name, look: s.look}, lines[i]})
		}
	}
	names = append(names, tags(curves)...)

	f, direct, l := lineFrame(c, x, y, ends, names)
	f.grid()
	f.reference(o.Reference, false)
	for i := range all {
		opacity := bandOpacity
		if len(all) > maxDirect {
			opacity = manyOpacity
		}
		f.band(all[i].look, lines[i], opacity)
	}
	f.curves(curves)
	for i := range all {
		f.curve(all[i].look, lines[i])
	}
	f.axes()
	switch {
	case direct != nil:
		f.direct(names, direct)
	case len(names) > 0:
		l.draw(f, func(e entry, r rect) {
			if e.curve {
				f.dashed(e.look, r)
				return
			}
			f.sample(e.look, r)
		})
	}
	if o.Band != NoBand {
		c.note("%s", bandNote("band", o.Band, o.YLog, least, most))
	} else if repeated {
		c.note("Several rows share x within a series; they are joined in the order of the rows.")
	}
	if n := left.starts(kept); n > 0 {
		c.note("A logarithmic axis has no 0: %s at x = 0 not shown.", countOf(n, "point"))
	}
	c.notes = append(append(c.notes, left.notes()...), out.notes()...)
	return c.figure(o)
}

// tag is the name of a line, and the line.
type tag struct {
	entry
	line []knot
}

func (t tag) end() knot { return t.line[len(t.line)-1] }

// knots sorts a series by x and, where a band is asked for, condenses rows of equal x. It returns the least and the largest number of
// rows behind a knot.
func knots(rows []Point, o Options) (line []knot, least, most int) {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
	least = math.MaxInt
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].X == rows[0].X {
			n++
		}
		least, most = min(least, n), max(most, n)
		if o.Band != NoBand {
			values := make([]float64, n)
			for i := range values {
				values[i] = rows[i].Y
			}
			line = append(line, knot{rows[0].X, spreadOf(values, o.Band, o.YLog)})
		} else {
			for _, p := range rows[:n] {
				line = append(line, knot{p.X, spread{p.Y, p.Low, p.High}})
			}
		}
		rows = rows[n:]
	}
	return line, least, most
}

// lineFrame lays out the area with direct labels if the names are few and have room, else with a legend. The x axis then stops at ends.
func lineFrame(c *canvas, x, y axis, ends scale, names []tag) (*frame, []*directLabel, legend) {
	if len(names) == 0 {
		return newFrame(c, x, y, 0, 0), nil, legend{}
	}
	if len(names) <= maxDirect {
		var direct []*directLabel
		right := 0.0
		for _, t := range names {
			d := &directLabel{label: layout(t.name, textSize, 0.3*c.w, 3)}
			right = max(right, d.label.w)
			direct = append(direct, d)
		}
		short := x
		short.scale = ends
		f := newFrame(c, short, y, right+leaderRoom, 0)
		spans := make([]*span, len(names))
		for i, d := range direct {
			last := names[i].end()
			d.end = f.at(last.x, last.mid)
			d.span = span{want: d.end.y, h: d.label.h}
			spans[i] = &d.span
		}
		if nudge(spans, f.area.y0, f.h-margin, 2) {
			return f, direct, legend{}
		}
	}
	l := newLegend(byEnd(names), c.w, c.h)
	right, top := l.room()
	return newFrame(c, x, y, right, top), nil, l
}

// largestX is where the longest line ends; on an axis that would have no length, the axis's end.
func largestX(lines [][]knot, s scale) float64 {
	largest := math.Inf(-1)
	least := math.Inf(1)
	for _, l := range lines {
		least, largest = min(least, l[0].x), max(largest, l[len(l)-1].x)
	}
	if s.unit(largest)-s.unit(least) < 0.5 {
		return s.max
	}
	return largest
}

// byEnd lists the names from the line that ends highest to the one that ends lowest, as the eye meets them.
func byEnd(names []tag) []entry {
	order := slices.Clone(names)
	slices.SortStableFunc(order, func(a, b tag) int { return cmp.Compare(b.end().mid, a.end().mid) })
	entries := make([]entry, len(order))
	for i, t := range order {
		entries[i] = t.entry
	}
	return entries
}

// directLabel is the name of a series beside its line's end.
type directLabel struct {
	label label
	end   pt
	span  span
}

const leaderRoom = 12.0 // between the area and its direct labels

// direct draws the direct labels, with a leader from each line's end.
func (f *frame) direct(names []tag, labels []*directLabel) {
	x := f.area.x1 + leaderRoom
	for i, d := range labels {
		clr := textColor(names[i].look.color)
		if d.end.x < f.area.x1-8 || math.Abs(d.span.at-d.end.y) > 1.5 {
			f.line(stroke{color: leaderColor, width: leaderWidth}, pt{d.end.x + 2, d.end.y}, pt{max(d.end.x+2, f.area.x1+2), d.end.y}, pt{x - 2, d.span.at})
		}
		f.text(d.label, pt{x, d.span.at}, align{0, 0.5}, clr)
	}
}

// band fills between the low and high ends of a line's knots, where they have any; an end off the axis is drawn on its edge.
func (f *frame) band(l look, line []knot, opacity float64) {
	s := f.y.scale
	var run []knot
	flush := func() {
		var pts []pt
		for _, k := range run {
			pts = append(pts, f.at(k.x, clampTo(s, k.high)))
		}
		for _, k := range slices.Backward(run) {
			pts = append(pts, f.at(k.x, clampTo(s, k.low)))
		}
		if len(run) > 1 {
			f.fill(fade(l.color, opacity), pts...)
		} else if len(run) == 1 {
			f.errorBar(l.color, pts[1], pts[0])
		}
		run = nil
	}
	for _, k := range line {
		if math.IsNaN(k.low) || math.IsNaN(k.high) {
			flush()
			continue
		}
		run = append(run, k)
	}
	flush()
}

// clampTo moves a value that is off the axis to its nearer end.
func clampTo(s scale, v float64) float64 {
	if math.IsNaN(v) {
		return s.min
	}
	return clamp(v, s.min, s.max)
}

// curve draws the line through the middles, with markers where they are few.
func (f *frame) curve(l look, line []knot) {
	pts := make([]pt, len(line))
	for i, k := range line {
		pts[i] = f.at(k.x, k.mid)
	}
	f.line(stroke{color: l.color, width: lineWidth, dash: l.dash}, pts...)
	if len(pts) <= maxMarkers {
		for _, p := range pts {
			f.marker(l.marker, p, markerSize*0.85, l.color)
		}
	}
}

// sample draws a legend's piece of line.
func (f *frame) sample(l look, r rect) {
	y := (r.y0 + r.y1) / 2
	f.line(stroke{color: l.color, width: lineWidth, dash: l.dash}, pt{r.x0, y}, pt{r.x1, y})
	f.marker(l.marker, pt{(r.x0 + r.x1) / 2, y}, markerSize*0.85, l.color)
}

// errorBar draws a bar with caps from low to high, upright or lying.
func (f *frame) errorBar(clr color.NRGBA, low, high pt) {
	s := stroke{color: clr, width: thinWidth}
	f.line(s, low, high)
	for _, p := range []pt{low, high} {
		if low.x == high.x {
			f.line(s, pt{p.x - capWidth, p.y}, pt{p.x + capWidth, p.y})
		} else {
			f.line(s, pt{p.x, p.y - capWidth}, pt{p.x, p.y + capWidth})
		}
	}
}
