package deep

import (
	"context"

	"kappa/engine/nn"
)

// LinearProbe is the [Attack] that trains the new head alone, on features that are computed once, in the net's evaluation mode: by SGD
// or Adam from the drawn head, or to the convex optimum by L-BFGS.
//
// The optimum has no epochs. With [LBFGS] the result has two: 0, as ever, and the last, o.Epochs, with the head that minimizes the mean
// cross-entropy of the training images plus a ridge that makes the minimum unique,
//
//	1/n·Σ_i CE(Wf_i + b, y_i) + ρ/2·(s²‖W‖²_F + ‖b‖²),  ρ = 10⁻⁸, s² the mean square of the features,
//
// so that it is the same for features in other units. It is found in float64, from W = 0 and b = 0, in coordinates in which the features are
// white: their condition number does not matter. Of o only Epochs, Images, TestImages and Batch are read (Batch for the forward
// passes); Steps counts major iterations, at most 1000, each at least one evaluation on all images; the last epoch's Loss is the
// mean cross-entropy at the optimum. The status is then Converged where no element of the gradient is above 10⁻⁷ or 20 iterations have
// lowered the value by less than 10⁻⁷, StepLimit at 1000 iterations.
func LinearProbe(ctx context.Context, net *nn.Net, task Task, o AttackOptions, draw Draw) (TrainResult, error) {
	optimum := o.Optimizer == LBFGS
	epochs := o.Epochs
	if optimum {
		o.TrainOptions = TrainOptions{Epochs: min(epochs, 0), Batch: o.Batch, LearningRate: 1} // no step is taken
		o.Checkpoint, o.From = nil, nil
	}
	var probe *trainer
	res, err := attack(ctx, "linear-probe", net, task, o, draw, func(t *trainer) error {
		if err := t.net.Freeze(); err != nil {
			return err
		}
		t.params, probe = t.net.Trained(), t
		return t.climb(ctx)
	})
	if err != nil || !optimum || epochs < 1 {
		return res, err
	}
	return probe.optimum(ctx, epochs)
}
