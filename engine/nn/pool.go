package nn

import (
	"kappa/engine/blas"
	"kappa/engine/internal/vector"
)

// MaxPool2d is the largest number of each Kernel×Kernel window, Stride pixels apart, of N×H×W×C maps; of Pad pixels around an image
// nothing counts. Windows are rounded down in number. The gradient goes to the first of equal numbers, and to the last NaN.
type MaxPool2d struct {
	Kernel, Stride, Pad int

	x, dy         *Tensor
	y, dx         Tensor
	at            []int32 // for every number of y, without borders, the index in its sample of x
	forward, back func(lo, hi int)
}

// NewMaxPool2d returns the layer. It panics if a window could lie outside of an image: 2·pad > kernel.
func NewMaxPool2d(kernel, stride, pad int) *MaxPool2d {
	if kernel < 1 || stride < 1 || pad < 0 || 2*pad > kernel {
		panic(badShape)
	}
	l := &MaxPool2d{Kernel: kernel, Stride: stride, Pad: pad}
	l.forward, l.back = l.images, l.backImages
	return l
}

func (l *MaxPool2d) output() *Tensor { return &l.y }

// Params are none.
func (l *MaxPool2d) Params() []*Param { return nil }

// Parts are none.
func (l *MaxPool2d) Parts() []Part { return nil }

// Forward returns the largest numbers.
func (l *MaxPool2d) Forward(x *Tensor, _ Mode) *Tensor {
	n, h, w, c := x.Maps()
	if !x.Border || min(h, w)+2*l.Pad < l.Kernel {
		panic(badShape)
	}
	l.x = x
	ho, wo := (h+2*l.Pad-l.Kernel)/l.Stride+1, (w+2*l.Pad-l.Kernel)/l.Stride+1
	l.y.ResizeMaps(n, ho, wo, c)
	l.at = sized(l.at, n*ho*wo*c)
	blas.Split(n, 1, l.forward)
	return &l.y
}

func (l *MaxPool2d) images(lo, hi int) {
	_, h, w, c := l.x.Maps()
	_, ho, wo, _ := l.y.Maps()
	for i := lo; i < hi; i++ {
		x, y, index := l.x.Sample(i), l.y.Sample(i), l.at[i*ho*wo*c:]
		for r := range ho {
			for s := range wo {
				best, at := y[(r*(wo+1)+s)*c:][:c], index[(r*wo+s)*c:][:c]
				first := true
				for yy := max(0, r*l.Stride-l.Pad); yy < min(h, r*l.Stride-l.Pad+l.Kernel); yy++ {
					for xx := max(0, s*l.Stride-l.Pad); xx < min(w, s*l.Stride-l.Pad+l.Kernel); xx++ {
						from := (yy*(w+1) + xx) * c
						for k, v := range x[from : from+c] {
							if first || v > best[k] || v != v {
								best[k], at[k] = v, int32(from+k)
							}
						}
						first = false
					}
				}
			}
		}
	}
}

// Backward returns dy where the largest numbers were, added up.
func (l *MaxPool2d) Backward(dy *Tensor, want bool) *Tensor {
	if !want {
		return nil
	}
	if !dy.Border || len(dy.Data) != len(l.y.Data) {
		panic(badShape)
	}
	l.dy = dy
	l.dx.ResizeLike(l.x, l.x.N())
	blas.Split(dy.N(), 1, l.back)
	return &l.dx
}

func (l *MaxPool2d) backImages(lo, hi int) {
	_, ho, wo, c := l.y.Maps()
	for i := lo; i < hi; i++ {
		dy, dx, index := l.dy.Sample(i), l.dx.Sample(i), l.at[i*ho*wo*c:]
		clear(dx)
		for r := range ho {
			line := dy[r*(wo+1)*c:][:wo*c]
			for k, j := range index[r*wo*c:][:wo*c] {
				dx[j] += line[k]
			}
		}
	}
}

// AvgPool is the mean over the pixels of each channel: of N×H×W×C maps N×C features.
type AvgPool struct {
	x, dy         *Tensor
	y, dx         Tensor
	forward, back func(lo, hi int)
}

// NewAvgPool returns the layer.
func NewAvgPool() *AvgPool {
	l := &AvgPool{}
	l.forward, l.back = l.images, l.backImages
	return l
}

func (l *AvgPool) output() *Tensor { return &l.y }

// Params are none.
func (l *AvgPool) Params() []*Param { return nil }

// Parts are none.
func (l *AvgPool) Parts() []Part { return nil }

// Forward returns the means.
func (l *AvgPool) Forward(x *Tensor, _ Mode) *Tensor {
	n, h, w, c := x.Maps()
	if !x.Border || h*w == 0 {
		panic(badShape)
	}
	l.x = x
	l.y.Resize(n, c)
	blas.Split(n, 1, l.forward)
	return &l.y
}

func (l *AvgPool) images(lo, hi int) {
	_, h, w, c := l.x.Maps()
	for i := lo; i < hi; i++ {
		y := l.y.Sample(i)
		clear(y)
		vector.ColumnSums(y, l.x.Sample(i), h*(w+1), c)
		vector.Scale(y, y, 1/float32(h*w))
	}
}

// Backward returns dy divided by the number of pixels, at every pixel.
func (l *AvgPool) Backward(dy *Tensor, want bool) *Tensor {
	if !want {
		return nil
	}
	if dy.Border || len(dy.Data) != len(l.y.Data) {
		panic(badShape)
	}
	l.dy = dy
	l.dx.ResizeLike(l.x, l.x.N())
	blas.Split(dy.N(), 1, l.back)
	return &l.dx
}

func (l *AvgPool) backImages(lo, hi int) {
	_, h, w, c := l.x.Maps()
	share := 1 / float32(h*w)
	for i := lo; i < hi; i++ {
		dx := l.dx.Sample(i)
		vector.Scale(dx[:c], l.dy.Sample(i), share)
		for p := 1; p < w; p++ {
			copy(dx[p*c:(p+1)*c], dx[:c])
		}
		for r := 1; r < h; r++ {
			copy(dx[r*(w+1)*c:][:w*c], dx[:w*c])
		}
	}
}
