package regularizer

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/spectrum"
)

// κ after a step in closed form is κ of the Hessian after the step, inside the intervals and beyond them.
func TestKappaAfter(t *testing.T) {
	const tol = 1e-12 // κ stays below 10⁵
	rng := numtest.Rand(40)
	beyond := 0
	for range 400 {
		d := 2 + rng.IntN(7)
		rank := 2 + rng.IntN(d-1)
		values := numtest.Geometric(1, 0.1+0.5*rng.Float64(), rank)
		for i := range values {
			values[i] *= 1 + 0.1*rng.Float64()
		}
		f := factor(t, numtest.WithSingularValues(rng, d+1, d, append(values, make([]float64, d-rank)...)))
		theta := numtest.WithSingularValues(rng, d, d, numtest.Geometric(2, 1, d))
		var w spectrum.Workspace
		x, err := w.Extremes(f, theta)
		if err != nil {
			t.Fatal(err)
		}
		fraction := 1.5 * rng.Float64()
		if fraction > 1 {
			beyond++
		}
		var work Workspace
		g := mat.NewDense(d, d, nil)
		check := func(name string, got, eta float64) {
			t.Helper()
			if want := kappa(t, f, step(theta, g, eta)); want < 1e5 && numtest.RelError(got, want) > tol*math.Sqrt(want) {
				t.Errorf("%s, D = %d, k = %d, %.3g of the interval: κ = %.15g in closed form, %.15g computed", name, d, rank, fraction, got, want)
			}
		}
		for _, form := range []Form{Cancelled, PseudoInverse} {
			v := At(x)
			work.Well(g, form, f, theta, x)
			eta := fraction * v.WellInterval.Corrected
			check("R_well", WellAfter(x, eta), eta)
			if !work.Ill(g, form, f, theta, x) {
				t.Fatal("∇R_ill is said to be undefined")
			}
			eta = fraction * v.IllInterval.Corrected
			check("R_ill", IllAfter(x, eta), eta)
		}
	}
	if beyond < 50 {
		t.Errorf("only %d steps beyond an interval", beyond)
	}
}

// endsOf returns the ends of a spectrum given in full, of a matrix of order size.
func endsOf(size int, sigma ...float64) *spectrum.Extremes {
	k := len(sigma)
	x := &spectrum.Extremes{Rank: k, Size: size, Sigma1: sigma[0], SigmaK: sigma[k-1]}
	if k > 1 {
		x.Sigma2, x.SigmaBefore = sigma[1], sigma[k-2]
	}
	for _, s := range sigma {
		x.Frobenius += s * s
	}
	return x
}

// wholeSpectrum is κ after a step, from every singular value.
func wholeSpectrum(size int, sigma []float64, eta float64, ill bool) float64 {
	k := float64(len(sigma))
	x := endsOf(size, sigma...)
	c, n, at := 2*eta, float64(size), 0
	if ill {
		g := gOf(x)
		c, n, at = 2*eta/(g*g), k, len(sigma)-1
	}
	low, high := math.Inf(1), 0.0
	for i, s := range sigma {
		a := c * s / n
		if i == at {
			a = c * (s/n - s)
		}
		v := s * (1 + a) * (1 + a)
		low, high = min(low, v), max(high, v)
	}
	return high / low
}

// The smallest step that fails is where a scan over η finds it, and never inside the corrected interval.
func TestFailsAt(t *testing.T) {
	const grid = 4000
	rng := numtest.Rand(41)
	finite := [2]int{}
	for trial := range 600 {
		k := 2 + rng.IntN(7)
		size := k + rng.IntN(3)
		sigma := numtest.Geometric(math.Exp(rng.NormFloat64()), math.Exp(-3*rng.Float64()), k)
		if trial%2 == 0 { // a small κ, as the printed interval of R_ill needs to fail
			for i := range sigma {
				sigma[i] = 1 + rng.Float64()*0.3
			}
		}
		sortDescending(sigma)
		x := endsOf(size, sigma...)
		kappa := x.Sigma1 / x.SigmaK
		for i, c := range []struct {
			at, end float64
			after   func(*spectrum.Extremes, float64) float64
			wrong   func(after float64) bool
		}{
			{WellFailsAt(x), At(x).WellInterval.Corrected, WellAfter, func(v float64) bool { return v >= kappa }},
			{IllFailsAt(x), At(x).IllInterval.Corrected, IllAfter, func(v float64) bool { return v <= kappa }},
		} {
			if c.at < c.end*(1-1e-12) {
				t.Errorf("σ = %v, D = %d: fails at %g, inside the corrected interval %g", sigma, size, c.at, c.end)
			}
			span := 6 * c.end
			if !math.IsInf(c.at, 1) {
				finite[i]++
				span = 2 * c.at
				if got := c.after(x, c.at); math.Abs(got-kappa) > 1e-9*kappa {
					t.Errorf("σ = %v, D = %d: κ goes from %.12g to %.12g at the η said to be the first that fails", sigma, size, kappa, got)
				}
			}
			for j := 1; j <= grid; j++ {
				eta := span * float64(j) / grid
				after := c.after(x, eta)
				if e := numtest.RelError(after, wholeSpectrum(size, sigma, eta, i == 1)); e > 1e-9 && !math.IsInf(after, 1) && after < 1e12 {
					t.Fatalf("σ = %v, D = %d, η = %g: κ = %g from the ends is %.2g off", sigma, size, eta, after, e)
				}
				if c.wrong(after) && eta < c.at*(1-1e-9) {
					t.Errorf("σ = %v, D = %d: κ goes from %g to %g at η = %g, before %g", sigma, size, kappa, after, eta, c.at)
					break
				}
			}
		}
	}
	if finite[0] < 500 || finite[1] < 20 {
		t.Errorf("%v spectra have a step that fails: the scan shows little", finite)
	}
}

