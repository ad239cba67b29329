package figure

import (
	"math"
	"slices"
)

// Bar draws one bar a category and group, from 0 (on a log axis from the decade below the least value), upright or, where the names
// are long, lying. Rows of equal category and group are condensed to their mean with the band asked for, by default the 95 %
// interval; a single row has the error bar from its Low to its High.
func Bar(o Options, rows []Value) *Figure {
	kept, left := keepValues(o, rows)
	if len(kept) == 0 {
		return blankValues(o, left)
	}
	o.Reference = finiteOnly(o.Reference, o.YLog)
	groups := split(kept, o.Groups, func(v Value) string { return v.Group })
	names := categories(categoryNames(kept))
	band := o.Band
	if band == NoBand {
		band = CI95
	}
	bars := make([][]spread, len(groups)) // by group, category; mid is NaN where there is no bar
	values := slices.Clone(o.Reference)
	least, most := math.MaxInt, 0
	for g, s := range groups {
		bars[g] = make([]spread, len(names))
		for i, name := range names {
			var at []Value
			var v []float64
			for _, r := range s.rows {
				if r.Category == name {
					at, v = append(at, r), append(v, r.V)
				}
			}
			switch len(at) {
			case 0:
				bars[g][i] = spread{math.NaN(), math.NaN(), math.NaN()}
				continue
			case 1:
				bars[g][i] = spread{at[0].V, at[0].Low, at[0].High}
			default:
				bars[g][i] = spreadOf(v, band, o.YLog)
			}
			least, most = min(least, len(at)), max(most, len(at))
			for _, x := range []float64{bars[g][i].mid, bars[g][i].low, bars[g][i].high} {
				if fits(x, o.YLog) {
					values = append(values, x)
				}
			}
		}
	}
	f, l := newCatFrame(o, names, len(groups), newBarScale(o.YLog, values...), entriesOf(groups))
	f.grid()
	base := 0.0
	if o.YLog {
		base = f.values().min
	}
	for g, s := range groups {
		for i, b := range bars[g] {
			if math.IsNaN(b.mid) {
				continue
			}
			middle, half := f.lane(i, g)
			f.fill(s.look.color, f.block(middle, half, base, b.mid)...)
			if !math.IsNaN(b.low) && !math.IsNaN(b.high) {
				f.errorBar(inkColor, f.spot(middle, clampTo(f.values(), b.low)), f.spot(middle, clampTo(f.values(), b.high)))
			}
		}
	}
	f.reference(o.Reference, f.sideways) // above the bars, which would hide it
	f.axes()
	if f.values().min < 0 && !o.YLog {
		a, b := f.spot(f.area.x0, 0), f.spot(f.area.x1, 0)
		if f.sideways {
			a, b = f.spot(f.area.y0, 0), f.spot(f.area.y1, 0)
		}
		f.line(stroke{color: inkColor, width: axisWidth}, a, b)
	}
	if len(groups) > 1 {
		l.draw(f.frame, func(e entry, r rect) { f.swatch(e.look.color, r) })
	}
	if most > 1 {
		f.note("%s", bandNote("bars", band, o.YLog, least, most))
	}
	f.notes = append(f.notes, left.notes()...)
	return f.figure(o)
}

// keepValues separates the rows that can be drawn.
func keepValues(o Options, rows []Value) (kept []Value, left *tally) {
	left = new(tally)
	for _, v := range rows {
		if left.take(v.V, o.YLog, "value", v.Group) {
			v.Low, v.High = left.upright(v.Low, v.High)
			kept = append(kept, v)
		}
	}
	return kept, left
}

func blankValues(o Options, left *tally) *Figure {
	f := blank(o, oneAndHalfColumns, oneAndHalfColumns*aspect, noData(left.total))
	f.Notes = left.notes()
	return f
}

func categoryNames(rows []Value) []string {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Category
	}
	return names
}
