package nn

import (
	"math"
	"math/rand/v2"

	"kappa/engine/blas"
	"kappa/engine/internal/vector"
)

// Linear is y = x·Wᵀ + b on the last dimension of x, In numbers; y has Out there. W is Out×In, in torch's order; inside it lies
// transposed.
type Linear struct {
	In, Out int
	weight  *Param
	bias    *Param // nil: none
	params  []*Param
	draw    drawing

	x     *Tensor
	y, dx Tensor
	base  []float32 // what y begins with, besides the bias
	begin func(lo, hi int)
	sum   columnSum
}

// drawing is how a layer draws its parameters.
type drawing int

const (
	// torchDrawing is the default of torch's Linear and Conv2d: weights and biases uniform within ±1/√n, n the numbers that an output is
	// a sum of.
	torchDrawing drawing = iota
	// timmDrawing is timm's for Vision Transformers: weights normal with standard deviation 0.02, biases 0. Timm's cut of the normal
	// distribution, at ±2, is a hundred deviations away and is left out.
	timmDrawing
)

// timmDeviation is the standard deviation of a Vision Transformer's weights and positions before training.
const timmDeviation = 0.02

// NewLinear returns a layer of zeros. Its Init draws as torch's does.
func NewLinear(in, out int, bias bool) *Linear {
	l := &Linear{In: in, Out: out, weight: newParam("weight", Transposed, out, in), draw: torchDrawing}
	l.weight.Decay = true
	l.params = []*Param{l.weight}
	if bias {
		l.bias = newParam("bias", Plain, out)
		l.params = append(l.params, l.bias)
	}
	l.begin = l.beginPieces
	return l
}

// newTimmLinear is NewLinear with a bias for a layer that is drawn as timm does.
func newTimmLinear(in, out int) *Linear {
	l := NewLinear(in, out, true)
	l.draw = timmDrawing
	return l
}

// Params are weight and bias.
func (l *Linear) Params() []*Param { return l.params }

// Parts are none.
func (l *Linear) Parts() []Part { return nil }

// Weight is W.
func (l *Linear) Weight() *Param { return l.weight }

// Bias is b, nil where there is none.
func (l *Linear) Bias() *Param { return l.bias }

// Init draws weight and bias.
func (l *Linear) Init(rng *rand.Rand) {
	if l.draw == timmDrawing {
		l.weight.fill(normal(timmDeviation), rng)
		if l.bias != nil {
			clear(l.bias.Value)
		}
		return
	}
	bound := 1 / math.Sqrt(float64(l.In))
	l.weight.fill(uniform(bound), rng)
	if l.bias != nil {
		l.bias.fill(uniform(bound), rng)
	}
}

// normal draws from the normal distribution with mean 0.
func normal(deviation float64) func(*rand.Rand) float64 {
	return func(rng *rand.Rand) float64 { return deviation * rng.NormFloat64() }
}

// uniform draws between −bound and bound.
func uniform(bound float64) func(*rand.Rand) float64 {
	return func(rng *rand.Rand) float64 { return bound * (2*rng.Float64() - 1) }
}

// Forward returns x·Wᵀ + b.
func (l *Linear) Forward(x *Tensor, _ Mode) *Tensor {
	l.take(x)
	if l.bias == nil {
		l.multiply(0)
		return &l.y
	}
	l.base = nil
	blas.Split(pieces(l.rows()), 1, l.begin)
	l.multiply(1)
	return &l.y
}

// onto is Forward plus z, which has the shape of the result.
func (l *Linear) onto(x, z *Tensor) *Tensor {
	l.take(x)
	if len(z.Data) != len(l.y.Data) || l.bias == nil {
		panic(badShape)
	}
	l.base = z.Data
	blas.Split(pieces(l.rows()), 1, l.begin)
	l.multiply(1)
	return &l.y
}

// beginPieces writes what the product is added to: the bias, and another tensor where there is one.
func (l *Linear) beginPieces(lo, hi int) {
	lo, hi = lo*rowPiece, min(hi*rowPiece, l.rows())
	y := l.y.Data[lo*l.Out : hi*l.Out]
	if l.base != nil {
		vector.AddRow(y, l.base[lo*l.Out:hi*l.Out], l.bias.Value, hi-lo, l.Out)
		return
	}
	for ; len(y) > 0; y = y[l.Out:] {
		copy(y, l.bias.Value)
	}
}

// take keeps x and gives y its shape.
func (l *Linear) take(x *Tensor) {
	last := len(x.Shape) - 1
	if x.Border || x.Shape[last] != l.In {
		panic(badShape)
	}
	l.x = x
	l.y.Shape = append(l.y.Shape[:0], x.Shape...)
	l.y.Shape[last] = l.Out
	l.y.Resize(l.y.Shape...)
}

// rows is the number of vectors that the layer was last applied to.
func (l *Linear) rows() int { return len(l.x.Data) / l.In }

// multiply computes y ← x·Wᵀ + beta·y.
func (l *Linear) multiply(beta float32) {
	rows := l.rows()
	product(matrix(rows, l.Out, l.y.Data), matrix(rows, l.In, l.x.Data), matrix(l.In, l.Out, l.weight.Value), beta)
}

// Backward returns dy·W.
func (l *Linear) Backward(dy *Tensor, want bool) *Tensor {
	rows := l.rows()
	if len(dy.Data) != rows*l.Out {
		panic(badShape)
	}
	d := matrix(rows, l.Out, dy.Data)
	if l.weight.Trained() {
		productTA(matrix(l.In, l.Out, l.weight.Gradient()), matrix(rows, l.In, l.x.Data), d, 1)
	}
	if l.bias != nil && l.bias.Trained() {
		l.sum.add(l.bias.Gradient(), dy.Data)
	}
	if !want {
		return nil
	}
	l.dx.Resize(l.x.Shape...)
	productTB(matrix(rows, l.In, l.dx.Data), d, matrix(l.In, l.Out, l.weight.Value), 0)
	return &l.dx
}
