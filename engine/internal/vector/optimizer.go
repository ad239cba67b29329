package vector

import "math"

// SGD are the constants of a step of stochastic gradient descent.
type SGD struct {
	LearningRate float64
	Momentum     float64 // 0: none
	WeightDecay  float64 // 0: none
	Nesterov     bool
}

// Step takes one step with the gradient g, as torch.optim.SGD does:
//
//	h = g + WeightDecay·w,  v ← Momentum·v + h,  w ← w − LearningRate·v  or, with Nesterov,  w ← w − LearningRate·(h + Momentum·v).
//
// v is zero before the first step. All have the length of w; g is left as it is.
func (s SGD) Step(w, g, v []float32) {
	need(len(w), g, v)
	if len(w) == 0 {
		return
	}
	rate, momentum, decay := float32(s.LearningRate), float32(s.Momentum), float32(s.WeightDecay)
	if s.Nesterov && best.nesterov(len(w), &w[0], &g[0], &v[0], rate, momentum, decay) ||
		!s.Nesterov && best.sgd(len(w), &w[0], &g[0], &v[0], rate, momentum, decay) {
		return
	}
	for i := range w {
		h := g[i] + decay*w[i]
		v[i] = momentum*v[i] + h
		d := v[i]
		if s.Nesterov {
			d = h + momentum*v[i]
		}
		w[i] -= rate * d
	}
}

// AdamW are the constants of a step of Adam with decoupled weight decay. I. Loshchilov and F. Hutter, Decoupled weight decay
// regularization, ICLR 2019.
type AdamW struct {
	LearningRate float64
	Beta1, Beta2 float64
	Epsilon      float64
	WeightDecay  float64
	// Correction1 and Correction2 are 1 − Beta1ᵗ and 1 − Beta2ᵗ in step t = 1, 2, ….
	Correction1, Correction2 float64
}

// Step takes one step with the gradient g, as torch.optim.AdamW does:
//
//	w ← w·(1 − LearningRate·WeightDecay),  m ← m + (1 − Beta1)·(g − m),  v ← Beta2·v + (1 − Beta2)·g²,
//	w ← w − LearningRate/Correction1·m/(√v/√Correction2 + Epsilon).
//
// m and v are zero before the first step. All have the length of w; g is left as it is.
func (s AdamW) Step(w, g, m, v []float32) {
	need(len(w), g, m, v)
	if len(w) == 0 {
		return
	}
	keep, decay := float32(1-s.LearningRate*s.WeightDecay), float32(s.Beta2)
	mean, square := float32(1-s.Beta1), float32(1-s.Beta2)
	rate, root, epsilon := float32(s.LearningRate/s.Correction1), float32(1/math.Sqrt(s.Correction2)), float32(s.Epsilon)
	if best.adamw(len(w), &w[0], &g[0], &m[0], &v[0], keep, decay, mean, square, rate, root, epsilon) {
		return
	}
	for i := range w {
		m[i] += mean * (g[i] - m[i])
		v[i] = decay*v[i] + square*g[i]*g[i]
		w[i] = w[i]*keep - rate*m[i]/(float32(math.Sqrt(float64(v[i])))*root+epsilon)
	}
}
