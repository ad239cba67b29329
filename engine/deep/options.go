package deep

import (
	"context"
	"fmt"
	"math"

	"kappa/engine/immunize"
	"kappa/engine/nn"
	"kappa/engine/spectrum"
)

// Method immunizes p.Net in place. The error is ctx.Err() once ctx is done, or says which part of the data or of the options
// cannot be used. A method that went wrong on the way is no error: Result.Status says so, and the net is the last usable one.
//
// Norms are in the evaluation mode throughout, and nothing is dropped: what is immunized is the function that is measured and
// served, and running statistics stay those of the pre-training.
//
// Random numbers come from draw("primary"), for the order of the primary images, draw("harmful"), for that of the harmful ones,
// and of [IMMA] draw("head").
type Method func(ctx context.Context, p Problem, o Options, draw Draw) (Result, error)

var _ = [...]Method{Identity, Immunize, RillOnly, IMMA, OptKappa}

// Problem is a pre-trained net with the training images of the task that it is to serve and of the one that it is to hinder.
type Problem struct {
	Net              *nn.Net // θ_0 and the head ω_0 of the primary task
	Primary, Harmful Images
}

// Options are what a method reads beside the problem.
type Options struct {
	Steps          int      // ≥ 0
	Batch          int      // images of each task a step, ≥ 2
	LearningRate   float64  // the schedule's highest, > 0; see [nn.Cosine]
	Momentum       float64  // Nesterov's, in [0, 1)
	WeightDecay    float64  // ≥ 0, of the parameters that it is meant for
	Warmup         int      // steps of linear warm-up before the cosine, ≥ 0
	LabelSmoothing float64  // of the supervised loss, in [0, 1)
	ClipNorm       float64  // longest gradient, over all parameters together, ≥ 0; 0 is none
	Unfrozen       []string // patterns of the parameters that move beside the head's, see [nn.Net.Freeze]; nil are net.Unfrozen
	// LambdaPrimary and LambdaHarmful weigh the method's primary and harmful terms, ≥ 0. Balanced, they are BalanceNorm over the norm of
	// the term's gradient in the unfrozen parameters, without the head's, at θ_0 on the first batch; 0 where it has none there, which
	// Result.Reason then says.
	LambdaPrimary, LambdaHarmful immunize.Lambda
	BalanceNorm                  float64 // > 0 where a weight is balanced
	InnerSteps                   int     // of IMMA's inner player, ≥ 1
	InnerRate                    float64 // its learning rate, > 0
	// TraceAt says whether the state after step (0 … last) is measured; the first and the last state always are. nil measures those
	// two alone. A measured state costs about four steps.
	TraceAt  func(step, last int) bool
	Progress func(step, steps int) // after every step; nil: none
	// CheckpointAt says whether Checkpoint is offered the state after step (1 … last), a copy, which it may keep; an error of Checkpoint's
	// ends the method. nil, of either: no state is taken. [Identity] takes no step and offers none.
	CheckpointAt func(step, last int) bool
	Checkpoint   func(state MethodState) error
	From         *MethodState // continue from here with the same problem, θ_0 included, options and draws: net and result have the same bits
}

// Result is what a method did.
type Result struct {
	// Status is StepLimit, or Converged of a method without steps; Diverged where a number that is not finite came up, the net then
	// is that of the last step before; Degenerate where no term had a gradient any more.
	Status immunize.Status
	Reason string // where Status needs a sentence, and where a balanced weight has nothing to be balanced by and is 0
	Steps  int    // behind the net
	// Skipped counts the steps in which a term took no part because it had no gradient: all non-zero singular values of a batch's
	// features were equal, or there was but one.
	Skipped int
	Trace   []Point // in order of Step
}

// Point is the state after Step steps: κ on fixed images, those of the first two batches of each task, everything else on the batches of
// the next step. (The features of a single batch are often square, whose smallest singular value says little.) A number that does not
// apply is NaN.
type Point struct {
	Step        int
	LossPrimary float64 // label-smoothed cross-entropy on D_P
	LossHarmful float64 // of IMMA: cross-entropy on D_H of the inner player's head as it stands
	RWell, RIll float64 // R_well(H̃_P) and R_ill(H̃_H) of a batch
	// GradLoss, GradWell and GradIll are the norms of the gradients of the supervised loss and of the method's primary and harmful
	// terms in the unfrozen parameters, without the head's and without the weights λ.
	GradLoss, GradWell, GradIll float64
	Primary, Harmful            spectrum.Conditions
}

// check returns an error that names what cannot be used.
func (o *Options) check(p Problem, inner bool) error {
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	weight := func(name string, l immunize.Lambda) error {
		if !l.Balance && l.Value != 0 && !positive(l.Value) {
			return fmt.Errorf("%s %v; accepted: 0, a number above, or balance", name, l.Value)
		}
		if l.Balance && !positive(o.BalanceNorm) {
			return fmt.Errorf("balance norm %v; accepted: a number above 0", o.BalanceNorm)
		}
		return nil
	}
	images := min(p.Primary.Len(), p.Harmful.Len())
	switch {
	case o.Steps < 0:
		return fmt.Errorf("%d steps; accepted: 0 or more", o.Steps)
	case o.Batch < 2:
		return fmt.Errorf("batches of %d images; accepted: 2 or more", o.Batch)
	case o.Batch > images:
		return fmt.Errorf("batches of %d images, but a task has %d to train on; accepted: at most as many", o.Batch, images)
	case !positive(o.LearningRate):
		return fmt.Errorf("learning rate %v; accepted: a number above 0", o.LearningRate)
	case !(o.Momentum >= 0 && o.Momentum < 1):
		return fmt.Errorf("momentum %v; accepted: a number in [0, 1)", o.Momentum)
	case o.WeightDecay != 0 && !positive(o.WeightDecay):
		return fmt.Errorf("weight decay %v; accepted: 0 or a number above", o.WeightDecay)
	case o.Warmup < 0:
		return fmt.Errorf("warm-up of %d steps; accepted: 0 or more", o.Warmup)
	case !(o.LabelSmoothing >= 0 && o.LabelSmoothing < 1):
		return fmt.Errorf("label smoothing %v; accepted: a number in [0, 1)", o.LabelSmoothing)
	case o.ClipNorm != 0 && !positive(o.ClipNorm):
		return fmt.Errorf("clip norm %v; accepted: 0 (none) or a number above", o.ClipNorm)
	case inner && o.InnerSteps < 1:
		return fmt.Errorf("%d inner steps; accepted: 1 or more", o.InnerSteps)
	case inner && !positive(o.InnerRate):
		return fmt.Errorf("inner rate %v; accepted: a number above 0", o.InnerRate)
	}
	if err := weight("lambda_primary", o.LambdaPrimary); err != nil {
		return err
	}
	return weight("lambda_harmful", o.LambdaHarmful)
}
