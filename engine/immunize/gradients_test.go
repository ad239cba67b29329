package immunize

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/regularizer"
)

func TestUnrolledGradient(t *testing.T) {
	for _, steps := range []int{0, 1, 2, 5} {
		for _, c := range []struct{ n, d int }{{9, 4}, {4, 6}} {
			task := gaussianTask(1, c.n, c.d)
			theta := numtest.Gaussian(numtest.Rand(2), c.d, c.d)
			u := newUnrolled(task, steps)
			grad := mat.NewDense(c.d, c.d, nil)
			u.addGradient(grad, 1, theta)
			if steps == 0 {
				if mat.Norm(grad, 2) != 0 {
					t.Error("w_0 = 0 does not depend on θ")
				}
				continue
			}
			if e := numtest.GradientError(u.run, grad, theta, 0.1); e > gradientTolerance {
				t.Errorf("%d steps, n = %d, d = %d: differs from central differences by %.2g", steps, c.n, c.d, e)
			}
		}
	}
}

// run returns the loss of what it says it plays.
func TestUnrolledValue(t *testing.T) {
	task := gaussianTask(1, 9, 4)
	theta := numtest.Gaussian(numtest.Rand(2), 4, 4)
	u := newUnrolled(task, 3)
	got := u.run(theta)
	var f, r mat.Dense
	f.Mul(task.X, theta)
	y, w := mat.NewDense(9, 1, task.Y), mat.NewDense(4, 1, nil)
	sigma := task.Factor.SingularValues()[0]
	for range 3 {
		var g mat.Dense
		r.Mul(&f, w)
		r.Sub(&r, y)
		g.Mul(f.T(), &r)
		g.Scale(1/(sigma*sigma), &g)
		w.Sub(w, &g)
	}
	r.Mul(&f, w)
	r.Sub(&r, y)
	if want := mat.Norm(&r, 2) * mat.Norm(&r, 2) / 2; numtest.RelError(got, want) > 1e-12 {
		t.Errorf("loss after three inner steps = %v, want %v", got, want)
	}
}

