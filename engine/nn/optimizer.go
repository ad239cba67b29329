package nn

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"kappa/engine/blas"
	"kappa/engine/internal/vector"
)

// Optimizer moves parameters along their gradients.
type Optimizer interface {
	// Step takes one step with the learning rate rate. A parameter without a gradient counts as one with the gradient 0.
	Step(rate float64)
	// State returns a copy of what the next step depends on beside parameters and gradients, under names made of those of the
	// parameters. It is empty where there is nothing, and always the same list of names and shapes.
	State() []Named
	// Restore takes what State returned of an optimizer of the same kind for the same parameters. Its error names what does not fit.
	Restore(state []Named) error
}

// Named are numbers under a name, in the row-major order of a shape; a shape without dimensions is of one number.
type Named struct {
	Name  string
	Shape []int
	Data  []float32
}

// Trained returns the parameters that are neither frozen nor buffers, in the net's order.
func (n *Net) Trained() []*Param {
	var trained []*Param
	for _, p := range n.params {
		if p.Trained() {
			trained = append(trained, p)
		}
	}
	return trained
}

// SGD is gradient descent with momentum μ, plain or Nesterov's, and weight decay ω, in the form of PyTorch's torch.optim.SGD without
// dampening. With g the gradient of x, and ω = 0 for parameters without [Param.Decay]:
//
//	d = g + ωx,  v ← μv + d,  x ← x − η(d + μv) (Nesterov),  x ← x − ηv (plain);
//
// v is 0 before the first step.
type SGD struct {
	params []*Param
	decay  float64
	v      [][]float32 // of each parameter

	step           vector.SGD // of the parameter under way
	x, g, velocity []float32
	part           func(lo, hi int)
}

// stepGrain is the least number of parameters that a goroutine moves: below it the start costs more than the work.
const stepGrain = 1 << 14

// NewSGD returns an optimizer of the given parameters. Momentum is in [0, 1) and decay ≥ 0.
func NewSGD(params []*Param, momentum float64, nesterov bool, decay float64) *SGD {
	s := &SGD{params: params, decay: decay, v: buffers(params), step: vector.SGD{Momentum: momentum, Nesterov: nesterov}}
	s.part = func(lo, hi int) { s.step.Step(s.x[lo:hi], s.g[lo:hi], s.velocity[lo:hi]) }
	return s
}

// Step is [Optimizer]'s.
func (s *SGD) Step(rate float64) {
	s.step.LearningRate = rate
	for i, p := range s.params {
		s.x, s.g, s.velocity, s.step.WeightDecay = p.Value, p.Gradient(), s.v[i], 0
		if p.Decay {
			s.step.WeightDecay = s.decay
		}
		blas.Split(len(s.x), stepGrain, s.part)
	}
}

// State returns the velocities as "momentum/NAME".
func (s *SGD) State() []Named { return named(nil, "momentum/", s.params, s.v) }

// Restore is [Optimizer]'s.
func (s *SGD) Restore(state []Named) error {
	return restore(state, group{"momentum/", s.params, s.v})
}

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019, Algorithm 2), in
// the form of PyTorch's torch.optim.AdamW. With g the gradient of x in step t = 1, 2, …, and ω = 0 for parameters without
// [Param.Decay]:
//
//	x ← x − ηωx,  m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  x ← x − η/(1−β₁ᵗ)·m / (√v/√(1−β₂ᵗ) + 10⁻⁸);
//
// β = (0.9, 0.999), and m and v are 0 before the first step. Without decay it is Adam (Kingma and Ba, ICLR 2015, Algorithm 1).
type AdamW struct {
	params []*Param
	decay  float64
	steps  int
	m, v   [][]float32

	step              vector.AdamW // of the parameter under way
	x, g, mean, power []float32
	part              func(lo, hi int)
}

// Adam's constants, the defaults of the paper that introduced it and of PyTorch.
const (
	adamBeta1   = 0.9
	adamBeta2   = 0.999
	adamEpsilon = 1e-8
)

