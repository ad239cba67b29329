package nn

import (
	"kappa/engine/blas"
	"kappa/engine/internal/vector"
)

// GELU is y = x·Φ(x), Φ the distribution function of the standard normal distribution, with the exact error function as torch and
// timm have it (D. Hendrycks, K. Gimpel, Gaussian error linear units, 2016).
type GELU struct {
	x        *Tensor
	y, dx    Tensor
	dy       []float32
	forward  func(lo, hi int)
	backward func(lo, hi int)
}

// activationPiece is the least number of numbers that is worth another core.
const activationPiece = 4096

// NewGELU returns the layer.
func NewGELU() *GELU {
	l := &GELU{}
	l.forward, l.backward = l.forwardPart, l.backwardPart
	return l
}

// Params are none.
func (l *GELU) Params() []*Param { return nil }

// Parts are none.
func (l *GELU) Parts() []Part { return nil }

// Forward returns x·Φ(x), element by element.
func (l *GELU) Forward(x *Tensor, _ Mode) *Tensor {
	if x.Border {
		panic(badShape)
	}
	l.x = x
	l.y.Resize(x.Shape...)
	blas.Split(len(x.Data), activationPiece, l.forward)
	return &l.y
}

func (l *GELU) forwardPart(lo, hi int) { vector.GELU(l.y.Data[lo:hi], l.x.Data[lo:hi]) }

// Backward returns dy·(Φ(x) + x·φ(x)).
func (l *GELU) Backward(dy *Tensor, want bool) *Tensor {
	if !want {
		return nil
	}
	if len(dy.Data) != len(l.x.Data) {
		panic(badShape)
	}
	l.dy = dy.Data
	l.dx.Resize(l.x.Shape...)
	blas.Split(len(dy.Data), activationPiece, l.backward)
	return &l.dx
}

func (l *GELU) backwardPart(lo, hi int) {
	vector.GELUBackward(l.dx.Data[lo:hi], l.dy[lo:hi], l.x.Data[lo:hi])
}
