package nn

import (
	"math"
	"sync"

	"gonum.org/v1/gonum/blas/blas32"

	"kappa/engine/blas"
	"kappa/engine/internal/vector"
)

// Attention is multi-head self-attention on tokens N×T×D with timm's fused projection: qkv gives every token a query, a key and a
// value of D numbers; each of the heads has a D/heads-th of them, replaces every value by the mean of all values of the image
// weighted by softmax(q·kᵀ/√(D/heads)), and proj maps the heads' results together back to D numbers (A. Vaswani et al., Attention is
// all you need, NeurIPS 2017, section 3.2).
type Attention struct {
	Width, Heads int
	qkv, proj    *Linear
	parts        []Part

	tokens    int // T
	weights   []float32
	out, dqkv Tensor
	dout      []float32
	mixing    func(lo, hi int)
	unmixing  func(lo, hi int)
	scratch   pool
}

// NewAttention returns the layer with all parameters 0. It panics if heads does not divide width.
func NewAttention(width, heads int) *Attention {
	if heads < 1 || width%heads != 0 {
		panic(badShape)
	}
	a := &Attention{Width: width, Heads: heads, qkv: newTimmLinear(width, 3*width), proj: newTimmLinear(width, width)}
	a.parts = []Part{{"qkv", a.qkv}, {"proj", a.proj}}
	a.mixing, a.unmixing = a.mix, a.unmix
	return a
}

// Params are none but those of the parts.
func (a *Attention) Params() []*Param { return nil }

// Parts are qkv and proj.
func (a *Attention) Parts() []Part { return a.parts }

// Forward returns the attention of x, N×T×D.
func (a *Attention) Forward(x *Tensor, mode Mode) *Tensor {
	return a.proj.Forward(a.attend(x, mode), mode)
}

// attend returns what proj maps.
func (a *Attention) attend(x *Tensor, mode Mode) *Tensor {
	if len(x.Shape) != 3 || x.Shape[2] != a.Width {
		panic(badShape)
	}
	a.tokens = x.Shape[1]
	a.qkv.Forward(x, mode)
	pairs := x.Shape[0] * a.Heads
	a.weights = grow(a.weights, pairs*a.tokens*a.tokens)
	a.out.Resize(x.Shape...)
	blas.Split(pairs, 1, a.mixing)
	return &a.out
}

// Backward returns the gradient in x.
func (a *Attention) Backward(dy *Tensor, want bool) *Tensor {
	n := a.out.Shape[0]
	a.dout = a.proj.Backward(dy, true).Data
	a.dqkv.Resize(n, a.tokens, 3*a.Width)
	blas.Split(n*a.Heads, 1, a.unmixing)
	return a.qkv.Backward(&a.dqkv, want)
}

// head returns where query, key and value, and the result, of a pair of image and head lie.
func (a *Attention) head(pair int, qkv, out []float32) (q, k, v, o blas32.General) {
	image, head := pair/a.Heads, pair%a.Heads
	size := a.Width / a.Heads
	at := image*a.tokens*3*a.Width + head*size
	view := func(data []float32, stride int) blas32.General {
		return blas32.General{Rows: a.tokens, Cols: size, Stride: stride, Data: data}
	}
	return view(qkv[at:], 3*a.Width), view(qkv[at+a.Width:], 3*a.Width), view(qkv[at+2*a.Width:], 3*a.Width),
		view(out[image*a.tokens*a.Width+head*size:], a.Width)
}

// scale is 1/√(D/heads).
func (a *Attention) scale() float32 { return float32(1 / math.Sqrt(float64(a.Width/a.Heads))) }

func (a *Attention) mix(lo, hi int) {
	t := a.tokens
	for pair := lo; pair < hi; pair++ {
		q, k, v, o := a.head(pair, a.qkv.y.Data, a.out.Data)
		w := matrix(t, t, a.weights[pair*t*t:(pair+1)*t*t])
		productTB(w, q, k, 0)
		vector.SoftmaxRows(w.Data, t, t, a.scale())
		product(o, w, v, 0)
	}
}

func (a *Attention) unmix(lo, hi int) {
	t := a.tokens
	ds := matrix(t, t, a.scratch.take(t*t))
	for pair := lo; pair < hi; pair++ {
		q, k, v, do := a.head(pair, a.qkv.y.Data, a.dout)
		dq, dk, dv, _ := a.head(pair, a.dqkv.Data, a.dout)
		w := matrix(t, t, a.weights[pair*t*t:(pair+1)*t*t])
		productTA(dv, w, do, 0)
		productTB(ds, do, v, 0)
		vector.SoftmaxRowsBackward(ds.Data, ds.Data, w.Data, t, t, a.scale())
		product(dq, ds, k, 0)
		productTA(dk, ds, q, 0)
	}
	a.scratch.give(ds.Data)
}

// pool keeps slices that parts of a computation work in.
type pool struct {
	mu   sync.Mutex
	free [][]float32
}

// take returns n numbers that nobody else has.
func (p *pool) take(n int) []float32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.free) - 1; last >= 0 {
		s := p.free[last]
		p.free = p.free[:last]
		return grow(s, n)
	}
	return make([]float32, n)
}

func (p *pool) give(s []float32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, s)
}