// NewAdamW returns an optimizer of the given parameters. Decay is ≥ 0.
func NewAdamW(params []*Param, decay float64) *AdamW {
	a := &AdamW{params: params, decay: decay, m: buffers(params), v: buffers(params)}
	a.step = vector.AdamW{Beta1: adamBeta1, Beta2: adamBeta2, Epsilon: adamEpsilon}
	a.part = func(lo, hi int) { a.step.Step(a.x[lo:hi], a.g[lo:hi], a.mean[lo:hi], a.power[lo:hi]) }
	return a
}

// Step is [Optimizer]'s.
func (a *AdamW) Step(rate float64) {
	a.steps++
	a.step.LearningRate = rate
	a.step.Correction1 = 1 - math.Pow(adamBeta1, float64(a.steps))
	a.step.Correction2 = 1 - math.Pow(adamBeta2, float64(a.steps))
	for i, p := range a.params {
		a.x, a.g, a.mean, a.power, a.step.WeightDecay = p.Value, p.Gradient(), a.m[i], a.v[i], 0
		if p.Decay {
			a.step.WeightDecay = a.decay
		}
		blas.Split(len(a.x), stepGrain, a.part)
	}
}

// stepsName is the name of AdamW's count of steps, exact as a float32 up to 2²⁴.
const stepsName = "steps"

// State returns the moments as "mean/NAME" and "power/NAME", and the count of steps.
func (a *AdamW) State() []Named {
	state := named([]Named{{Name: stepsName, Data: []float32{float32(a.steps)}}}, "mean/", a.params, a.m)
	return named(state, "power/", a.params, a.v)
}

// Restore is [Optimizer]'s.
func (a *AdamW) Restore(state []Named) error {
	i := slices.IndexFunc(state, func(n Named) bool { return n.Name == stepsName })
	if i < 0 || len(state[i].Data) != 1 || !(state[i].Data[0] >= 0 && state[i].Data[0] <= 1<<24) {
		return fmt.Errorf("optimizer state: %q is missing or is not one count in [0, 2²⁴]", stepsName)
	}
	steps := int(state[i].Data[0])
	if err := restore(slices.Delete(slices.Clone(state), i, i+1), group{"mean/", a.params, a.m}, group{"power/", a.params, a.v}); err != nil {
		return err
	}
	a.steps = steps
	return nil
}

// buffers returns zeros for each parameter.
func buffers(params []*Param) [][]float32 {
	all := make([][]float32, len(params))
	for i, p := range params {
		all[i] = make([]float32, len(p.Value))
	}
	return all
}

// named appends copies of an optimizer's buffers to list.
func named(list []Named, prefix string, params []*Param, values [][]float32) []Named {
	for i, v := range values {
		p := params[i]
		list = append(list, Named{Name: prefix + p.Name, Shape: slices.Clone(p.Shape), Data: p.exported(v)})
	}
	return list
}

// group are buffers under one prefix.
type group struct {
	prefix string
	params []*Param
	values [][]float32
}

// restore fills buffers from a state, all or none.
func restore(state []Named, groups ...group) error {
	byName := make(map[string]Named, len(state))
	for _, n := range state {
		byName[n.Name] = n
	}
	var errs []error
	var fill []func()
	for _, g := range groups {
		for i, p := range g.params {
			name := g.prefix + p.Name
			n, ok := byName[name]
			delete(byName, name)
			switch {
			case !ok:
				errs = append(errs, fmt.Errorf("optimizer state: %q is missing", name))
			case !slices.Equal(n.Shape, p.Shape) || len(n.Data) != len(p.Value):
				errs = append(errs, fmt.Errorf("optimizer state: %q is %v with %d numbers, the parameter is %v", name, n.Shape, len(n.Data), p.Shape))
			default:
				fill = append(fill, func() { p.imported(g.values[i], n.Data) })
			}
		}
	}
	for _, n := range state { // in its order
		if _, left := byName[n.Name]; left {
			errs = append(errs, fmt.Errorf("optimizer state: %q belongs to no parameter that is trained", n.Name))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, f := range fill {
		f()
	}
	return nil
}

// imported stores values in the order of Shape into inside, which lies in Order.
func (p *Param) imported(inside, values []float32) {
	p.each(func(in, out int) { inside[in] = values[out] })
}
