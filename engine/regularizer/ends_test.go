package regularizer

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/spectrum"
)

func ends(t *testing.T, f *spectrum.Factor, theta *mat.Dense) *spectrum.Extremes {
	t.Helper()
	var w spectrum.Workspace
	x, err := w.Extremes(f, theta)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// The figures and gradients from the ends must be those from the whole spectrum, in every form.
func TestEnds(t *testing.T) {
	rng := numtest.Rand(20)
	for _, c := range []struct{ n, d, m, rank int }{{9, 6, 6, 6}, {9, 6, 6, 4}, {4, 6, 6, 4}, {5, 7, 3, 3}, {9, 6, 6, 1}, {80, 64, 64, 60}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			values := make([]float64, min(c.n, c.d))
			copy(values, numtest.Geometric(5, 0.3, c.rank))
			f := factor(t, numtest.WithSingularValues(rng, c.n, c.d, values))
			theta := numtest.Gaussian(rng, c.d, c.m)
			s, x := spectrumOf(t, f, theta), ends(t, f, theta)
			v := At(x)
			for _, pair := range []struct {
				name      string
				got, want float64
			}{
				{"R_well", v.Well, Well(s)},
				{"R_ill", v.Ill, Ill(s)},
				{"g", v.G, G(s)},
				{"log κ", v.LogKappa, LogKappa(s)},
				{"printed interval of R_well", v.WellInterval.Printed, WellInterval(s).Printed},
				{"corrected interval of R_well", v.WellInterval.Corrected, WellInterval(s).Corrected},
				{"printed interval of R_ill", v.IllInterval.Printed, IllInterval(s).Printed},
				{"corrected interval of R_ill", v.IllInterval.Corrected, IllInterval(s).Corrected},
			} {
				if e := numtest.RelError(pair.got, pair.want); e > 1e-10 {
					t.Errorf("%s = %g from the ends, %g from the spectrum", pair.name, pair.got, pair.want)
				}
			}
			var inner mat.SymDense
			var want mat.Dense
			var w Workspace
			for _, form := range []Form{Plain, Cancelled, PseudoInverse} {
				got := numtest.Poisoned(c.d, c.m)
				check := func(name string) {
					t.Helper()
					Gradient(&want, form, f, theta, &inner)
					if e := numtest.MaxRelError(got, &want); e > 1e-11 || !numtest.Intact(got) {
						t.Errorf("∇%s in form %d is off by %g", name, form, e)
					}
				}
				WellInner(&inner, s)
				w.Well(got, form, f, theta, x)
				check("R_well")
				ok := IllInner(&inner, s)
				if w.Ill(got, form, f, theta, x) != ok || ok != (c.rank > 1) {
					t.Errorf("the gradient of R_ill is defined: %v", ok)
				}
				check("R_ill")
				LogKappaInner(&inner, s)
				w.LogKappa(got, form, f, theta, x)
				check("log κ")
			}
		})
	}
}

func TestEndsOfZero(t *testing.T) {
	f := factor(t, mat.NewDense(4, 3, nil))
	theta := numtest.Gaussian(numtest.Rand(21), 3, 3)
	x := ends(t, f, theta)
	v := At(x)
	if v.Well != 0 || !math.IsInf(v.Ill, 1) || !math.IsNaN(v.LogKappa) || !math.IsInf(v.WellInterval.Corrected, 1) {
		t.Errorf("figures of zero: %+v", v)
	}
	var w Workspace
	dst := numtest.Poisoned(3, 3)
	zero := mat.NewDense(3, 3, nil)
	if w.Well(dst, Cancelled, f, theta, x); !mat.Equal(dst, zero) {
		t.Error("∇R_well of zero is not zero")
	}
	if dst.Set(0, 0, math.NaN()); w.Ill(dst, Cancelled, f, theta, x) || !mat.Equal(dst, zero) {
		t.Error("∇R_ill of zero is said to be defined, or not zero")
	}
	if w.LogKappa(dst, Cancelled, f, theta, x); !mat.Equal(dst, zero) {
		t.Error("∇log κ of zero is not zero")
	}
}

// A step with the cancelled form allocates nothing once the workspaces have grown.
func TestEndsAllocateNothing(t *testing.T) {
	rng := numtest.Rand(22)
	const d = 40
	f := factor(t, numtest.WithSingularValues(rng, 50, d, numtest.Geometric(5, 0.3, d)))
	theta := numtest.Gaussian(rng, d, d)
	dst := mat.NewDense(d, d, nil)
	var sw spectrum.Workspace
	var w Workspace
	step := func() {
		x, err := sw.Extremes(f, theta)
		if err != nil {
			t.Fatal(err)
		}
		w.Well(dst, Cancelled, f, theta, x)
		w.Ill(dst, Cancelled, f, theta, x)
		w.LogKappa(dst, Cancelled, f, theta, x)
		At(x)
	}
	if n := testing.AllocsPerRun(20, step); n > 1 {
		t.Errorf("%g allocations a step", n)
	}
}
