package immunize

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/ceiling"
	"kappa/engine/internal/numtest"
	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

// logRIR returns log RIR of the last trace point against X itself (Eq. 15), protocol `rank`.
func logRIR(p Problem, pt Point) float64 {
	base := func(x Task) float64 {
		s, err := x.Factor.Spectrum(nil, false)
		if err != nil {
			panic(err)
		}
		return regularizer.LogKappa(s)
	}
	return math.Log(pt.Harmful.Rank.Kappa) - base(p.Harmful) - (math.Log(pt.Primary.Rank.Kappa) - base(p.Primary))
}

func shapedTask(seed uint64, n, d int, bottom float64) Task {
	rng := numtest.Rand(seed)
	t := Task{
		X: numtest.WithSingularValues(rng, n, d, numtest.Geometric(1, bottom, min(n, d))),
		Y: numtest.Gaussian(rng, n, 1).RawMatrix().Data,
	}
	if err := t.prepare("test", true); err != nil {
		panic(err)
	}
	return t
}

// No method exceeds the ceiling of RIR on problems of full rank, and the closed form reaches it.
func TestCeiling(t *testing.T) {
	const problems, slack = 200, 1e-8 // κ up to 10⁶ from singular values
	best := math.Inf(-1)
	for seed := range uint64(problems) {
		d := 2 + int(seed)%4
		p := Problem{Primary: shapedTask(2*seed, 9, d, 0.1), Harmful: shapedTask(2*seed+1, 8, d, 0.05)}
		top, err := ceiling.Exact(p.Primary.Factor, p.Harmful.Factor)
		if err != nil {
			t.Fatal(err)
		}
		if top.Unbounded {
			t.Fatalf("seed %d: a full-rank problem without a ceiling", seed)
		}
		for _, m := range methods {
			for _, batch := range []int{0, 6} {
				for _, fraction := range []float64{0.02, 0.3} {
					if seed >= 8 && (batch > 0) != (fraction < 0.1) {
						continue // all four for the first problems, then two of them
					}
					r, err := m.f(t.Context(), p, Options{
						Step: Normalized, StepFraction: fraction, Form: regularizer.Cancelled, Steps: 60, Batch: batch,
						LambdaPrimary: Lambda{Value: 1}, LambdaHarmful: Lambda{Value: 1},
						TraceAt: func(step, last int) bool { return step%20 == 0 },
					}, numtest.Rand(seed))
					if err != nil {
						t.Fatal(err)
					}
					if m.name == "released" {
						// Its features carry a bias, which is not of the form Xθ: θ alone is what the ceiling is about.
						sp, sh, err := pairSpectra(p.Primary.Factor, p.Harmful.Factor, r.Theta)
						if err != nil {
							t.Fatal(err)
						}
						r.Trace = []Point{measure(0, r.Theta, sp, sh)}
					}
					for _, pt := range r.Trace {
						got := logRIR(p, pt)
						if m.name != "optimum" {
							best = max(best, got-top.LogCeiling)
						}
						if !(got <= top.LogCeiling+slack) {
							t.Errorf("seed %d, %s, batch %d, step %d: log RIR = %v above the ceiling %v", seed, m.name, batch, pt.Step, got, top.LogCeiling)
						}
					}
					if got := logRIR(p, r.Trace[len(r.Trace)-1]); m.name == "optimum" && math.Abs(got-top.LogCeiling) > slack {
						t.Errorf("seed %d: the closed form gives log RIR = %v, the ceiling is %v", seed, got, top.LogCeiling)
					}
				}
			}
		}
	}
	if best < math.Log(0.5) {
		t.Errorf("the methods reach only %g of the ceiling: the comparison is empty", math.Exp(best))
	}
}

// Algorithm 1 does what it is for: RIR above 1, κ(H_P) not worse, on problems with room below the ceiling.
func TestAlgorithm1Immunizes(t *testing.T) {
	for seed := range uint64(4) {
		p := Problem{Primary: shapedTask(2*seed, 20, 6, 0.1), Harmful: shapedTask(2*seed+1, 20, 6, 0.3)}
		for _, batch := range []int{0, 10} {
			r, err := Algorithm1(t.Context(), p, Options{
				Step: Normalized, Form: regularizer.Cancelled, Steps: 200, Batch: batch,
			}, numtest.Rand(seed))
			if err != nil {
				t.Fatal(err)
			}
			if got := logRIR(p, r.Trace[len(r.Trace)-1]); got < math.Log(2) {
				t.Errorf("seed %d, batch %d: RIR = %v", seed, batch, math.Exp(got))
			}
		}
	}
}

