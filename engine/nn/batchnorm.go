package nn

import (
	"math"

	"kappa/engine/blas"
	"kappa/engine/internal/vector"
)

// BatchNorm2d is y = (x − μ)/√(σ² + ε)·γ + β for every channel of N×H×W×C maps: S. Ioffe and C. Szegedy, Batch normalization, ICML
// 2015. In training μ and σ² are those of the batch, over all N·H·W pixels, and the running ones follow them: r ← 0.9·r + 0.1·s, with
// the unbiased variance (that of one pixel is taken as 0). Otherwise μ and σ² are the running ones. They also are in
// training where both γ and β are frozen: such a norm is a part of what does not change, and keeps its running statistics.
type BatchNorm2d struct {
	C              int
	weight, bias   *Param
	mean, variance *Param
	params         []*Param

	x, r         *Tensor // r: what is added before the ReLU, nil: nothing
	relu         bool
	batch        bool // the last pass used the batch's statistics
	y, dx        Tensor
	scale, shift []float32 // y = x·scale + shift
	mu, rho      []float64 // mean and 1/√(σ² + ε)
	sums         []float64 // for every image two sums for each channel

	dy      *Tensor
	a, b, d []float32 // of the gradient; see vector.BatchNormBackwardApply

	moments, apply, backSums, backApply func(lo, hi int)
}

const (
	normEps      = 1e-5
	normMomentum = 0.1
)

// NewBatchNorm2d returns the norm with γ = 1, β = 0, running mean 0 and running variance 1.
func NewBatchNorm2d(c int) *BatchNorm2d {
	l := &BatchNorm2d{C: c}
	l.weight, l.bias = newParam("weight", Plain, c), newParam("bias", Plain, c)
	l.mean, l.variance = newParam("running_mean", Plain, c), newParam("running_var", Plain, c)
	l.params = []*Param{l.weight, l.bias, l.mean, l.variance}
	for _, p := range l.params[2:] {
		p.Buffer = true
	}
	vector.Fill(l.weight.Value, 1)
	vector.Fill(l.variance.Value, 1)
	l.scale, l.shift = make([]float32, c), make([]float32, c)
	l.a, l.b, l.d = make([]float32, c), make([]float32, c), make([]float32, c)
	l.mu, l.rho = make([]float64, c), make([]float64, c)
	l.moments, l.apply, l.backSums, l.backApply = l.momentsOf, l.applyTo, l.backSumsOf, l.backApplyTo
	return l
}

func (l *BatchNorm2d) output() *Tensor { return &l.y }

// Params are γ, β and the statistics, named as in torch; torch's counter of batches, which is of no use here, is not kept.
func (l *BatchNorm2d) Params() []*Param { return l.params }

// Parts are none.
func (l *BatchNorm2d) Parts() []Part { return nil }

// Forward returns the normalized maps.
func (l *BatchNorm2d) Forward(x *Tensor, mode Mode) *Tensor { return l.pass(x, nil, false, mode) }

// trained says whether γ or β is.
func (l *BatchNorm2d) trained() bool { return l.weight.Trained() || l.bias.Trained() }

// pass is Forward, with r added to the result, if it is not nil, and a ReLU after it, if so asked.
func (l *BatchNorm2d) pass(x, r *Tensor, relu bool, mode Mode) *Tensor {
	l.begin(x, mode)
	if l.batch {
		blas.Split(x.N(), 1, l.moments)
	}
	return l.finish(r, relu)
}

// begin makes ready for the maps x.
func (l *BatchNorm2d) begin(x *Tensor, mode Mode) {
	if !x.Border || x.Shape[3] != l.C {
		panic(badShape)
	}
	l.x = x
	l.batch = mode.Train && l.trained()
	l.sums = sized(l.sums, 2*l.C*x.N())
}

func (l *BatchNorm2d) momentsOf(lo, hi int) {
	for i := lo; i < hi; i++ {
		l.imageMoments(i)
	}
}

// image returns the lines and columns of the maps, with the borders.
func (l *BatchNorm2d) pixels() int { return (l.x.Shape[1] + 1) * (l.x.Shape[2] + 1) }

// imageSums returns the two sums of image i for each channel.
func (l *BatchNorm2d) imageSums(i int) (first, second []float64) {
	s := l.sums[2*l.C*i : 2*l.C*(i+1)]
	return s[:l.C], s[l.C:]
}

// imageMoments sums up image i, whose border is zero.
func (l *BatchNorm2d) imageMoments(i int) {
	first, second := l.imageSums(i)
	clear(first)
	clear(second)
	vector.ColumnMoments(first, second, l.x.Sample(i), l.pixels(), l.C)
}

// total adds the sums of all images, in order, to the first.
func (l *BatchNorm2d) total() (first, second []float64) {
	first, second = l.imageSums(0)
	for i := 1; i < l.x.N(); i++ {
		f, s := l.imageSums(i)
		for c := range l.C {
			first[c] += f[c]
			second[c] += s[c]
		}
	}
	return first, second
}

// finish takes the statistics from the sums of all images, or the running ones, and applies them.
func (l *BatchNorm2d) finish(r *Tensor, relu bool) *Tensor {
	l.r, l.relu = r, relu
	n, h, w, _ := l.x.Maps()
	l.y.ResizeMaps(n, h, w, l.C)
	if n == 0 {
		return &l.y
	}
	if l.batch {
		l.follow(n * h * w)
	} else {
		for c := range l.C {
			l.mu[c], l.rho[c] = float64(l.mean.Value[c]), 1/math.Sqrt(float64(l.variance.Value[c])+normEps)
		}
	}
	for c := range l.C {
		scale := float64(l.weight.Value[c]) * l.rho[c]
		l.scale[c], l.shift[c] = float32(scale), float32(float64(l.bias.Value[c])-l.mu[c]*scale)
	}
	blas.Split(n, 1, l.apply)
	return &l.y
}

