package probe

import (
	"context"
	"math/rand/v2"
)

// Func is an attacker: it fits a linear head to the features and targets of t.
//
// It panics if o.W0 does not fit t or o.Steps is negative. It returns an error if o.W0 holds a number that is not finite, if a
// decomposition fails, and ctx.Err() if ctx ends, which is looked at once a step. Trouble on the way is no error but a Status. rng is
// used by attackers that draw random numbers only and may be nil for the others.
type Func func(ctx context.Context, t *Target, o Options, rng *rand.Rand) (Result, error)

// Options says how long an attacker runs, where it starts and what is recorded. The zero value takes no step.
type Options struct {
	// Steps is the largest number of steps.
	Steps int
	// W0 is the start w_0 (D); nil is zero.
	W0 []float64
	// TraceAt says whether the step is recorded in the trace; nil is LogSteps. The first step is recorded in any case, and so is the
	// one at which the attacker stops, unless it diverged.
	TraceAt func(step, last int) bool
	// Accuracy asks for Point.Accuracy, at the cost of one product with the features a recorded step.
	Accuracy bool
	// LearningRate is the step size of Adam; 0 is 10⁻². Other attackers find theirs themselves.
	LearningRate float64
}

// Status says why an attacker stopped.
type Status string

const (
	// Converged: no gradient is left above rounding, or the method has finished.
	Converged Status = "converged"
	// StepLimit: Options.Steps steps were taken.
	StepLimit Status = "step limit"
	// Diverged: the loss or the weights are no longer finite.
	Diverged Status = "diverged"
)

// Point is one recorded step.
type Point struct {
	Step int
	// Loss is ‖Xw − y‖², a sum over the examples, in the square of the targets' unit.
	Loss float64
	// Excess is (L(w_t) − L*)/(L(w_0) − L*), 1 at the start; NaN where w_0 is optimal already, up to rounding.
	Excess float64
	// NormRatio is ‖w_t − w*‖²/‖w_0 − w*‖² (Eq. 16), w* of minimum norm; NaN where w_0 = w*, up to rounding.
	NormRatio float64
	// Accuracy is the share of examples whose label 0 or 1 is met by Xw at the threshold ½, from 0 to 1; NaN where Options did not
	// ask for it or a target is neither 0 nor 1.
	Accuracy float64
}

// Result is what an attacker reached.
type Result struct {
	Trace []Point
	// Steps is the number of steps taken; for Diverged the step that was no longer finite.
	Steps  int
	Status Status
	Reason string // a phrase: why Status
	// StepsTo1 and StepsTo01 are the first step, of all and not only the recorded ones, at which the excess is below 1 % and below
	// 0.1 %; −1 if there was none.
	StepsTo1, StepsTo01 int
	// W is the last finite w (D).
	W []float64
}

// LogSteps reports whether step is one of 0, 1, 2, 5, 10, 20, 50, … or the last.
func LogSteps(step, last int) bool {
	if step == last || step == 0 {
		return true
	}
	if step < 0 {
		return false
	}
	for step%10 == 0 {
		step /= 10
	}
	return step == 1 || step == 2 || step == 5
}
