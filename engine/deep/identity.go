package deep

import (
	"context"

	"kappa/engine/immunize"
)

// Identity leaves θ_0 as it is: the baseline. Its trace is that one state, which it measures on first batches as the other methods
// do. It reads Batch of the options.
func Identity(ctx context.Context, p Problem, o Options, draw Draw) (Result, error) {
	o = Options{Batch: o.Batch, LearningRate: 1, LabelSmoothing: o.LabelSmoothing, Unfrozen: o.Unfrozen}
	res, err := run(ctx, p, o, draw, objective{loss: true})
	if res.Status == immunize.StepLimit {
		res.Status = immunize.Converged
	}
	return res, err
}
