package deep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"kappa/engine/immunize"
	"kappa/engine/internal/numtest"
	"kappa/engine/nn"
)

// attackers are all attacks, with options that take them from the toy task's chance level to the top.
func attackers() map[string]func() (Attack, AttackOptions) {
	options := func(optimizer Optimizer, rate float64) AttackOptions {
		return AttackOptions{
			TrainOptions: TrainOptions{Epochs: 5, Batch: 8, Optimizer: optimizer, LearningRate: rate, Momentum: 0.9},
			Images:       80, TestImages: 30, Rank: 2,
		}
	}
	return map[string]func() (Attack, AttackOptions){
		"linear-probe-sgd":   func() (Attack, AttackOptions) { return LinearProbe, options(SGD, 0.05) },
		"linear-probe-adam":  func() (Attack, AttackOptions) { return LinearProbe, options(Adam, 0.02) },
		"linear-probe-lbfgs": func() (Attack, AttackOptions) { return LinearProbe, options(LBFGS, 0) },
		"lora":               func() (Attack, AttackOptions) { return LoRA, options(AdamW, 0.01) },
		"full-finetune":      func() (Attack, AttackOptions) { return FullFinetune, options(SGD, 0.02) },
	}
}

// attacked is a net before an attack.
func attacked(t testing.TB, kind string, dims [3]int) *nn.Net {
	net := newNet(t, kind, dims, 4)
	net.Init(numtest.Rand(3))
	return net
}

func TestAttacksLearn(t *testing.T) {
	dims := [3]int{1, 8, 8}
	task := toyTask(21, 160, 3, dims)
	for _, kind := range []string{"mlp", "vit-small", "resnet-small"} {
		start := ""
		for name, create := range attackers() {
			t.Run(kind+" "+name, func(t *testing.T) {
				net := attacked(t, kind, dims)
				before := values(net)
				do, o := create()
				var shown []Epoch
				o.EpochDone = func(e Epoch) { shown = append(shown, e) }
				res, err := do(t.Context(), net, task, o, drawFrom(1))
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(values(net), before) {
					t.Error("the net itself was trained")
				}
				if fmt.Sprint(shown) != fmt.Sprint(res.Epochs) {
					t.Errorf("epochs %v, shown %v", res.Epochs, shown)
				}
				if start == "" {
					start = fmt.Sprint(res.Epochs[0])
				}
				if got := fmt.Sprint(res.Epochs[0]); got != start {
					t.Errorf("epoch 0 is %s, of another attack %s", got, start)
				}
				epochs, steps, status := 6, 50, immunize.StepLimit
				if o.Optimizer == LBFGS {
					epochs, steps, status = 2, res.Steps, immunize.Converged
				}
				last := res.Epochs[len(res.Epochs)-1]
				if len(res.Epochs) != epochs || last.Epoch != 5 || res.Steps != steps || res.Steps < 1 || res.Status != status {
					t.Errorf("%+v, want %d epochs, %d steps and %s", res, epochs, steps, status)
				}
				if !(last.Accuracy > 0.9) || !(last.TestLoss < res.Epochs[0].TestLoss) || !(last.Loss < 0.7) {
					t.Errorf("epochs %v: nothing was learned", res.Epochs)
				}
			})
		}
	}
}

func TestAttacksAreDeterministic(t *testing.T) {
	dims := [3]int{1, 8, 8}
	task := toyTask(22, 160, 3, dims)
	for _, kind := range []string{"mlp", "resnet-small"} {
		for name, create := range attackers() {
			t.Run(kind+" "+name, func(t *testing.T) {
				run := func(cores int, seed uint64) string {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
					do, o := create()
					o.Epochs = 2
					res, err := do(t.Context(), attacked(t, kind, dims), task, o, drawFrom(seed))
					return fmt.Sprint(res, err)
				}
				one := run(1, 1)
				if two := run(2, 1); two != one {
					t.Errorf("one core: %s\ntwo cores: %s", one, two)
				}
				if other := run(1, 2); other == one {
					t.Errorf("another seed gives the same: %s", one)
				}
			})
		}
	}
}

func TestAttacksDiverge(t *testing.T) {
	task := toyTask(23, 160, 3, toyDims)
	for name, create := range attackers() {
		do, o := create()
		if o.Optimizer == LBFGS {
			continue // it does not
		}
		o.Optimizer, o.LearningRate = SGD, 1e39
		res, err := do(t.Context(), attacked(t, "mlp", toyDims), task, o, drawFrom(1))
		if err != nil || res.Status != immunize.Diverged || !strings.HasPrefix(res.Reason, "step ") || len(res.Epochs) < 1 {
			t.Errorf("%s: %+v, %v", name, res, err)
		}
	}
	// Features that are not finite.
	for name, create := range attackers() {
		do, o := create()
		net := attacked(t, "mlp", toyDims)
		for _, p := range net.Params() {
			if p.Name == "layers.1.bias" {
				p.Value[0] = float32(math.Inf(1))
			}
		}
		res, err := do(t.Context(), net, task, o, drawFrom(1))
		if err != nil || res.Status != immunize.Diverged || !strings.HasPrefix(res.Reason, "step 1: ") || res.Steps != 0 {
			t.Errorf("%s on features that are infinite: %+v, %v", name, res, err)
		}
	}
}

