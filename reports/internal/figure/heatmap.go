package figure

import (
	"image/color"
	"math"
	"slices"
	"strconv"
)

// Heatmap draws a field a pair of categories, the first category at the upper left, with its value written in it where that fits, and a
// colour bar. Numbers as names are ordered by value. Fields without a value are
// pale and struck through.
func Heatmap(o Options, cells []Cell) *Figure {
	var left tally
	var kept []Cell
	var xNames, yNames []string
	for _, f := range cells {
		// The names of fields without a value stay on the axes.
		xNames, yNames = append(xNames, f.X), append(yNames, f.Y)
		if !math.IsNaN(f.Z) && left.take(f.Z, o.ZLog, "colour", "") {
			kept = append(kept, f)
		}
	}
	if len(kept) == 0 {
		f := blank(o, oneAndHalfColumns, oneAndHalfColumns*0.8, noData(left.total))
		f.Notes = left.notes()
		return f
	}
	xs, ys := categories(xNames), categories(yNames)
	if sameSet(xs, ys) {
		ys = xs // so that the diagonal is one
	}
	z, repeated := fields(kept, xs, ys, o.ZLog)
	g := newHeatGrid(o, xs, ys, z)
	g.draw(z)
	if repeated > 1 {
		mean := "mean"
		if o.ZLog {
			mean = "geometric mean"
		}
		g.note("Fields show the %s of up to %d rows.", mean, repeated)
	}
	g.notes = append(g.notes, left.notes()...)
	return g.figure(o)
}

// fields returns the mean of each pair (row y, column x), NaN where there is none, and the largest number of rows behind one.
func fields(cells []Cell, xs, ys []string, log bool) (z [][]float64, repeated int) {
	values := map[[2]string][]float64{}
	for _, c := range cells {
		values[[2]string{c.X, c.Y}] = append(values[[2]string{c.X, c.Y}], c.Z)
	}
	z = make([][]float64, len(ys))
	for j, y := range ys {
		z[j] = make([]float64, len(xs))
		for i, x := range xs {
			v := values[[2]string{x, y}]
			repeated = max(repeated, len(v))
			z[j][i] = math.NaN()
			if len(v) > 0 {
				z[j][i] = spreadOf(v, NoBand, log).mid
			}
		}
	}
	return z, repeated
}

func sameSet(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for _, s := range a {
		if !slices.Contains(b, s) {
			return false
		}
	}
	return true
}

// heatGrid is a heatmap's frame with its colours.
type heatGrid struct {
	*frame
	scale  scale // of the colours
	colors []color.NRGBA
	bar    rect
	ticks  []tick
	title  label
}

const (
	barWidth   = 9.0
	barGap     = 9.0
	heatBorder = 0.8  // white line between fields
	fieldSide  = 25.0 // default side of a field where there are few
	maxBar     = 220  // height of the colour bar: more does not help reading it
)

func newHeatGrid(o Options, xs, ys []string, z [][]float64) *heatGrid {
	g := &heatGrid{colors: sequential, scale: colorScale(o, z)}
	if o.Diverging {
		g.colors = diverging
	}
	width := oneAndHalfColumns
	longest := 0.0
	for _, s := range ys {
		longest = max(longest, min(textWidth(s, textSize), 0.3*width*pointsPerCm))
	}
	right := g.legendRoom(o, 150)
	around := right + longest + 40
	if (width*pointsPerCm-around)/float64(len(xs)) < fieldSide {
		width = twoColumns
	}
	w, _ := o.size(width, width)
	side := (w - around) / float64(len(xs))
	if o.Width <= 0 && side > 2.4*fieldSide { // few columns: no need to stretch them
		w = max(w-(side-2.4*fieldSide)*float64(len(xs)), 7*pointsPerCm)
		side = (w - around) / float64(len(xs))
	}

	x := axis{title: o.XLabel, every: 1}
	for _, s := range xs {
		l := layout(s, textSize, max(side-3, 8), 2)
		x.names = append(x.names, l)
		x.turned = x.turned || l.cut
	}
	bottom := 45.0
	if x.turned {
		for i, s := range xs {
			x.names[i] = layout(s, textSize, 90, 1)
			bottom = max(bottom, 35+x.names[i].w)
		}
	}
	_, h := o.size(width, clamp(min(side, max(fieldSide, 0.7*side))*float64(len(ys))+bottom, 4*pointsPerCm, 22*pointsPerCm)/pointsPerCm)
	slotHeight := (h - bottom) / float64(len(ys))
	y := axis{title: o.YLabel, every: 1}
	for _, s := range ys {
		lines := 1
		if slotHeight > 2.4*textSize {
			lines = 2
		}
		y.names = append(y.names, layout(s, textSize, 0.3*w, lines))
	}
	c := newCanvas(w, h)
	for range 3 { // the bar's ticks depend on its height
		g.frame = thinned(c, x, y, right, 2)
		a := g.area
		g.bar = rect{a.x1 + barGap, max(a.y0, a.y1-maxBar), a.x1 + barGap + barWidth, a.y1}
		right = g.legendRoom(o, g.bar.h())
	}
	return g
}

// colorScale is the range of the values, or of their magnitudes on both sides of 0; one value alone stands in the middle.
func colorScale(o Options, z [][]float64) scale {
	s := scale{log: o.ZLog, min: math.Inf(1), max: math.Inf(-1)}
	for _, row := range z {
		for _, v := range row {
			if !math.IsNaN(v) {
				s.min, s.max = min(s.min, v), max(s.max, v)
			}
		}
	}
	if o.Diverging && !o.ZLog {
		s.max = max(math.Abs(s.min), math.Abs(s.max))
		s.min = -s.max
	}
	if s.max-s.min <= 1e-12*max(math.Abs(s.min), math.Abs(s.max)) {
		return newScale(s.log, s.min)
	}
	return s
}

