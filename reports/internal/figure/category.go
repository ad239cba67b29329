package figure

import (
	"image/color"
	"math"
	"slices"
	"strconv"
)

// categories lists names in the order in which they first appear, or in numerical order where all are numbers: a sweep's first rows
// need not hold every value.
func categories(names []string) []string {
	var order []string
	seen := map[string]bool{}
	numeric := true
	value := map[string]float64{}
	for _, s := range names {
		if seen[s] {
			continue
		}
		seen[s] = true
		order = append(order, s)
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(v) {
			numeric = false
		}
		value[s] = v
	}
	if numeric {
		slices.SortStableFunc(order, func(a, b string) int {
			switch {
			case value[a] < value[b]:
				return -1
			case value[a] > value[b]:
				return 1
			}
			return 0
		})
	}
	return order
}

// catFrame is a frame with categories on one axis and values on the other. Sideways, the categories stand on the vertical axis, read
// from the top.
type catFrame struct {
	*frame
	sideways  bool
	n, groups int
}

const (
	slotFill      = 0.78 // part of a slot that bars or boxes take
	sideSlot      = 13.0 // default height of a sideways slot with one group
	sideGroup     = 8.0  // and of each group where there are several
	tightSlot     = 8.5  // sideways slot height where there are many categories
	manySlots     = 24   // from which on slots are tight
	wideSlots     = 12   // bars from which on the figure takes two columns
	uprightLabels = 2    // lines a category's label may have
)

// newCatFrame lays out categories against values. The frame stands upright where every label has room below its slot, else it lies
// on its side and, unless a height was asked for, grows with the number of categories.
func newCatFrame(o Options, names []string, groups int, values scale, entries []entry) (*catFrame, legend) {
	width := oneAndHalfColumns
	if len(names)*groups > wideSlots {
		width = twoColumns
	}
	w, h := o.size(width, width*aspect)
	if width == twoColumns {
		w, h = o.size(width, width*aspect*0.75)
	}
	var l legend
	right, top := 0.0, 0.0
	legendFor := func() {
		if len(entries) > 1 {
			l = newLegend(entries, w, h)
			right, top = l.room()
		}
	}
	legendFor()
	cat, val := axis{title: o.XLabel, names: make([]label, len(names)), every: 1}, axis{title: o.YLabel, scale: values}
	slotWidth := (w - right - 50) / float64(len(names))
	for range 3 { // the values' labels decide how wide a slot is
		cut := false
		for i, s := range names {
			cat.names[i] = layout(s, textSize, slotWidth-gap-1, uprightLabels)
			cut = cut || cat.names[i].cut || cat.names[i].w > slotWidth-gap
		}
		if cut {
			break
		}
		f := newFrame(newCanvas(w, h), cat, val, right, top)
		if actual := f.area.w() / float64(len(names)); actual < slotWidth {
			slotWidth = actual
			continue
		}
		return &catFrame{f, false, len(names), groups}, l
	}

	if o.Width <= 0 {
		w = oneAndHalfColumns * pointsPerCm
	}
	slotHeight := sidewaysSlot(names, groups, w)
	if o.Height <= 0 {
		h = min(slotHeight*float64(len(names))+48, maxSide*pointsPerCm)
		if len(entries) > 1 {
			h += textSize + 2*gap
		}
	}
	legendFor()
	slotHeight = (h - 48 - top) / float64(len(names))
	size := clamp(slotHeight*0.82, tinySize, textSize)
	lines := 1
	if slotHeight > 2.4*textSize {
		lines = 2
	}
	for i, s := range names {
		cat.names[i] = layout(s, size, 0.4*w, lines)
	}
	return &catFrame{thinned(newCanvas(w, h), val, cat, right, top), true, len(names), groups}, l
}

// sidewaysSlot is the default height of a slot.
func sidewaysSlot(names []string, groups int, w float64) float64 {
	if len(names) > manySlots && groups == 1 {
		return tightSlot
	}
	height := max(sideSlot, sideGroup*float64(groups)/slotFill)
	for _, s := range names {
		if textWidth(s, textSize) > 0.4*w {
			return max(height, 2.8*textSize)
		}
	}
	return height
}

// lane returns the middle and half the width of a group's place in a category's slot, along the category axis.
func (f *catFrame) lane(category, group int) (middle, half float64) {
	length, from := f.area.w(), f.area.x0
	if f.sideways {
		length, from = f.area.h(), f.area.y0
	}
	wide := length / float64(f.n) * slotFill
	each := wide / float64(f.groups)
	at := slot(category, f.n) * length
	offset := (float64(group)+0.5)*each - wide/2
	if f.sideways {
		return from + length - at - offset, min(each*0.46, 16)
	}
	return from + at + offset, min(each*0.46, 24)
}

// spot returns the canvas point of a place along the category axis and a value.
func (f *catFrame) spot(along, v float64) pt {
	if f.sideways {
		return pt{f.area.x0 + f.x.scale.unit(v)*f.area.w(), along}
	}
	return pt{along, f.area.y0 + f.y.scale.unit(v)*f.area.h()}
}

// values is the scale of the value axis.
func (f *catFrame) values() scale {
	if f.sideways {
		return f.x.scale
	}
	return f.y.scale
}

// block is the rectangle between two values.
func (f *catFrame) block(middle, half, v0, v1 float64) []pt {
	return []pt{f.spot(middle-half, v0), f.spot(middle+half, v0), f.spot(middle+half, v1), f.spot(middle-half, v1)}
}

// swatch draws a legend's filled square.
func (f *frame) swatch(clr color.NRGBA, r rect) {
	m, s := pt{(r.x0 + r.x1) / 2, (r.y0 + r.y1) / 2}, 3.4
	f.fill(clr, rect{m.x - s, m.y - s, m.x + s, m.y + s}.corners()...)
}
