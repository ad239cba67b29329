package vector

import "math"

// LayerNorm stores y = (x − mean)·rstd·gamma + beta for every row of x: y and x are rows×cols, gamma and beta have cols numbers, and
// of each row mean and rstd = 1/√(var + eps) are stored, var being the mean of (x − mean)². Mean and variance are computed in float64
// and rounded. A row with a NaN or an Inf is NaN. cols = 0 stores NaN in mean and rstd.
func LayerNorm(y, x, gamma, beta, mean, rstd []float32, rows, cols int, eps float32) {
	n := size(rows, cols, y, x)
	need(cols, gamma, beta)
	need(rows, mean, rstd)
	if n > 0 && best.layerNorm(rows, cols, &y[0], &x[0], &gamma[0], &beta[0], &mean[0], &rstd[0], float64(eps)) {
		return
	}
	for r := range rows {
		row, out := x[r*cols:(r+1)*cols], y[r*cols:(r+1)*cols]
		var s, q [lanes]float64
		for i, v := range row {
			s[i%lanes] += float64(v)
			q[i%lanes] += float64(v) * float64(v)
		}
		m := fold(&s) / float64(cols)
		v := fold(&q)/float64(cols) - m*m
		if v < 0 {
			v = 0
		}
		mean[r], rstd[r] = float32(m), float32(1/math.Sqrt(v+float64(eps)))
		for i, v := range row {
			out[i] = (v-mean[r])*rstd[r]*gamma[i] + beta[i]
		}
	}
}

// rowsAtOnce is how many rows are read for the sums and then for dx: so few that they are still in a cache.
const rowsAtOnce = 16

// LayerNormBackward takes the gradient dy in the output of LayerNorm. With x̂ = (x − mean)·rstd it stores
//
//	dx = rstd·(dy·gamma − Σ dy·gamma/cols − x̂·Σ dy·gamma·x̂/cols),
//
// the sums along the row, and adds Σ_r dy·x̂ to dgamma and Σ_r dy to dbeta, cols numbers each in float64. dx, dy and x are rows×cols.
// dgamma and dbeta may both be nil: then they are not computed.
func LayerNormBackward(dx, dy, x, gamma, mean, rstd []float32, dgamma, dbeta []float64, rows, cols int) {
	n := size(rows, cols, dx, dy, x)
	need(cols, gamma)
	need(rows, mean, rstd)
	sums := dgamma != nil || dbeta != nil
	if sums {
		need(cols, dgamma, dbeta)
	}
	if n > 0 && best != plain {
		for r := 0; r < rows; r += rowsAtOnce {
			m, i := min(rowsAtOnce, rows-r), r*cols
			if sums {
				best.layerNormSums(m, cols, 4*cols, &dgamma[0], &dbeta[0], &dy[i], &x[i], &mean[r], &rstd[r])
			}
			best.layerNormBackward(m, cols, &dx[i], &dy[i], &x[i], &gamma[0], &mean[r], &rstd[r])
		}
		return
	}
	for r := range rows {
		in, d, out := x[r*cols:(r+1)*cols], dy[r*cols:(r+1)*cols], dx[r*cols:(r+1)*cols]
		m, s := mean[r], rstd[r]
		var p, q [lanes]float64
		for i, v := range d {
			h, g := (in[i]-m)*s, v*gamma[i]
			p[i%lanes] += float64(g)
			q[i%lanes] += float64(g) * float64(h)
			if sums {
				dgamma[i] += float64(v) * float64(h)
				dbeta[i] += float64(v)
			}
		}
		a, b := float32(fold(&p)/float64(cols)), float32(fold(&q)/float64(cols))
		for i, v := range d {
			h := (in[i] - m) * s
			out[i] = s * (v*gamma[i] - a - h*b)
		}
	}
}
