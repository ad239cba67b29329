package vector

import (
	"math"
	"testing"
)

func TestSGD(t *testing.T) {
	for _, s := range []SGD{
		{LearningRate: 0.1},
		{LearningRate: 0.1, Momentum: 0.9, WeightDecay: 1e-2},
		{LearningRate: 0.1, Momentum: 0.9, WeightDecay: 1e-2, Nesterov: true},
	} {
		check(t, func(c *trial) {
			w, g, v := c.random(c.n()), c.random(c.n()), c.guarded(c.n())
			clear(v)
			x, u := make([]float64, c.n()), make([]float64, c.n())
			for i := range x {
				x[i] = f64(w[i])
			}
			for range 3 {
				s.Step(w, g, v)
				for i := range x {
					h := f64(g[i]) + s.WeightDecay*x[i]
					u[i] = s.Momentum*u[i] + h
					if s.Nesterov {
						x[i] -= s.LearningRate * (h + s.Momentum*u[i])
					} else {
						x[i] -= s.LearningRate * u[i]
					}
				}
			}
			want(c, "v", v, 16, func(i int) (float64, float64) { return u[i], 1 + math.Abs(u[i]) + math.Abs(x[i]) })
			want(c, "w", w, 16, func(i int) (float64, float64) { return x[i], 1 + math.Abs(u[i]) + math.Abs(x[i]) })
		})
	}
}

func TestAdamW(t *testing.T) {
	check(t, func(c *trial) {
		s := AdamW{LearningRate: 1e-2, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.05}
		w, g, m, v := c.random(c.n()), c.random(c.n()), c.guarded(c.n()), c.guarded(c.n())
		clear(m)
		clear(v)
		x, first, second := make([]float64, c.n()), make([]float64, c.n()), make([]float64, c.n())
		for i := range x {
			x[i] = f64(w[i])
		}
		for step := 1; step <= 3; step++ {
			s.Correction1, s.Correction2 = 1-math.Pow(s.Beta1, float64(step)), 1-math.Pow(s.Beta2, float64(step))
			s.Step(w, g, m, v)
			for i := range x {
				d := f64(g[i])
				x[i] *= 1 - s.LearningRate*s.WeightDecay
				first[i] = s.Beta1*first[i] + (1-s.Beta1)*d
				second[i] = s.Beta2*second[i] + (1-s.Beta2)*d*d
				x[i] -= s.LearningRate * first[i] / s.Correction1 / (math.Sqrt(second[i]/s.Correction2) + s.Epsilon)
			}
		}
		want(c, "m", m, 8, func(i int) (float64, float64) { return first[i], math.Abs(f64(g[i])) })
		want(c, "v", v, 8, func(i int) (float64, float64) { return second[i], math.Abs(second[i]) })
		want(c, "w", w, 8, func(i int) (float64, float64) { return x[i], 1 + math.Abs(x[i]) })
	})
}
