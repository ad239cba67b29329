package nn

import (
	"math"

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

	first     bool // only the first token asks: the result is N×1×D
	n, tokens int
	weights   []float32 // softmax, N×heads×queries×T
	out, dqkv Tensor
	dout      []float32
	mixing    func(lo, hi int)
	unmixing  func(lo, hi int)
	rooms     spares[room]
}

// room is what the pairs of image and head are computed in.
type room struct{ turned, ds []float32 }

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
	a.n, a.tokens = x.Shape[0], x.Shape[1]
	if a.first {
		a.projectFirst(x)
	} else {
		a.qkv.Forward(x, mode)
	}
	a.weights = sized(a.weights, a.n*a.Heads*a.queries()*a.tokens)
	a.out.Resize(a.n, a.queries(), a.Width)
	blas.Split(a.n*a.Heads, 1, a.mixing)
	return &a.out
}

// queries is the number of an image's tokens that ask.
func (a *Attention) queries() int {
	if a.first {
		return 1
	}
	return a.tokens
}

// Backward returns the gradient in x.
func (a *Attention) Backward(dy *Tensor, want bool) *Tensor {
	a.dout = a.proj.Backward(dy, true).Data
	a.dqkv.Resize(a.n, a.tokens, 3*a.Width)
	blas.Split(a.n*a.Heads, 1, a.unmixing)
	if a.first {
		return a.unprojectFirst(want)
	}
	return a.qkv.Backward(&a.dqkv, want)
}

// part is where the numbers of a pair of image and head begin: its query, key and value in qkv, its result, and its weights.
type part struct{ q, k, v, o, w int }

func (a *Attention) part(pair int) part {
	image, head := pair/a.Heads, pair%a.Heads
	column := head * (a.Width / a.Heads)
	q := image*a.tokens*3*a.Width + column
	return part{q, q + a.Width, q + 2*a.Width, image*a.queries()*a.Width + column, pair * a.queries() * a.tokens}
}

// scale is 1/√(D/heads).
func (a *Attention) scale() float32 { return float32(1 / math.Sqrt(float64(a.Width/a.Heads))) }

// mix computes the results of pairs of image and head.
func (a *Attention) mix(lo, hi int) {
	size, n, t, width := a.Width/a.Heads, a.queries(), a.tokens, a.Width
	qkv := a.qkv.y.Data
	r := a.rooms.take()
	r.turned = sized(r.turned, size*t)
	for pair := lo; pair < hi; pair++ {
		p := a.part(pair)
		w := a.weights[p.w : p.w+n*t]
		a.scores(w, qkv[p.q:], 3*width, qkv[p.k:], r.turned)
		vector.SoftmaxRows(w, n, t, a.scale())
		small{a: w, ars: t, acs: 1, b: qkv[p.v:], bs: 3 * width, c: a.out.Data[p.o:], cs: width}.multiply(n, size, t)
	}
	a.rooms.give(r)
}

// unmix computes the gradients in query, key and value of pairs of image and head.
func (a *Attention) unmix(lo, hi int) {
	size, n, t, width := a.Width/a.Heads, a.queries(), a.tokens, a.Width
	qkv, d := a.qkv.y.Data, a.dqkv.Data
	r := a.rooms.take()
	r.turned, r.ds = sized(r.turned, size*t), sized(r.ds, n*t)
	ds := r.ds
	for pair := lo; pair < hi; pair++ {
		p := a.part(pair)
		w, do := a.weights[p.w:p.w+n*t], a.dout[p.o:]
		small{a: w, ars: 1, acs: t, b: do, bs: width, c: d[p.v:], cs: 3 * width}.multiply(t, size, n)
		a.scores(ds, do, width, qkv[p.v:], r.turned)
		vector.SoftmaxRowsBackward(ds, ds, w, n, t, a.scale())
		small{a: ds, ars: t, acs: 1, b: qkv[p.k:], bs: 3 * width, c: d[p.q:], cs: 3 * width}.multiply(n, size, t)
		small{a: ds, ars: 1, acs: t, b: qkv[p.q:], bs: 3 * width, c: d[p.k:], cs: 3 * width}.multiply(t, size, n)
	}
	a.rooms.give(r)
}

// scores computes the products of every query, in rows at a step, with every key, in rows of qkv: queries×T.
func (a *Attention) scores(dst, query []float32, step int, key, turned []float32) {
	size, t := a.Width/a.Heads, a.tokens
	if a.first { // one query: the product the other way round reads the keys where they are
		small{a: key, ars: 3 * a.Width, acs: 1, b: query, bs: 1, c: dst, cs: 1}.multiply(t, 1, size)
		return
	}
	transpose(turned, key, t, size, 3*a.Width)
	small{a: query, ars: step, acs: 1, b: turned, bs: t, c: dst, cs: t}.multiply(t, t, size)
}

// small is a product c ← a·b on one core: steps between rows, and of a between columns too.
type small struct {
	a, b, c          []float32
	ars, acs, bs, cs int
}

// multiply computes the product for c of m×n and sums of k terms.
func (s small) multiply(m, n, k int) {
	l := blas.Lines{
		Groups: 1, Rows: m, Cols: n, Segments: 1, K: k, A: s.a, ARow: s.ars, ACol: s.acs, B: s.b, BRow: s.bs, C: s.c, CRow: s.cs,
	}
	l.Multiply()
}