// A normalised step with a supervised term is −η∇L − s·g_P/‖g_P‖ − s·g_H/‖g_H‖ in θ and −η∇L in ω.
func TestNormalizedSupervisedStep(t *testing.T) {
	p := Problem{Primary: gaussianTask(1, 9, 4), Harmful: gaussianTask(2, 9, 4)}
	const eta, fraction = 0.3, 0.05
	o := Options{Step: Normalized, StepFraction: fraction, LearningRate: eta, Form: regularizer.Cancelled, Steps: 1}
	theta0 := numtest.Gaussian(numtest.Rand(3), 4, 4)
	o.Theta0 = theta0
	step := func(supervised bool, omega []float64) (*mat.Dense, []float64) {
		o.Supervised = supervised
		a, err := newAlgorithm1(p, o, nil, true)
		if err != nil {
			t.Fatal(err)
		}
		copy(a.omega, omega)
		r, err := a.run(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		return r.Theta, a.omega
	}
	omega := []float64{1, -1, 2, 0.5}
	plain, _ := step(false, nil)
	both, next := step(true, omega)
	gTheta, gOmega := mat.NewDense(4, 4, nil), make([]float64, 4)
	newSupervised(SquaredError, 4).gradients(gTheta, eta, gOmega, p.Primary.X, theta0, omega, p.Primary.Y)
	var got mat.Dense
	got.Sub(plain, both)
	if e := numtest.MaxRelError(&got, gTheta); e > 1e-12 {
		t.Errorf("the supervised part of the step in θ is %.2g from η∇_θL", e)
	}
	for i, g := range gOmega {
		if e := numtest.RelError(next[i], omega[i]-eta*g); e > 1e-12 {
			t.Errorf("ω_%d = %v, want %v", i, next[i], omega[i]-eta*g)
		}
	}
	got.Sub(theta0, plain)
	length := fraction * mat.Norm(theta0, 2) / 2
	if norm := mat.Norm(&got, 2); norm > 2*length || norm < 1e-3*length {
		t.Errorf("two steps of length %v add up to %v", length, norm)
	}
}

// A batch of all rows, by its number or as 0, is one thing; a smaller one is another.
func TestReleasedBatch(t *testing.T) {
	p := Problem{Primary: gaussianTask(1, 12, 4), Harmful: gaussianTask(2, 10, 4)}
	run := func(batch int) *mat.Dense {
		r, err := Released(t.Context(), p, Options{
			Steps: 5, Batch: batch, LambdaPrimary: Lambda{Value: 1}, LambdaHarmful: Lambda{Value: 1},
		}, numtest.Rand(1))
		if err != nil {
			t.Fatal(err)
		}
		return r.Theta
	}
	all := run(0)
	for _, c := range []struct {
		batch int
		same  bool
	}{{10, true}, {64, true}, {3, false}, {9, false}} {
		if mat.Equal(run(c.batch), all) != c.same {
			t.Errorf("batches of %d rows of 10: the same as all rows: %v", c.batch, !c.same)
		}
	}
}

// Results do not depend on the units of the data, where the step is normalised and nothing supervised.
func TestScaleInvariance(t *testing.T) {
	p := Problem{Primary: shapedTask(1, 12, 5, 0.1), Harmful: shapedTask(2, 12, 5, 0.1)}
	q := p
	x := numtest.PoisonedCopy(p.Harmful.X)
	x.Scale(1e3, x)
	q.Harmful = Task{X: x, Y: p.Harmful.Y}
	for _, f := range []Func{Algorithm1, RillOnly, OptKappa} {
		o := Options{Step: Normalized, Form: regularizer.Cancelled, Steps: 20}
		a, err := f(t.Context(), p, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := f(t.Context(), q, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		if e := numtest.MaxRelError(b.Theta, a.Theta); e > 1e-9 {
			t.Errorf("θ differs by %.2g when X_H is scaled by 1000", e)
		}
	}
}

// The trace has the points asked for, and no method touches the problem.
func TestTraceAndInputs(t *testing.T) {
	p := Problem{Primary: gaussianTask(1, 9, 4), Harmful: gaussianTask(2, 9, 4)}
	for _, m := range methods {
		q := p
		q.Primary.X, q.Harmful.X = numtest.PoisonedCopy(p.Primary.X), numtest.PoisonedCopy(p.Harmful.X)
		theta0 := numtest.PoisonedCopy(identity(4))
		r, err := m.f(t.Context(), q, Options{
			Theta0: theta0, Step: Normalized, Form: regularizer.Cancelled, Steps: 6, Batch: 4, Supervised: true,
			TraceAt: func(step, last int) bool { return step == 2 && last == 6 },
		}, numtest.Rand(1))
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		want := []int{0, 2, 6}
		switch m.name {
		case "identity":
			want = want[:1]
		case "optimum":
			want = []int{0, 1}
		}
		var got []int
		for _, pt := range r.Trace {
			got = append(got, pt.Step)
			if !(pt.Primary.Rank.Kappa >= 1) || !(pt.Harmful.Ridge.Kappa >= 1) || !(pt.KappaTheta >= 1) || !(pt.RWell >= 0) || !(pt.RIll > 0) {
				t.Errorf("%s: trace point %+v", m.name, pt)
			}
			loss := m.name == "immunize" || m.name == "released" || m.name == "imma"
			if math.IsNaN(pt.LossPrimary) == loss {
				t.Errorf("%s, step %d: loss %v", m.name, pt.Step, pt.LossPrimary)
			}
		}
		if !equalInts(got, want) {
			t.Errorf("%s: trace at %v, want %v", m.name, got, want)
		}
		if e := numtest.MaxRelError(q.Primary.X, p.Primary.X) + numtest.MaxRelError(q.Harmful.X, p.Harmful.X) + numtest.MaxRelError(theta0, identity(4)); e != 0 {
			t.Errorf("%s modified its inputs", m.name)
		}
		if !numtest.Intact(q.Primary.X) || !numtest.Intact(theta0) {
			t.Errorf("%s wrote between the rows of its inputs", m.name)
		}
		last := r.Trace[len(r.Trace)-1]
		if got := spectrum.ThetaCondition(r.Theta); got != last.KappaTheta {
			t.Errorf("%s: κ(θ) = %v, the trace ends with %v", m.name, got, last.KappaTheta)
		}
		if (r.Bias != nil) != (m.name == "released") {
			t.Errorf("%s: bias %v", m.name, r.Bias)
		}
	}
}
