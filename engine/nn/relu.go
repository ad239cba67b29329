package nn

import (
	"kappa/engine/blas"
	"kappa/engine/internal/vector"
)

// ReLU is max(x, 0), of tensors of every shape. Its derivative at 0 is 0.
type ReLU struct {
	y, dx         Tensor
	x, dy         *Tensor
	forward, back func(lo, hi int)
}

// elementGrain is the length of a vector from which its parts are shared out.
const elementGrain = 1 << 14

// NewReLU returns the layer.
func NewReLU() *ReLU {
	l := &ReLU{}
	l.forward = func(lo, hi int) { vector.ReLU(l.y.Data[lo:hi], l.x.Data[lo:hi]) }
	l.back = func(lo, hi int) { vector.ReLUBackward(l.dx.Data[lo:hi], l.dy.Data[lo:hi], l.y.Data[lo:hi]) }
	return l
}

func (l *ReLU) output() *Tensor { return &l.y }

// Params are none.
func (l *ReLU) Params() []*Param { return nil }

// Parts are none.
func (l *ReLU) Parts() []Part { return nil }

// Forward returns max(x, 0); NaN stays NaN.
func (l *ReLU) Forward(x *Tensor, _ Mode) *Tensor {
	l.x = x
	l.y.resizeAs(x)
	blas.Split(len(x.Data), elementGrain, l.forward)
	return &l.y
}

// Backward returns dy where x > 0, else 0.
func (l *ReLU) Backward(dy *Tensor, want bool) *Tensor {
	if !want {
		return nil
	}
	if len(dy.Data) != len(l.y.Data) {
		panic(badShape)
	}
	l.dy = dy
	l.dx.resizeAs(dy)
	blas.Split(len(dy.Data), elementGrain, l.back)
	return &l.dx
}

// resizeAs gives t the shape and border of u.
func (t *Tensor) resizeAs(u *Tensor) {
	if u.Border {
		t.ResizeMaps(u.Shape[0], u.Shape[1], u.Shape[2], u.Shape[3])
		return
	}
	t.Resize(u.Shape...)
}
