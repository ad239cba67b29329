package immunize

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

const (
	badColumns   = "immunize: the two tasks must have the same number of columns"
	badTargets   = "immunize: as many targets as rows are needed"
	badFactor    = "immunize: the factor is not that of X"
	badForm      = "immunize: unknown form of the gradient"
	badOnes      = "immunize: the factor is not that of X with a column of ones"
	badTheta     = "immunize: θ_0 must be D×D"
	badLoss      = "immunize: unknown loss"
	badOptimizer = "immunize: unknown optimizer"
	badRule      = "immunize: unknown step rule"
	badSide      = "immunize: unknown side"
)

// needs says which targets a method reads.
type needs int

const (
	needPrimary needs = 1 << iota
	needHarmful
)

// prepare checks p, fills in what is missing, and returns D.
func (p *Problem) prepare(want needs) (d int, err error) {
	if err := p.Primary.prepare("primary", want&needPrimary != 0); err != nil {
		return 0, err
	}
	if err := p.Harmful.prepare("harmful", want&needHarmful != 0); err != nil {
		return 0, err
	}
	_, d = p.Primary.Factor.Dims()
	if _, dh := p.Harmful.Factor.Dims(); dh != d {
		panic(badColumns)
	}
	if want&needPrimary != 0 && p.Loss == Logistic {
		for i, y := range p.Primary.Y {
			if y != 0 && y != 1 {
				return 0, fmt.Errorf("immunize: the logistic loss needs labels 0 or 1; primary target %d is %v", i, y)
			}
		}
	}
	return d, nil
}

func (t *Task) prepare(name string, targets bool) error {
	if t.X == nil || t.X.IsEmpty() {
		return fmt.Errorf("immunize: the %s task has no data", name)
	}
	n, d := t.X.Dims()
	if t.Factor == nil {
		f, err := spectrum.NewFactor(t.X)
		if err != nil {
			return fmt.Errorf("factorise the %s task: %w", name, err)
		}
		t.Factor = f
	} else if fn, fd := t.Factor.Dims(); fn != n || fd != d {
		panic(badFactor)
	}
	if !targets {
		return nil
	}
	if t.Y == nil {
		return fmt.Errorf("immunize: the method needs targets of the %s task", name)
	}
	if len(t.Y) != n {
		panic(badTargets)
	}
	for i, y := range t.Y {
		if y-y != 0 {
			return fmt.Errorf("immunize: %s target %d is %v", name, i, y)
		}
	}
	return nil
}

// prepare checks o and fills in the defaults.
func (o *Options) prepare(d int) error {
	fraction := defaultStepFraction
	if o.Step == Certified {
		fraction = defaultCertified
	}
	for _, v := range []struct {
		name     string
		value    *float64
		fallback float64
	}{
		{"step fraction", &o.StepFraction, fraction},
		{"learning rate", &o.LearningRate, defaultLearningRate},
		{"balance norm", &o.BalanceNorm, defaultBalanceNorm},
		{"primary ridge", &o.RidgePrimary, defaultRidge},
		{"harmful ridge", &o.RidgeHarmful, defaultRidge},
	} {
		if *v.value == 0 {
			*v.value = v.fallback
		}
		if !(*v.value > 0) || math.IsInf(*v.value, 1) {
			return fmt.Errorf("immunize: %s %v is not a positive number", v.name, *v.value)
		}
	}
	for _, l := range []Lambda{o.LambdaPrimary, o.LambdaHarmful} {
		if !(l.Value >= 0) || math.IsInf(l.Value, 1) {
			return fmt.Errorf("immunize: weight %v of a regularizer is not a number ≥ 0", l.Value)
		}
	}
	if !(o.Momentum >= 0 && o.Momentum < 1) {
		return fmt.Errorf("immunize: momentum %v is not in [0, 1)", o.Momentum)
	}
	if o.KappaMax != 0 && !(o.KappaMax >= 1) {
		return fmt.Errorf("immunize: the bound %v of κ(θ) is not a number from 1", o.KappaMax)
	}
	if o.InnerSteps == 0 {
		o.InnerSteps = defaultInnerSteps
	}
	if o.Steps < 0 || o.Batch < 0 || o.InnerSteps < 0 {
		return errors.New("immunize: numbers of steps and rows must not be negative")
	}
	switch o.Step {
	case Fixed:
	case Normalized:
		if o.Optimizer == Adam {
			return errors.New("immunize: the normalized step does not go with adam, which sets the length of its steps itself")
		}
	case Certified:
		if o.Optimizer != GD {
			return fmt.Errorf("immunize: a certified step is a plain one and does not go with %v", o.Optimizer)
		}
		if !(o.StepFraction < 1) {
			return fmt.Errorf("immunize: the fraction %v of its interval that a certified step takes is not below 1", o.StepFraction)
		}
		if !(o.StepLength >= 0) || math.IsInf(o.StepLength, 1) {
			return fmt.Errorf("immunize: the bound %v of a certified step is not a number ≥ 0", o.StepLength)
		}
	default:
		panic(badRule)
	}
	if o.Side < AsReleased || o.Side > unconditioned {
		panic(badSide)
	}
	if o.Theta0 == nil {
		return nil
	}
	if r, c := o.Theta0.Dims(); r != d || c != d {
		panic(badTheta)
	}
	for i := range d {
		for j, v := range o.Theta0.RawRowView(i) {
			if v-v != 0 {
				return fmt.Errorf("immunize: element of θ_0 in row %d, column %d is %v", i, j, v)
			}
		}
	}
	return nil
}

// start returns a copy of θ_0.
func (o *Options) start(d int) *mat.Dense {
	if o.Theta0 != nil {
		return mat.DenseCopyOf(o.Theta0)
	}
	return identity(d)
}

func identity(d int) *mat.Dense {
	m := mat.NewDense(d, d, nil)
	for i := range d {
		m.Set(i, i, 1)
	}
	return m
}
