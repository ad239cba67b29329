package deep

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"kappa/engine/immunize"
	"kappa/engine/internal/numtest"
)

// On a pre-trained net the methods must do what they say to the condition numbers of features they have not seen.
func TestMethodsImmunize(t *testing.T) {
	ctx := context.Background()
	p := Problem{Net: toyNet(t, 4), Primary: newPatterns(21, 600, 4, toyDims), Harmful: newPatterns(22, 600, 3, toyDims)}
	train := TrainOptions{Epochs: 3, Batch: 30, LearningRate: 0.05, Momentum: 0.9, LabelSmoothing: 0.1}
	if _, err := Pretrain(ctx, p.Net, Task{Train: p.Primary, Test: p.Primary}, PretrainOptions{TrainOptions: train}, drawFrom(6)); err != nil {
		t.Fatal(err)
	}
	g, err := DrawGroups(p.Primary, p.Harmful, 4, 100, numtest.Rand(8))
	if err != nil {
		t.Fatal(err)
	}
	before, err := Measure(ctx, p.Net, p.Primary, p.Harmful, g)
	if err != nil {
		t.Fatal(err)
	}
	theta0 := p.Net.Clone()
	for _, c := range []struct {
		name    string
		method  Method
		rate    float64
		balance float64
		want    func(rir, harmful, primary, accuracy float64) bool
	}{
		{"identity", Identity, 0.01, 1, func(rir, harmful, primary, accuracy float64) bool {
			return rir == 1 && harmful == 1 && primary == 1 && accuracy == 1
		}},
		{"immunize", Immunize, 0.01, 1, func(rir, harmful, primary, accuracy float64) bool {
			return rir > 2 && harmful > 1 && accuracy > 0.97
		}},
		{"rill-only", RillOnly, 0.01, 1, func(_, harmful, _, _ float64) bool { return harmful > 1 }},
		{"opt-kappa", OptKappa, 0.01, 1, func(rir, _, primary, accuracy float64) bool {
			return rir > 1 && primary < 1 && accuracy > 0.97
		}},
		{"imma", IMMA, 0.01, 1, func(rir, _, _, accuracy float64) bool { return rir > 0 && accuracy > 0.97 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := p
			p.Net = theta0.Clone()
			o := toyOptions()
			o.Steps, o.Batch, o.LearningRate, o.BalanceNorm = 60, 64, c.rate, c.balance
			res, err := c.method(ctx, p, o, drawFrom(9))
			if err != nil || res.Status == immunize.Diverged {
				t.Fatal(res, err)
			}
			after, err := Measure(ctx, p.Net, p.Primary, p.Harmful, g)
			if err != nil {
				t.Fatal(err)
			}
			rank, _ := RIR(before, after)
			rir, harmful, primary := rank.Summaries()
			accuracy, _, err := Accuracy(ctx, p.Net, p.Primary, 64)
			if err != nil {
				t.Fatal(err)
			}
			if !c.want(rir.Mean, harmful.Mean, primary.Mean, accuracy) {
				t.Errorf("RIR %.3g ± %.2g, (i) %.3g, (ii) %.3g, accuracy %.3f, last point %+v", rir.Mean, rir.SD, harmful.Mean, primary.Mean, accuracy, res.Trace[len(res.Trace)-1])
			}
			t.Logf("RIR %.3g ± %.2g, (i) %.3g, (ii) %.3g, accuracy %.3f", rir.Mean, rir.SD, harmful.Mean, primary.Mean, accuracy)
		})
	}
}

// Steps far too long end the method at the last state that is usable.
func TestDiverged(t *testing.T) {
	for name, method := range map[string]Method{"immunize": Immunize, "rill-only": RillOnly, "imma": IMMA} {
		t.Run(name, func(t *testing.T) {
			p := toyProblem(t)
			o := toyOptions()
			o.LearningRate, o.ClipNorm, o.Warmup = 1e30, 0, 0
			res, err := method(context.Background(), p, o, drawFrom(10))
			if err != nil {
				t.Fatal(err)
			}
			if res.Status != immunize.Diverged || res.Steps >= 12 || !strings.HasPrefix(res.Reason, "step ") || !strings.Contains(res.Reason, "layers.") && !strings.Contains(res.Reason, "head") {
				t.Errorf("%s after %d steps: %s", res.Status, res.Steps, res.Reason)
			}
			for _, v := range p.Net.Params() {
				for _, x := range v.Value {
					if x-x != 0 {
						t.Fatalf("%s holds %v", v.Name, x)
					}
				}
			}
			if res.Steps == 0 {
				if m, err := Measure(context.Background(), p.Net, p.Primary, p.Harmful, Groups{[][]int{{0, 1, 2, 3}}, [][]int{{0, 1, 2, 3}}}); err != nil || math.IsNaN(m.Primary[0].Rank.Kappa) {
					t.Errorf("θ_0 is not there: %+v, %v", m, err)
				}
			}
		})
	}
}

