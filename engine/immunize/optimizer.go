package immunize

import (
	"math"
	"sync/atomic"

	"kappa/engine/blas"
)

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

	// The step under way, which several goroutines may share.
	next, x, d []float64
	a, c       float64 // factor of what d became, and of d
	epsilon    float64
	finite     atomic.Bool
	part       func(lo, hi int)
}

func newMover(kind Optimizer, momentum float64, n int) *mover {
	m := &mover{kind: kind, momentum: momentum, pow1: 1, pow2: 1}
	switch kind {
	case GD:
		m.part = m.gd
	case SGD:
		m.v = make([]float64, n)
		m.part = m.sgd
	case Adam:
		m.v = make([]float64, n)
		m.s = make([]float64, n)
		m.part = m.adam
	default:
		panic(badOptimizer)
	}
	return m
}

// move changes x by one step of size rate along −d. Both have the length the mover was made for.
func (m *mover) move(x, d []float64, rate float64) { m.step(x, x, d, rate, 1) }

// step stores x after one step of size rate along −scale·d in next, which may be x, and reports whether all of it is finite.
func (m *mover) step(next, x, d []float64, rate, scale float64) (finite bool) {
	m.next, m.x, m.d, m.a, m.c = next, x, d, rate, scale
	if m.kind == Adam {
		m.pow1 *= adamBeta1
		m.pow2 *= adamBeta2
		// rate·(v/c₁)/(√(s/c₂) + ε) = (rate·√c₂/c₁)·v/(√s + ε√c₂)
		root := math.Sqrt(1 - m.pow2)
		m.a, m.epsilon = rate*root/(1-m.pow1), adamEpsilon*root
	}
	m.finite.Store(true)
	blas.Split(len(x), stepGrain, m.part)
	return m.finite.Load()
}

// stepGrain is the number of parameters below which a step is not worth sharing.
const stepGrain = 1 << 14

func (m *mover) gd(lo, hi int) {
	next, x, d := m.next[lo:hi], m.x[lo:hi], m.d[lo:hi]
	next, d = next[:len(x)], d[:len(x)]
	rate, bad := m.a*m.c, false
	for i, v := range x {
		v -= rate * d[i]
		next[i] = v
		if v-v != 0 {
			bad = true
		}
	}
	if bad {
		m.finite.Store(false)
	}
}

func (m *mover) sgd(lo, hi int) {
	next, x, d, velocity := m.next[lo:hi], m.x[lo:hi], m.d[lo:hi], m.v[lo:hi]
	next, d, velocity = next[:len(x)], d[:len(x)], velocity[:len(x)]
	rate, scale, momentum, bad := m.a, m.c, m.momentum, false
	for i, v := range x {
		u := momentum*velocity[i] + scale*d[i]
		velocity[i] = u
		v -= rate * u
		next[i] = v
		if v-v != 0 {
			bad = true
		}
	}
	if bad {
		m.finite.Store(false)
	}
}

func (m *mover) adam(lo, hi int) {
	next, x, d, first, second := m.next[lo:hi], m.x[lo:hi], m.d[lo:hi], m.v[lo:hi], m.s[lo:hi]
	next, d, first, second = next[:len(x)], d[:len(x)], first[:len(x)], second[:len(x)]
	rate, scale, epsilon, bad := m.a, m.c, m.epsilon, false
	for i, v := range x {
		g := scale * d[i]
		p := adamBeta1*first[i] + (1-adamBeta1)*g
		q := adamBeta2*second[i] + (1-adamBeta2)*g*g
		first[i], second[i] = p, q
		v -= rate * (p / (math.Sqrt(q) + epsilon))
		next[i] = v
		if v-v != 0 {
			bad = true
		}
	}
	if bad {
		m.finite.Store(false)
	}
}
