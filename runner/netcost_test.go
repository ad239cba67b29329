package runner

import (
	"math"
	"slices"
	"strings"
	"testing"

	"kappa/engine/nn"
	"kappa/store"
)

const realNet = `
title = "Small nets on published data"
[primary]
dataset = "fashion-mnist"
[harmful]
dataset = "mnist"
[model]
kind = "resnet-small"
[pretrain]
epochs = 2
[train]
method = "immunize"
steps = 100
[[attack]]
method = "full-finetune"
[[attack]]
method = "linear-probe"
`

func forecastOf(t *testing.T, text string, past []store.Past) (Forecast, *Plan) {
	t.Helper()
	plan := planOf(t, text)
	var decisions []Decision
	for _, run := range plan.Runs {
		decisions = append(decisions, Decision{Run: run, Execute: true, Reason: ReasonNew})
	}
	sizes := Sizes(t.Context(), plan, nil, past)
	return Predict(decisions, sizes, past, store.Pace{}, Machine{CPU: "c", Kernel: "k", Cores: 2, Speed: func() float64 { return referenceSpeed }}, 2), plan
}

// TestNetsAreForetold: without data, by their multiply-adds; more work takes longer.
func TestNetsAreForetold(t *testing.T) {
	base, plan := forecastOf(t, realNet, nil)
	if base.Unknown != 0 || len(base.Runs) != 3 {
		t.Fatalf("%+v", base)
	}
	for _, tt := range []struct {
		name, old, new string
		run            int // whose time changes
		factor         float64
	}{
		{"epochs of the pre-training", "epochs = 2", "epochs = 4", 0, 2},
		{"fewer images", "epochs = 2", "epochs = 2\nn = 30000", 0, 0.5},
		{"steps", "steps = 100", "steps = 400", 2, 1.3},
		{"epochs of an attack", `method = "full-finetune"`, "method = \"full-finetune\"\nepochs = 100", 1, 8},
	} {
		got, _ := forecastOf(t, strings.Replace(realNet, tt.old, tt.new, 1), nil)
		for i := range base.Runs {
			ratio := got.Runs[i].CPUSeconds / base.Runs[i].CPUSeconds
			if i == tt.run && math.Abs(math.Log(ratio/tt.factor)) > 0.15 {
				t.Errorf("%s: run %d takes %.2f times as long, want about %v", tt.name, i, ratio, tt.factor)
			}
		}
	}

	// Recorded runs on the same net that took three times as long as their costs.
	var past []store.Past
	for i, run := range plan.Runs {
		size := publishedNetSize(t)
		net, err := nn.New("resnet-small", size.input, 10)
		if err != nil {
			t.Skip(err)
		}
		adds := workOf(reader{run.Settings}, size, passesOf(net, nil), false).total()
		for range 3 {
			past = append(past, store.Past{
				Method: run.Method(), Model: "resnet-small", Params: params(run.Settings), CPU: "c", Kernel: "k",
				CPUSeconds: 3 * base.Runs[i].CPUSeconds, Numbers: map[string]float64{workMetric: adds},
			})
		}
	}
	slow, _ := forecastOf(t, realNet, past)
	for i := range base.Runs {
		if ratio := slow.Runs[i].CPUSeconds / base.Runs[i].CPUSeconds; math.Abs(ratio-3) > 0.1 {
			t.Errorf("run %d takes %.2f times as long as without recorded runs, want 3", i, ratio)
		}
	}
	for _, log := range []string{resumed + " 1, from the checkpoint of an earlier attempt", "method immunize: diverged after 3 steps"} {
		partly := slices.Clone(past)
		for i := range partly {
			partly[i].Log = log
		}
		if got, _ := forecastOf(t, realNet, partly); got.Recorded != 0 {
			t.Errorf("%q: %d recorded runs that did a part of their work count", log, got.Recorded)
		}
	}
	if other, _ := forecastOf(t, strings.Replace(realNet, "resnet-small", "vit-small", 1), past); other.Unknown != 0 || other.Recorded != 0 {
		t.Errorf("runs on another net: %+v", other)
	}
}

func publishedNetSize(t *testing.T) netSize {
	t.Helper()
	s, _, ok := newProblemCache(nil, 1).netSize(reader{planOf(t, realNet).Runs[1].Settings})
	want := netSize{train: [2]int{60000, 60000}, test: [2]int{10000, 10000}, input: [3]int{1, 28, 28}, classes: [2]int{10, 10}}
	if !ok || s != want {
		t.Fatalf("size %+v, want %+v", s, want)
	}
	return s
}

// TestProgressOfNets goes from 0 to 1 over the parts of a run's work.
func TestProgressOfNets(t *testing.T) {
	w := work{method: 50, measure: 10, attacks: []float64{30, 10}}
	if w.total() != 100 {
		t.Fatalf("total %v", w.total())
	}
	for _, tt := range []struct {
		before, part float64
		step, steps  int
		want         int
	}{{0, 50, 1, 2, 2500}, {60, 30, 1, 3, 7000}, {90, 10, 5, 5, 10000}, {0, 50, 0, 0, 0}} {
		if got := w.progress(tt.before, tt.part, tt.step, tt.steps); got != tt.want {
			t.Errorf("step %d of %d from %v over %v: %d, want %d", tt.step, tt.steps, tt.before, tt.part, got, tt.want)
		}
	}
}

// TestChainsTakeTheirTime: runs that need one another are not done at once, however many workers there are.
func TestChainsTakeTheirTime(t *testing.T) {
	f, plan := forecastOf(t, realNet, nil)
	var sum float64
	for _, run := range f.Runs {
		sum += run.CPUSeconds
	}
	if got, least := f.Wall.Seconds(), sum/parallel(1, 2); got < least*0.999 {
		t.Errorf("%v s for a chain of %v s", got, least)
	}
	forecast := &Forecast{Runs: []RunTime{{Seconds: 5}, {Seconds: 7}, {Seconds: 11}}}
	var decisions []Decision
	for _, run := range plan.Runs {
		decisions = append(decisions, Decision{Run: run, Execute: true})
	}
	b := newBoard(plan, forecast, 8, nil)
	b.queue(decisions)
	if got := b.eta().Seconds(); got != 23 {
		t.Errorf("%v s left, want 23: pre-training, base line and method come one after the other", got)
	}
	b.finished(plan.Runs[0], store.Outcome{Status: store.Done, WallSeconds: 5}, nil, false)
	b.stepped(plan.Runs[1], 1, 2)
	if got := b.eta().Seconds(); got != 14.5 {
		t.Errorf("%v s left, want 14.5", got)
	}
}