// legendRoom lays out the colour bar for a height and returns the room it takes.
func (g *heatGrid) legendRoom(o Options, height float64) float64 {
	g.ticks = ticksFor(g.scale, height, true)
	extent := 0.0
	for _, t := range g.ticks {
		extent = max(extent, textWidth(t.label, textSize))
	}
	room := barGap + barWidth + tickLength + gap + extent
	g.title = label{}
	if o.ZLabel != "" {
		g.title = layout(o.ZLabel, titleSize, height, 2)
		room += gap + g.title.h
	}
	return room
}

// draw fills the fields, writes their values and draws axes and colour bar.
func (g *heatGrid) draw(z [][]float64) {
	a := g.area
	cw, ch := a.w()/float64(len(z[0])), a.h()/float64(len(z))
	texts, ok := fieldTexts(z, cw, ch)
	for j, row := range z {
		for i, v := range row {
			r := rect{a.x0 + cw*float64(i), a.y1 - ch*float64(j+1), a.x0 + cw*float64(i+1), a.y1 - ch*float64(j)}
			clr := emptyColor
			if math.IsNaN(v) {
				g.fill(clr, r.corners()...)
				g.line(stroke{color: leaderColor, width: gridWidth}, pt{r.x0, r.y0}, pt{r.x1, r.y1})
			} else {
				clr = colorAt(g.colors, g.scale.unit(v))
				g.fill(clr, r.corners()...)
			}
			if cw > 4 && ch > 4 {
				g.outline(stroke{color: whiteColor, width: heatBorder}, r.corners()...)
			}
			if ok && !math.IsNaN(v) {
				ink := whiteColor
				if luminance(clr) > 0.19 { // where black has the better contrast
					ink = rgb(0, 0, 0)
				}
				g.text(texts[j][i], pt{(r.x0 + r.x1) / 2, (r.y0 + r.y1) / 2}, align{0.5, 0.5}, ink)
			}
		}
	}
	g.axes()
	g.colorBar()
}

// colorBar draws the colours with their values beside the area.
func (g *heatGrid) colorBar() {
	const steps = 128
	b := g.bar
	for i := range steps {
		u, v := float64(i)/steps, float64(i+1)/steps
		if i < steps-1 {
			v += 0.5 / steps // overlap, so that no hairline shows between steps
		}
		g.fill(colorAt(g.colors, (float64(i)+0.5)/steps), rect{b.x0, b.y0 + u*b.h(), b.x1, b.y0 + v*b.h()}.corners()...)
	}
	s := stroke{color: inkColor, width: axisWidth}
	g.outline(s, b.corners()...)
	extent := 0.0
	for _, t := range g.ticks {
		y := b.y0 + g.scale.unit(t.v)*b.h()
		g.line(s, pt{b.x1, y}, pt{b.x1 + length(t), y})
		if t.label == "" {
			continue
		}
		l := layout(t.label, textSize, 0, 1)
		extent = max(extent, l.w)
		g.text(l, pt{b.x1 + tickLength + gap, y}, align{0, 0.5}, inkColor)
	}
	if len(g.title.lines) > 0 {
		g.textUp(g.title, pt{b.x1 + tickLength + 2*gap + extent + g.title.h/2, (b.y0 + b.y1) / 2}, inkColor)
	}
}

// fieldTexts lays out the values, all with the same number of decimals: as many of two, one, none as fit every field, and
// none where all are whole numbers; ok is false if none does.
func fieldTexts(z [][]float64, cw, ch float64) (texts [][]label, ok bool) {
	choices := []int{2, 1, 0}
	if allWhole(z) {
		choices = []int{0}
	}
	for _, size := range []float64{smallSize, tinySize} {
		for _, decimals := range choices {
			texts, ok = fieldTextsAt(z, cw, ch, size, decimals)
			if ok {
				return texts, true
			}
		}
	}
	return nil, false
}

// allWhole says whether every value is a whole number.
func allWhole(z [][]float64) bool {
	for _, row := range z {
		for _, v := range row {
			if !math.IsNaN(v) && v != math.Trunc(v) {
				return false
			}
		}
	}
	return true
}

func fieldTextsAt(z [][]float64, cw, ch, size float64, decimals int) (texts [][]label, ok bool) {
	largest, least := 0.0, math.Inf(1)
	for _, row := range z {
		for _, v := range row {
			if v != 0 && !math.IsNaN(v) {
				largest, least = max(largest, math.Abs(v)), min(least, math.Abs(v))
			}
		}
	}
	if decimals == 2 && largest >= 100 || decimals == 1 && largest >= 1000 {
		return nil, false
	}
	exponent := largest >= 1e4 || largest > 0 && largest < math.Pow(10, -float64(decimals)) // plain decimals would show zeros or rows of digits
	for _, row := range z {
		line := make([]label, len(row))
		for i, v := range row {
			if math.IsNaN(v) {
				continue
			}
			s := minus(strconv.FormatFloat(v, 'f', decimals, 64))
			if exponent && v != 0 {
				s = scientific(v, exponentOf(v, min(decimals, 1)), min(decimals, 1))
			}
			line[i] = layout(s, size, 0, 1)
			if line[i].w > cw-3 || line[i].h > ch-2 {
				return nil, false
			}
		}
		texts = append(texts, line)
	}
	return texts, true
}
