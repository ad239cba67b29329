package deep

import (
	"math"
	"testing"
)

func TestDeviate(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name            string
		base, immunized []float64
		want            Deviation
	}{
		{"by hand", []float64{0.5, 0.8}, []float64{0.25, 0.9}, Deviation{100 * (0.5 + 0.125) / 2, 100 * (0.5 - 0.125) / 2, 2, 0}},
		{"the same", []float64{0.5, 0.8}, []float64{0.5, 0.8}, Deviation{0, 0, 2, 0}},
		{"an epoch of zero", []float64{0, 0.4, 0.5}, []float64{0.3, 0.2, 0.5}, Deviation{25, 25, 2, 1}},
		{"an unknown epoch", []float64{0.4, nan, 0.4}, []float64{nan, 0.2, 0.6}, Deviation{50, -50, 1, 2}},
		{"the longer one's rest", []float64{0.4, 0.4}, []float64{0.2}, Deviation{50, 50, 1, 0}},
		{"to nothing", []float64{0.4}, []float64{0}, Deviation{100, 100, 1, 0}},
		{"no epochs", nil, nil, Deviation{nan, nan, 0, 0}},
		{"zero alone", []float64{0}, []float64{0}, Deviation{nan, nan, 0, 1}},
	} {
		got := Deviate(c.base, c.immunized)
		near := func(a, b float64) bool { return math.Abs(a-b) < 1e-12 || math.IsNaN(a) && math.IsNaN(b) }
		if !near(got.RFD, c.want.RFD) || !near(got.Signed, c.want.Signed) || got.Epochs != c.want.Epochs || got.LeftOut != c.want.LeftOut {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
