package regularizer

import (
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/spectrum"
)

// vectorsTol is the relative error allowed against the fifty-digit answers.
func vectorsTol(name string) float64 {
	if strings.Contains(name, "ill_conditioned") {
		return 1e-9
	}
	return 1e-10
}

func factor(t *testing.T, x *mat.Dense) *spectrum.Factor {
	t.Helper()
	f, err := spectrum.NewFactor(x)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func spectrumOf(t *testing.T, f *spectrum.Factor, theta *mat.Dense) *spectrum.Spectrum {
	t.Helper()
	s, err := f.Spectrum(theta, true)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// gradients returns the three forms of a gradient.
func gradients(f *spectrum.Factor, theta *mat.Dense, inner *mat.SymDense) (plain, cancelled, pinv *mat.Dense) {
	plain, cancelled, pinv = &mat.Dense{}, &mat.Dense{}, &mat.Dense{}
	Gradient(plain, Plain, f, theta, inner)
	Gradient(cancelled, Cancelled, f, theta, inner)
	Gradient(pinv, PseudoInverse, f, theta, inner)
	return plain, cancelled, pinv
}

func TestVectors(t *testing.T) {
	for _, set := range numtest.Vectors() {
		t.Run(set.Name, func(t *testing.T) {
			e, tol := set.Expected, vectorsTol(set.Name)
			number := func(what string, got, want float64) {
				t.Helper()
				if err := numtest.RelError(got, want); err > tol {
					t.Errorf("%s = %.15g, want %.15g (off by %.1e)", what, got, want, err)
				}
			}
			matrix := func(what string, got, want *mat.Dense) {
				t.Helper()
				if err := numtest.MaxRelError(got, want); err > tol {
					t.Errorf("%s is off by %.1e", what, err)
				}
			}
			p, h := factor(t, set.XP), factor(t, set.XH)
			sp, sh := spectrumOf(t, p, set.Theta), spectrumOf(t, h, set.Theta)
			number("R_well(H_P)", Well(sp), e.RWell)
			number("R_ill(H_H)", Ill(sh), e.RIll)

			var well, ill mat.SymDense
			WellInner(&well, sp)
			if !IllInner(&ill, sh) {
				t.Fatal("the gradient of R_ill is said to be undefined")
			}
			wellPlain, wellCancelled, wellPinv := gradients(p, set.Theta, &well)
			illPlain, illCancelled, illPinv := gradients(h, set.Theta, &ill)
			matrix("∇R_well", wellPlain, e.GradWell)
			matrix("∇R_ill", illPlain, e.GradIll)
			matrix("∇R_well with K cancelled", wellCancelled, e.CancelledWell)
			matrix("∇R_ill with K cancelled", illCancelled, e.CancelledIll)

			// One step of Algorithm 1, with the given gradient of the loss, in both forms.
			step := func(gradWell, gradIll *mat.Dense) *mat.Dense {
				next := mat.DenseCopyOf(set.Theta)
				var change mat.Dense
				for _, term := range []struct {
					weight float64
					grad   *mat.Dense
				}{{1, e.GradLossTheta}, {set.LambdaP, gradWell}, {set.LambdaH, gradIll}} {
					change.Scale(-set.Eta*term.weight, term.grad)
					next.Add(next, &change)
				}
				return next
			}
			matrix("θ after a step, cancelled", step(wellCancelled, illCancelled), e.ThetaNextCancelled)
			matrix("θ after a step, pseudo-inverse", step(wellPinv, illPinv), e.ThetaNextPinv)
			if set.Invertible {
				matrix("pseudo-inverse form of an invertible K", wellPinv, wellCancelled)
				matrix("pseudo-inverse form of an invertible K", illPinv, illCancelled)
			}

			number("printed interval of Theorem 4.3(1)", WellInterval(sp).Printed, e.WellPrinted)
			number("corrected interval of Theorem 4.3(1)", WellInterval(sp).Corrected, e.WellCorrected)
			number("printed interval of Theorem 4.3(2)", IllInterval(sh).Printed, e.IllPrinted)
			number("corrected interval of Theorem 4.3(2)", IllInterval(sh).Corrected, e.IllToZero)
		})
	}
}
