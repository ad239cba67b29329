package nn

import (
	"kappa/engine/blas"
	"kappa/engine/internal/vector"
)

// LayerNorm is y = (x − μ)/√(σ² + ε)·w + b on the last dimension of x, with mean μ and variance σ² (over n, not n−1) of those Width
// numbers (J. L. Ba, J. R. Kiros, G. E. Hinton, Layer normalization, 2016).
type LayerNorm struct {
	Width   int
	Epsilon float64 // torch's default is 1e-5; timm's Vision Transformers have 1e-6
	weight  *Param
	bias    *Param
	params  []*Param

	x          *Tensor
	y, dx      Tensor
	mean, rstd []float32 // of every row
	dy, onto   []float32 // of the pass that is under way
	dw, db     []float64 // sums of pieces, nil where they are not wanted
	sums       bool
	forward    func(lo, hi int)
	backward   func(lo, hi int)
}

// NewLayerNorm returns the norm with weight 1 and bias 0.
func NewLayerNorm(width int, epsilon float64) *LayerNorm {
	l := &LayerNorm{Width: width, Epsilon: epsilon, weight: newParam("weight", Plain, width), bias: newParam("bias", Plain, width)}
	vector.Fill(l.weight.Value, 1)
	l.params = []*Param{l.weight, l.bias}
	l.forward, l.backward = l.forwardPieces, l.backwardPieces
	return l
}

// Params are weight and bias.
func (l *LayerNorm) Params() []*Param { return l.params }

// Parts are none.
func (l *LayerNorm) Parts() []Part { return nil }

// Forward returns the norm of x.
func (l *LayerNorm) Forward(x *Tensor, _ Mode) *Tensor {
	if x.Border || x.Shape[len(x.Shape)-1] != l.Width {
		panic(badShape)
	}
	l.x = x
	l.y.Resize(x.Shape...)
	l.mean, l.rstd = sized(l.mean, l.rows()), sized(l.rstd, l.rows())
	blas.Split(pieces(l.rows()), 1, l.forward)
	return &l.y
}

// rows is the number of vectors that the layer was last applied to.
func (l *LayerNorm) rows() int { return len(l.x.Data) / l.Width }

func (l *LayerNorm) forwardPieces(lo, hi int) {
	lo, hi = lo*rowPiece, min(hi*rowPiece, l.rows())
	w := l.Width
	vector.LayerNorm(l.y.Data[lo*w:hi*w], l.x.Data[lo*w:hi*w], l.weight.Value, l.bias.Value, l.mean[lo:hi], l.rstd[lo:hi], hi-lo, w, float32(l.Epsilon))
}

// Backward returns the gradient in x.
func (l *LayerNorm) Backward(dy *Tensor, want bool) *Tensor { return l.back(dy, nil, want) }

// back is Backward plus z where it is not nil.
func (l *LayerNorm) back(dy, z *Tensor, want bool) *Tensor {
	if len(dy.Data) != len(l.x.Data) || z != nil && len(z.Data) != len(dy.Data) {
		panic(badShape)
	}
	l.sums = l.weight.Trained() || l.bias.Trained()
	if !want && !l.sums {
		return nil
	}
	l.dy, l.onto = dy.Data, nil
	if z != nil {
		l.onto = z.Data
	}
	l.dx.Resize(l.x.Shape...)
	n := pieces(l.rows())
	l.dw, l.db = sized(l.dw, n*l.Width), sized(l.db, n*l.Width)
	blas.Split(n, 1, l.backward)
	if l.weight.Trained() {
		addWide(l.weight.Gradient(), l.dw)
	}
	if l.bias.Trained() {
		addWide(l.bias.Gradient(), l.db)
	}
	if !want {
		return nil
	}
	return &l.dx
}

func (l *LayerNorm) backwardPieces(lo, hi int) {
	w := l.Width
	for p := lo; p < hi; p++ {
		from, to := p*rowPiece, min((p+1)*rowPiece, l.rows())
		var dw, db []float64
		if l.sums {
			dw, db = l.dw[p*w:(p+1)*w], l.db[p*w:(p+1)*w]
			clear(dw)
			clear(db)
		}
		dx := l.dx.Data[from*w : to*w]
		vector.LayerNormBackward(dx, l.dy[from*w:to*w], l.x.Data[from*w:to*w], l.weight.Value, l.mean[from:to], l.rstd[from:to], dw, db, to-from, w)
		if l.onto != nil {
			vector.AddTo(dx, l.onto[from*w:to*w])
		}
	}
}
