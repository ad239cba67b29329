package immunize

import (
	"math"
	"runtime/debug"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/regularizer"
)

// A step allocates nothing once the first has been taken: a run of twice the steps allocates as often.
func TestStepsAllocateNothing(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties pools of what the measured states use
	task := func(seed uint64, n, d, rank int) Task {
		values := make([]float64, min(n, d))
		copy(values, numtest.Geometric(3, 0.3, rank))
		rng := numtest.Rand(seed)
		out := Task{X: numtest.WithSingularValues(rng, n, d, values), Y: labels(n)}
		if err := out.prepare("test", true); err != nil {
			t.Fatal(err)
		}
		return out
	}
	const d = 20
	full := Problem{Primary: task(1, 30, d, d), Harmful: task(2, 25, d, d)}
	deficient := Problem{Primary: task(1, 30, d, 17), Harmful: task(2, 15, d, 8)}
	deficient.Harmful.Factor.NullBasis()
	deficient.Primary.Factor.NullBasis()
	lambda := Lambda{Value: 1e-3}
	form := func(f regularizer.Form) Options {
		return Options{Step: Normalized, StepFraction: 1e-4, Supervised: true, Form: f}
	}
	batches := form(regularizer.PseudoInverse)
	batches.Batch = 12
	for _, c := range []struct {
		name string
		f    Func
		p    Problem
		loss Loss
		o    Options
	}{
		{"algorithm 1, plain", Algorithm1, full, SquaredError, form(regularizer.Plain)},
		{"algorithm 1, cancelled", Algorithm1, full, Logistic, form(regularizer.Cancelled)},
		{"algorithm 1, pseudo-inverse", Algorithm1, deficient, SquaredError, form(regularizer.PseudoInverse)},
		{"algorithm 1, fixed, adam", Algorithm1, full, SquaredError, Options{
			Optimizer: Adam, LearningRate: 1e-5, LambdaPrimary: lambda, LambdaHarmful: lambda, Supervised: true, Form: regularizer.Cancelled,
		}},
		{"algorithm 1, batches", Algorithm1, full, SquaredError, batches},
		{"algorithm 1, batches, deficient", Algorithm1, deficient, Logistic, batches},
		{"certified", Algorithm1, full, SquaredError, Options{Step: Certified, StepLength: 1e-4, Form: regularizer.Cancelled}},
		{"certified, deficient", Algorithm1, deficient, SquaredError, Options{Step: Certified, StepLength: 1e-4, Form: regularizer.PseudoInverse}},
		{"R_ill alone, certified", RillOnly, full, SquaredError, Options{Step: Certified, StepLength: 1e-4, Form: regularizer.Cancelled}},
		{"R_ill alone", RillOnly, full, SquaredError, form(regularizer.Cancelled)},
		{"log κ", OptKappa, deficient, SquaredError, Options{Step: Normalized, StepFraction: 1e-4, Optimizer: SGD, Momentum: 0.5}},
		{"imma", IMMA, full, SquaredError, Options{Step: Normalized, StepFraction: 1e-4}},
		{"released", Released, full, Logistic, Options{Batch: 8, LambdaPrimary: lambda, LambdaHarmful: lambda}},
		{"released, many rows, mended", Released, full, SquaredError, Options{LambdaPrimary: lambda, LambdaHarmful: lambda, Side: Mended}},
	} {
		c.p.Loss = c.loss
		allocations := func(steps int) float64 {
			c.o.Steps = steps
			return testing.AllocsPerRun(2, func() {
				r, err := c.f(t.Context(), c.p, c.o, numtest.Rand(1))
				if err != nil || r.Status != StepLimit || mat.Equal(r.Theta, identity(d)) {
					t.Fatalf("%s: %s after %d steps (%s), %v", c.name, r.Status, r.Steps, r.Reason, err)
				}
			})
		}
		// The race detector has pools lose, at random, some of what the measured states use: then more than five are lost now and then,
		// but not each time, as what a step allocates would be.
		const steps, lost, tries = 40, 5, 3
		for try := 1; ; try++ {
			few, many := allocations(steps), allocations(11*steps)
			if math.Abs(many-few) <= lost {
				break
			}
			if try == tries {
				t.Errorf("%s: %g allocations in %d steps, %g in %d", c.name, few, steps, many, 11*steps)
				break
			}
		}
	}
}
