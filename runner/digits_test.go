package runner

import (
	"math"
	"testing"

	"kappa/engine/ceiling"
	"kappa/engine/spectrum"
	"kappa/runner/dataset"
)

// TestDigitsCeilings: of the ninety ordered pairs of digits 78 have a harmful task that uses pixels the primary task never sees, and
// no ceiling; in the other 12 the closed form attains it.
func TestDigitsCeilings(t *testing.T) {
	set, err := dataset.Load(nil, dataset.Source{Name: "digits"})
	if err != nil {
		t.Fatal(err)
	}
	unbounded, bounded := 0, 0
	for a := range int64(10) {
		for b := range int64(10) {
			if a == b {
				continue
			}
			source := dataset.Source{Name: "digits"}
			p, h, err := dataset.Form(set, dataset.Ref{Source: source, Class: &a}, set, dataset.Ref{Source: source, Class: &b})
			if err != nil {
				t.Fatal(err)
			}
			var factors [2]*spectrum.Factor
			for i, task := range []*dataset.Task{p, h} {
				if factors[i], err = spectrum.NewFactor(task.X); err != nil {
					t.Fatal(err)
				}
			}
			theta, res, err := ceiling.Optimum(factors[0], factors[1])
			if err != nil {
				t.Fatal(err)
			}
			var change [2]float64 // of κ: primary, harmful
			for i, f := range factors {
				before, err := f.Spectrum(nil, false)
				if err != nil {
					t.Fatal(err)
				}
				after, err := f.Spectrum(theta, false)
				if err != nil {
					t.Fatal(err)
				}
				if k := after.RankCondition().Kappa; i == 0 && !(k < 1+1e-9) {
					t.Errorf("digits %d, %d: κ(H_P) %g at the optimum", a, b, k)
				}
				change[i] = after.RankCondition().Kappa / before.RankCondition().Kappa
			}
			rir := change[1] / change[0]
			if bound := ceiling.Bound(res, spectrum.ThetaCondition(theta)); !(rir <= bound*(1+1e-9)) {
				t.Errorf("digits %d, %d: RIR %g exceeds its bound %g", a, b, rir, bound)
			}
			if res.Unbounded != (res.Freedom > 0) {
				t.Errorf("digits %d, %d: unbounded %t with freedom %d", a, b, res.Unbounded, res.Freedom)
			}
			if res.Unbounded {
				unbounded++
				continue
			}
			bounded++
			if e := rir/res.Ceiling - 1; !(e > -1e-9) {
				t.Errorf("digits %d, %d: RIR %g at the optimum, ceiling %g", a, b, rir, res.Ceiling)
			}
			if reached := ceiling.Reached(math.Log(rir), res.LogCeiling); !(reached >= 1-1e-9) {
				t.Errorf("digits %d, %d: reached %.12g of the ceiling, in logarithms", a, b, reached)
			}
		}
	}
	if unbounded != 78 || bounded != 12 {
		t.Errorf("%d pairs without a ceiling and %d with one, want 78 and 12", unbounded, bounded)
	}
}