// IMMA's direction is the gradient of J with ω* solved anew at every θ, although the code leaves the first term of J out.
func TestIMMADirection(t *testing.T) {
	p := Problem{Primary: gaussianTask(1, 9, 4), Harmful: gaussianTask(2, 11, 4)}
	theta := numtest.Gaussian(numtest.Rand(3), 4, 4)
	j := func(x *mat.Dense) float64 {
		var f, r mat.Dense
		var qr mat.QR
		f.Mul(p.Primary.X, x)
		qr.Factorize(&f)
		y := mat.NewDense(9, 1, p.Primary.Y)
		var w mat.Dense
		if err := qr.SolveTo(&w, false, y); err != nil {
			t.Fatal(err)
		}
		r.Mul(&f, &w)
		r.Sub(&r, y)
		return mat.Norm(&r, 2)*mat.Norm(&r, 2)/2 - newUnrolled(p.Harmful, 5).run(x)
	}
	// The direction of the first step, as a step of length 1 under the fixed rule shows it.
	r, err := IMMA(t.Context(), p, Options{Theta0: theta, Steps: 1, LearningRate: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var grad mat.Dense
	grad.Sub(theta, r.Theta)
	if e := numtest.GradientError(j, &grad, theta, 0.1); e > gradientTolerance {
		t.Errorf("differs from central differences by %.2g", e)
	}
	if e := numtest.RelError(r.Trace[0].GradLoss, mat.Norm(&grad, 2)); e > 1e-9 {
		t.Errorf("‖∇J‖ = %v in the trace, %v in the step", r.Trace[0].GradLoss, mat.Norm(&grad, 2))
	}
}

// ω* is the minimum-norm least-squares head, on data with more and with fewer columns than rows.
func TestIMMAHead(t *testing.T) {
	for _, n := range []int{9, 3} {
		p := Problem{Primary: gaussianTask(1, n, 4), Harmful: gaussianTask(2, 5, 4)}
		theta := numtest.Gaussian(numtest.Rand(3), 4, 4)
		r, err := IMMA(t.Context(), p, Options{Theta0: theta}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var f, want mat.Dense
		f.Mul(p.Primary.X, theta)
		var svd mat.SVD
		svd.Factorize(&f, mat.SVDThin)
		svd.SolveTo(&want, mat.NewDense(n, 1, p.Primary.Y), min(n, 4))
		if e := numtest.MaxRelError(column(r.Omega), &want); e > 1e-11 {
			t.Errorf("n = %d: ω* is %.2g from the minimum-norm solution", n, e)
		}
	}
}

func TestOptKappaDirection(t *testing.T) {
	p := Problem{Primary: gaussianTask(1, 9, 4), Harmful: gaussianTask(2, 3, 4)} // rank 4 and 3
	theta := numtest.Gaussian(numtest.Rand(3), 4, 4)
	objective := func(x *mat.Dense) float64 {
		sp, sh, err := pairSpectra(p.Primary.Factor, p.Harmful.Factor, x)
		if err != nil {
			t.Fatal(err)
		}
		return regularizer.LogKappa(sp) + 1/regularizer.LogKappa(sh)
	}
	r, err := OptKappa(t.Context(), p, Options{Theta0: theta, Steps: 1, LearningRate: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var grad mat.Dense
	grad.Sub(theta, r.Theta)
	if e := numtest.GradientError(objective, &grad, theta, 0.1); e > gradientTolerance {
		t.Errorf("differs from central differences by %.2g", e)
	}
}

// releasedFixture is a gradient with a batch in place, and parameters.
func releasedFixture(b, d int, loss Loss) (*releasedGradient, releasedParams) {
	rng := numtest.Rand(7)
	g := newReleasedGradient(b, d, d+1, loss)
	g.primary.x.Copy(numtest.Gaussian(rng, b, d))
	g.harmful.x.Copy(numtest.Gaussian(rng, b, d))
	copy(g.y, labels(b))
	theta, bias, omega := releasedStart(nil, d, rng)
	return g, releasedParams{theta, bias, omega}
}

func releasedZero(d int) releasedParams {
	return releasedParams{mat.NewDense(d, d, nil), make([]float64, d), make([]float64, d)}
}

// Without a preconditioner the direction is the gradient of the objective, in all three parameters, with B below, at and above D.
func TestReleasedGradient(t *testing.T) {
	for _, loss := range []Loss{SquaredError, Logistic} {
		for _, c := range []struct{ b, d int }{{4, 6}, {6, 6}, {9, 5}} {
			t.Run(fmt.Sprintf("%v,b=%d,d=%d", loss, c.b, c.d), func(t *testing.T) {
				g, q := releasedFixture(c.b, c.d, loss)
				o := Options{
					LambdaPrimary: Lambda{Value: 0.5}, LambdaHarmful: Lambda{Value: 3}, Side: unconditioned,
					RidgePrimary: 1, RidgeHarmful: 1,
				}
				objective := func(*mat.Dense) float64 {
					v, err := g.eval(releasedZero(c.d), q, &o)
					if err != nil {
						t.Fatal(err)
					}
					return v.loss + 0.5*v.well + 3*v.ill
				}
				dir := releasedZero(c.d)
				if _, err := g.eval(dir, q, &o); err != nil {
					t.Fatal(err)
				}
				if e := numtest.GradientError(objective, dir.theta, q.theta, 0.1); e > gradientTolerance {
					t.Errorf("θ: differs from central differences by %.2g", e)
				}
				bias := mat.NewDense(c.d, 1, q.bias)
				if e := numtest.GradientError(objective, column(dir.bias), bias, 0.1); e > gradientTolerance {
					t.Errorf("b: differs from central differences by %.2g", e)
				}
				omega := mat.NewDense(c.d, 1, q.omega)
				if e := numtest.GradientError(objective, column(dir.omega), omega, 0.1); e > gradientTolerance {
					t.Errorf("w: differs from central differences by %.2g", e)
				}
			})
		}
	}
}

// The values are those of the definition, by way of the D×D matrices.
func TestReleasedValues(t *testing.T) {
	for _, c := range []struct{ b, d int }{{4, 6}, {9, 5}} {
		g, q := releasedFixture(c.b, c.d, SquaredError)
		v, err := g.eval(releasedZero(c.d), q, &Options{RidgePrimary: 1, RidgeHarmful: 1})
		if err != nil {
			t.Fatal(err)
		}
		gram := func(x *mat.Dense) (values []float64, square float64) {
			var f mat.Dense
			f.Mul(x, q.theta)
			for i := range c.b {
				for j := range c.d {
					f.Set(i, j, f.At(i, j)+q.bias[j])
				}
			}
			var svd mat.SVD
			svd.Factorize(&f, mat.SVDNone)
			values = svd.Values(nil)
			for i, s := range values {
				values[i] = s * s
				square += values[i] * values[i]
			}
			return values, square
		}
		const ridge = 1e-6
		values, square := gram(g.primary.x)
		s1 := values[0] + ridge
		if want := s1*s1/2 - square/float64(2*c.d); numtest.RelError(v.well, want) > 1e-11 {
			t.Errorf("b = %d, d = %d: primary term %v, want %v", c.b, c.d, v.well, want)
		}
		values, square = gram(g.harmful.x)
		s2 := ridge // a null eigenvalue: the batch has fewer rows than columns
		if c.b >= c.d {
			s2 += values[c.d-1]
		}
		if want := 1 / (square/float64(2*c.d) - s2*s2/2); numtest.RelError(v.ill, want) > 1e-11 {
			t.Errorf("b = %d, d = %d: harmful term %v, want %v", c.b, c.d, v.ill, want)
		}
	}
}

// That S_2 is singular is found from the batch where the rank of the data does not say so, and the value is the same.
func TestReleasedSingularBatch(t *testing.T) {
	const b, d, rank = 9, 6, 3
	rng := numtest.Rand(10)
	x := numtest.WithSingularValues(rng, b, d, []float64{3, 2, 1, 0, 0, 0})
	theta := numtest.Gaussian(rng, d, d)
	var values [2]float64
	for i, known := range []int{rank, d} {
		r := newReleasedBatch(b, d, known)
		r.x.Copy(x)
		r.features(releasedParams{theta: theta, bias: make([]float64, d)})
		values[i] = r.ill()
	}
	var f, gram mat.Dense
	f.Mul(x, theta)
	gram.Mul(f.T(), &f)
	square := mat.Norm(&gram, 2) * mat.Norm(&gram, 2)
	want := 1 / (square/(2*d) - 1e-12/2)
	for i, v := range values {
		if numtest.RelError(v, want) > 1e-12 {
			t.Errorf("rank known %t: 1/g = %v, want %v", i == 0, v, want)
		}
	}
}

// Both sides of the preconditioner, on either side of B = D, against the explicit inverse.
func TestPrecondition(t *testing.T) {
	for _, c := range []struct {
		b, d   int
		lambda float64
		tol    float64
	}{{4, 6, 1, 1e-12}, {4, 6, 1e-7, 1e-7}, {6, 6, 0.5, 1e-12}, {9, 5, 1, 1e-12}} {
		rng := numtest.Rand(9)
		b := newReleasedBatch(c.b, c.d, c.d+1)
		b.x.Copy(numtest.Gaussian(rng, c.b, c.d))
		b.g.Copy(numtest.Gaussian(rng, c.b, c.d))
		var k, inverse, xg mat.Dense
		k.Mul(b.x.T(), b.x)
		for i := range c.d {
			k.Set(i, i, k.At(i, i)+c.lambda)
		}
		if err := ignoreCondition(inverse.Inverse(&k)); err != nil {
			t.Fatal(err)
		}
		xg.Mul(b.x.T(), b.g)
		for _, side := range []PreconditionSide{AsReleased, Mended} {
			var want mat.Dense
			if side == Mended {
				want.Mul(&inverse, &xg)
			} else {
				want.Mul(&xg, &inverse)
			}
			got := mat.NewDense(c.d, c.d, nil)
			if err := b.precondition(got, c.lambda, side); err != nil {
				t.Fatal(err)
			}
			if e := numtest.MaxRelError(got, &want); e > c.tol {
				t.Errorf("b = %d, d = %d, λ = %g, side %d: relative error %.2g", c.b, c.d, c.lambda, side, e)
			}
		}
	}
	zero := newReleasedBatch(2, 3, 4)
	zero.x.Zero()
	if err := zero.precondition(mat.NewDense(3, 3, nil), 0, Mended); err == nil {
		t.Error("no error for a singular K + λI")
	}
}
