package deep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"kappa/engine/immunize"
	"kappa/engine/nn"
)

// toyTask is a task of noisy patterns, the last quarter of them to test on.
func toyTask(seed uint64, n, classes int, dims [3]int) Task {
	all := newPatterns(seed, n, classes, dims)
	cut := n * 3 / 4
	train, test := *all, *all
	train.pixels, train.labels = all.pixels[:cut], all.labels[:cut]
	test.pixels, test.labels = all.pixels[cut:], all.labels[cut:]
	return Task{Train: &train, Test: &test}
}

// newNet returns a net for images of some size.
func newNet(t testing.TB, kind string, dims [3]int, classes int) *nn.Net {
	t.Helper()
	net, err := nn.New(kind, dims, classes)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func toyPretraining() PretrainOptions {
	return PretrainOptions{TrainOptions: TrainOptions{
		Epochs: 4, Batch: 16, LearningRate: 0.05, Momentum: 0.9, WeightDecay: 1e-4, Warmup: 0.5, LabelSmoothing: 0.1, ClipNorm: 5,
	}, Test: true}
}

// values are copies of all of a net's parameters and buffers.
func values(net *nn.Net) [][]float32 {
	var v [][]float32
	for _, p := range net.Params() {
		v = append(v, slices.Clone(p.Value))
	}
	return v
}

func TestPretrainLearns(t *testing.T) {
	dims := [3]int{1, 8, 8}
	task := toyTask(1, 256, 4, dims)
	for _, kind := range []string{"mlp", "vit-small", "resnet-small"} {
		t.Run(kind, func(t *testing.T) {
			net := newNet(t, kind, dims, 4)
			o := toyPretraining()
			if kind == "vit-small" {
				o.Optimizer, o.LearningRate = AdamW, 3e-3
			}
			var seen []Epoch
			steps := 0
			o.EpochDone = func(e Epoch) { seen = append(seen, e) }
			o.Progress = func(step, of int) {
				steps++
				if step != steps || of != 48 {
					t.Errorf("progress %d of %d, want %d of 48", step, of, steps)
				}
			}
			res, err := Pretrain(t.Context(), net, task, o, drawFrom(1))
			if err != nil || res.Status != immunize.StepLimit || res.Steps != 48 || steps != 48 {
				t.Fatalf("%+v, %d steps shown, %v", res, steps, err)
			}
			if len(res.Epochs) != 5 || fmt.Sprint(res.Epochs) != fmt.Sprint(seen) {
				t.Errorf("epochs %v, shown %v", res.Epochs, seen)
			}
			if first := res.Epochs[0]; first.Epoch != 0 || !math.IsNaN(first.Loss) || !(first.TestLoss > 0.5) {
				t.Errorf("before training: %+v", first)
			}
			last := res.Epochs[4]
			if last.Epoch != 4 || last.Accuracy != 1 || !(last.Loss < res.Epochs[1].Loss) {
				t.Errorf("after training: %+v, after the first epoch: %+v", last, res.Epochs[1])
			}
			accuracy, loss, err := Accuracy(t.Context(), net, task.Train, 7)
			if err != nil || accuracy != 1 || !(loss > 0 && loss < 0.5) {
				t.Errorf("on the training images: accuracy %v, loss %v, %v", accuracy, loss, err)
			}
			accuracy, loss, err = Accuracy(t.Context(), net, task.Test, 16)
			if err != nil || accuracy != last.Accuracy || loss != last.TestLoss {
				t.Errorf("accuracy %v and loss %v of the test images, recorded %+v, %v", accuracy, loss, last, err)
			}
		})
	}
}

func TestPretrainContinues(t *testing.T) {
	dims := [3]int{1, 8, 8}
	task := toyTask(2, 128, 3, dims)
	for _, test := range []struct {
		kind      string
		optimizer Optimizer
	}{{"mlp", SGD}, {"mlp", AdamW}, {"resnet-small", SGD}, {"vit-small", AdamW}} {
		t.Run(test.kind+" "+string(test.optimizer), func(t *testing.T) {
			o := toyPretraining()
			o.Epochs, o.Optimizer, o.LearningRate = 3, test.optimizer, 0.01
			var states []State
			o.Checkpoint = func(s State) error { states = append(states, s); return nil }
			whole := newNet(t, test.kind, dims, 3)
			want, err := Pretrain(t.Context(), whole, task, o, drawFrom(2))
			if err != nil || len(states) != 3 {
				t.Fatal(len(states), err)
			}
			o.Checkpoint = nil
			for i := range states {
				o.From = &states[i]
				net := newNet(t, test.kind, dims, 3)
				got, err := Pretrain(t.Context(), net, task, o, drawFrom(2))
				if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("from epoch %d: %+v, %v; want %+v", i+1, got, err, want)
				}
				if !reflect.DeepEqual(values(net), values(whole)) {
					t.Errorf("from epoch %d the net gets other bits", i+1)
				}
			}
		})
	}
}

