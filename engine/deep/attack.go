package deep

import (
	"context"
	"fmt"
	"math/rand/v2"

	"kappa/engine/nn"
)

// Attack fine-tunes a copy of a net on the task that it is to hinder, with a new head for that task's classes. The net itself is only
// read.
//
// The images, the test images, the new head, the order of epoch e and what dropout drops in it are drawn by draw("attack", …) with
// "images", "test", "head", "shuffle" and "dropout": with the same seed they are the same for all attacks, and the curves of
// two attacks, or of one on two nets, can be compared epoch by epoch. Epoch 0 of the result is the net with its new head.
//
// The error is ctx.Err() once ctx is done, that of the images, or says what of the options or the images cannot be used. An attack
// that diverges is no error: it is a result.
type Attack func(ctx context.Context, net *nn.Net, task Task, o AttackOptions, draw Draw) (TrainResult, error)

// AttackOptions are those of an attack.
type AttackOptions struct {
	TrainOptions
	Images     int                   // training images, drawn; 0 is all
	TestImages int                   // test images, drawn; 0 is all
	Rank       int                   // of LoRA's adapters, ≥ 1
	Scale      float64               // of LoRA's adapters, α/r, ≥ 0; 0 is 1 (α = r)
	Progress   func(step, steps int) // after each step; nil: none
	EpochDone  func(e Epoch)         // after each epoch, and before the first; nil: none
	// Checkpoint and From are as those of [PretrainOptions]. The optimum by [LBFGS] has no epochs: it offers no state and takes none.
	Checkpoint func(state State) error
	From       *State
}

// begin returns the training of a copy of net with a new head, all of it, in eval mode and without parameters that move.
func begin(net *nn.Net, task Task, o AttackOptions, draw Draw) (*trainer, error) {
	if test := task.Test.Classes(); test != task.Train.Classes() {
		return nil, fmt.Errorf("%d classes to train on, %d to test on", task.Train.Classes(), test)
	}
	t := &trainer{
		net: net.WithHead(task.Train.Classes(), draw("attack", "head")), o: o.TrainOptions,
		draw:     func(purpose ...string) *rand.Rand { return draw(append([]string{"attack"}, purpose...)...) },
		progress: o.Progress, finished: o.EpochDone, checkpoint: o.Checkpoint, start: o.From,
	}
	for _, part := range []struct {
		name, purpose string
		images        Images
		n             int
		to            *source
	}{
		{"training", "images", task.Train, o.Images, &t.data},
		{"test", "test", task.Test, o.TestImages, &t.test},
	} {
		which, err := sample(part.images, part.n, t.draw, part.purpose)
		if err != nil {
			return nil, fmt.Errorf("%s images: %w", part.name, err)
		}
		src, err := newPictures(t.net, part.images, which)
		if err != nil {
			return nil, fmt.Errorf("%s images: %w", part.name, err)
		}
		*part.to = src
	}
	if t.test.count() == 0 {
		return nil, fmt.Errorf("no test images")
	}
	return t, nil
}

// climb computes once what the blocks give that nothing is trained in, and goes on from there.
func (t *trainer) climb(ctx context.Context) (err error) {
	t.from = t.net.Trunk()
	for _, s := range []*source{&t.data, &t.test} {
		if *s, err = above(ctx, t.net, t.from, (*s).(*pictures), t.o.Batch); err != nil {
			return err
		}
	}
	return nil
}

// attack runs an attack under its name: prepare says what is trained.
func attack(ctx context.Context, name string, net *nn.Net, task Task, o AttackOptions, draw Draw, prepare func(t *trainer) error) (TrainResult, error) {
	res, err := func() (TrainResult, error) {
		t, err := begin(net, task, o, draw)
		if err != nil {
			return TrainResult{}, err
		}
		if err := t.o.check(t.data.count()); err != nil {
			return TrainResult{}, err
		}
		if err := prepare(t); err != nil {
			return TrainResult{}, err
		}
		return t.run(ctx)
	}()
	switch {
	case ctx.Err() != nil && err != nil:
		return TrainResult{}, ctx.Err()
	case err != nil:
		return TrainResult{}, fmt.Errorf("attack %s by %s: %w", net.Kind, name, err)
	}
	return res, nil
}
