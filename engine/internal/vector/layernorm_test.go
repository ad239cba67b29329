package vector

import (
	"math"
	"testing"
)

// normalized computes a row's mean and rstd, and x̂.
func normalized(row []float32, eps float64) (mean, rstd float64, x []float64) {
	for _, v := range row {
		mean += f64(v) / float64(len(row))
	}
	for _, v := range row {
		rstd += (f64(v) - mean) * (f64(v) - mean) / float64(len(row))
	}
	rstd = 1 / math.Sqrt(rstd+eps)
	for _, v := range row {
		x = append(x, (f64(v)-mean)*rstd)
	}
	return mean, rstd, x
}

func TestLayerNorm(t *testing.T) {
	const eps = 1e-2 // a row of one number has no variance
	check(t, func(c *trial) {
		y, x, gamma, beta := c.guarded(c.n()), c.random(c.n()), c.random(c.cols), c.random(c.cols)
		mean, rstd := c.guarded(c.rows), c.guarded(c.rows)
		LayerNorm(y, x, gamma, beta, mean, rstd, c.rows, c.cols, eps)
		row := func(r int) (m, s float64, h []float64) {
			return normalized(x[r*c.cols:(r+1)*c.cols], f64(eps))
		}
		want(c, "mean", mean, 2, func(r int) (float64, float64) {
			m, _, _ := row(r)
			return m, 4
		})
		want(c, "rstd", rstd, 2, func(r int) (float64, float64) {
			_, s, _ := row(r)
			return s, s
		})
		for r := range c.rows {
			m, s, h := row(r)
			want(c, "y", y[r*c.cols:(r+1)*c.cols], 4, func(i int) (float64, float64) {
				p, b := h[i]*f64(gamma[i]), f64(beta[i])
				return p + b, (math.Abs(m)*s+math.Abs(h[i]))*math.Abs(f64(gamma[i])) + math.Abs(b)
			})
		}
	})
}

func TestLayerNormBackward(t *testing.T) {
	const eps = 1e-1
	check(t, func(c *trial) {
		y, x, gamma, beta := c.guarded(c.n()), c.random(c.n()), c.random(c.cols), c.random(c.cols)
		mean, rstd := c.guarded(c.rows), c.guarded(c.rows)
		LayerNorm(y, x, gamma, beta, mean, rstd, c.rows, c.cols, eps)
		dx, dy := c.guarded(c.n()), c.random(c.n())
		dgamma, dbeta := c.sums(c.cols), c.sums(c.cols)
		dgamma0, dbeta0 := clone64(dgamma), clone64(dbeta)
		LayerNormBackward(dx, dy, x, gamma, mean, rstd, dgamma, dbeta, c.rows, c.cols)

		// By the definition: the derivative of y_j in x_i, summed with dy.
		h := make([]float64, 0, c.n())
		for r := range c.rows {
			_, s, row := normalized(x[r*c.cols:(r+1)*c.cols], f64(eps))
			h = append(h, row...)
			n := float64(c.cols)
			var g, gh, size float64
			for j, v := range row {
				d := f64(dy[r*c.cols+j]) * f64(gamma[j])
				g, gh, size = g+d/n, gh+d*v/n, size+math.Abs(d)*(1+math.Abs(v))/n
			}
			want(c, "dx", dx[r*c.cols:(r+1)*c.cols], 8, func(i int) (float64, float64) {
				d := f64(dy[r*c.cols+i]) * f64(gamma[i])
				return s * (d - g - row[i]*gh), s * (math.Abs(d) + size) * (1 + math.Abs(row[i])) * (1 + s)
			})
		}
		want(c, "dgamma", dgamma, 8, func(i int) (float64, float64) {
			v, size := column(c, i, func(i int) float64 { return f64(dy[i]) * h[i] })
			_, more := column(c, i, func(i int) float64 { return 10 * f64(dy[i]) })
			return added(dgamma0[i], v, size+more)
		})
		want(c, "dbeta", dbeta, wideUnits, func(i int) (float64, float64) {
			v, size := column(c, i, func(i int) float64 { return f64(dy[i]) })
			return added(dbeta0[i], v, size)
		})

		again := clone(dy)
		LayerNormBackward(again, again, x, gamma, mean, rstd, nil, nil, c.rows, c.cols)
		want(c, "dx in place of dy", again, 0, func(i int) (float64, float64) { return f64(dx[i]), 0 })
	})
}

// A row far from 0 keeps its shape.
func TestLayerNormFarFromZero(t *testing.T) {
	every(t, func(t *testing.T) {
		x := make([]float32, 50)
		for i := range x {
			x[i] = 4096 + float32(i%2)
		}
		y, one, zero := make([]float32, 50), make([]float32, 50), make([]float32, 50)
		Fill(one, 1)
		mean, rstd := make([]float32, 1), make([]float32, 1)
		LayerNorm(y, x, one, zero, mean, rstd, 1, 50, 0)
		for i, v := range y {
			if want := float32(2*(i%2) - 1); math.Abs(f64(v-want)) > 1e-6 {
				t.Fatalf("y[%d] = %v, want %v", i, v, want)
			}
		}
	})
}