func TestPretrainStateThatDoesNotFit(t *testing.T) {
	task := toyTask(2, 64, 3, toyDims)
	o := toyPretraining()
	var state State
	o.Checkpoint = func(s State) error { state = s; return nil }
	if _, err := Pretrain(t.Context(), newNet(t, "mlp", toyDims, 3), task, o, drawFrom(2)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		change func(s *State)
		want   []string
	}{
		{"too late", func(s *State) { s.Epoch = 5 }, []string{"state after epoch 5 of 4"}},
		{"none", func(s *State) { s.Epoch = 0 }, []string{"accepted: 1 to 4"}},
		{"missing and extra", func(s *State) { s.Tensors[0].Name = "layers.7.weight" }, []string{`"layers.0.weight" is missing`, `no "layers.7.weight"`}},
		{"mis-shaped", func(s *State) { s.Tensors[1].Shape = []int{2} }, []string{`"layers.0.bias" is [2]`, "[256]"}},
		{"other optimizer", func(s *State) { s.Tensors = s.Tensors[:len(s.Tensors)-1] }, []string{`"momentum/head.bias" is missing`}},
	} {
		s := state
		s.Tensors = slices.Clone(state.Tensors)
		test.change(&s)
		o.From, o.Checkpoint = &s, nil
		_, err := Pretrain(t.Context(), newNet(t, "mlp", toyDims, 3), task, o, drawFrom(2))
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %s", test.name, err, want)
			}
		}
	}
}

func TestPretrainDoesNotDependOnCores(t *testing.T) {
	dims := [3]int{1, 8, 8}
	task := toyTask(3, 64, 3, dims)
	for _, kind := range []string{"mlp", "vit-small", "resnet-small"} {
		t.Run(kind, func(t *testing.T) {
			run := func(cores int) (string, [][]float32) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
				o := toyPretraining()
				o.Epochs = 1
				net := newNet(t, kind, dims, 3)
				res, err := Pretrain(t.Context(), net, task, o, drawFrom(3))
				return fmt.Sprint(res, err), values(net)
			}
			one, net1 := run(1)
			two, net2 := run(2)
			if one != two || !reflect.DeepEqual(net1, net2) {
				t.Errorf("one core: %s\ntwo cores: %s", one, two)
			}
		})
	}
}

func TestPretrainDiverges(t *testing.T) {
	task := toyTask(4, 64, 3, toyDims)
	o := toyPretraining()
	o.Warmup, o.ClipNorm, o.LearningRate = 0, 0, 1e30
	res, err := Pretrain(t.Context(), newNet(t, "mlp", toyDims, 3), task, o, drawFrom(4))
	if err != nil || res.Status != immunize.Diverged {
		t.Fatalf("%+v, %v", res, err)
	}
	for _, want := range []string{fmt.Sprintf("step %d: the loss is ", res.Steps+1), "the first number that is not finite is in the "} {
		if !strings.Contains(res.Reason, want) {
			t.Errorf("%q does not say %q", res.Reason, want)
		}
	}
	// An image that is not finite: the input.
	task.Train.(*patterns).pixels[0][0] = float32(math.NaN())
	o.LearningRate, o.Batch = 0.01, task.Train.Len()
	res, err = Pretrain(t.Context(), newNet(t, "mlp", toyDims, 3), task, o, drawFrom(4))
	if want := "step 1: the loss is NaN; the first number that is not finite is in the input"; err != nil || res.Reason != want || res.Steps != 0 {
		t.Errorf("%+v, %v, want %q", res, err, want)
	}
}

