package nn

import (
	"math"

	"kappa/engine/internal/vector"
)

// clipSlack is what PyTorch adds to the norm that it divides by.
const clipSlack = 1e-6

// GradientNorm returns the 2-norm of the gradients of the parameters that have one and are trained, all together. It is summed in
// float64, parameter by parameter.
func GradientNorm(params []*Param) float64 {
	sum := 0.0
	for _, p := range params {
		if p.Trained() {
			sum += vector.SumSquares(p.Grad)
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
				vector.Scale(p.Grad, p.Grad, float32(scale))
			}
		}
	}
	return norm
}
