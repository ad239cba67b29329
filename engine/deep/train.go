package deep

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"kappa/engine/immunize"
	"kappa/engine/nn"
)

// Optimizer is the name of a rule that turns gradients into steps.
type Optimizer string

const (
	// SGD is gradient descent with Nesterov momentum, see [nn.SGD].
	SGD Optimizer = "sgd"
	// AdamW is Adam with decoupled weight decay, see [nn.AdamW].
	AdamW Optimizer = "adamw"
	// Adam is AdamW by the name that it has without weight decay.
	Adam Optimizer = "adam"
	// LBFGS goes to the optimum of a convex problem; only [LinearProbe] has one.
	LBFGS Optimizer = "lbfgs"
)

// TrainOptions are those of a training by gradient steps on shuffled batches. The learning rate of a step is [nn.Cosine]'s.
type TrainOptions struct {
	Epochs         int       // ≥ 0
	Batch          int       // images a step, ≥ 1; what is left of an epoch's images when no whole batch is left waits for the next shuffle
	Optimizer      Optimizer // SGD, Adam or AdamW; "" is SGD
	LearningRate   float64   // the schedule's highest, > 0
	Momentum       float64   // Nesterov's, in [0, 1); SGD only
	WeightDecay    float64   // ≥ 0, of the parameters that it is meant for
	Warmup         float64   // epochs of linear warm-up, ≥ 0; rounded to whole steps
	LabelSmoothing float64   // in [0, 1)
	ClipNorm       float64   // longest gradient, over all parameters together; 0 is none
}

// Epoch is the state after an epoch of training; a number that was not measured is NaN.
type Epoch struct {
	Epoch    int     // from 1; 0 is before the first step
	Loss     float64 // mean of the losses of the epoch's steps, each before its step; NaN for epoch 0
	Accuracy float64 // share of the test images whose label has the largest logit
	TestLoss float64 // mean cross-entropy of the test images, without smoothing
}

// TrainResult is what a training did. A loss or a parameter that is not finite ends it with Status Diverged and a Reason that names
// the step, from 1, and the layer; Epochs then ends with the last whole epoch before.
type TrainResult struct {
	Status immunize.Status // StepLimit, Diverged; of [LBFGS] Converged and Stalled too
	Reason string          // one sentence where Status needs one
	Steps  int             // that were taken
	Epochs []Epoch
}

// check returns an error that names what cannot be used.
func (o TrainOptions) check(images int) error {
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	switch {
	case o.Epochs < 0:
		return fmt.Errorf("%d epochs; accepted: 0 or more", o.Epochs)
	case o.Batch < 1:
		return fmt.Errorf("batches of %d images; accepted: 1 or more", o.Batch)
	case o.Batch > images:
		return fmt.Errorf("batches of %d images, but there are %d to train on; accepted: at most as many", o.Batch, images)
	case !slices.Contains([]Optimizer{"", SGD, Adam, AdamW}, o.Optimizer):
		return fmt.Errorf("optimizer %q; accepted: %s, %s, %s", o.Optimizer, SGD, Adam, AdamW)
	case !positive(o.LearningRate):
		return fmt.Errorf("learning rate %v; accepted: a number above 0", o.LearningRate)
	case !(o.Momentum >= 0 && o.Momentum < 1):
		return fmt.Errorf("momentum %v; accepted: a number in [0, 1)", o.Momentum)
	case o.WeightDecay != 0 && !positive(o.WeightDecay):
		return fmt.Errorf("weight decay %v; accepted: 0 or a number above", o.WeightDecay)
	case o.Warmup != 0 && !positive(o.Warmup):
		return fmt.Errorf("warm-up of %v epochs; accepted: 0 or a number above", o.Warmup)
	case !(o.LabelSmoothing >= 0 && o.LabelSmoothing < 1):
		return fmt.Errorf("label smoothing %v; accepted: a number in [0, 1)", o.LabelSmoothing)
	case o.ClipNorm != 0 && !positive(o.ClipNorm):
		return fmt.Errorf("clip norm %v; accepted: 0 (none) or a number above", o.ClipNorm)
	}
	return nil
}

// optimizer returns what moves the parameters.
func (o TrainOptions) optimizer(params []*nn.Param) nn.Optimizer {
	if o.Optimizer == Adam || o.Optimizer == AdamW {
		return nn.NewAdamW(params, o.WeightDecay)
	}
	return nn.NewSGD(params, o.Momentum, true, o.WeightDecay)
}

// trainer trains the blocks of a net from one on, and its head.
type trainer struct {
	net         *nn.Net
	from        int  // the first block that is computed: data are what the one before gives
	train       bool // batch norms follow the batches, dropout drops
	params      []*nn.Param
	o           TrainOptions
	data, test  source // test nil: none
	draw        Draw
	progress    func(step, steps int)
	finished    func(Epoch)       // after each epoch; nil: none
	checkpoint  func(State) error // after each epoch; nil: none
	start       *State
	merge, pull func() // around the passes of a step: parameters into the net, its gradients back; nil: they are the net's own

	opt    nn.Optimizer
	res    TrainResult
	x, d   nn.Tensor
	labels []int
}

