package vector

import "math"

// farthest is where Φ is 0 or 1, and x·φ(x) is 0, in float32.
const farthest = 20

// normal returns Φ(x), the distribution function of the standard normal distribution, and x·φ(x), φ its density.
func normal(x float32) (distribution, product float64) {
	v := min(max(float64(x), -farthest), farthest)
	return 0.5 * math.Erfc(-v/math.Sqrt2), v * math.Exp(-v*v/2) / math.Sqrt(2*math.Pi)
}

// GELU stores y = x·Φ(x), Φ the distribution function of the standard normal distribution, with an absolute error of at most
// 3·10⁻⁷·max(1, |x|). +Inf gives +Inf, −Inf gives 0, NaN gives NaN.
//
// D. Hendrycks and K. Gimpel, Gaussian Error Linear Units (GELUs), arXiv:1606.08415, without the approximation by tanh.
func GELU(y, x []float32) {
	need(len(y), x)
	if len(y) == 0 || best.gelu(len(y), &y[0], &x[0]) {
		return
	}
	for i := range y {
		v := x[i]
		p, _ := normal(v)
		if y[i] = float32(float64(v) * p); v < -farthest {
			y[i] = 0
		}
	}
}

// GELUBackward stores dx = dy·(Φ(x) + x·φ(x)), φ the density of the standard normal distribution; the factor's absolute error is at
// most 3·10⁻⁷. Within that it is 1 at +Inf and 0 at −Inf; at NaN it is NaN.
func GELUBackward(dx, dy, x []float32) {
	need(len(dx), dy, x)
	if len(dx) == 0 || best.geluBackward(len(dx), &dx[0], &dy[0], &x[0]) {
		return
	}
	for i := range dx {
		p, d := normal(x[i])
		dx[i] = float32(float64(dy[i]) * (p + d))
	}
}
