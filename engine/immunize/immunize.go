package immunize

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

// Func is a method: it returns an extractor for the problem p. rng is read only by methods that draw random numbers (Released,
// and Algorithm1 and RillOnly on mini-batches); the same seed gives the same bits.
//
// The error is ctx.Err() once ctx is done (it is looked at before every step), or says which part of the data or of the options
// cannot be used. A method that went wrong on the way is no error: Result.Status says what happened and Result.Theta is the last
// usable θ. Matrices of the wrong shape panic.
type Func func(ctx context.Context, p Problem, o Options, rng *rand.Rand) (Result, error)

var _ = [...]Func{Identity, Algorithm1, Released, RillOnly, IMMA, OptKappa, Optimum}

// Task is one task's data.
type Task struct {
	X *mat.Dense // inputs, N×D, one example a row
	Y []float64  // targets, N of them; nil where the method needs none
	// Factor is the factor of X. If it is nil it is computed, at the cost of one singular value decomposition of X.
	Factor *spectrum.Factor
	// WithOnes returns the factor of [X 1], which Released needs. If it is nil that is computed. It may be called by several runs at
	// once, and should compute once for all of them.
	WithOnes func() (*spectrum.Factor, error)
}

// Problem is a primary task, which θ is to serve, and a harmful task, which it is to hinder. Both have D columns; their numbers
// of rows may differ.
type Problem struct {
	Primary, Harmful Task
	Loss             Loss // of the primary task; Logistic takes targets 0 and 1 only
}

// Lambda is the weight of a regularizer. The zero value is the weight 0: the term is off.
type Lambda struct {
	// Balance sets the weight to BalanceNorm/‖g(θ_0)‖_F, g the regularizer's gradient over all rows in the form used, before
	// the first step, and keeps it: the paper's balancing of gradient norms.
	Balance bool
	Value   float64 // the weight where Balance is false
}

// StepRule says how long a step is.
type StepRule int

const (
	// Fixed is a step of the learning rate times the direction.
	Fixed StepRule = iota
	// Normalized scales each regularizer's gradient to StepFraction·‖θ‖_F/√D, recomputed at every step (‖θ‖_F/√D is the length
	// of a root-mean-square column of θ, 1 at θ = I). The supervised term keeps the learning rate. It does not go with Adam,
	// which sets the length of its steps itself.
	Normalized
	// Certified takes each step as two, each inside the interval in which its theorem holds: see the package comment. It is for
	// Algorithm1 and RillOnly, with GD, over all rows, preconditioned and without the supervised term.
	Certified
)

// PreconditionSide says on which side of ∂R/∂W, W = θᵀ, Released applies (K + λI)⁻¹.
type PreconditionSide int

const (
	// AsReleased multiplies from the left, as the released code does, where Algorithm 1 needs the right. It runs only because
	// W is square.
	AsReleased PreconditionSide = iota
	// Mended multiplies from the right.
	Mended
	// unconditioned leaves the preconditioner out, so that tests can compare the gradient with differences of the objective.
	unconditioned
)

// Defaults of Options.
const (
	defaultLearningRate = 0.005
	defaultStepFraction = 0.02
	defaultCertified    = 0.5
	defaultBalanceNorm  = 10
	defaultInnerSteps   = 5
	defaultRidge        = 1
)