// run trains to the end.
func (t *trainer) run(ctx context.Context) (TrainResult, error) {
	perEpoch := t.data.count() / t.o.Batch
	steps := t.o.Epochs * perEpoch
	warmup := int(math.Round(t.o.Warmup * float64(perEpoch)))
	t.opt = t.o.optimizer(t.params)
	if t.start != nil {
		if err := t.restore(*t.start, perEpoch); err != nil {
			return TrainResult{}, err
		}
	} else if t.test != nil {
		if err := t.measure(ctx, Epoch{Loss: math.NaN()}); err != nil {
			return TrainResult{}, err
		}
	}
	for epoch := t.res.Steps/max(perEpoch, 1) + 1; epoch <= t.o.Epochs; epoch++ {
		number := strconv.Itoa(epoch)
		order := t.draw("shuffle", number).Perm(t.data.count())
		mode := nn.Mode{Train: t.train}
		if t.train {
			mode.Rand = t.draw("dropout", number)
		}
		sum := 0.0
		for i := range perEpoch {
			if err := ctx.Err(); err != nil {
				return TrainResult{}, err
			}
			loss, err := t.step(order[i*t.o.Batch:(i+1)*t.o.Batch], mode, nn.Cosine(t.o.LearningRate, t.res.Steps, warmup, steps))
			if err != nil {
				return TrainResult{}, err
			}
			if t.res.Status == immunize.Diverged {
				return t.res, nil
			}
			sum += loss
			if t.progress != nil {
				t.progress(t.res.Steps, steps)
			}
		}
		if where := notFinite(slices.Concat(t.net.Params(), t.params)); where != "" {
			t.diverged(fmt.Sprintf("step %d: the loss is finite, but %s is not", t.res.Steps, where))
			return t.res, nil
		}
		if err := t.measure(ctx, Epoch{Epoch: epoch, Loss: sum / float64(perEpoch)}); err != nil {
			return TrainResult{}, err
		}
	}
	t.res.Status = immunize.StepLimit
	return t.res, nil
}

// step takes one step on a batch and returns the loss before it. A step that cannot be taken sets the status.
func (t *trainer) step(rows []int, mode nn.Mode, rate float64) (float64, error) {
	if err := t.data.read(&t.x, rows); err != nil {
		return 0, err
	}
	t.labels = t.data.label(t.labels[:0], rows)
	if t.merge != nil {
		t.merge()
	}
	logits := t.net.Logits(t.net.Through(t.from, len(t.net.Blocks), &t.x, mode), mode)
	loss := nn.CrossEntropy(logits, t.labels, t.o.LabelSmoothing, &t.d)
	if loss-loss != 0 {
		t.locate(fmt.Sprintf("the loss is %v", loss))
		return loss, nil
	}
	t.net.ZeroGrad()
	if d := t.net.Head.Backward(&t.d, t.net.Trunk() < len(t.net.Blocks)); d != nil {
		t.net.Backward(d)
	}
	if t.pull != nil {
		t.pull()
	}
	if t.o.ClipNorm > 0 {
		if norm := nn.ClipGradient(t.params, t.o.ClipNorm); norm-norm != 0 {
			t.locate(fmt.Sprintf("the norm of the gradient is %v", norm))
			return loss, nil
		}
	}
	t.opt.Step(rate)
	t.res.Steps++
	return loss, nil
}

// measure ends an epoch, or records the state before the first.
func (t *trainer) measure(ctx context.Context, e Epoch) error {
	e.Accuracy, e.TestLoss = math.NaN(), math.NaN()
	if t.test != nil {
		if t.merge != nil {
			t.merge()
		}
		var err error
		if e.Accuracy, e.TestLoss, err = evaluate(ctx, t.net, t.from, t.test, t.o.Batch); err != nil {
			return err
		}
	}
	t.res.Epochs = append(t.res.Epochs, e)
	if t.finished != nil {
		t.finished(e)
	}
	if t.checkpoint != nil && e.Epoch > 0 {
		return t.checkpoint(t.state(e.Epoch))
	}
	return nil
}

// locate ends a training at a step that cannot be taken.
func (t *trainer) locate(what string) {
	reason := fmt.Sprintf("step %d: %s", t.res.Steps+1, what)
	if where := t.net.Locate(&t.x); where != "" {
		reason += "; the first number that is not finite is in " + where
	}
	t.diverged(reason)
}

func (t *trainer) diverged(reason string) { t.res.Status, t.res.Reason = immunize.Diverged, reason }

// notFinite names a parameter or buffer that holds a number that is NaN or infinite, "" if none does.
func notFinite(params []*nn.Param) string {
	for _, p := range params {
		for _, v := range p.Value {
			if v-v != 0 {
				return p.Name
			}
		}
	}
	return ""
}
