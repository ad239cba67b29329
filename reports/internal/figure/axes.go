package figure

import "math"

// axis is one side of the plot area: a value axis with a scale, or (names set) a categorical one with a slot for each name.
type axis struct {
	title  string
	scale  scale
	ticks  []tick
	names  []label // categorical: one label a slot
	turned bool    // categorical, horizontal: labels stand upright on their slots
	every  int     // categorical: every how manieth slot is labelled
	label  label   // laid-out title
	extent float64 // widest (vertical axis) or highest (horizontal axis) tick label
}

// frame is the plot area with its axes.
type frame struct {
	*canvas
	area rect
	x, y axis
}

// at maps values to the canvas.
func (f *frame) at(x, y float64) pt {
	return pt{f.area.x0 + f.x.scale.unit(x)*f.area.w(), f.area.y0 + f.y.scale.unit(y)*f.area.h()}
}

// newFrame lays out the axes inside the canvas; right and top are kept free for labels and legends. It draws
// nothing: call grid before drawing the data, axes after it.
func newFrame(c *canvas, x, y axis, right, top float64) *frame {
	f := &frame{canvas: c, x: x, y: y}
	f.area = rect{margin, margin, c.w - margin - right, c.h - margin - top}
	// Tick labels take room from the area, whose size decides on the ticks: two rounds settle it.
	for range 3 {
		f.settle(right, top)
	}
	return f
}

// settle lays out titles and ticks for the present area and then moves the area's edges to make room for them.
func (f *frame) settle(right, top float64) {
	f.x.fit(f.area.w(), false)
	f.y.fit(f.area.h(), true)
	c := f.canvas
	left := margin + tickLength + gap + f.y.extent
	if f.y.title != "" {
		left += gap + f.y.label.h
	}
	bottom := margin + tickLength + gap + f.x.extent
	if f.x.title != "" {
		bottom += gap + f.x.label.h
	}
	// Half of the outer labels may stick out over the area's ends.
	first, last := f.x.overhang(f.area.w(), false)
	below, above := f.y.overhang(f.area.h(), true)
	f.area = rect{
		x0: max(left, margin+first),
		y0: max(bottom, margin+below),
		x1: c.w - margin - max(right, last),
		y1: c.h - margin - max(top, above),
	}
}

// fit lays out title and ticks for a length in points.
func (a *axis) fit(length float64, vertical bool) {
	a.label = layout(a.title, titleSize, length, 2)
	a.extent = 0
	if a.names != nil {
		for i, l := range a.names {
			if i%a.every != 0 {
				continue
			}
			if vertical || a.turned {
				a.extent = max(a.extent, l.w)
			} else {
				a.extent = max(a.extent, l.h)
			}
		}
		return
	}
	a.ticks = ticksFor(a.scale, length, vertical)
	for _, t := range a.ticks {
		if t.label == "" {
			continue
		}
		l := layout(t.label, textSize, 0, 1)
		if vertical {
			a.extent = max(a.extent, l.w)
		} else {
			a.extent = max(a.extent, l.h)
		}
	}
}

// overhang returns by how much labels of a horizontal (vertical) axis stick out at its low and high end.
func (a *axis) overhang(length float64, vertical bool) (low, high float64) {
	if length <= 0 || a.names != nil {
		return 0, 0
	}
	for _, t := range a.ticks {
		if t.label == "" {
			continue
		}
		half := textWidth(t.label, textSize) / 2
		if vertical {
			half = textSize * (ascent + descent) / 2
		}
		at := a.scale.unit(t.v) * length
		low = max(low, half-at)
		high = max(high, at+half-length)
	}
	return low, high
}

// thin sets every so that labels keep their distance in slots of the present length; it says whether that changed anything.
func (a *axis) thin(length float64, vertical bool) bool {
	need := 0.0
	for _, l := range a.names {
		if vertical || a.turned {
			need = max(need, l.h+1)
		} else {
			need = max(need, l.w+gap)
		}
	}
	was := a.every
	if a.names != nil {
		a.every = max(a.every, int(math.Ceil(need/(length/float64(len(a.names))))))
	}
	return a.every != was
}

// thinned lays out a frame, with fewer labels on categorical axes where all would collide.
func thinned(c *canvas, x, y axis, right, top float64) *frame {
	for {
		f := newFrame(c, x, y, right, top)
		narrow, low := x.thin(f.area.w(), false), y.thin(f.area.h(), true)
		if !narrow && !low {
			return f
		}
	}
}

// slot returns the middle of the i-th of n slots in [0, 1].
func slot(i, n int) float64 { return (float64(i) + 0.5) / float64(n) }

// grid draws the lines behind the data.
func (f *frame) grid() {
	s := stroke{color: gridColor, width: gridWidth}
	a := f.area
	for _, t := range f.x.ticks {
		if t.label != "" {
			x := a.x0 + f.x.scale.unit(t.v)*a.w()
			f.line(s, pt{x, a.y0}, pt{x, a.y1})
		}
	}
	for _, t := range f.y.ticks {
		if t.label != "" {
			y := a.y0 + f.y.scale.unit(t.v)*a.h()
			f.line(s, pt{a.x0, y}, pt{a.x1, y})
		}
	}
}

