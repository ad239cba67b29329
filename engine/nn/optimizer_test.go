package nn

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"kappa/engine/internal/numtest"
)

// drawnParams are a weight, which decays, and a bias.
func drawnParams(rng *rand.Rand, out, in int) []*Param {
	w, b := newParam("weight", Transposed, out, in), newParam("bias", Plain, out)
	w.Decay = true
	for _, p := range []*Param{w, b} {
		for i := range p.Value {
			p.Value[i] = float32(rng.NormFloat64())
		}
	}
	return []*Param{w, b}
}

// drawGradients gives parameters new gradients.
func drawGradients(params []*Param, rng *rand.Rand) {
	for _, p := range params {
		for i := range p.Gradient() {
			p.Grad[i] = float32(rng.NormFloat64())
		}
	}
}

// scalar is a parameter's number with an optimizer's numbers, in float64.
type scalar struct{ x, v, m, s float64 }

// sgd takes the t-th step as torch.optim.SGD's documentation states it.
func (c *scalar) sgd(t int, g, rate, mu, decay float64, nesterov bool) {
	g += decay * c.x
	if mu != 0 {
		if t > 1 {
			c.v = mu*c.v + g
		} else {
			c.v = g
		}
		if nesterov {
			g += mu * c.v
		} else {
			g = c.v
		}
	}
	c.x -= rate * g
}

// adamW takes the t-th step as torch.optim.AdamW's documentation states it.
func (c *scalar) adamW(t int, g, rate, decay float64) {
	c.x -= rate * decay * c.x
	c.m = 0.9*c.m + 0.1*g
	c.s = 0.999*c.s + 0.001*g*g
	mHat, sHat := c.m/(1-math.Pow(0.9, float64(t))), c.s/(1-math.Pow(0.999, float64(t)))
	c.x -= rate * mHat / (math.Sqrt(sHat) + 1e-8)
}

func TestOptimizersAgreeWithFloat64(t *testing.T) {
	for _, test := range []struct {
		name string
		make func([]*Param) Optimizer
		move func(c *scalar, t int, g, rate, decay float64)
	}{
		{"gradient descent", func(p []*Param) Optimizer { return NewSGD(p, 0, false, 0) }, func(c *scalar, t int, g, rate, _ float64) { c.sgd(t, g, rate, 0, 0, false) }},
		{"decay", func(p []*Param) Optimizer { return NewSGD(p, 0, true, 0.05) }, func(c *scalar, t int, g, rate, decay float64) { c.sgd(t, g, rate, 0, decay, false) }},
		{"momentum", func(p []*Param) Optimizer { return NewSGD(p, 0.9, false, 0.05) }, func(c *scalar, t int, g, rate, decay float64) { c.sgd(t, g, rate, 0.9, decay, false) }},
		{"nesterov", func(p []*Param) Optimizer { return NewSGD(p, 0.9, true, 0.05) }, func(c *scalar, t int, g, rate, decay float64) { c.sgd(t, g, rate, 0.9, decay, true) }},
		{"adam", func(p []*Param) Optimizer { return NewAdamW(p, 0) }, func(c *scalar, t int, g, rate, _ float64) { c.adamW(t, g, rate, 0) }},
		{"adamw", func(p []*Param) Optimizer { return NewAdamW(p, 0.05) }, func(c *scalar, t int, g, rate, decay float64) { c.adamW(t, g, rate, decay) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			rng := numtest.Rand(2)
			params := drawnParams(rng, 5, 7)
			want := make([][]scalar, len(params))
			for i, p := range params {
				for _, v := range p.Value {
					want[i] = append(want[i], scalar{x: float64(v)})
				}
			}
			o := test.make(params)
			for step := 1; step <= 20; step++ {
				drawGradients(params, rng)
				rate := 0.1 / float64(step)
				for i, p := range params {
					decay := 0.05
					if !p.Decay {
						decay = 0
					}
					for j := range want[i] {
						test.move(&want[i][j], step, float64(p.Grad[j]), rate, decay)
					}
				}
				o.Step(rate)
				for i, p := range params {
					for j, v := range p.Value {
						if d := math.Abs(float64(v) - want[i][j].x); d > 3e-6 {
							t.Fatalf("step %d: %s[%d] is %v, want %v", step, p.Name, j, v, want[i][j].x)
						}
					}
				}
			}
		})
	}
}

