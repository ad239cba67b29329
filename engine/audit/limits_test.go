package audit

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/ceiling"
	"kappa/engine/internal/numtest"
)

// TestLimits: what was reached of the ceiling and of the bound at κ(θ), by their definitions from the figures beside them.
func TestLimits(t *testing.T) {
	rng := numtest.Rand(5)
	full := factor(t, numtest.WithSingularValues(rng, 9, 5, []float64{8, 4, 2, 1, 0.5}))
	other := factor(t, numtest.Gaussian(rng, 9, 5))
	blind := factor(t, numtest.WithSingularValues(rng, 9, 5, []float64{8, 4, 2, 0, 0}))
	for name, in := range map[string]Input{
		"bounded":   {Primary: full, Harmful: other, Theta: numtest.Gaussian(rng, 5, 5)},
		"unbounded": {Primary: blind, Harmful: other, Theta: numtest.Gaussian(rng, 5, 5)},
	} {
		r := mustMeasure(t, in)
		kappaP := r.Base.Primary.Rank.Kappa
		bound := min(math.Pow(r.KappaTheta, 4), math.Pow(r.KappaTheta, 2)*kappaP, r.Ceiling)
		if numtest.RelError(r.Bound, bound) > 1e-12 || numtest.RelError(r.ReachedBound, math.Log(r.RIR.Rank)/math.Log(bound)) > 1e-9 {
			t.Errorf("%s: bound %g reached to %g, want %g", name, r.Bound, r.ReachedBound, bound)
		}
		want := math.Log(r.RIR.Rank) / math.Log(r.Ceiling)
		if r.Unbounded {
			want = math.NaN()
		}
		if numtest.RelError(r.Reached, want) > 1e-9 {
			t.Errorf("%s: reached %g, want %g", name, r.Reached, want)
		}
	}

	theta, _, err := ceiling.Optimum(full, other)
	if err != nil {
		t.Fatal(err)
	}
	if r := mustMeasure(t, Input{Primary: full, Harmful: other, Theta: theta}); math.Abs(r.Reached-1) > 1e-9 {
		t.Errorf("the optimum reached %.12g of the ceiling", r.Reached)
	}
	still := mustMeasure(t, Input{Primary: full, Harmful: other, Theta: identity(5)})
	if math.Abs(still.Reached) > 1e-14 || still.Bound != 1 || !math.IsNaN(still.ReachedBound) {
		t.Errorf("θ = I: bound %g, reached %g of the ceiling and %g of the bound; want 1, 0 and NaN", still.Bound, still.Reached, still.ReachedBound)
	}
	// Two models: no extractor, no limits.
	if r := mustMeasure(t, Input{Primary: full, Harmful: other, BasePrimary: other, BaseHarmful: full}); !math.IsNaN(r.Bound) ||
		!math.IsNaN(r.Reached) || !math.IsNaN(r.ReachedBound) {
		t.Errorf("two models: bound %g, reached %g and %g", r.Bound, r.Reached, r.ReachedBound)
	}
}

// TestNarrowTheta: an extractor that loses directions may exceed every limit of those that do not, and none is measured against.
func TestNarrowTheta(t *testing.T) {
	// The second feature is seen by the harmful task through 0.1 alone.
	theta := mat.NewDense(3, 2, []float64{1, 0, 0, 0.1, 0, 1})
	r := mustMeasure(t, Input{Primary: factor(t, identity(3)), Harmful: factor(t, numtest.Diagonal(1, 1, 0)), Theta: theta})
	if want := 100 * 1.01; math.Abs(r.Ceiling-1) > 1e-12 || r.RIR.Rank < 50 || r.RIR.Rank > want {
		t.Errorf("ceiling %g, RIR %g: no example", r.Ceiling, r.RIR.Rank)
	}
	if !math.IsNaN(r.Bound) || !math.IsNaN(r.Reached) || !math.IsNaN(r.ReachedBound) {
		t.Errorf("bound %g, reached %g and %g, want NaN", r.Bound, r.Reached, r.ReachedBound)
	}
}

// TestDefinitionRidge: where the data are rank-deficient the two protocols may judge differently.
func TestDefinitionRidge(t *testing.T) {
	// The last value is rounding to the protocol `rank`, and under `ridge` κ is σ_max/10⁻⁶, so that scaling a direction up is all that it sees.
	p, h := factor(t, numtest.Diagonal(2, 1, 2e-8)), factor(t, numtest.Diagonal(1, 1, 1e-8))
	for _, tt := range []struct {
		theta              [3]float64
		defA, defB, aR, bR bool
	}{
		{[3]float64{1, 1, 1}, false, true, false, true},
		{[3]float64{10, 10, 1}, false, true, true, false},  // the same κ, a hundredfold norm
		{[3]float64{1, 0.25, 1}, true, false, false, true}, // a larger κ, the same norm
		{[3]float64{1, 5, 1}, true, false, true, false},
		{[3]float64{1, 3.5, 1}, true, true, true, false}, // 12.25 against 4, and 1
	} {
		r := mustMeasure(t, Input{Primary: p, Harmful: h, Theta: numtest.Diagonal(tt.theta[:]...)})
		if r.DefA != tt.defA || r.DefB != tt.defB || r.DefARidge != tt.aR || r.DefBRidge != tt.bR {
			t.Errorf("θ = diag%v: (a) %v, (b) %v; ridge (a) %v, (b) %v; ratios %+v, %+v", tt.theta, r.DefA, r.DefB, r.DefARidge, r.DefBRidge,
				r.RatioHarmful, r.RatioPrimary)
		}
	}
}
