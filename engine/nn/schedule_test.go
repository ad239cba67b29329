package nn

import (
	"math"
	"testing"
)

func TestCosine(t *testing.T) {
	const peak = 0.3
	for _, test := range []struct {
		name             string
		t, warmup, steps int
		want             float64
	}{
		{"step 0 without warm-up is the peak", 0, 0, 100, peak},
		{"step 0 of a warm-up", 0, 9, 100, peak / 10},
		{"the warm-up's last step", 8, 9, 100, peak * 9 / 10},
		{"the first step behind the warm-up", 9, 9, 100, peak},
		{"half of the rest", 55, 10, 100, peak / 2},
		{"the last step", 99, 0, 100, peak * math.Pow(math.Sin(math.Pi/200), 2)},
		{"behind the last", 100, 0, 100, 0},
		{"one step", 0, 0, 1, peak},
		{"all warm-up", 4, 10, 5, peak * 5 / 11},
		{"nothing", 0, 0, 0, 0},
	} {
		if got := Cosine(peak, test.t, test.warmup, test.steps); math.Abs(got-test.want) > 1e-16 {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	for step := range 99 {
		a, b := Cosine(peak, step, 20, 100), Cosine(peak, step+1, 20, 100)
		if up := step < 20; a <= 0 || up != (b > a) {
			t.Errorf("from step %d to the next the rate goes from %v to %v", step, a, b)
		}
	}
}
