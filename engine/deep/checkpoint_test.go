package deep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kappa/engine/immunize"
	"kappa/engine/internal/numtest"
	"kappa/engine/nn"
)

// always is a CheckpointAt for every step.
func always(int, int) bool { return true }

// methodRun is what a method did, written out to the last bit, and the values of its net.
type methodRun struct {
	res    string
	values [][]float32
}

func (m methodRun) equal(n methodRun) bool {
	return m.res == n.res && reflect.DeepEqual(m.values, n.values)
}

// methodOn runs a method on a problem that create makes anew.
func methodOn(t *testing.T, method Method, create func() Problem, o Options) methodRun {
	t.Helper()
	p := create()
	res, err := method(t.Context(), p, o, drawFrom(31))
	if err != nil {
		t.Fatal(err)
	}
	return methodRun{fmt.Sprintf("%+v", res), values(p.Net)}
}

// A method that goes on from any of its states gives what it gives in one go.
func TestMethodsContinue(t *testing.T) {
	dims := [3]int{1, 8, 8}
	small := func(kind string) func() Problem {
		return func() Problem {
			net := newNet(t, kind, dims, 4)
			net.Init(numtest.Rand(3))
			return Problem{Net: net, Primary: newPatterns(11, 40, 4, dims), Harmful: newPatterns(12, 36, 3, dims)}
		}
	}
	toy := func() Problem { return toyProblem(t) }
	// A net with the same features for all images: every step is one in which a term takes no part.
	flat := func() Problem {
		p := toyProblem(t)
		for _, v := range p.Net.Params() {
			if strings.HasPrefix(v.Name, "layers") {
				clear(v.Value)
			}
			if v.Name == "layers.1.bias" {
				for i := range v.Value {
					v.Value[i] = 1
				}
			}
		}
		return p
	}
	far := func(o *Options) { o.LearningRate, o.ClipNorm, o.Warmup, o.BalanceNorm = 1e6, 0, 0, 1e3 }
	fewer := func(o *Options) { o.Steps, o.Batch = 4, 12 }
	for _, c := range []struct {
		name    string
		method  Method
		problem func() Problem
		change  func(o *Options)
		holds   string // what the result has to tell
	}{
		{"immunize", Immunize, toy, nil, "Steps:12"},
		{"rill-only", RillOnly, toy, nil, "Steps:12"},
		{"opt-kappa", OptKappa, toy, nil, "Steps:12"},
		{"imma", IMMA, toy, nil, "Steps:12"},
		{"without momentum", Immunize, toy, func(o *Options) { o.Momentum = 0 }, "Steps:12"},
		{"skipping", Immunize, flat, func(o *Options) {
			o.LambdaHarmful, o.LambdaPrimary, o.Unfrozen = immunize.Lambda{Value: 1}, immunize.Lambda{}, []string{"layers.1.bias"}
		}, "Skipped:12"},
		{"balanced by nothing", Immunize, flat, func(o *Options) { o.Unfrozen = []string{"layers.1.bias"} }, "lambda_harmful is 0"},
		{"imma diverges", IMMA, toy, far, "Status:diverged"},
		{"rill-only diverges", RillOnly, toy, func(o *Options) { far(o); o.LearningRate = 1e30 }, "Status:diverged"},
		{"immunize resnet-small", Immunize, small("resnet-small"), fewer, "Steps:4"},
		{"imma vit-small", IMMA, small("vit-small"), fewer, "Steps:4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := toyOptions()
			if c.change != nil {
				c.change(&o)
			}
			want := methodOn(t, c.method, c.problem, o)
			if !strings.Contains(want.res, c.holds) {
				t.Fatalf("%.300s: want %s", want.res, c.holds)
			}
			var states []MethodState
			o.CheckpointAt, o.Checkpoint = always, func(s MethodState) error { states = append(states, s); return nil }
			if got := methodOn(t, c.method, c.problem, o); !got.equal(want) {
				t.Fatalf("with states taken: %.300s\nwithout: %.300s", got.res, want.res)
			}
			o.CheckpointAt, o.Checkpoint = nil, nil
			if len(states) == 0 {
				t.Fatal("no state was offered")
			}
			for i := range states {
				if states[i].Steps != i+1 {
					t.Errorf("state %d is after step %d", i, states[i].Steps)
				}
				if i > 1 && i%3 != 0 && i < len(states)-1 {
					continue
				}
				o.From = &states[i]
				if got := methodOn(t, c.method, c.problem, o); !got.equal(want) {
					t.Errorf("from step %d: %.500s\nin one go: %.500s", i+1, got.res, want.res)
				}
			}
		})
	}
}

