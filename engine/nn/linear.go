package nn

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// Linear is y = x·Wᵀ + b on the last dimension of x, In numbers; y has Out there. W is Out×In, in torch's order; inside it lies
// transposed.
type Linear struct {
	In, Out int
	weight  *Param
	bias    *Param // nil: none

	x     *Tensor
	y, dx Tensor
}

// NewLinear returns a layer of zeros.
func NewLinear(in, out int, bias bool) *Linear {
	l := &Linear{In: in, Out: out, weight: newParam("weight", Transposed, out, in)}
	l.weight.Decay = true
	if bias {
		l.bias = newParam("bias", Plain, out)
	}
	return l
}

// Params are weight and bias.
func (l *Linear) Params() []*Param {
	if l.bias == nil {
		return []*Param{l.weight}
	}
	return []*Param{l.weight, l.bias}
}

// Parts are none.
func (l *Linear) Parts() []Part { return nil }

// Forward returns x·Wᵀ + b.
func (l *Linear) Forward(x *Tensor, _ Mode) *Tensor {
	last := len(x.Shape) - 1
	if x.Border || x.Shape[last] != l.In {
		panic(badShape)
	}
	l.x = x
	l.y.Resize(x.Shape...)
	l.y.Shape[last] = l.Out
	l.y.Resize(l.y.Shape...)
	rows := len(x.Data) / l.In
	beta := float32(0)
	if l.bias != nil {
		beta = 1
		for i := range rows {
			copy(l.y.Data[i*l.Out:(i+1)*l.Out], l.bias.Value)
		}
	}
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, matrix(rows, l.In, x.Data), matrix(l.In, l.Out, l.weight.Value), beta, matrix(rows, l.Out, l.y.Data))
	return &l.y
}

// Backward returns dy·W.
func (l *Linear) Backward(dy *Tensor, want bool) *Tensor {
	rows := len(dy.Data) / l.Out
	d := matrix(rows, l.Out, dy.Data)
	if l.weight.Trained() {
		blas32.Gemm(blas.Trans, blas.NoTrans, 1, matrix(rows, l.In, l.x.Data), d, 1, matrix(l.In, l.Out, l.weight.Gradient()))
	}
	if l.bias != nil && l.bias.Trained() {
		grad := l.bias.Gradient()
		for i := range rows {
			for j, v := range dy.Data[i*l.Out : (i+1)*l.Out] {
				grad[j] += v
			}
		}
	}
	if !want {
		return nil
	}
	l.dx.Resize(l.x.Shape...)
	blas32.Gemm(blas.NoTrans, blas.Trans, 1, d, matrix(l.In, l.Out, l.weight.Value), 0, matrix(rows, l.In, l.dx.Data))
	return &l.dx
}

// matrix is a row-major matrix without gaps.
func matrix(rows, cols int, data []float32) blas32.General {
	return blas32.General{Rows: rows, Cols: cols, Stride: max(1, cols), Data: data}
}
