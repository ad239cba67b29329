package figure

// entry is one line of a legend.
type entry struct {
	name  string
	look  look
	curve bool // a reference curve: it has no marker
}

// legend is a laid-out list of series without a frame: a row above the area where all fit in one, else a column beside it.
type legend struct {
	entries []entry
	labels  []label
	row     bool
	w, h    float64 // room it takes from the right (column) or from the top (row)
	long    float64 // length of the row
	dropped int     // entries without room
}

const (
	sampleWidth = 16.0 // of a line sample or swatch
	entryGap    = 10.0 // between entries of a row
)

// newLegend lays out a legend for a canvas.
func newLegend(entries []entry, w, h float64) legend {
	l := legend{entries: entries}
	total := 0.0
	for _, e := range entries {
		total += sampleWidth + gap + textWidth(e.name, textSize) + entryGap
	}
	if total-entryGap <= 0.84*w {
		l.row, l.long = true, total-entryGap
		for _, e := range entries {
			l.labels = append(l.labels, layout(e.name, textSize, 0, 1))
		}
		l.h = textSize*(ascent+descent) + 2*gap
		return l
	}
	const between = 3.5
	height := 0.0
	for i, e := range entries {
		t := layout(e.name, textSize, 0.34*w, 2)
		if height+t.h > h-4*margin-textSize && i < len(entries)-1 {
			l.dropped = len(entries) - i
			l.entries = entries[:i]
			break
		}
		l.labels = append(l.labels, t)
		height += t.h + between
		l.w = max(l.w, labelGap+sampleWidth+gap+t.w)
	}
	if l.dropped > 0 {
		more := layout("and "+itoa(l.dropped)+" more", textSize, 0, 1)
		l.w = max(l.w, labelGap+more.w)
	}
	return l
}

// room returns what the legend needs to the right of the area and above it.
func (l legend) room() (right, top float64) {
	if l.row {
		return 0, l.h
	}
	return l.w, 0
}

// draw draws the legend with a sample drawn by sample, in the given box.
func (l legend) draw(f *frame, sample func(e entry, r rect)) {
	const between = 3.5
	if l.row {
		x, y := min(f.area.x0, f.w-margin-l.long), f.h-margin-textSize*(ascent+descent)/2
		for i, e := range l.entries {
			sample(e, rect{x, y - textSize*ascent/2, x + sampleWidth, y + textSize*ascent/2})
			f.text(l.labels[i], pt{x + sampleWidth + gap, y}, align{0, 0.5}, inkColor)
			x += sampleWidth + gap + l.labels[i].w + entryGap
		}
		return
	}
	x, y := f.area.x1+labelGap, f.area.y1
	for i, e := range l.entries {
		t := l.labels[i]
		middle := y - textSize*(ascent+descent)/2
		sample(e, rect{x, middle - textSize*ascent/2, x + sampleWidth, middle + textSize*ascent/2})
		f.text(t, pt{x + sampleWidth + gap, y}, align{0, 1}, inkColor)
		y -= t.h + between
	}
	if l.dropped > 0 {
		f.text(layout("and "+itoa(l.dropped)+" more", textSize, 0, 1), pt{x, y}, align{0, 1}, noteColor)
		f.note("The legend has no room for %d of the series.", l.dropped)
	}
}