func TestPretrainTakesAPart(t *testing.T) {
	task := toyTask(5, 128, 3, toyDims)
	o := toyPretraining()
	o.Images, o.Test = 40, false
	net := newNet(t, "mlp", toyDims, 3)
	res, err := Pretrain(t.Context(), net, task, o, drawFrom(5))
	if err != nil || res.Steps != 4*2 || len(res.Epochs) != 4 || !math.IsNaN(res.Epochs[3].Accuracy) {
		t.Errorf("40 images in batches of 16, 4 epochs: %+v, %v; want 8 steps and no accuracies", res, err)
	}
}

func TestPretrainStops(t *testing.T) {
	task := toyTask(6, 64, 3, toyDims)
	ctx, cancel := context.WithCancel(t.Context())
	o := toyPretraining()
	o.Progress = func(step, _ int) {
		if step == 5 {
			cancel()
		}
		if step > 5 {
			t.Errorf("step %d was taken after the end", step)
		}
	}
	if _, err := Pretrain(ctx, newNet(t, "mlp", toyDims, 3), task, o, drawFrom(6)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	o = toyPretraining()
	full := errors.New("no space left")
	o.Checkpoint = func(State) error { return full }
	if _, err := Pretrain(t.Context(), newNet(t, "mlp", toyDims, 3), task, o, drawFrom(6)); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}

func TestPretrainBadInput(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(o *PretrainOptions, task *Task)
		want   string
	}{
		{"epochs", func(o *PretrainOptions, _ *Task) { o.Epochs = -1 }, "-1 epochs"},
		{"batch", func(o *PretrainOptions, _ *Task) { o.Batch = 0 }, "batches of 0 images"},
		{"large batch", func(o *PretrainOptions, _ *Task) { o.Batch = 49 }, "batches of 49 images, but there are 48"},
		{"optimizer", func(o *PretrainOptions, _ *Task) { o.Optimizer = LBFGS }, `optimizer "lbfgs"; accepted: sgd, adam, adamw`},
		{"rate", func(o *PretrainOptions, _ *Task) { o.LearningRate = math.NaN() }, "learning rate NaN"},
		{"momentum", func(o *PretrainOptions, _ *Task) { o.Momentum = 1 }, "momentum 1"},
		{"decay", func(o *PretrainOptions, _ *Task) { o.WeightDecay = math.Inf(1) }, "weight decay +Inf"},
		{"warm-up", func(o *PretrainOptions, _ *Task) { o.Warmup = -1 }, "warm-up of -1 epochs"},
		{"smoothing", func(o *PretrainOptions, _ *Task) { o.LabelSmoothing = 1 }, "label smoothing 1"},
		{"clip", func(o *PretrainOptions, _ *Task) { o.ClipNorm = -1 }, "clip norm -1"},
		{"images", func(o *PretrainOptions, _ *Task) { o.Images = 49 }, "49 images of 48"},
		{"size", func(_ *PretrainOptions, task *Task) { *task = toyTask(7, 64, 3, [3]int{3, 4, 4}) }, "the images are 3×4×4 (channels, height, width), the net reads 1×4×4"},
		{"classes", func(_ *PretrainOptions, task *Task) { *task = toyTask(7, 64, 4, toyDims) }, "4 classes, the net's head 3"},
		{"reading", func(_ *PretrainOptions, task *Task) { task.Train.(*patterns).bad = errors.New("cut short") }, "cut short"},
	} {
		o, task := toyPretraining(), toyTask(7, 64, 3, toyDims)
		test.change(&o, &task)
		_, err := Pretrain(t.Context(), newNet(t, "mlp", toyDims, 3), task, o, drawFrom(7))
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "pre-train mlp") {
			t.Errorf("%s: %v does not say %q", test.name, err, test.want)
		}
	}
}
