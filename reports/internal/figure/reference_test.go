package figure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestClip compares what is left of random lines with what sampling them finds: every sample inside the axes lies on a piece, and no
// piece leaves the axes or holds what the line does not.
func TestClip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for range 300 {
		x, y := scale{min: -1, max: 2}, scale{log: true, min: 0.1, max: 1000}
		line := make([]knot, 2+rng.IntN(6))
		for i := range line {
			line[i] = knot{6*rng.Float64() - 3, spread{math.Pow(10, 8*rng.Float64()-3), math.NaN(), math.NaN()}}
		}
		slices.SortFunc(line, func(a, b knot) int { return int(math.Copysign(1, a.x-b.x)) })
		pieces := clip(line, x, y)
		at := func(k knot) pt { return pt{x.unit(k.x), y.unit(k.mid)} }
		const slack = 1e-6
		for _, piece := range pieces {
			for _, k := range piece {
				if u := at(k); u.x < -slack || u.x > 1+slack || u.y < -slack || u.y > 1+slack {
					t.Fatalf("%v of %v is outside", k, line)
				}
			}
		}
		// The height of a polyline at u, if it is there.
		height := func(l []knot, u float64) (float64, bool) {
			for i := 1; i < len(l); i++ {
				a, b := at(l[i-1]), at(l[i])
				if a.x <= u && u <= b.x && a.x < b.x {
					return a.y + (u-a.x)/(b.x-a.x)*(b.y-a.y), true
				}
			}
			return 0, false
		}
		for i := range 200 {
			u := (float64(i) + 0.5) / 200
			want, ok := height(line, u)
			found, got := false, 0.0
			for _, piece := range pieces {
				if v, on := height(piece, u); on {
					found, got = true, v
				}
			}
			if ok && math.Min(want, 1-want) > slack && !found {
				t.Fatalf("of %v nothing is left at %g, where it is %g", line, u, want)
			}
			if found && (!ok || math.Abs(got-want) > slack) {
				t.Fatalf("of %v there is %g at %g, where it is %g, %t", line, got, u, want, ok)
			}
		}
	}
}

// TestReach: a curve stretches the value axis, by a bounded amount, and the x axis only where the data have but one x.
func TestReach(t *testing.T) {
	xs, ys := []float64{1, 10}, []float64{1, 100}
	through := func(points ...float64) []*curve {
		o := Options{XLog: true, YLog: true}
		for i := 0; i < len(points); i += 2 {
			o.Curves = append(o.Curves, Point{X: points[i], Y: points[i+1]})
		}
		c, _ := newCurves(o)
		return c
	}
	plainX, plainY := withCurves(nil, true, true, xs, ys)
	for _, tt := range []struct {
		name     string
		c        []*curve
		min, max float64 // of the y axis in decades; NaN: as without curves
	}{
		{"inside", through(1, 2, 10, 50), math.NaN(), math.NaN()},
		{"a little above", through(1, 1, 10, 500), 0, 2.7},
		{"far above in the end", through(1, 1, 10, 1e30), 0, 3.16},
		{"far below", through(1, 1e-9, 10, 1e-9), math.NaN(), math.NaN()},
		{"beyond the data's x", through(100, 1e4, 1000, 1e5), math.NaN(), math.NaN()},
	} {
		x, y := withCurves(tt.c, true, true, xs, ys)
		if x != plainX {
			t.Errorf("%s: the x axis is %v, want %v", tt.name, x, plainX)
		}
		if math.IsNaN(tt.max) {
			if y != plainY {
				t.Errorf("%s: the y axis is %v, want %v", tt.name, y, plainY)
			}
			continue
		}
		const padding = 0.2
		if lo, hi := math.Log10(y.min), math.Log10(y.max); math.Abs(lo-tt.min) > padding || math.Abs(hi-tt.max) > padding {
			t.Errorf("%s: the y axis spans %.2f to %.2f decades, want about %g to %g", tt.name, lo, hi, tt.min, tt.max)
		}
	}
	if x, _ := withCurves(through(1, 1, 1000, 1e6), true, true, []float64{5}, []float64{3}); x.min > 1 || x.max < 1000 {
		t.Errorf("one x: the x axis is %v, want the curve's", x)
	}
}

// TestStarts: a step 0 on a logarithmic axis is told apart from data that are missing.
func TestStarts(t *testing.T) {
	o := Options{XLabel: "step", YLabel: "loss", XLog: true}
	trace := []Point{{X: 0, Y: 3, Group: "a"}, {X: 1, Y: 2, Group: "a"}, {X: 0, Y: 3, Group: "b"}, {X: 2, Y: 1, Group: "b"}}
	for _, tt := range []struct {
		name string
		f    *Figure
		want string
	}{
		{"a start", Line(o, trace), "A logarithmic axis has no 0: 2 points at x = 0 not shown."},
		{"a series of nothing else", Line(o, trace[:3]), "Left out: 2 values at 0 on the logarithmic x axis (a: 1, b: 1)."},
		{"points", Scatter(o, trace), "Left out: 2 values at 0 on the logarithmic x axis (a: 1, b: 1)."},
	} {
		if !slices.Contains(tt.f.Notes, tt.want) {
			t.Errorf("%s: the notes are %q, want %q", tt.name, tt.f.Notes, tt.want)
		}
	}
}
