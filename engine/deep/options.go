package deep

import (
	"context"

	"kappa/engine/immunize"
	"kappa/engine/nn"
	"kappa/engine/spectrum"
)

// Method immunizes p.Net in place. The error is ctx.Err() once ctx is done, or says which part of the data or of the options
// cannot be used. A method that went wrong on the way is no error: Result.Status says so, and the net is the last usable one.
type Method func(ctx context.Context, p Problem, o Options, draw Draw) (Result, error)

// Problem is a pre-trained net with the training images of the task that it is to serve and of the one that it is to hinder.
type Problem struct {
	Net              *nn.Net // θ_0 and the head ω_0 of the primary task
	Primary, Harmful Images
}

// Options are what a method reads beside the problem.
type Options struct {
	Steps          int      // ≥ 0
	Batch          int      // images of each task a step, ≥ 2
	LearningRate   float64  // the schedule's highest, > 0
	Momentum       float64  // Nesterov's, in [0, 1)
	WeightDecay    float64  // ≥ 0
	Warmup         int      // steps of linear warm-up before the cosine, ≥ 0
	LabelSmoothing float64  // of the supervised loss, in [0, 1)
	ClipNorm       float64  // longest gradient, over all parameters together; 0 is none
	Unfrozen       []string // patterns of the parameters that move, see nn.Net.Freeze; nil are net.Unfrozen
	// LambdaPrimary and LambdaHarmful weigh R_well(H̃_P) and R_ill(H̃_H). Balanced, they are BalanceNorm over the norm of the term's
	// gradient in the unfrozen parameters at θ_0, on the first batch.
	LambdaPrimary, LambdaHarmful immunize.Lambda
	BalanceNorm                  float64
	InnerSteps                   int     // of IMMA's inner player, ≥ 1
	InnerRate                    float64 // its learning rate, > 0
	TraceAt                      func(step, last int) bool
	Progress                     func(step, steps int)
}

// Result is what a method did.
type Result struct {
	Status immunize.Status
	Reason string // one sentence where Status needs one
	Steps  int
	Trace  []Point
}

// Point is the state after Step steps, on the step's batches; on fixed batches (the first ones) where it is a condition number. A
// number that does not apply is NaN.
type Point struct {
	Step                        int
	LossPrimary                 float64 // label-smoothed cross-entropy on D_P
	RWell, RIll                 float64
	GradLoss, GradWell, GradIll float64 // norms of the terms' gradients in the unfrozen parameters, without their weights
	Primary, Harmful            spectrum.Conditions
}