func sortDescending(v []float64) {
	for i := range v {
		for j := i; j > 0 && v[j] > v[j-1]; j-- {
			v[j], v[j-1] = v[j-1], v[j]
		}
	}
}

// The two counter-examples to the printed intervals.
func TestPrintedCounterExamples(t *testing.T) {
	x := endsOf(3, 4, 1, 1)
	if got := WellAfter(x, 0.18375); math.Abs(got-787) > 1 {
		t.Errorf("diag(4, 1, 1), η = 0.18375: κ = %g, want 787", got)
	}
	if at, end := WellFailsAt(x), At(x).WellInterval; !(at < 0.18375) || !(at < end.Printed) || !(at >= end.Corrected) {
		t.Errorf("diag(4, 1, 1): fails at %g, intervals %+v", at, end)
	}
	x = endsOf(10, 5, 5, 5, 5, 5, 5, 5, 5, 5, 4)
	if got := IllAfter(x, 5.71); math.Abs(got-1.0011) > 5e-5 {
		t.Errorf("nine fives and a four, η = 5.71: κ = %g, want 1.0011", got)
	}
	if at, end := IllFailsAt(x), At(x).IllInterval; !(at < 5.71) || !(at < end.Printed) || !(at >= end.Corrected) {
		t.Errorf("nine fives and a four: fails at %g, intervals %+v", at, end)
	}
}

func TestPredictionEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	same := func(got, want float64) bool {
		return got == want || got != got && want != want || numtest.RelError(got, want) < 1e-14
	}
	two := endsOf(2, 4, 1)
	after := wholeSpectrum(2, []float64{4, 1}, 0.25, true)
	for _, c := range []struct {
		name                           string
		x                              *spectrum.Extremes
		eta                            float64
		well, ill, wellFails, illFails float64
	}{
		{"1×1", endsOf(1, 3), 1, 1, 1, inf, inf},
		{"rank 1", endsOf(4, 3), 1e9, 1, 1, inf, inf},
		{"rank 1, endless step", endsOf(2, 4), inf, nan, nan, inf, inf},
		{"zero", &spectrum.Extremes{Size: 2}, 1, nan, nan, inf, inf},
		{"flat", endsOf(2, 3, 3), 0, 1, nan, 0, nan},
		{"no step", two, 0, 4, 4, 3. / 17, inf}, // 1 + η = 2·2(1 − 4η) at η = 3/17
		{"endless step", two, inf, nan, nan, 3. / 17, inf},
		{"σ_1 sent to 0", two, 0.25, inf, after, 3. / 17, inf},
		{"σ_1 repeated", endsOf(3, 4, 4, 1), 0, 4, 4, 0, inf},
		{"NaN", two, nan, nan, nan, 3. / 17, inf},
	} {
		for _, v := range []struct {
			what      string
			got, want float64
		}{
			{"WellAfter", WellAfter(c.x, c.eta), c.well},
			{"IllAfter", IllAfter(c.x, c.eta), c.ill},
			{"WellFailsAt", WellFailsAt(c.x), c.wellFails},
			{"IllFailsAt", IllFailsAt(c.x), c.illFails},
		} {
			if !same(v.got, v.want) {
				t.Errorf("%s: %s = %v, want %v", c.name, v.what, v.got, v.want)
			}
		}
	}
}
