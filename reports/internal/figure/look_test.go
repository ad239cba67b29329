package figure

import (
	"math"
	"reflect"
	"testing"
)

// TestSplitLooks: a group's look is that of its place among the known ones, whichever groups a figure has.
func TestSplitLooks(t *testing.T) {
	known := []string{"identity", "immunize", "released"}
	all := split([]string{"released", "other", "identity", "more", "other"}, known, func(s string) string { return s })
	for i, want := range []struct {
		name  string
		place int
	}{{"released", 2}, {"other", 3}, {"identity", 0}, {"more", 4}} {
		if all[i].name != want.name || !reflect.DeepEqual(all[i].look, lookOf(want.place)) {
			t.Errorf("series %d is %s with look %v, want %s with that of place %d", i, all[i].name, all[i].look, want.name, want.place)
		}
	}
	for i := range 21 {
		for j := range i {
			if lookOf(i).color == lookOf(j).color {
				t.Errorf("places %d and %d share a colour", j, i)
			}
		}
	}
}

// TestCountTicks: no tick of a count stands between whole numbers, and every axis has one to read.
func TestCountTicks(t *testing.T) {
	for most := 1; most < 3000; most = most*5/4 + 1 {
		for _, log := range []bool{false, true} {
			s := newBarScale(false, float64(most))
			if log {
				s = newScale(true, loneCount, float64(most))
			}
			s.whole = true
			ticks := ticksFor(s, 150, true)
			if labelled(ticks) == 0 {
				t.Errorf("counts up to %d, log %v: no tick with a label", most, log)
			}
			for _, k := range ticks {
				if k.v != math.Round(k.v) {
					t.Errorf("counts up to %d, log %v: a tick at %g", most, log, k.v)
				}
			}
		}
	}
}

// TestTwoTicks: a short axis has two labels where whole multiples of a step lie in its range.
func TestTwoTicks(t *testing.T) {
	for _, s := range []scale{{min: 1.2, max: 3.7}, {min: -0.001, max: 1.6}, {min: 0.3, max: 0.99}, {log: true, min: 3, max: 80}, {log: true, min: 0.5, max: 40}} {
		for _, length := range []float64{30, 45, 60, 150} {
			if ticks := ticksFor(s, length, true); labelled(ticks) < 2 {
				t.Errorf("%g to %g, log %v, on %g pt: ticks %v", s.min, s.max, s.log, length, ticks)
			}
		}
	}
}

func TestMinus(t *testing.T) {
	for in, want := range map[string]string{"-0.00": "0.00", "-0": "0", "-0.01": "−0.01", "1.5": "1.5", "-12": "−12"} {
		if got := minus(in); got != want {
			t.Errorf("minus(%s) = %s, want %s", in, got, want)
		}
	}
}

// TestClean: characters that turn or hide what follows do not get into a figure.
func TestClean(t *testing.T) {
	if got := clean("a\x00b\u202Ec\u2066d\u200Ee\u0085f"); got != "a bcde f" {
		t.Errorf("clean: %q", got)
	}
}