func TestOptimizerStateContinues(t *testing.T) {
	for name, create := range map[string]func([]*Param) Optimizer{
		"sgd":   func(p []*Param) Optimizer { return NewSGD(p, 0.9, true, 0.01) },
		"adamw": func(p []*Param) Optimizer { return NewAdamW(p, 0.01) },
	} {
		t.Run(name, func(t *testing.T) {
			whole, half := drawnParams(numtest.Rand(3), 4, 3), drawnParams(numtest.Rand(3), 4, 3)
			a, b := create(whole), create(half)
			rng := numtest.Rand(4)
			grads := func() {
				drawGradients(whole, rng)
				for i, p := range whole {
					copy(half[i].Gradient(), p.Grad)
				}
			}
			for range 3 {
				grads()
				a.Step(0.1)
				b.Step(0.1)
			}
			c := create(half)
			state := b.State()
			if err := c.Restore(state); err != nil {
				t.Fatal(err)
			}
			for i := range state {
				state[i].Data[0] = 1e9 // a copy was taken
			}
			for range 3 {
				grads()
				a.Step(0.1)
				c.Step(0.1)
			}
			for i, p := range whole {
				if !slices.Equal(p.Value, half[i].Value) {
					t.Errorf("%s: %v after a restart, %v without", p.Name, half[i].Value, p.Value)
				}
			}
		})
	}
}

func TestOptimizerStateThatDoesNotFit(t *testing.T) {
	params := drawnParams(numtest.Rand(5), 4, 3)
	good := NewAdamW(params, 0).State()
	edit := func(change func(s []Named) []Named) []Named { return change(slices.Clone(good)) }
	for _, test := range []struct {
		name  string
		state []Named
		want  []string
	}{
		{"no count", edit(func(s []Named) []Named { return s[1:] }), []string{`"steps" is missing`}},
		{"bad count", edit(func(s []Named) []Named { s[0].Data = []float32{-1}; return s }), []string{`"steps"`}},
		{"missing and extra", edit(func(s []Named) []Named { s[1].Name = "mean/bias2"; return s }), []string{`"mean/weight" is missing`, `"mean/bias2" belongs to no`}},
		{"mis-shaped", edit(func(s []Named) []Named { s[1].Shape = []int{3, 4}; return s }), []string{`"mean/weight" is [3 4] with 12 numbers, the parameter is [4 3]`}},
		{"short", edit(func(s []Named) []Named { s[2].Data = nil; return s }), []string{`"mean/bias" is [4] with 0 numbers`}},
	} {
		o := NewAdamW(params, 0)
		err := o.Restore(test.state)
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\ndoes not say %s", test.name, err, want)
			}
		}
		if o.steps != 0 {
			t.Errorf("%s: a state that does not fit has been taken in part", test.name)
		}
	}
}

func TestOptimizersDoNotDependOnCores(t *testing.T) {
	run := func(cores int) [][]float32 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		var values [][]float32
		for _, create := range []func([]*Param) Optimizer{
			func(p []*Param) Optimizer { return NewSGD(p, 0.9, true, 0.01) },
			func(p []*Param) Optimizer { return NewAdamW(p, 0.01) },
		} {
			rng := numtest.Rand(6)
			params := drawnParams(rng, 257, 257)
			o := create(params)
			for range 2 {
				drawGradients(params, rng)
				ClipGradient(params, 1)
				o.Step(0.1)
			}
			values = append(values, params[0].Value)
		}
		return values
	}
	one, two := run(1), run(2)
	for i := range one {
		if !slices.Equal(one[i], two[i]) {
			t.Errorf("optimizer %d: two cores give other bits than one", i)
		}
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	params := drawnParams(numtest.Rand(7), 300, 300)
	drawGradients(params, numtest.Rand(8))
	for _, o := range []Optimizer{NewSGD(params, 0.9, true, 0.01), NewAdamW(params, 0.01)} {
		if n := testing.AllocsPerRun(5, func() { ClipGradient(params, 1); o.Step(1e-3) }); n > 0 {
			t.Errorf("%T: a step allocates %v times", o, n)
		}
	}
}
