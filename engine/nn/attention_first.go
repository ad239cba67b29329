package nn

import (
	"gonum.org/v1/gonum/blas/blas32"

	"kappa/engine/blas"
)

// Where only the first token of every image asks, the others need no queries. Of qkv's numbers those of the other queries are then
// the bias, which nothing reads.

// projectFirst is qkv's Forward for keys and values of all tokens and the queries of the first ones.
func (a *Attention) projectFirst(x *Tensor) {
	l := a.qkv
	l.take(x)
	l.base = nil
	blas.Split(pieces(l.rows()), 1, l.begin)
	product(a.keysValues(l.y.Data), matrix(l.rows(), a.Width, x.Data), a.keysValuesOf(l.weight.Value), 1)
	product(a.firstQueries(l.y.Data), a.firstTokens(x.Data), a.queriesOf(l.weight.Value), 1)
}

// unprojectFirst is qkv's Backward for that.
func (a *Attention) unprojectFirst(want bool) *Tensor {
	l, d := a.qkv, a.dqkv.Data
	kv, q := a.keysValues(d), a.firstQueries(d)
	if l.weight.Trained() {
		productTA(a.keysValuesOf(l.weight.Gradient()), matrix(l.rows(), a.Width, l.x.Data), kv, 1)
		productTA(a.queriesOf(l.weight.Gradient()), a.firstTokens(l.x.Data), q, 1)
	}
	if l.bias.Trained() {
		for i := range a.n {
			for t := 1; t < a.tokens; t++ {
				clear(d[(i*a.tokens+t)*3*a.Width:][:a.Width])
			}
		}
		l.sum.add(l.bias.Gradient(), d)
	}
	if !want {
		return nil
	}
	l.dx.Resize(l.x.Shape...)
	productTB(matrix(l.rows(), a.Width, l.dx.Data), kv, a.keysValuesOf(l.weight.Value), 0)
	productTB(a.firstTokens(l.dx.Data), q, a.queriesOf(l.weight.Value), 1)
	return &l.dx
}

// keysValues are the keys and values in numbers that lie as qkv's do, firstQueries the queries of the first tokens.
func (a *Attention) keysValues(qkv []float32) blas32.General {
	return blas32.General{Rows: a.n * a.tokens, Cols: 2 * a.Width, Stride: 3 * a.Width, Data: qkv[a.Width:]}
}

func (a *Attention) firstQueries(qkv []float32) blas32.General {
	return blas32.General{Rows: a.n, Cols: a.Width, Stride: a.tokens * 3 * a.Width, Data: qkv}
}

// firstTokens are the first tokens of all images.
func (a *Attention) firstTokens(x []float32) blas32.General {
	return blas32.General{Rows: a.n, Cols: a.Width, Stride: a.tokens * a.Width, Data: x}
}

// keysValuesOf and queriesOf are the columns of qkv's weight, as it lies inside, for the former and for the latter.
func (a *Attention) keysValuesOf(weight []float32) blas32.General {
	return blas32.General{Rows: a.Width, Cols: 2 * a.Width, Stride: 3 * a.Width, Data: weight[a.Width:]}
}

func (a *Attention) queriesOf(weight []float32) blas32.General {
	return blas32.General{Rows: a.Width, Cols: a.Width, Stride: 3 * a.Width, Data: weight}
}
