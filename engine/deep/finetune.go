package deep

import (
	"context"

	"kappa/engine/nn"
)

// FullFinetune is the [Attack] that trains every parameter and the new head, with batch norms that follow the batches.
func FullFinetune(ctx context.Context, net *nn.Net, task Task, o AttackOptions, draw Draw) (TrainResult, error) {
	return attack(ctx, "full-finetune", net, task, o, draw, func(t *trainer) error {
		t.train, t.params = true, t.net.Trained()
		return nil
	})
}
