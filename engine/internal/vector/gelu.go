package vector

import "math"

// normal returns Φ(x), the distribution function of the standard normal distribution, and its density φ(x).
func normal(x float32) (distribution, density float64) {
	v := float64(x)
	return 0.5 * math.Erfc(-v/math.Sqrt2), math.Exp(-v*v/2) / math.Sqrt(2*math.Pi)
}

// GELU stores y = x·Φ(x), Φ the distribution function of the standard normal distribution, with an absolute error of at most
// 3·10⁻⁷·max(1, |x|). +Inf gives +Inf; −Inf and NaN give NaN.
//
// D. Hendrycks and K. Gimpel, Gaussian Error Linear Units (GELUs), arXiv:1606.08415, without the approximation by tanh.
func GELU(y, x []float32) {
	need(len(y), x)
	if len(y) == 0 || best.gelu(len(y), &y[0], &x[0]) {
		return
	}
	for i := range y {
		p, _ := normal(x[i])
		y[i] = float32(float64(x[i]) * p)
	}
}

// GELUBias adds bias to every row of x and stores the GELU of that in y: y and x are rows×cols, bias has cols numbers. y is not x,
// which is left as the backward pass needs it.
func GELUBias(y, x, bias []float32, rows, cols int) {
	n := size(rows, cols, y, x)
	need(cols, bias)
	if n == 0 || best.geluBias(rows, cols, &y[0], &x[0], &bias[0]) {
		return
	}
	AddRow(x, x, bias, rows, cols)
	GELU(y[:n], x)
}

// GELUBackward stores dx = dy·(Φ(x) + x·φ(x)), φ the density of the standard normal distribution; the factor's absolute error is at
// most 3·10⁻⁷. ±Inf and NaN in x give NaN.
func GELUBackward(dx, dy, x []float32) {
	need(len(dx), dy, x)
	if len(dx) == 0 || best.geluBackward(len(dx), &dx[0], &dy[0], &x[0]) {
		return
	}
	for i := range dx {
		p, d := normal(x[i])
		dx[i] = float32(float64(dy[i]) * (p + float64(x[i])*d))
	}
}