func TestAttacksStop(t *testing.T) {
	task := toyTask(24, 160, 3, toyDims)
	for name, create := range attackers() {
		ctx, cancel := context.WithCancel(t.Context())
		do, o := create()
		o.EpochDone = func(Epoch) { cancel() }
		if _, err := do(ctx, attacked(t, "mlp", toyDims), task, o, drawFrom(1)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want %v", name, err, context.Canceled)
		}
	}
}

func TestAttacksBadInput(t *testing.T) {
	for _, test := range []struct {
		name   string
		attack string
		change func(o *AttackOptions, task *Task)
		want   string
	}{
		{"rank 0", "lora", func(o *AttackOptions, _ *Task) { o.Rank = 0 }, "adapters of rank 0; accepted: 1 or more"},
		{"rank too high", "lora", func(o *AttackOptions, _ *Task) { o.Rank = 65 }, "adapters of rank 65 on layers.1.weight, which is [64 256]; accepted: 1 to 64"},
		{"scale", "lora", func(o *AttackOptions, _ *Task) { o.Scale = -1 }, "scaled by -1"},
		{"optimizer", "full-finetune", func(o *AttackOptions, _ *Task) { o.Optimizer = LBFGS }, `optimizer "lbfgs"`},
		{"rate", "linear-probe-sgd", func(o *AttackOptions, _ *Task) { o.LearningRate = 0 }, "learning rate 0"},
		{"batch", "linear-probe-lbfgs", func(o *AttackOptions, _ *Task) { o.Batch = 0 }, "batches of 0"},
		{"epochs", "linear-probe-lbfgs", func(o *AttackOptions, _ *Task) { o.Epochs = -1 }, "-1 epochs"},
		{"images", "full-finetune", func(o *AttackOptions, _ *Task) { o.Images = 121 }, "training images: 121 images of 120"},
		{"test images", "full-finetune", func(o *AttackOptions, _ *Task) { o.TestImages = -1 }, "test images: -1 images of 40"},
		{"size", "lora", func(_ *AttackOptions, task *Task) { *task = toyTask(25, 160, 3, [3]int{1, 5, 5}) }, "the images are 1×5×5"},
		{"classes", "lora", func(_ *AttackOptions, task *Task) { task.Test = toyTask(25, 160, 4, toyDims).Test }, "3 classes to train on, 4 to test on"},
		{"reading", "linear-probe-sgd", func(_ *AttackOptions, task *Task) { task.Test.(*patterns).bad = errors.New("cut short") }, "cut short"},
	} {
		do, o := attackers()[test.attack]()
		task := toyTask(25, 160, 3, toyDims)
		test.change(&o, &task)
		_, err := do(t.Context(), attacked(t, "mlp", toyDims), task, o, drawFrom(1))
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "attack mlp by ") {
			t.Errorf("%s: %v does not say %q", test.name, err, test.want)
		}
	}
}

// A trunk whose outputs are too many to keep gives the same attack as one whose are kept.
func TestTrunkIsKeptOrNot(t *testing.T) {
	task := toyTask(26, 160, 3, toyDims)
	do, o := attackers()["lora"]()
	kept, err := do(t.Context(), attacked(t, "mlp", toyDims), task, o, drawFrom(1))
	if err != nil {
		t.Fatal(err)
	}
	anew, err := attack(t.Context(), "lora", attacked(t, "mlp", toyDims), task, o, drawFrom(1), func(tr *trainer) error {
		if _, err := tr.adapt(t.Context(), tr.net.Unfrozen, o); err != nil {
			return err
		}
		for _, s := range []struct {
			src    *source
			images Images
			n      int
			draw   string
		}{{&tr.data, task.Train, o.Images, "images"}, {&tr.test, task.Test, o.TestImages, "test"}} {
			which, err := sample(s.images, s.n, tr.draw, s.draw)
			if err != nil {
				return err
			}
			p, err := newPictures(tr.net, s.images, which)
			if err != nil {
				return err
			}
			*s.src = &trunk{pictures: *p, net: tr.net, to: tr.from}
		}
		return nil
	})
	if err != nil || fmt.Sprint(kept) != fmt.Sprint(anew) {
		t.Errorf("kept: %+v\nanew: %+v, %v", kept, anew, err)
	}
}
