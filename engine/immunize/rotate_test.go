package immunize

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/spectrum"
)

func TestRotate(t *testing.T) {
	rng := numtest.Rand(71)
	for _, d := range []int{1, 2, 7, 40} {
		values := make([]float64, d) // two of them 0
		copy(values, numtest.Geometric(3, 1e-3, max(1, d-2)))
		x := numtest.WithSingularValues(rng, d+6, d, values)
		theta := numtest.WithSingularValues(rng, d, d, numtest.Geometric(2, 0.1, d))
		bias, omega := numtest.Gaussian(rng, d, 1).RawMatrix().Data, numtest.Gaussian(rng, d, 1).RawMatrix().Data
		r := Result{Theta: theta, Bias: bias, Omega: omega}
		was := mat.DenseCopyOf(theta)
		Rotate(&r, rng)
		if !mat.Equal(theta, was) || &r.Bias[0] == &bias[0] || &r.Omega[0] == &omega[0] {
			t.Errorf("D = %d: the matrices were modified", d)
		}
		f, err := spectrum.NewFactor(x)
		if err != nil {
			t.Fatal(err)
		}
		before, err := f.Spectrum(theta, false)
		if err != nil {
			t.Fatal(err)
		}
		after, err := f.Spectrum(r.Theta, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range [][2]float64{
			{before.RankCondition().Kappa, after.RankCondition().Kappa},
			{spectrum.ThetaCondition(theta), spectrum.ThetaCondition(r.Theta)},
			{mat.Norm(mat.NewVecDense(d, bias), 2), mat.Norm(mat.NewVecDense(d, r.Bias), 2)},
		} {
			if numtest.RelError(v[1], v[0]) > 1e-9 {
				t.Errorf("D = %d: %g became %g", d, v[0], v[1])
			}
		}
		// The predictions (Xθ + 1bᵀ)ω are the same.
		predict := func(theta *mat.Dense, bias, omega []float64) *mat.VecDense {
			var z, out mat.VecDense
			z.MulVec(theta, mat.NewVecDense(d, omega))
			out.MulVec(x, &z)
			shift := mat.Dot(mat.NewVecDense(d, bias), mat.NewVecDense(d, omega))
			for i := range out.Len() {
				out.SetVec(i, out.AtVec(i)+shift)
			}
			return &out
		}
		if want, got := predict(theta, bias, omega), predict(r.Theta, r.Bias, r.Omega); !mat.EqualApprox(want, got, 1e-12*(1+mat.Norm(want, 2))) {
			t.Errorf("D = %d: the predictions changed", d)
		}
	}
	none := Result{}
	Rotate(&none, rng)
	if none.Theta != nil || none.Bias != nil || none.Omega != nil {
		t.Errorf("nothing became %+v", none)
	}
}

// TestHaar: the rotations are orthogonal, and uniform in the two moments that a missing sign would spoil.
func TestHaar(t *testing.T) {
	rng := numtest.Rand(72)
	const n, draws = 3, 2000
	var mean, square [n * n]float64
	for range draws {
		q := haar(n, rng)
		var unit mat.Dense
		unit.Mul(q.T(), q)
		if !mat.EqualApprox(&unit, identity(n), 1e-13) {
			t.Fatalf("QᵀQ = %v", mat.Formatted(&unit))
		}
		for i, v := range q.RawMatrix().Data {
			mean[i] += v / draws
			square[i] += v * v / draws
		}
	}
	const sigmas = 5 // of a mean over the draws
	for i := range mean {
		if math.Abs(mean[i]) > sigmas*math.Sqrt(1.0/n/draws) {
			t.Errorf("the mean of element %d is %.3f, want 0", i, mean[i])
		}
		// The variance of a squared coordinate on the unit sphere is 2(n−1)/(n²(n+2)).
		if math.Abs(square[i]-1.0/n) > sigmas*math.Sqrt(2.0*(n-1)/(n*n*(n+2))/draws) {
			t.Errorf("the mean square of element %d is %.3f, want 1/%d", i, square[i], n)
		}
	}
	a, b := haar(5, numtest.Rand(1)), haar(5, numtest.Rand(1))
	if !slices.Equal(a.RawMatrix().Data, b.RawMatrix().Data) {
		t.Error("one seed, two rotations")
	}
}
