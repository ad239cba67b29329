package immunize

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// gradientTolerance is what an extrapolated central difference of a smooth function agrees to; a wrong gradient is 10⁻² off.
const gradientTolerance = 1e-7

func labels(n int) []float64 {
	y := make([]float64, n)
	for i := range y {
		y[i] = float64(i % 2)
	}
	return y
}

func TestSupervisedGradients(t *testing.T) {
	for _, loss := range []Loss{SquaredError, Logistic} {
		t.Run(loss.String(), func(t *testing.T) {
			rng := numtest.Rand(1)
			const n, d = 9, 4
			x, theta, omega, y := numtest.Gaussian(rng, n, d), numtest.Gaussian(rng, d, d), numtest.Gaussian(rng, d, 1), labels(n)
			w := omega.RawMatrix().Data
			s := newSupervised(loss, d)
			gTheta, gOmega := mat.NewDense(d, d, nil), make([]float64, d)
			value, norm := s.gradients(gTheta, 1, gOmega, x, theta, w, y)
			if got := s.value(x, theta, w, y); got != value {
				t.Errorf("value = %v, gradients says %v", got, value)
			}
			if got := mat.Norm(gTheta, 2); numtest.RelError(norm, got) > 1e-14 {
				t.Errorf("norm = %v, ‖∇_θL‖_F = %v", norm, got)
			}
			f := func(*mat.Dense) float64 { return s.value(x, theta, w, y) }
			if e := numtest.GradientError(f, gTheta, theta, 0); e > gradientTolerance {
				t.Errorf("∇_θL differs from central differences by %.2g", e)
			}
			if e := numtest.GradientError(f, column(gOmega), omega, 0); e > gradientTolerance {
				t.Errorf("∇_ωL differs from central differences by %.2g", e)
			}
			twice := mat.DenseCopyOf(gTheta)
			s.gradients(twice, 2, gOmega, x, theta, w, y)
			gTheta.Scale(3, gTheta)
			if e := numtest.MaxRelError(twice, gTheta); e > 1e-14 {
				t.Errorf("adding twice the gradient to the gradient is not three times it: %.2g", e)
			}
		})
	}
}

func TestLogisticIsStable(t *testing.T) {
	for _, c := range []struct{ z, y, loss, dz float64 }{
		{0, 1, math.Ln2, -0.5},
		{0, 0, math.Ln2, 0.5},
		{1e4, 1, 0, 0},
		{-1e4, 0, 0, 0},
		{1e4, 0, 1e4, 1},
		{-1e4, 1, 1e4, -1},
		{-50, 0, math.Exp(-50), math.Exp(-50)},
		{-800, 0, 0, 0},
		{1e308, 0, 1e308, 1},
	} {
		dz := []float64{math.NaN()}
		got := Logistic.eval(dz, []float64{c.z}, []float64{c.y})
		if numtest.RelError(got, c.loss) > 1e-14 || numtest.RelError(dz[0], c.dz) > 1e-14 {
			t.Errorf("z = %v, y = %v: loss %v, derivative %v; want %v, %v", c.z, c.y, got, dz[0], c.loss, c.dz)
		}
	}
	if got := Logistic.eval([]float64{0}, []float64{math.NaN()}, []float64{1}); !math.IsNaN(got) {
		t.Errorf("loss at NaN = %v", got)
	}
}