// A net whose features are the same for all images has nothing to descend.
func TestDegenerate(t *testing.T) {
	for _, c := range []struct {
		name    string
		method  Method
		status  immunize.Status
		skipped int
	}{{"rill-only", RillOnly, immunize.Degenerate, 1}, {"immunize", Immunize, immunize.StepLimit, 12}} {
		p := toyProblem(t)
		for _, v := range p.Net.Params() {
			if strings.HasPrefix(v.Name, "layers") {
				for i := range v.Value {
					v.Value[i] = 0
					if strings.HasSuffix(v.Name, "bias") {
						v.Value[i] = 1
					}
				}
			}
		}
		o := toyOptions()
		o.LambdaHarmful, o.LambdaPrimary = immunize.Lambda{Value: 1}, immunize.Lambda{}
		o.Unfrozen = []string{"layers.1.bias"}
		res, err := c.method(context.Background(), p, o, drawFrom(11))
		if err != nil || res.Status != c.status || res.Skipped != c.skipped {
			t.Errorf("%s: %+v, %v", c.name, res, err)
		}
	}
}

func TestMethodsBadInput(t *testing.T) {
	ctx := context.Background()
	broken := errors.New("torn.jpg: unexpected EOF")
	for name, c := range map[string]struct {
		change func(p *Problem, o *Options)
		want   string
	}{
		"steps":         {func(_ *Problem, o *Options) { o.Steps = -1 }, "-1 steps"},
		"batch":         {func(_ *Problem, o *Options) { o.Batch = 1 }, "batches of 1"},
		"large batch":   {func(_ *Problem, o *Options) { o.Batch = 81 }, "has 80 to train on"},
		"learning rate": {func(_ *Problem, o *Options) { o.LearningRate = math.NaN() }, "learning rate NaN"},
		"momentum":      {func(_ *Problem, o *Options) { o.Momentum = 1 }, "momentum 1"},
		"decay":         {func(_ *Problem, o *Options) { o.WeightDecay = -1 }, "weight decay -1"},
		"warm-up":       {func(_ *Problem, o *Options) { o.Warmup = -1 }, "warm-up of -1"},
		"smoothing":     {func(_ *Problem, o *Options) { o.LabelSmoothing = 1 }, "label smoothing 1"},
		"clip":          {func(_ *Problem, o *Options) { o.ClipNorm = math.Inf(1) }, "clip norm +Inf"},
		"weight":        {func(_ *Problem, o *Options) { o.LambdaHarmful = immunize.Lambda{Value: -1} }, "lambda_harmful -1"},
		"balance":       {func(_ *Problem, o *Options) { o.BalanceNorm = 0 }, "balance norm 0"},
		"inner steps":   {func(_ *Problem, o *Options) { o.InnerSteps = 0 }, "0 inner steps"},
		"inner rate":    {func(_ *Problem, o *Options) { o.InnerRate = 0 }, "inner rate 0"},
		"unfrozen":      {func(_ *Problem, o *Options) { o.Unfrozen = []string{"layer9"} }, `"layer9"`},
		"frozen":        {func(_ *Problem, o *Options) { o.Unfrozen = []string{} }, "no features can change"},
		"dims":          {func(p *Problem, _ *Options) { p.Harmful = newPatterns(1, 80, 3, [3]int{3, 4, 4}) }, "images of 3×4×4"},
		"classes":       {func(p *Problem, _ *Options) { p.Primary = newPatterns(1, 80, 5, toyDims) }, "5 classes"},
		"image":         {func(p *Problem, _ *Options) { p.Harmful.(*patterns).bad = broken }, "torn.jpg"},
	} {
		p, o := toyProblem(t), toyOptions()
		c.change(&p, &o)
		if _, err := IMMA(ctx, p, o, drawFrom(12)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := Immunize(stopped, toyProblem(t), toyOptions(), drawFrom(13)); err != context.Canceled {
		t.Errorf("stopped: %v", err)
	}
}