// A method that is stopped again and again, each time a step further, ends as if it had not been. Before the first step there is no
// state; from the last one only the last point is missing.
func TestMethodStoppedAgainAndAgain(t *testing.T) {
	for name, method := range map[string]Method{"immunize": Immunize, "imma": IMMA} {
		o := toyOptions()
		o.Steps = 5
		o.TraceAt = func(int, int) bool { return true }
		want := methodOn(t, method, func() Problem { return toyProblem(t) }, o)
		o.CheckpointAt = always
		for stop := 0; stop <= o.Steps; stop++ {
			ctx, cancel := context.WithCancel(t.Context())
			if stop == 0 {
				cancel()
			}
			o.Checkpoint = func(s MethodState) error {
				o.From = &s
				cancel()
				return nil
			}
			if _, err := method(ctx, toyProblem(t), o, drawFrom(31)); !errors.Is(err, context.Canceled) {
				t.Fatalf("%s, stopped after step %d: %v", name, stop, err)
			}
			if stop == 0 && o.From != nil || stop > 0 && o.From.Steps != stop {
				t.Fatalf("%s: stopped after step %d, the state is %+v", name, stop, o.From)
			}
		}
		if len(o.From.Trace) != 5 {
			t.Errorf("%s: %d points before the last", name, len(o.From.Trace))
		}
		o.Checkpoint = func(MethodState) error { t.Error("a step was taken after the last"); return nil }
		if got := methodOn(t, method, func() Problem { return toyProblem(t) }, o); !got.equal(want) {
			t.Errorf("%s: %.500s\nin one go: %.500s", name, got.res, want.res)
		}
	}
}

func TestMethodStateThatDoesNotFit(t *testing.T) {
	o := toyOptions()
	var state MethodState
	full := errors.New("no space left")
	o.CheckpointAt = func(step, last int) bool { return step == 3 && last == 12 }
	o.Checkpoint = func(s MethodState) error { state = s; return full }
	if _, err := IMMA(t.Context(), toyProblem(t), o, drawFrom(1)); !errors.Is(err, full) || errors.Is(err, ErrState) {
		t.Fatalf("error %v, want %v", err, full)
	}
	o.CheckpointAt, o.Checkpoint = nil, nil
	for _, c := range []struct {
		name   string
		change func(s *MethodState)
		want   []string
	}{
		{"none", func(s *MethodState) { s.Steps = 0 }, []string{"state after step 0 of 12; accepted: 1 to 12"}},
		{"too late", func(s *MethodState) { s.Steps = 13 }, []string{"state after step 13"}},
		{"weight", func(s *MethodState) { s.LambdaHarmful = math.NaN() }, []string{"λ is NaN"}},
		{"weight below 0", func(s *MethodState) { s.LambdaPrimary = -1 }, []string{"λ is -1"}},
		{"missing and extra", func(s *MethodState) { s.Tensors[0].Name = "layer9" }, []string{`"layers.1.weight" is missing`, `no "layer9"`}},
		{"mis-shaped", func(s *MethodState) { s.Tensors[0].Shape = []int{2} }, []string{"[64 256]"}},
		{"cut off", func(s *MethodState) { s.Tensors[0].Data = s.Tensors[0].Data[1:] }, []string{"with 16383 numbers"}},
		{"of another method", func(s *MethodState) {
			s.Tensors = slices.DeleteFunc(s.Tensors, func(n nn.Named) bool { return strings.HasPrefix(n.Name, innerPrefix) })
		}, []string{`"inner/head.weight" is missing`, `"inner/head.bias" is missing`}},
		{"optimizer", func(s *MethodState) { s.Tensors = s.Tensors[:len(s.Tensors)-1] }, []string{`"momentum/head.bias" is missing`}},
		{"nothing", func(s *MethodState) { s.Tensors = nil }, []string{`"before/layers.1.bias" is missing`}},
	} {
		s := state
		s.Tensors = slices.Clone(state.Tensors)
		c.change(&s)
		o.From = &s
		p := toyProblem(t)
		before := values(p.Net)
		_, err := IMMA(t.Context(), p, o, drawFrom(1))
		if !errors.Is(err, ErrState) {
			t.Errorf("%s: %v is not ErrState", c.name, err)
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %s", c.name, err, want)
			}
		}
		if !reflect.DeepEqual(values(p.Net), before) {
			t.Errorf("%s: the net was changed", c.name)
		}
	}
}

