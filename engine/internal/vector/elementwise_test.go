package vector

import (
	"math"
	"testing"
)

func TestElementwise(t *testing.T) {
	for _, e := range []struct {
		name string
		run  func(dst, a, b []float32)
		want func(dst, a, b float64) float64
	}{
		{"Fill", func(dst, _, _ []float32) { Fill(dst, 2.5) }, func(_, _, _ float64) float64 { return 2.5 }},
		{"Add", Add, func(_, a, b float64) float64 { return a + b }},
		{"AddTo", func(dst, a, _ []float32) { AddTo(dst, a) }, func(d, a, _ float64) float64 { return d + a }},
		{"Scale", func(dst, a, _ []float32) { Scale(dst, a, 0.3) }, func(_, a, _ float64) float64 { return f64(0.3) * a }},
		{"ReLU", func(dst, a, _ []float32) { ReLU(dst, a) }, func(_, a, _ float64) float64 { return max(a, 0) }},
		{"ReLUBackward", ReLUBackward, func(_, a, b float64) float64 {
			if b > 0 {
				return a
			}
			return 0
		}},
	} {
		t.Run(e.name, func(t *testing.T) {
			check(t, func(c *trial) {
				dst, a, b := c.random(c.n()), c.random(c.n()), c.random(c.n())
				was := clone(dst)
				e.run(dst, a, b)
				want(c, "dst", dst, 1, func(i int) (float64, float64) {
					v := e.want(f64(was[i]), f64(a[i]), f64(b[i]))
					return v, math.Abs(v)
				})
			})
		})
	}
}

func TestAddRow(t *testing.T) {
	check(t, func(c *trial) {
		dst, x, row := c.guarded(c.n()), c.random(c.n()), c.random(c.cols)
		AddRow(dst, x, row, c.rows, c.cols)
		want(c, "dst", dst, 1, func(i int) (float64, float64) {
			v := f64(x[i]) + f64(row[i%c.cols])
			return v, math.Abs(v)
		})
	})
}

func TestAddWide(t *testing.T) {
	check(t, func(c *trial) {
		dst, sums := c.random(c.cols), c.sums(c.cols)
		was := clone(dst)
		AddWide(dst, sums)
		want(c, "dst", dst, 2, func(i int) (float64, float64) {
			return f64(was[i]) + sums[i], math.Abs(f64(was[i])) + math.Abs(sums[i])
		})
	})
}
