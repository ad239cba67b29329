package figure

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// tick is one mark on an axis; a minor one has no label.
type tick struct {
	v     float64
	label string
}

// linearTicks returns ticks at multiples of 1, 2 or 5 times a power of ten, at most n of them (n ≥ 2).
func linearTicks(lo, hi float64, n int) []tick {
	step := niceStep((hi/2 - lo/2) / float64(n) * 2)
	for count(lo, hi, step) > n {
		step = niceStep(step * 1.5)
	}
	var ticks []tick
	first := math.Ceil(lo/step - 1e-9)
	for i := range count(lo, hi, step) {
		v := (first + float64(i)) * step
		if math.Abs(v) < step*1e-9 {
			v = 0
		}
		ticks = append(ticks, tick{v: v})
	}
	labelLinear(ticks, step)
	return ticks
}

// count is the number of multiples of step in [lo, hi].
func count(lo, hi, step float64) int {
	return int(math.Floor(hi/step+1e-9)-math.Ceil(lo/step-1e-9)) + 1
}

// niceStep returns the least of 1, 2, 5 times a power of ten that is not below x.
func niceStep(x float64) float64 {
	if !(x > 0) {
		return 1
	}
	base := math.Pow(10, math.Floor(math.Log10(x)))
	for _, f := range []float64{1, 2, 5} {
		if f*base >= x*(1-1e-12) {
			return f * base
		}
	}
	return 10 * base
}

// labelLinear writes all labels of an axis alike: plainly with as many decimals as the step has, or with a power of ten where
// numbers would be long.
func labelLinear(ticks []tick, step float64) {
	largest := 0.0
	for _, t := range ticks {
		largest = max(largest, math.Abs(t.v))
	}
	plain := largest == 0 || (largest < 1e6 && step >= 1e-4)
	for i := range ticks {
		if plain {
			ticks[i].label = minus(strconv.FormatFloat(ticks[i].v, 'f', decimals(step), 64))
		} else {
			e := int(math.Floor(math.Log10(largest) + 1e-9))
			ticks[i].label = scientific(ticks[i].v, e, decimals(step/math.Pow(10, float64(e))))
		}
	}
}

// decimals is how many decimals a multiple of step (1, 2 or 5 times a power of ten) needs.
func decimals(step float64) int {
	return int(clamp(math.Ceil(-math.Log10(step)-1e-9), 0, 15))
}

// scientific writes v as m×10ᵉ with the given decimals of m.
func scientific(v float64, e, decimals int) string {
	if v == 0 {
		return "0"
	}
	m := strconv.FormatFloat(v/math.Pow(10, float64(e)), 'f', decimals, 64)
	if decimals == 0 && m == "1" {
		return "10" + superscript(e)
	}
	return minus(m) + "×10" + superscript(e)
}

// exponentOf is the power of ten of v when its mantissa is rounded to the given decimals: 9.96 has 1 with one decimal.
func exponentOf(v float64, decimals int) int {
	_, e, _ := strings.Cut(strconv.FormatFloat(v, 'e', decimals, 64), "e")
	n, _ := strconv.Atoi(e)
	return n
}

// minus writes a typographic minus sign; −0.00 is 0.00.
func minus(s string) string {
	rest, negative := strings.CutPrefix(s, "-")
	if !negative || strings.Trim(rest, "0.") == "" {
		return rest
	}
	return "−" + rest
}

// logTicks returns the ticks of a log axis: decades as powers of ten, every second, fifth, … one where there are many; 1-2-5 steps
// where there are fewer than three decades; linear ticks where even those would be fewer than two. At most n have labels.
func logTicks(lo, hi float64, n int) []tick {
	a, b := math.Log10(lo), math.Log10(hi)
	first, last := int(math.Ceil(a-1e-9)), int(math.Floor(b+1e-9))
	if last-first+1 >= 3 {
		return decadeTicks(a, b, first, last, n)
	}
	for _, steps := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		ticks := stepTicks(a, b, steps)
		if len(ticks) <= n && len(ticks) >= 2 {
			return withMinor(ticks, a, b)
		}
	}
	if b-a > 0.8 {
		return withMinor(stepTicks(a, b, []float64{1, 2, 5})[:1], a, b)
	}
	return linearTicks(lo, hi, n)
}