// reference draws the lines at given values, across the value axis.
func (f *frame) reference(values []float64, sideways bool) {
	a := f.area
	s := stroke{color: referenceColor, width: thinWidth, dash: []float64{4, 2.5}}
	for _, v := range values {
		if sideways {
			x := a.x0 + f.x.scale.unit(v)*a.w()
			f.line(s, pt{x, a.y0}, pt{x, a.y1})
		} else {
			y := a.y0 + f.y.scale.unit(v)*a.h()
			f.line(s, pt{a.x0, y}, pt{a.x1, y})
		}
	}
}

// axes draws the two axis lines with ticks, labels and titles.
func (f *frame) axes() {
	a := f.area
	s := stroke{color: inkColor, width: axisWidth}
	f.line(s, pt{a.x0, a.y1}, pt{a.x0, a.y0}, pt{a.x1, a.y0})
	for _, t := range f.x.ticks {
		x := a.x0 + f.x.scale.unit(t.v)*a.w()
		f.line(s, pt{x, a.y0}, pt{x, a.y0 - length(t)})
		if t.label != "" {
			f.text(layout(t.label, textSize, 0, 1), pt{x, a.y0 - tickLength - gap}, align{0.5, 1}, inkColor)
		}
	}
	for _, t := range f.y.ticks {
		y := a.y0 + f.y.scale.unit(t.v)*a.h()
		f.line(s, pt{a.x0, y}, pt{a.x0 - length(t), y})
		if t.label != "" {
			f.text(layout(t.label, textSize, 0, 1), pt{a.x0 - tickLength - gap, y}, align{1, 0.5}, inkColor)
		}
	}
	f.names(s)
	if f.x.title != "" {
		middle := inside((a.x0+a.x1)/2, f.x.label.w, f.w)
		f.text(f.x.label, pt{middle, a.y0 - tickLength - 2*gap - f.x.extent}, align{0.5, 1}, inkColor)
	}
	if f.y.title != "" {
		middle := inside((a.y0+a.y1)/2, f.y.label.w, f.h)
		f.textUp(f.y.label, pt{a.x0 - tickLength - 2*gap - f.y.extent - f.y.label.h/2, middle}, inkColor)
	}
}

// inside moves the middle of a title into a canvas of the given length.
func inside(middle, title, length float64) float64 {
	return max(title/2+1, min(middle, length-title/2-1))
}

// names draws the labels of categorical axes; the vertical one reads from the top.
func (f *frame) names(s stroke) {
	a := f.area
	for i, l := range f.x.names {
		x := a.x0 + slot(i, len(f.x.names))*a.w()
		f.line(s, pt{x, a.y0}, pt{x, a.y0 - tickLength})
		switch {
		case i%f.x.every != 0:
		case f.x.turned:
			f.textUp(l, pt{x, a.y0 - tickLength - gap - l.w/2}, inkColor)
		default:
			f.text(l, pt{x, a.y0 - tickLength - gap}, align{0.5, 1}, inkColor)
		}
	}
	for i, l := range f.y.names {
		y := a.y1 - slot(i, len(f.y.names))*a.h()
		f.line(s, pt{a.x0, y}, pt{a.x0 - tickLength, y})
		if i%f.y.every == 0 {
			f.text(l, pt{a.x0 - tickLength - gap, y}, align{1, 0.5}, inkColor)
		}
	}
}

func length(t tick) float64 {
	if t.label == "" {
		return minorLength
	}
	return tickLength
}

// blank draws the figure of nothing: an empty area that says why.
func blank(o Options, width, height float64, why string) *Figure {
	w, h := o.size(width, height)
	c := newCanvas(w, h)
	a := rect{margin + 20, margin + 20, w - margin, h - margin}
	c.outline(stroke{color: gridColor, width: axisWidth}, a.corners()...)
	c.text(layout(why, titleSize, a.w()-8, 4), pt{(a.x0 + a.x1) / 2, (a.y0 + a.y1) / 2}, align{0.5, 0.5}, noteColor)
	if l := layout(o.XLabel, titleSize, a.w(), 1); o.XLabel != "" {
		c.text(l, pt{(a.x0 + a.x1) / 2, a.y0 - gap}, align{0.5, 1}, noteColor)
	}
	if l := layout(o.YLabel, titleSize, a.h(), 1); o.YLabel != "" {
		c.textUp(l, pt{a.x0 - gap - l.h/2, (a.y0 + a.y1) / 2}, noteColor)
	}
	return c.figure(o)
}

// noData is the sentence of a figure without anything to draw.
func noData(left int) string {
	if left == 0 {
		return "No data"
	}
	return "No data that can be drawn (" + itoa(left) + " left out)"
}

// finiteOnly keeps the reference values that fit the axis.
func finiteOnly(values []float64, log bool) []float64 {
	var kept []float64
	for _, v := range values {
		if fits(v, log) {
			kept = append(kept, v)
		}
	}
	return kept
}