// Options are what a method reads beside the data. Each method says which fields it reads; it ignores the others. The zero value
// takes no step, since Steps is 0.
type Options struct {
	Theta0    *mat.Dense // start, D×D, not modified; nil is the identity (Released: random)
	Optimizer Optimizer
	Step      StepRule
	// StepFraction is s/(‖θ‖_F/√D) under Normalized, > 0; 0 is 0.02. Under Certified it is the fraction of the corrected interval that
	// a half step takes, in (0, 1); 0 is 0.5.
	StepFraction float64
	// StepLength is the longest half step under Certified, as a multiple of ‖θ‖_F/√D, ≥ 0; 0 is no bound.
	StepLength float64
	Steps      int // steps to take, ≥ 0; an epoch is ⌊N/Batch⌋ steps
	// Batch is the number of rows of each task a step sees; 0, and anything above N, is all of them.
	Batch        int
	LearningRate float64 // η, > 0; 0 is 0.005
	Momentum     float64 // μ of SGD, in [0, 1)
	// LambdaPrimary and LambdaHarmful weigh R_well(H_P) and R_ill(H_H), ≥ 0; not read under Normalized.
	LambdaPrimary, LambdaHarmful Lambda
	BalanceNorm                  float64 // norm that Lambda.Balance balances to, > 0; 0 is 10
	Supervised                   bool    // include L(D_P, ω, θ), with ω from 0
	// Form is the form of the regularizers' gradients in Algorithm1 and RillOnly. The zero value is Plain, without K⁻¹; Algorithm 1
	// of the paper is Cancelled.
	Form regularizer.Form
	// RidgePrimary and RidgeHarmful are Released's λ in (K + λI)⁻¹ on a batch, > 0; 0 is 1.
	RidgePrimary, RidgeHarmful float64
	Side                       PreconditionSide // of Released
	KappaMax                   float64          // largest κ(θ) that Optimum may use, ≥ 1; 0 is none
	InnerSteps                 int              // steps of IMMA's inner player, ≥ 1; 0 is 5
	// TraceAt says whether the state after step (0 … last) is measured; the first and the last state always are. nil measures
	// those two alone. A measured state costs about as much as a step over all rows.
	TraceAt func(step, last int) bool
	// Progress, if not nil, is called after every step.
	Progress func(step, steps int)
}

// Status says why a method stopped.
type Status string

const (
	// Converged: nothing left to do. Closed forms, and problems in which no term asks for a step (D = 1, or rank 1: κ is 1).
	Converged Status = "converged"
	// StepLimit: all steps were taken.
	StepLimit Status = "step limit"
	// Diverged: a step led to parameters, or to a Hessian, that are not finite; Theta is the last before it.
	Diverged Status = "diverged"
	// Degenerate: the direction is undefined at Theta, because all non-zero singular values of a Hessian are equal.
	Degenerate Status = "degenerate"
)

// Result is what a method found.
type Result struct {
	Theta  *mat.Dense // D×D, always finite
	Bias   []float64  // of the features Xθ + 1bᵀ, D; Released only, else nil
	Omega  []float64  // primary head, D; nil where the method trains none
	Status Status
	Reason string  // one sentence where Status needs one, else empty
	Steps  int     // steps behind Theta
	Trace  []Point // in order of Step
	Counts Counts
	// Certified holds the certified steps that led to the states of Trace, but the first.
	Certified []CertifiedStep
}

// Point is the state after Step steps, measured on all rows. A number that does not apply is NaN.
type Point struct {
	Step        int
	LossPrimary float64 // L(D_P, ω, θ)
	RWell, RIll float64 // R_well(H_P) and R_ill(H_H) (Eqs. 3 and 12)
	// GradLoss is ‖∇_θL‖_F; GradWell and GradIll are the Frobenius norms of the gradients of the method's primary and harmful
	// terms, as they enter the direction (so preconditioned, where the method preconditions) but without their weights.
	GradLoss, GradWell, GradIll float64
	Primary, Harmful            spectrum.Conditions // κ(H_P), κ(H_H)
	KappaTheta                  float64             // κ(θ); +Inf where θ is singular
}

// Counts say how often the steps did not do what Theorem 4.3 promises; see the package comment.
type Counts struct {
	Steps    int // steps taken
	Compared int // pairs of consecutive states in which κ was compared: Steps, on mini-batches the trace's intervals
	// PrimaryRose and HarmfulFell count the pairs in which κ(H_P) rose and κ(H_H) fell, by more than rounding, under the
	// protocol `rank`.
	PrimaryRose, HarmfulFell int
	// WellOutside and IllOutside count the steps with an effective η outside the corrected interval.
	WellOutside, IllOutside int
	// Degenerate counts the steps at which σ_1(H_P) or σ_k(H_H) was repeated, so that the gradient was one of many.
	Degenerate int
	// Half says what the half steps of certified steps did: those of R_well, those of R_ill.
	Half [2]HalfCounts
}
