package nn

import "slices"

const (
	badShape = "nn: shape does not fit"
	badIndex = "nn: no such sample"
)

// Tensor is an array of float32 with samples in its first dimension.
//
// Without a border Data is row-major. With one the shape is N×H×W×C and every image lies in (H+1)·(W+1) pixels of C numbers: each
// line is followed by one pixel of zeros and the last line by a line of them, and W+2 pixels of zeros stand before the first image
// and after the last. The neighbours of a pixel, outside the image too, are then at constant distances, (W+1)·C and C, and are
// zero where they are no pixels. Whoever writes a tensor with a border leaves its border zero.
type Tensor struct {
	Shape  []int
	Border bool
	Data   []float32
}

// NewTensor returns a tensor of zeros without a border.
func NewTensor(shape ...int) *Tensor {
	t := &Tensor{}
	t.Resize(shape...)
	return t
}

// Resize gives t a shape without a border and leaves its numbers undefined; it allocates only to grow.
func (t *Tensor) Resize(shape ...int) {
	n := 1
	for _, d := range shape {
		n *= d
	}
	t.Shape, t.Border = append(t.Shape[:0], shape...), false
	t.Data = slices.Grow(t.Data[:0], n)[:n]
}

// ResizeMaps gives t the shape n×h×w×c with a border. Its numbers are undefined but for the border's, which are zero; it
// allocates only to grow. A tensor that keeps its shape keeps its numbers.
func (t *Tensor) ResizeMaps(n, h, w, c int) {
	if t.Border && len(t.Shape) == 4 && t.Shape[0] == n && t.Shape[1] == h && t.Shape[2] == w && t.Shape[3] == c {
		return
	}
	size := (n*(h+1)*(w+1) + 2*(w+2)) * c
	t.Shape, t.Border = append(t.Shape[:0], n, h, w, c), true
	t.Data = slices.Grow(t.Data[:0], size)[:size]
	clear(t.Data)
}

// N is the number of samples.
func (t *Tensor) N() int { return t.Shape[0] }

// Maps returns the sizes of feature maps; it panics if t has no four dimensions.
func (t *Tensor) Maps() (n, h, w, c int) {
	if len(t.Shape) != 4 {
		panic(badShape)
	}
	return t.Shape[0], t.Shape[1], t.Shape[2], t.Shape[3]
}

// SampleSize is the length of a sample in Data, its border included.
func (t *Tensor) SampleSize() int {
	if t.Border {
		return (t.Shape[1] + 1) * (t.Shape[2] + 1) * t.Shape[3]
	}
	n := 1
	for _, d := range t.Shape[1:] {
		n *= d
	}
	return n
}

// Lead is the index in Data of the first sample.
func (t *Tensor) Lead() int {
	if t.Border {
		return (t.Shape[2] + 2) * t.Shape[3]
	}
	return 0
}

// Sample returns the part of Data that holds sample i, with the border's zeros among and after its lines.
func (t *Tensor) Sample(i int) []float32 {
	if i < 0 || i >= t.Shape[0] {
		panic(badIndex)
	}
	size := t.SampleSize()
	at := t.Lead() + i*size
	return t.Data[at : at+size : at+size]
}

// ResizeLike gives t the shape and border of u, with as many samples as n.
func (t *Tensor) ResizeLike(u *Tensor, n int) {
	if u.Border {
		t.ResizeMaps(n, u.Shape[1], u.Shape[2], u.Shape[3])
		return
	}
	t.Resize(append([]int{n}, u.Shape[1:]...)...)
}

// Gather makes t the samples rows of u, in that order; t is not u.
func (t *Tensor) Gather(u *Tensor, rows []int) {
	t.ResizeLike(u, len(rows))
	for i, r := range rows {
		copy(t.Sample(i), u.Sample(r))
	}
}

// Scatter copies the samples of t to u, from sample at on.
func (t *Tensor) Scatter(u *Tensor, at int) {
	for i := range t.N() {
		copy(u.Sample(at+i), t.Sample(i))
	}
}

// Clone returns a copy that shares nothing.
func (t *Tensor) Clone() *Tensor {
	return &Tensor{Shape: slices.Clone(t.Shape), Border: t.Border, Data: slices.Clone(t.Data)}
}

// Equal reports whether both have the same shape and the same numbers; NaN is not equal to itself.
func (t *Tensor) Equal(u *Tensor) bool {
	return t.Border == u.Border && slices.Equal(t.Shape, u.Shape) && slices.Equal(t.Data, u.Data)
}