// follow computes the statistics of n pixels and takes them into the running ones.
func (l *BatchNorm2d) follow(n int) {
	first, second := l.total()
	for c := range l.C {
		mu := first[c] / float64(n)
		variance := max(0, second[c]/float64(n)-mu*mu)
		l.mu[c], l.rho[c] = mu, 1/math.Sqrt(variance+normEps)
		unbiased := variance * float64(n) / float64(max(1, n-1))
		l.mean.Value[c] = float32((1-normMomentum)*float64(l.mean.Value[c]) + normMomentum*mu)
		l.variance.Value[c] = float32((1-normMomentum)*float64(l.variance.Value[c]) + normMomentum*unbiased)
	}
}

func (l *BatchNorm2d) applyTo(lo, hi int) {
	for i := lo; i < hi; i++ {
		x, y := l.x.Sample(i), l.y.Sample(i)
		switch {
		case l.r != nil && l.relu:
			vector.ScaleShiftAddReLU(y, x, l.r.Sample(i), l.scale, l.shift, l.pixels(), l.C)
		case l.relu:
			vector.ScaleShiftReLU(y, x, l.scale, l.shift, l.pixels(), l.C)
		default:
			vector.ScaleShift(y, x, l.scale, l.shift, l.pixels(), l.C)
		}
		clearBorder(y, l.x.Shape[1], l.x.Shape[2], l.C)
	}
}

// clearBorder makes the border of an image of h×w pixels of c numbers zero.
func clearBorder(image []float32, h, w, c int) {
	for y := range h {
		at := (y*(w+1) + w) * c
		clear(image[at : at+c])
	}
	clear(image[h*(w+1)*c:])
}

// Backward returns the gradient in the input.
func (l *BatchNorm2d) Backward(dy *Tensor, want bool) *Tensor {
	l.beginBack(dy)
	if l.batch && want || l.trained() || l.relu {
		blas.Split(dy.N(), 1, l.backSums)
	}
	l.coefficients()
	if !want {
		return nil
	}
	n, h, w, _ := l.x.Maps()
	l.dx.ResizeMaps(n, h, w, l.C)
	blas.Split(n, 1, l.backApply)
	return &l.dx
}

// beginBack makes ready for the images.
func (l *BatchNorm2d) beginBack(dy *Tensor) {
	n, h, w, _ := l.x.Maps()
	if !dy.Border || dy.N() != n || dy.Shape[1] != h || dy.Shape[2] != w || dy.Shape[3] != l.C {
		panic(badShape)
	}
	l.dy = dy
}

func (l *BatchNorm2d) backSumsOf(lo, hi int) {
	for i := lo; i < hi; i++ {
		l.imageBackSums(i)
	}
}

// imageBackSums sums up image i; if there is a ReLU it takes dy through it, in place.
func (l *BatchNorm2d) imageBackSums(i int) {
	first, second := l.imageSums(i)
	clear(first)
	clear(second)
	if l.relu {
		vector.BatchNormBackwardSumsReLU(first, second, l.dy.Sample(i), l.x.Sample(i), l.y.Sample(i), l.pixels(), l.C)
	} else {
		vector.BatchNormBackwardSums(first, second, l.dy.Sample(i), l.x.Sample(i), l.pixels(), l.C)
	}
}

// coefficients adds to the gradients of γ and β and makes the gradient in the input ready.
func (l *BatchNorm2d) coefficients() {
	count := float64(l.x.N() * l.x.Shape[1] * l.x.Shape[2])
	if count == 0 {
		return
	}
	sum, dot := l.total()
	for c := range l.C {
		rho := l.rho[c]
		p := (dot[c] - l.mu[c]*sum[c]) * rho // Σ dy·(x − μ)·ρ
		if l.weight.Trained() {
			l.weight.Gradient()[c] += float32(p)
		}
		if l.bias.Trained() {
			l.bias.Gradient()[c] += float32(sum[c])
		}
		scale := float64(l.weight.Value[c]) * rho
		var b, d float64
		if l.batch {
			b = -scale * rho * p / count
			d = -scale*sum[c]/count - b*l.mu[c]
		}
		l.a[c], l.b[c], l.d[c] = float32(scale), float32(b), float32(d)
	}
}

func (l *BatchNorm2d) backApplyTo(lo, hi int) {
	for i := lo; i < hi; i++ {
		l.imageBackApply(i, l.dx.Sample(i))
	}
}

// imageBackApply stores the gradient in image i of the input in dx. It writes the border inside of the image alone: what is behind its last
// pixel the next image's convolution may be reading.
func (l *BatchNorm2d) imageBackApply(i int, dx []float32) {
	_, h, w, c := l.x.Maps()
	pixels := h*(w+1) - 1
	vector.BatchNormBackwardApply(dx[:pixels*c], l.dy.Sample(i)[:pixels*c], l.x.Sample(i)[:pixels*c], l.a, l.b, l.d, pixels, c)
	for y := range h - 1 {
		at := (y*(w+1) + w) * c
		clear(dx[at : at+c])
	}
}
