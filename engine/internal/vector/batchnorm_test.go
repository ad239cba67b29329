package vector

import (
	"math"
	"testing"
)

func TestScaleShift(t *testing.T) {
	check(t, func(c *trial) {
		y, relu, residual := c.guarded(c.n()), c.guarded(c.n()), c.guarded(c.n())
		x, r, scale, shift := c.random(c.n()), c.random(c.n()), c.random(c.cols), c.random(c.cols)
		ScaleShift(y, x, scale, shift, c.rows, c.cols)
		ScaleShiftReLU(relu, x, scale, shift, c.rows, c.cols)
		ScaleShiftAddReLU(residual, x, r, scale, shift, c.rows, c.cols)
		at := func(i int) (value, size float64) {
			p, s := f64(x[i])*f64(scale[i%c.cols]), f64(shift[i%c.cols])
			return p + s, math.Abs(p) + math.Abs(s)
		}
		want(c, "y", y, 2, at)
		want(c, "relu", relu, 2, func(i int) (float64, float64) {
			v, size := at(i)
			return max(v, 0), size
		})
		want(c, "residual", residual, 3, func(i int) (float64, float64) {
			v, size := at(i)
			return max(v+f64(r[i]), 0), size + math.Abs(f64(r[i]))
		})
	})
}

func TestBatchNormBackwardSums(t *testing.T) {
	check(t, func(c *trial) {
		sum, dot := c.sums(c.cols), c.sums(c.cols)
		dy, x, y := c.random(c.n()), c.random(c.n()), c.random(c.n())
		given := clone(dy)
		for _, relu := range []bool{false, true} {
			sum0, dot0 := clone64(sum), clone64(dot)
			if relu {
				BatchNormBackwardSumsReLU(sum, dot, dy, x, y, c.rows, c.cols)
			} else {
				BatchNormBackwardSums(sum, dot, dy, x, c.rows, c.cols)
			}
			d := func(i int) float64 {
				if relu && y[i] <= 0 {
					return 0
				}
				return f64(given[i])
			}
			want(c, "dy", dy, 0, func(i int) (float64, float64) { return d(i), 1 })
			want(c, "sum", sum, wideUnits, func(i int) (float64, float64) {
				s, size := column(c, i, d)
				return added(sum0[i], s, size)
			})
			want(c, "dot", dot, wideUnits, func(i int) (float64, float64) {
				s, size := column(c, i, func(i int) float64 { return d(i) * f64(x[i]) })
				return added(dot0[i], s, size)
			})
		}
	})
}

func TestBatchNormBackwardApply(t *testing.T) {
	check(t, func(c *trial) {
		dx, dy, x := c.guarded(c.n()), c.random(c.n()), c.random(c.n())
		a, b, d := c.random(c.cols), c.random(c.cols), c.random(c.cols)
		BatchNormBackwardApply(dx, dy, x, a, b, d, c.rows, c.cols)
		want(c, "dx", dx, 4, func(i int) (float64, float64) {
			j := i % c.cols
			p, q := f64(a[j])*f64(dy[i]), f64(b[j])*f64(x[i])
			return p + q + f64(d[j]), math.Abs(p) + math.Abs(q) + math.Abs(f64(d[j]))
		})
	})
}
