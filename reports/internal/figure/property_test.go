package figure

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// anyValue draws a number of any kind and size.
func anyValue(rng *rand.Rand) float64 {
	switch rng.IntN(12) {
	case 0:
		return 0
	case 1:
		return math.Inf(1 - 2*rng.IntN(2))
	case 2:
		return math.NaN()
	case 3:
		return math.Pow(10, 600*rng.Float64()-300)
	case 4:
		return -math.Pow(10, 20*rng.Float64()-10)
	}
	return math.Pow(10, 15*rng.Float64()-3)
}

// source draws numbers of one character for a whole figure.
func source(rng *rand.Rand) func() float64 {
	offset, scale := math.Pow(10, 10*rng.Float64()-5), math.Pow(10, 10*rng.Float64()-5)
	switch rng.IntN(5) {
	case 0:
		return func() float64 { return offset }
	case 1:
		return func() float64 { return offset + 1e-9*offset*rng.NormFloat64() }
	case 2:
		return func() float64 { return float64(rng.IntN(20)) }
	case 3:
		return func() float64 { return scale * rng.NormFloat64() }
	}
	return func() float64 { return anyValue(rng) }
}

func anyName(rng *rand.Rand) string {
	words := []string{"κ", "R_ill", "log₁₀", "released", "gd-standardized", "a<b>&\"c\"", "10⁻³", "H_{H}", "x^{2", "_{", "preconditioner", "1", "", "\x00\xff", "3→8"}
	var b strings.Builder
	for range rng.IntN(6) {
		b.WriteString(words[rng.IntN(len(words))])
		if rng.IntN(3) > 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// TestAnyFigure draws figures of anything: no two texts overlap, none leaves the canvas, and the SVG is sound.
func TestAnyFigure(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for i := range 80 {
		names := make([]string, 1+rng.IntN(14))
		for j := range names {
			names[j] = anyName(rng)
		}
		name := func() string { return names[rng.IntN(len(names))] }
		groups := 1 + rng.IntN(9)
		group := func() string { return names[rng.IntN(min(groups, len(names)))] }
		o := Options{
			Title: anyName(rng), Desc: anyName(rng), XLabel: anyName(rng), YLabel: anyName(rng), ZLabel: anyName(rng),
			XLog: rng.IntN(2) == 0, YLog: rng.IntN(2) == 0, ZLog: rng.IntN(3) == 0, Diverging: rng.IntN(2) == 0,
			Bins: rng.IntN(20), Band: []Band{NoBand, CI95, SD, Range}[rng.IntN(4)],
		}
		if rng.IntN(3) == 0 {
			o.Width, o.Height = 6+20*rng.Float64(), 5+20*rng.Float64()
		}
		x, y := source(rng), source(rng)
		if rng.IntN(3) == 0 {
			o.Reference = []float64{y()}
		}
		if curves := rand.New(rand.NewPCG(15, uint64(i))); curves.IntN(2) == 0 { // of its own, so that the other draws stay what they were
			far := source(curves)
			for range curves.IntN(12) {
				p := Point{X: x(), Y: y(), Group: names[curves.IntN(min(3, len(names)))]}
				if curves.IntN(4) == 0 {
					p.X, p.Y = far(), far()
				}
				o.Curves = append(o.Curves, p)
			}
		}
		var points []Point
		var values []Value
		var cells []Cell
		for range rng.IntN(60) {
			v := y()
			low, high := nan, nan
			if rng.IntN(2) == 0 {
				low, high = v-math.Abs(y()), v+math.Abs(y())
			}
			points = append(points, Point{X: x(), Y: v, Low: low, High: high, Group: group(), Label: name()})
			values = append(values, Value{Category: name(), Group: group(), V: v, Low: low, High: high})
			cells = append(cells, Cell{X: name(), Y: name(), Z: v})
		}
		for kind, draw := range map[string]func() *Figure{
			"line":      func() *Figure { return Line(o, points) },
			"scatter":   func() *Figure { return Scatter(o, points) },
			"bar":       func() *Figure { return Bar(o, values) },
			"box":       func() *Figure { return Box(o, values) },
			"histogram": func() *Figure { return Histogram(o, values) },
			"heatmap":   func() *Figure { return Heatmap(o, cells) },
		} {
			t.Run(fmt.Sprintf("%s-%d", kind, i), func(t *testing.T) { checkFigure(t, draw()) })
		}
	}
}

func TestNudge(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	for range 500 {
		var spans []*span
		total := 0.0
		for range 1 + rng.IntN(8) {
			s := &span{want: 100 * rng.Float64(), h: 2 + 8*rng.Float64()}
			spans = append(spans, s)
			total += s.h + 1
		}
		if ok := nudge(spans, 0, 100, 1); ok != (total-1 <= 100) {
			t.Fatalf("nudge = %v for labels of %.1f in 100", ok, total-1)
		} else if !ok {
			continue
		}
		for i, a := range spans {
			if a.at-a.h/2 < -1e-9 || a.at+a.h/2 > 100+1e-9 {
				t.Errorf("label at %.2f of height %.2f leaves [0, 100]", a.at, a.h)
			}
			for _, b := range spans[:i] {
				if math.Abs(a.at-b.at) < (a.h+b.h)/2+1-1e-9 {
					t.Errorf("labels at %.2f and %.2f are too near", a.at, b.at)
				}
			}
		}
	}
	free := []*span{{want: 20, h: 8}, {want: 50, h: 8}}
	nudge(free, 0, 100, 1)
	if free[0].at != 20 || free[1].at != 50 {
		t.Errorf("labels with room were moved to %.1f and %.1f", free[0].at, free[1].at)
	}
	pair := []*span{{want: 50, h: 8}, {want: 50, h: 8}}
	nudge(pair, 0, 100, 2)
	if pair[0].at != 45 || pair[1].at != 55 {
		t.Errorf("two labels for 50 stand at %.1f and %.1f, want 45 and 55", pair[0].at, pair[1].at)
	}
}

func labelsOf(ticks []tick) string {
	var s []string
	for _, t := range ticks {
		if t.label != "" {
			s = append(s, t.label)
		}
	}
	return strings.Join(s, " ")
}

func TestTicks(t *testing.T) {
	for _, tc := range []struct {
		log    bool
		lo, hi float64
		n      int
		want   string
	}{
		{false, 0, 100, 6, "0 20 40 60 80 100"},
		{false, -0.3, 0.31, 5, "−0.2 0.0 0.2"},
		{false, 0.999, 1.001, 5, "0.9990 0.9995 1.0000 1.0005 1.0010"},
		{false, 0, 3e9, 4, "0 10⁹ 2×10⁹ 3×10⁹"},
		{false, 0, 1e-7, 3, "0 0.5×10⁻⁷ 1.0×10⁻⁷"},
		{true, 1, 1e12, 13, "10⁰ 10¹ 10² 10³ 10⁴ 10⁵ 10⁶ 10⁷ 10⁸ 10⁹ 10¹⁰ 10¹¹ 10¹²"},
		{true, 1e-3, 1e12, 6, "10⁻³ 10⁰ 10³ 10⁶ 10⁹ 10¹²"},
		{true, 2, 4, 6, "2.0 2.5 3.0 3.5 4.0"},
		{true, 1, 90, 6, "1 2 5 10 20 50"},
		{true, 1, 90, 4, "1 3 10 30"},
		{true, 0.002, 0.15, 6, "0.002 0.005 0.01 0.02 0.05 0.1"},
		{true, 1.5e7, 6e8, 6, "2×10⁷ 5×10⁷ 10⁸ 2×10⁸ 5×10⁸"},
		{true, 1e-300, 1e300, 7, "10⁻³⁰⁰ 10⁻²⁰⁰ 10⁻¹⁰⁰ 10⁰ 10¹⁰⁰ 10²⁰⁰ 10³⁰⁰"},
	} {
		ticks := linearTicks
		if tc.log {
			ticks = logTicks
		}
		if got := labelsOf(ticks(tc.lo, tc.hi, tc.n)); got != tc.want {
			t.Errorf("log %v, %g to %g, at most %d: %s; want %s", tc.log, tc.lo, tc.hi, tc.n, got, tc.want)
		}
	}
}

// TestSpread checks bands against values by hand: of 1, 2, 3 the sd is 1 and the t interval 2 ± 4.30265/√3.
func TestSpread(t *testing.T) {
	v := []float64{3, 1, 2}
	logs := []float64{1e-3, 1, 1e3}
	half := 4.302652729911275 / math.Sqrt(3)
	l := math.Log(1e3)
	for _, tc := range []struct {
		values []float64
		band   Band
		log    bool
		want   spread
	}{
		{v, SD, false, spread{2, 1, 3}},
		{v, CI95, false, spread{2, 2 - half, 2 + half}},
		{v, Range, false, spread{2, 1, 3}},
		{v, NoBand, false, spread{2, nan, nan}},
		{v[:1], CI95, false, spread{3, nan, nan}},
		{logs, SD, true, spread{1, 1e-3, 1e3}},
		{logs, Range, true, spread{1, 1e-3, 1e3}},
		{logs, CI95, true, spread{1, math.Exp(-half * l), math.Exp(half * l)}},
	} {
		got := spreadOf(tc.values, tc.band, tc.log)
		for i, x := range [][2]float64{{got.mid, tc.want.mid}, {got.low, tc.want.low}, {got.high, tc.want.high}} {
			if math.IsNaN(x[0]) != math.IsNaN(x[1]) || math.Abs(x[0]-x[1]) > 1e-9*math.Abs(x[1]) {
				t.Errorf("spread of %v, %q, log %v: %d: %g, want %g", tc.values, tc.band, tc.log, i, x[0], x[1])
			}
		}
	}
}

func TestBinEdges(t *testing.T) {
	// 0 … 99: IQR 49.5, width 2·49.5/∛100 = 21.33, so 99/21.33 → 5 bins.
	var v []float64
	for i := range 100 {
		v = append(v, float64(i))
	}
	for _, tc := range []struct {
		values []float64
		n      int
		log    bool
		want   string
	}{
		{v, 0, false, "[0 19.8 39.6 59.4 79.2 99]"},
		{v, 2, false, "[0 49.5 99]"},
		{[]float64{1, 100}, 2, true, "[1 10 100]"},
		{[]float64{0, 0, 0}, 0, false, "[-0.5 0.5]"},
	} {
		edges := binEdges(tc.values, tc.n, tc.log)
		for i := range edges {
			edges[i] = math.Round(1e9*edges[i]) / 1e9
		}
		if got := fmt.Sprint(edges); got != tc.want {
			t.Errorf("binEdges(n = %d, log %v) = %s, want %s", tc.n, tc.log, got, tc.want)
		}
	}
}

func TestCategories(t *testing.T) {
	for _, tc := range []struct{ names, want string }{
		{"1 2 10 0", "0 1 2 10"},
		{"b a b", "b a"},
		{"1 2 x 0", "1 2 x 0"},
		{"1e-3 -2 0.5", "-2 1e-3 0.5"},
	} {
		if got := strings.Join(categories(strings.Fields(tc.names)), " "); got != tc.want {
			t.Errorf("categories(%s) = %s, want %s", tc.names, got, tc.want)
		}
	}
}

func TestContrast(t *testing.T) {
	for i, c := range palette {
		if ratio := 1.05 / (luminance(textColor(c)) + 0.05); ratio < 4.5 {
			t.Errorf("text in colour %d has contrast %.2f, want 4.5", i, ratio)
		}
	}
	last := -1.0
	for i := range 101 {
		if l := luminance(colorAt(sequential, float64(i)/100)); l < last {
			t.Errorf("the sequential map darkens at %d %%", i)
		} else {
			last = l
		}
	}
}
