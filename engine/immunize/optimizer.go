package immunize

import "math"

// Optimizer turns a direction d (a gradient, preconditioned where the method says so) into a step of the parameters.
type Optimizer int

const (
	// GD is plain gradient descent: x ← x − ηd.
	GD Optimizer = iota
	// SGD is gradient descent with heavy-ball momentum μ (Polyak 1964, in the form of Sutskever et al., ICML 2013, without
	// damping): v ← μv + d, x ← x − ηv. With μ = 0 it is GD.
	SGD
	// Adam is Kingma and Ba, ICLR 2015, Algorithm 1, with β = (0.9, 0.999) and ε = 10⁻⁸, bias-corrected, without weight decay.
	Adam
)

// String returns the optimizer's name.
func (o Optimizer) String() string {
	switch o {
	case GD:
		return "gd"
	case SGD:
		return "sgd"
	case Adam:
		return "adam"
	}
	return "unknown optimizer"
}

// Adam's constants, the defaults of the paper that introduced it and of every library.
const (
	adamBeta1   = 0.9
	adamBeta2   = 0.999
	adamEpsilon = 1e-8
)

// mover keeps one parameter vector's optimizer state.
type mover struct {
	kind     Optimizer
	momentum float64
	v        []float64 // velocity (SGD), first moment (Adam)
	s        []float64 // second moment (Adam)
	pow1     float64   // β₁ᵗ
	pow2     float64   // β₂ᵗ
}

func newMover(kind Optimizer, momentum float64, n int) *mover {
	m := &mover{kind: kind, momentum: momentum, pow1: 1, pow2: 1}
	switch kind {
	case GD:
	case SGD:
		m.v = make([]float64, n)
	case Adam:
		m.v = make([]float64, n)
		m.s = make([]float64, n)
	default:
		panic(badOptimizer)
	}
	return m
}

// move changes x by one step of size rate along −d. Both have the length the mover was made for.
func (m *mover) move(x, d []float64, rate float64) {
	switch m.kind {
	case GD:
		for i, g := range d {
			x[i] -= rate * g
		}
	case SGD:
		for i, g := range d {
			m.v[i] = m.momentum*m.v[i] + g
			x[i] -= rate * m.v[i]
		}
	case Adam:
		m.pow1 *= adamBeta1
		m.pow2 *= adamBeta2
		c1, c2 := 1-m.pow1, 1-m.pow2
		for i, g := range d {
			m.v[i] = adamBeta1*m.v[i] + (1-adamBeta1)*g
			m.s[i] = adamBeta2*m.s[i] + (1-adamBeta2)*g*g
			x[i] -= rate * (m.v[i] / c1) / (math.Sqrt(m.s[i]/c2) + adamEpsilon)
		}
	}
}