// An attack that goes on from any of its epochs gives what it gives in one go.
func TestAttacksContinue(t *testing.T) {
	dims := [3]int{1, 8, 8}
	task := toyTask(22, 128, 3, dims)
	for _, kind := range []string{"mlp", "vit-small", "resnet-small"} {
		for name, create := range attackers() {
			t.Run(kind+" "+name, func(t *testing.T) {
				do, o := create()
				o.Epochs, o.Batch, o.Images = 3, 16, 64
				net := attacked(t, kind, dims)
				want, err := do(t.Context(), net, task, o, drawFrom(1))
				if err != nil {
					t.Fatal(err)
				}
				var states []State
				o.Checkpoint = func(s State) error { states = append(states, s); return nil }
				if got, err := do(t.Context(), net, task, o, drawFrom(1)); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("with states taken: %+v, %v; without: %+v", got, err, want)
				}
				o.Checkpoint = nil
				if o.Optimizer == LBFGS {
					if len(states) != 0 {
						t.Errorf("%d states of a training without epochs", len(states))
					}
					states = []State{{Epoch: 1}} // is not looked at
				} else if len(states) != 3 {
					t.Fatalf("%d states", len(states))
				}
				for i := range states {
					o.From = &states[i]
					got, err := do(t.Context(), net, task, o, drawFrom(1))
					if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("from epoch %d: %+v, %v; in one go %+v", i+1, got, err, want)
					}
				}
			})
		}
	}
}

func TestAttackStateThatDoesNotFit(t *testing.T) {
	task := toyTask(22, 128, 3, toyDims)
	states := map[string]State{}
	for name, create := range attackers() {
		do, o := create()
		o.Checkpoint = func(s State) error { states[name] = s; return nil }
		if _, err := do(t.Context(), attacked(t, "mlp", toyDims), task, o, drawFrom(1)); err != nil {
			t.Fatal(err)
		}
	}
	for name, create := range attackers() {
		do, o := create()
		if o.Optimizer == LBFGS {
			continue
		}
		for other, s := range states {
			o.From = &s
			_, err := do(t.Context(), attacked(t, "mlp", toyDims), task, o, drawFrom(1))
			if errors.Is(err, ErrState) == (name == other) {
				t.Errorf("%s from a state of %s: %v", name, other, err)
			}
		}
		s := states[name]
		s.Epoch = 6
		o.From = &s
		if _, err := do(t.Context(), attacked(t, "mlp", toyDims), task, o, drawFrom(1)); !errors.Is(err, ErrState) || !strings.Contains(err.Error(), "state after epoch 6 of 5") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
