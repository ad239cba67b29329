package deep

import (
	"context"
	"fmt"

	"kappa/engine/nn"
)

// PretrainOptions are those of [Pretrain].
type PretrainOptions struct {
	TrainOptions
	Images     int                     // training images, drawn; 0 is all
	Test       bool                    // accuracy on the test images before the first and after each epoch
	Progress   func(step, steps int)   // after each step; nil: none
	EpochDone  func(e Epoch)           // after each epoch, and before the first where Test asks for it; nil: none
	Checkpoint func(state State) error // offered each epoch's state, which it may keep; its error ends the training; nil: none
	From       *State                  // continue from here with the same data, options and draws: the result has the same bits
}

// Pretrain trains all parameters of a net on a task from freshly drawn ones. The images are drawn by draw("images"), weights by
// draw("init"), the order of epoch e by draw("shuffle", "e") and what dropout drops by draw("dropout", "e"). An epoch's last images
// that fill no batch are left out of it; testing leaves none out.
//
// The error is ctx.Err() once ctx is done, that of Checkpoint or of the images, or says what of the options, the images or the
// state cannot be used. A training that diverges is no error.
func Pretrain(ctx context.Context, net *nn.Net, task Task, o PretrainOptions, draw Draw) (TrainResult, error) {
	fail := func(err error) (TrainResult, error) {
		return TrainResult{}, fmt.Errorf("pre-train %s: %w", net.Kind, err)
	}
	which, err := sample(task.Train, o.Images, draw, "images")
	if err != nil {
		return fail(err)
	}
	data, err := newPictures(net, task.Train, which)
	if err != nil {
		return fail(err)
	}
	if err := o.check(data.count()); err != nil {
		return fail(err)
	}
	t := &trainer{
		net: net, train: true, o: o.TrainOptions, data: data, draw: draw,
		progress: o.Progress, finished: o.EpochDone, checkpoint: o.Checkpoint, start: o.From,
	}
	if o.Test {
		if t.test, err = newPictures(net, task.Test, nil); err != nil {
			return fail(err)
		}
	}
	net.Thaw()
	net.Init(draw("init"))
	t.params = net.Trained()
	res, err := t.run(ctx)
	if err != nil && ctx.Err() == nil {
		return fail(err)
	}
	return res, err
}

// sample draws n of the images, or takes all, in their order, for n = 0.
func sample(images Images, n int, draw Draw, purpose ...string) ([]int, error) {
	if n == 0 {
		return nil, nil
	}
	if n < 0 || n > images.Len() {
		return nil, fmt.Errorf("%d images of %d; accepted: 1 to %d, or 0 for all", n, images.Len(), images.Len())
	}
	return draw(purpose...).Perm(images.Len())[:n], nil
}
