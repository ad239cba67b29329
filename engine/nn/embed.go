package nn

import (
	"math"
	"math/rand/v2"

	"kappa/engine/blas"
	"kappa/engine/internal/vector"
)

// Embed makes tokens N×(1+P)×D of images N×C×H×W: a class token, then the P = H/patch·W/patch patches, line after line, mapped by a
// convolution whose size and step are the patch's; a position is added to each (A. Dosovitskiy et al., An image is worth 16×16
// words, ICLR 2021, eq. 1). The parameters have timm's names.
type Embed struct {
	Channels, Height, Width, Patch, Dim int

	token, position *Param
	weight, bias    *Param
	params          []*Param

	x        *Tensor
	patches  Tensor // N×(1+P)×(C·patch²), zeros for the class token: one product gives all tokens
	y, dx    Tensor
	dpatches []float32
	tokens   columnSum
	dtokens  []float32
	gather   func(lo, hi int)
	scatter  func(lo, hi int)
}

// NewEmbed returns the layer with all parameters 0. It panics unless the patch divides both sides.
func NewEmbed(channels, height, width, patch, dim int) *Embed {
	if patch < 1 || height%patch != 0 || width%patch != 0 {
		panic(badShape)
	}
	e := &Embed{Channels: channels, Height: height, Width: width, Patch: patch, Dim: dim}
	e.token = newParam("cls_token", Plain, 1, 1, dim)
	e.position = newParam("pos_embed", Plain, 1, e.count(), dim)
	e.weight = newParam("patch_embed.proj.weight", Transposed, dim, channels, patch, patch)
	e.weight.Decay = true
	e.bias = newParam("patch_embed.proj.bias", Plain, dim)
	e.params = []*Param{e.token, e.position, e.weight, e.bias}
	e.gather, e.scatter = e.gatherImages, e.scatterImages
	return e
}

// count is the number of tokens of an image.
func (e *Embed) count() int { return 1 + e.Height/e.Patch*(e.Width/e.Patch) }

// numbers is how many numbers a patch has.
func (e *Embed) numbers() int { return e.Channels * e.Patch * e.Patch }

// tokenDeviation is timm's standard deviation of the class token before training.
const tokenDeviation = 1e-6

// Init draws as timm does: token and positions normal, the projection as torch's convolutions.
func (e *Embed) Init(rng *rand.Rand) {
	e.token.fill(normal(tokenDeviation), rng)
	e.position.fill(normal(timmDeviation), rng)
	bound := 1 / math.Sqrt(float64(e.numbers()))
	e.weight.fill(uniform(bound), rng)
	e.bias.fill(uniform(bound), rng)
}

// Params are cls_token, pos_embed and the projection's weight and bias.
func (e *Embed) Params() []*Param { return e.params }

// Parts are none.
func (e *Embed) Parts() []Part { return nil }

// Forward returns the tokens of images.
func (e *Embed) Forward(x *Tensor, _ Mode) *Tensor {
	if n, c, h, w := x.Maps(); x.Border || c != e.Channels || h != e.Height || w != e.Width || n < 0 {
		panic(badShape)
	}
	e.x = x
	n, t, k := x.N(), e.count(), e.numbers()
	e.patches.Resize(n, t, k)
	e.y.Resize(n, t, e.Dim)
	blas.Split(n, 1, e.gather)
	product(matrix(n*t, e.Dim, e.y.Data), matrix(n*t, k, e.patches.Data), matrix(k, e.Dim, e.weight.Value), 1)
	return &e.y
}

// gatherImages copies the patches of images, and begins their tokens with what is added to them.
func (e *Embed) gatherImages(lo, hi int) {
	for i := lo; i < hi; i++ {
		e.eachRow(i, func(image, patch int) {
			copy(e.patches.Data[patch:patch+e.Patch], e.x.Data[image:image+e.Patch])
		})
		clear(e.patches.Sample(i)[:e.numbers()])
		y := e.y.Sample(i)
		vector.Add(y[:e.Dim], e.token.Value, e.position.Value)
		vector.AddRow(y[e.Dim:], e.position.Value[e.Dim:], e.bias.Value, e.count()-1, e.Dim)
	}
}

// eachRow calls visit with the indices at which each row of each patch of an image begins, in the images and in the patches.
func (e *Embed) eachRow(i int, visit func(image, patch int)) {
	at := (i*e.count() + 1) * e.numbers()
	for y := 0; y < e.Height; y += e.Patch {
		for x := 0; x < e.Width; x += e.Patch {
			for c := range e.Channels {
				from := ((i*e.Channels+c)*e.Height+y)*e.Width + x
				for range e.Patch {
					visit(from, at)
					from += e.Width
					at += e.Patch
				}
			}
		}
	}
}

// Backward returns the gradient in the images.
func (e *Embed) Backward(dy *Tensor, want bool) *Tensor {
	n, t, k := e.x.N(), e.count(), e.numbers()
	if len(dy.Data) != n*t*e.Dim {
		panic(badShape)
	}
	d := matrix(n*t, e.Dim, dy.Data)
	if e.weight.Trained() {
		productTA(matrix(k, e.Dim, e.weight.Gradient()), matrix(n*t, k, e.patches.Data), d, 1)
	}
	if e.token.Trained() || e.position.Trained() || e.bias.Trained() {
		e.dtokens = sized(e.dtokens, t*e.Dim)
		clear(e.dtokens)
		e.tokens.add(e.dtokens, dy.Data)
	}
	if e.token.Trained() {
		vector.AddTo(e.token.Gradient(), e.dtokens)
	}
	if e.position.Trained() {
		vector.AddTo(e.position.Gradient(), e.dtokens)
	}
	if e.bias.Trained() {
		vector.ColumnSums(e.bias.Gradient(), e.dtokens[e.Dim:], t-1, e.Dim)
	}
	if !want {
		return nil
	}
	e.dpatches = sized(e.dpatches, n*t*k)
	productTB(matrix(n*t, k, e.dpatches), d, matrix(k, e.Dim, e.weight.Value), 0)
	e.dx.Resize(e.x.Shape...)
	blas.Split(n, 1, e.scatter)
	return &e.dx
}

func (e *Embed) scatterImages(lo, hi int) {
	for i := lo; i < hi; i++ {
		e.eachRow(i, func(image, patch int) {
			copy(e.dx.Data[image:image+e.Patch], e.dpatches[patch:patch+e.Patch])
		})
	}
}