func decadeTicks(a, b float64, first, last, n int) []tick {
	every := 1
	for _, every = range []int{1, 2, 3, 5, 10, 20, 50, 100, 200, 500} {
		if (last-first)/every+1 <= n {
			break
		}
	}
	var ticks []tick
	for e := first; e <= last; e++ {
		t := tick{v: math.Pow(10, float64(e))}
		if e%every == 0 {
			t.label = "10" + superscript(e)
		}
		if e%every == 0 || every <= 5 {
			ticks = append(ticks, t)
		}
	}
	if every == 1 && last-first <= 8 {
		return withMinor(ticks, a, b)
	}
	return ticks
}

// stepTicks returns steps·10ᵉ in [10ᵃ, 10ᵇ], labelled plainly where that is short.
func stepTicks(a, b float64, steps []float64) []tick {
	plain := a > -4 && b < 5
	var ticks []tick
	for e := int(math.Floor(a)); e <= int(math.Floor(b+1e-9)); e++ {
		for _, m := range steps {
			v := m * math.Pow(10, float64(e))
			if l := math.Log10(v); l < a-1e-9 || l > b+1e-9 {
				continue
			}
			t := tick{v: v}
			if plain {
				t.label = strconv.FormatFloat(v, 'f', max(0, -e), 64)
			} else {
				t.label = scientific(v, e, 0)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// withMinor adds unlabelled ticks at 2, 3, …, 9 times each power of ten.
func withMinor(ticks []tick, a, b float64) []tick {
	have := map[int]bool{}
	key := func(v float64) int { return int(math.Round(1000 * math.Log10(v))) }
	for _, t := range ticks {
		have[key(t.v)] = true
	}
	for _, t := range stepTicks(a, b, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		if !have[key(t.v)] {
			ticks = append(ticks, tick{v: t.v})
		}
	}
	return ticks
}

// ticksFor returns ticks for an axis of the given length in points on which labels side by side (or, across, above each other) keep
// their distance: two at least, where steps can be found that hit the axis twice.
func ticksFor(s scale, length float64, vertical bool) []tick {
	const apart = 7.0
	n := int(length / 42)
	if vertical {
		n = int(length / 26)
	}
	var ticks []tick
	for n = max(2, min(n, 12)); ; n-- {
		ticks = s.ticks(n)
		if n <= 1 || roomy(ticks, s, length, vertical, apart) {
			break
		}
	}
	for n = max(n, 2) + 1; labelled(ticks) < 2 && n <= 6; n++ {
		more := s.ticks(n)
		if !roomy(more, s, length, vertical, apart) {
			endsOnly(more)
		}
		if roomy(more, s, length, vertical, apart) {
			ticks = more
		}
	}
	return ticks
}

// ticks returns ticks of which about n have labels; on an axis of counts, none between whole numbers.
func (s scale) ticks(n int) []tick {
	var ticks []tick
	switch {
	case s.log:
		ticks = logTicks(s.min, s.max, n)
	case s.whole:
		return wholeTicks(s.min, s.max, n)
	default:
		ticks = linearTicks(s.min, s.max, n)
	}
	if s.whole {
		ticks = slices.DeleteFunc(ticks, func(t tick) bool { return t.v < 1-1e-9 || math.Abs(t.v-math.Round(t.v)) > 1e-9*t.v })
	}
	return ticks
}

// wholeTicks is linearTicks with whole steps.
func wholeTicks(lo, hi float64, n int) []tick {
	if hi-lo >= float64(n) {
		return linearTicks(lo, hi, n)
	}
	var ticks []tick
	for v := math.Ceil(lo - 1e-9); v <= hi; v++ {
		ticks = append(ticks, tick{v: v})
	}
	labelLinear(ticks, 1)
	return ticks
}

// endsOnly takes all labels away but the first and the last.
func endsOnly(ticks []tick) {
	var with []int
	for i, t := range ticks {
		if t.label != "" {
			with = append(with, i)
		}
	}
	for k, i := range with {
		if k > 0 && k < len(with)-1 {
			ticks[i].label = ""
		}
	}
}

func labelled(ticks []tick) int {
	n := 0
	for _, t := range ticks {
		if t.label != "" {
			n++
		}
	}
	return n
}

// roomy says whether no two labels come nearer than apart.
func roomy(ticks []tick, s scale, length float64, vertical bool, apart float64) bool {
	last := math.Inf(-1)
	for _, t := range ticks {
		if t.label == "" {
			continue
		}
		half := textWidth(t.label, textSize) / 2
		if vertical {
			half = textSize * (ascent + descent) / 2
		}
		at := s.unit(t.v) * length
		if at-half < last {
			return false
		}
		last = at + half + apart
		if vertical {
			last = at + half + apart/2
		}
	}
	return true
}
