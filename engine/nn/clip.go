package nn

import "math"

// clipSlack is what PyTorch adds to the norm that it divides by.
const clipSlack = 1e-6

// GradientNorm returns the 2-norm of the gradients of the parameters that have one and are trained, all together. It is summed in
// float64, parameter by parameter.
func GradientNorm(params []*Param) float64 {
	sum := 0.0
	for _, p := range params {
		if p.Trained() {
			sum += sumSquares(p.Grad)
		}
	}
	return math.Sqrt(sum)
}

// ClipGradient multiplies the gradients by limit/(norm + 10⁻⁶) if that is below 1, as PyTorch's clip_grad_norm_, and returns their norm
// before. It leaves them alone where limit is 0 or their norm is not finite.
func ClipGradient(params []*Param, limit float64) float64 {
	norm := GradientNorm(params)
	if scale := limit / (norm + clipSlack); limit > 0 && scale < 1 && norm-norm == 0 {
		for _, p := range params {
			if p.Trained() {
				for i := range p.Grad {
					p.Grad[i] *= float32(scale)
				}
			}
		}
	}
	return norm
}

// sumSquares returns Σ x², in float64, in an order of its own.
func sumSquares(x []float32) float64 {
	var s0, s1, s2, s3 float64
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d := float64(x[0]), float64(x[1]), float64(x[2]), float64(x[3])
		s0 += a * a
		s1 += b * b
		s2 += c * c
		s3 += d * d
	}
	for _, v := range x {
		s0 += float64(v) * float64(v)
	}
	return (s0 + s1) + (s2 + s3)
}
