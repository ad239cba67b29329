package figure

import (
	"math"
	"slices"
)

// scale maps values of an axis to [0, 1].
type scale struct {
	log      bool
	min, max float64
	whole    bool // of counts: ticks at whole numbers only
}

// unit returns where v lies between the axis's ends.
func (s scale) unit(v float64) float64 {
	if s.log {
		return (math.Log(v) - math.Log(s.min)) / (math.Log(s.max) - math.Log(s.min))
	}
	// Halved, so that the span of numbers near ±MaxFloat64 does not overflow.
	return (v/2 - s.min/2) / (s.max/2 - s.min/2)
}

// fits says whether a value can stand on an axis.
func fits(v float64, log bool) bool {
	return !math.IsNaN(v) && math.Abs(v) <= maxValue && (!log || v > 0)
}

// maxValue bounds what is drawn: beyond it padding and ticks overflow.
const maxValue = 1e300

// newScale returns the axis for values that all fit: their range with padding, from 0 where a linear axis would begin near it.
// Without values it is [0, 1], or [1, 10]; a single value stands in the middle.
func newScale(log bool, values ...float64) scale {
	if len(values) == 0 {
		if log {
			return scale{log: true, min: 1, max: 10}
		}
		return scale{min: 0, max: 1}
	}
	lo, hi := slices.Min(values), slices.Max(values)
	if log {
		a, b := math.Log10(lo), math.Log10(hi)
		d := pad * (b - a)
		if b-a < 1e-9 {
			d = 0.5
		}
		return scale{log: true, min: math.Pow(10, max(a-d, -307)), max: math.Pow(10, min(b+d, 307))}
	}
	if hi-lo <= 1e-12*max(math.Abs(lo), math.Abs(hi)) {
		d := math.Abs(lo) / 10
		if d == 0 {
			d = 1
		}
		return scale{min: lo - d, max: hi + d}
	}
	d := pad * (hi - lo)
	s := scale{min: lo - d, max: hi + d}
	if lo >= 0 && lo < 0.25*hi {
		s.min = 0
		if lo == 0 { // a value on the axis itself would be half hidden
			s.min = -d / 2
		}
	}
	return s
}

// newBarScale is newScale for bars and histograms, which start at 0 (on a log axis at the decade below the least value).
func newBarScale(log bool, values ...float64) scale {
	if log {
		s := newScale(true, values...)
		s.min = math.Pow(10, math.Floor(math.Log10(s.min)))
		return s
	}
	s := newScale(false, append([]float64{0}, values...)...)
	lo, hi := slices.Min(append([]float64{0}, values...)), slices.Max(append([]float64{0}, values...))
	if lo == 0 {
		s.min = 0
	}
	if hi == 0 && lo < 0 {
		s.max = 0
	}
	return s
}
