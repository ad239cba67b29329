package nn

import (
	"math"
	"math/rand/v2"

	"kappa/engine/blas"
)

// Conv2d is a convolution (a correlation, as everywhere in the field) of N×H×W×In maps with Kernel×Kernel windows, Stride pixels
// apart, with Pad pixels of zeros around every image: N×H'×W'×Out maps with H' = (H + 2·Pad − Kernel)/Stride + 1, rounded down. Images
// N×In×H×W without a border are taken too, as the first layer of a net gets them; their gradient then has that shape.
//
// An image is one product of lines ([blas.Lines]): its windows are read where they are. The gradient in the input is the same
// product with the weights turned, for each of Stride² classes of pixels. 3×3 convolutions with stride 1 and a pixel of zeros are
// computed faster where channels are few (up to 16: every line is read once for three) or many (from 32 on, multiples of 16: by minimal
// filtering, in which a NaN, or an Inf as NaN, also reaches the pixels that share a tile of 2×2 with one that it belongs to).
type Conv2d struct {
	In, Out, Kernel, Stride, Pad int
	weight                       *Param
	bias                         *Param // nil: none
	params                       []*Param

	x       *Tensor
	in      window
	y       Tensor
	forward func(lo, hi int) // made once, as backward
	fast    minimal
	back    convBack
}

// NewConv2d returns a layer of zeros.
func NewConv2d(in, out, kernel, stride, pad int, bias bool) *Conv2d {
	l := &Conv2d{In: in, Out: out, Kernel: kernel, Stride: stride, Pad: pad, weight: newParam("weight", Taps, out, in, kernel, kernel)}
	l.weight.Decay = true
	l.params = []*Param{l.weight}
	if bias {
		l.bias = newParam("bias", Plain, out)
		l.params = append(l.params, l.bias)
	}
	l.forward = l.images
	l.back.run = l.backImages
	l.back.sum = l.sumPartial
	return l
}

func (l *Conv2d) output() *Tensor { return &l.y }

// Params are weight and bias.
func (l *Conv2d) Params() []*Param { return l.params }

// Parts are none.
func (l *Conv2d) Parts() []Part { return nil }

// Init draws the weights from a normal distribution with variance 2/(Out·Kernel²) and sets the bias to 0, as torchvision's ResNet
// does: K. He et al., Delving deep into rectifiers, ICCV 2015, eq. (14).
func (l *Conv2d) Init(rng *rand.Rand) {
	deviation := math.Sqrt(2 / float64(l.Out*l.Kernel*l.Kernel))
	l.weight.fill(func(rng *rand.Rand) float64 { return deviation * rng.NormFloat64() }, rng)
	if l.bias != nil {
		clear(l.bias.Value)
	}
}

// convolved is the size of what comes out along a dimension of size n.
func (l *Conv2d) convolved(n int) int { return (n+2*l.Pad-l.Kernel)/l.Stride + 1 }

// pixels returns the numbers of lines and columns of the input.
func (l *Conv2d) pixels(x *Tensor) (h, w int) {
	if x.Border {
		return x.Shape[1], x.Shape[2]
	}
	return x.Shape[2], x.Shape[3]
}

// Forward returns the convolved maps.
func (l *Conv2d) Forward(x *Tensor, _ Mode) *Tensor {
	l.begin(x)
	blas.Split(x.N(), 1, l.forward)
	return &l.y
}

// begin makes ready for the images of x.
func (l *Conv2d) begin(x *Tensor) {
	if len(x.Shape) != 4 || x.Border && x.Shape[3] != l.In || !x.Border && x.Shape[1] != l.In {
		panic(badShape)
	}
	h, w := l.pixels(x)
	if min(h, w)+2*l.Pad < l.Kernel {
		panic(badShape)
	}
	ho, wo := l.convolved(h), l.convolved(w)
	l.x = x
	l.in.set(x, l.Pad, max(0, (ho-1)*l.Stride+l.Kernel-l.Pad-h, (wo-1)*l.Stride+l.Kernel-l.Pad-w))
	l.y.ResizeMaps(x.N(), ho, wo, l.Out)
	if l.minimal() {
		l.fast.prepare(l.weight.Value, l.In, l.Out)
	}
}

func (l *Conv2d) images(lo, hi int) {
	for i := lo; i < hi; i++ {
		l.image(i)
	}
}

// image convolves image i.
func (l *Conv2d) image(i int) {
	l.in.fill(l.x, i)
	_, ho, wo, _ := l.y.Maps()
	y, line := l.y.Sample(i), (wo+1)*l.Out
	if l.bias != nil {
		for r := range ho {
			for c := range wo {
				copy(y[r*line+c*l.Out:], l.bias.Value)
			}
		}
	}
	if l.narrow(l.Out, ho) {
		if l.bias == nil {
			clear(y)
		}
		narrowImage(l.in.data[i*l.in.image:], l.in.line, l.In, l.weight.Value, y, ho, wo, l.Out)
		return
	}
	if l.minimal() {
		l.fast.image(l.in.data[i*l.in.image:], l.in.line, y, line, ho, wo, l.bias != nil)
		return
	}
	product := blas.Lines{
		Groups: ho, Rows: wo, Cols: l.Out, Segments: l.Kernel, K: l.Kernel * l.In,
		A: l.in.data[i*l.in.image:], AGroup: l.Stride * l.in.line, ARow: l.Stride * l.In, ASegment: l.in.line, ACol: 1,
		B: l.weight.Value, BSegment: l.Kernel * l.In * l.Out, BRow: l.Out,
		C: y, CGroup: line, CRow: l.Out, Add: l.bias != nil,
	}
	product.Multiply()
}
