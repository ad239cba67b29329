package runner

import (
	"errors"
	"fmt"

	"kappa/engine/deep"
	"kappa/engine/nn"
	"kappa/store"
)

// pretrain trains θ_0 on the primary task, from the state that an earlier attempt has left where there is one.
func (t *trial) pretrain(r reader, net *nn.Net, data pictures) error {
	work := workOf(r, sizeOfPictures(data), passesOf(net, nil), false)
	t.recordWork(work)
	o := deep.PretrainOptions{
		TrainOptions: deep.TrainOptions{
			Epochs: r.integer("pretrain.epochs"), Batch: r.integer("pretrain.batch"),
			Optimizer: deep.Optimizer(r.str("pretrain.optimizer")), LearningRate: r.number("pretrain.learning_rate"),
			Momentum: r.number("pretrain.momentum"), WeightDecay: r.number("pretrain.weight_decay"), Warmup: r.number("pretrain.warmup"),
			LabelSmoothing: r.number("pretrain.label_smoothing"), ClipNorm: r.number("pretrain.clip_norm"),
		},
		Images: r.integer("pretrain.n"), Test: true, Progress: work.phase(t, 0, work.method),
	}
	o.Checkpoint = func(s deep.State) error {
		if s.Epoch == o.Epochs { // what is left to do is to record it
			return nil
		}
		return t.writeCheckpoint(s)
	}
	o.From = t.readCheckpoint()
	res, err := deep.Pretrain(t.ctx, net, data.primary, o, seeded(r.integer("pretrain.seed"), pretrainMethod))
	if errors.Is(err, deep.ErrState) {
		t.notTakenUp(err)
		o.From = nil
		res, err = deep.Pretrain(t.ctx, net, data.primary, o, seeded(r.integer("pretrain.seed"), pretrainMethod))
	}
	if err != nil {
		return err
	}
	t.logf("pre-training: %s", ending(res.Status, res.Steps, res.Reason))
	t.out.Status, t.out.Reason = statusOf(res.Status, res.Reason)
	for _, e := range res.Epochs {
		t.metric("loss_primary", e.Epoch, e.Loss)
		t.metric("accuracy_primary", e.Epoch, e.Accuracy)
		t.metric("loss_primary_test", e.Epoch, e.TestLoss)
	}
	if t.out.Status != store.Done {
		return nil
	}
	if err := t.keepNet(net); err != nil {
		return fmt.Errorf("pre-training: %w", err)
	}
	return nil
}
