package nn

import (
	"kappa/engine/blas"
	"kappa/engine/internal/vector"
)

// minimal is a 3×3 convolution with stride 1 by the minimal filtering algorithm F(2×2, 3×3): A. Lavin and S. Gray, Fast algorithms
// for convolutional neural networks, CVPR 2016. 4×4 pixels of the input are transformed, then each of the sixteen results is
// multiplied with a matrix of its own, 16 products for 2×2 pixels instead of 36, then the products are transformed back. Rounding
// errors are some times those of the sum that they replace.
type minimal struct {
	weights  []float32 // sixteen matrices in×out
	in, out  int
	taps     []float32 // what prepare transforms
	prepared func(lo, hi int)
	memory   spares[tiles]
}

// apart is the step between sixteen matrices of n numbers: with the lines of a cache between them, since a tile writes to all of them,
// and at steps of a power of two they would push each other out.
func apart(n int) int { return n + minimalUnit }

// tiles is the memory for one image.
type tiles struct{ u, m []float32 }

// minimalLeast is the number of channels from which the products outweigh the transforms, minimalUnit what they are a multiple of: whole
// registers.
const (
	minimalLeast = 32
	minimalUnit  = 16
)

// minimal says whether a convolution is computed so, and its gradient in the input.
func (l *Conv2d) minimal() bool {
	return l.Kernel == 3 && l.Stride == 1 && l.Pad == 1 && min(l.In, l.Out) >= minimalLeast && l.In%minimalUnit == 0 && l.Out%minimalUnit == 0
}

// prepare transforms the weights, height×width×in×out.
func (f *minimal) prepare(taps []float32, in, out int) {
	f.in, f.out, f.taps = in, out, taps
	f.weights = sized(f.weights, 16*in*out)
	if f.prepared == nil {
		f.prepared = f.transform
	}
	blas.Split(in, minimalUnit, f.prepared)
}

// transform does it for the weights of the inputs lo … hi.
func (f *minimal) transform(lo, hi int) {
	n := f.in * f.out
	vector.TileWeights(f.weights[lo*f.out:], n, f.taps[lo*f.out:], n, (hi-lo)*f.out)
}

// blockTiles is how many tiles are transformed before they are multiplied: as many as the product's kernels take rows, or a line of
// them, so that the results are still in the nearest cache.
const blockTiles = 8

// image stores in y, lines×cols pixels of lines that are yline apart, the convolution of an image, or adds it. x begins with the line
// and the column above and left of the image; what is read beyond the zeros below and right of it does not matter.
func (f *minimal) image(x []float32, xline int, y []float32, yline, lines, cols int, add bool) {
	high, wide := (lines+1)/2, (cols+1)/2
	rows := max(1, blockTiles/wide)
	most := rows * wide
	ustep, mstep := apart(most*f.in), apart(most*f.out)
	t := f.memory.take()
	t.u, t.m = sized(t.u, 16*ustep), sized(t.m, 16*mstep)
	for top := 0; top < high; top += rows {
		end := min(high, top+rows)
		at := 0
		for r := top; r < end; r++ {
			for c := range wide {
				vector.TileIn(t.u[at*f.in:], ustep, x[2*(r*xline+c*f.in):], f.in, xline, f.in)
				at++
			}
		}
		for i := range 16 {
			product := blas.Lines{
				Groups: 1, Rows: at, Cols: f.out, Segments: 1, K: f.in,
				A: t.u[i*ustep:], ARow: f.in, ACol: 1,
				B: f.weights[i*f.in*f.out:], BRow: f.out,
				C: t.m[i*mstep:], CRow: f.out,
			}
			product.Multiply()
		}
		at = 0
		for r := top; r < end; r++ {
			for c := range wide {
				vector.TileOut(y[2*(r*yline+c*f.out):], f.out, yline, t.m[at*f.out:], mstep, f.out, min(2, lines-2*r), min(2, cols-2*c), add)
				at++
			}
		}
	}
	f.memory.give(t)
}

// groupTiles is the number of tiles whose products with the gradient are summed at once: a shorter sum takes less time than to read and
// write what it is added to.
const groupTiles = 48

// gradient adds to grad, sixteen matrices in×out, the gradient in the transformed weights from image i of a group of so many, or sets it
// with the first group. x is as for image, dy the gradient in the image's lines×cols pixels, with zeros right of and below them.
// last says that the group ends here.
func (f *minimal) gradient(t *tiles, i, group int, last bool, x []float32, xline int, dy []float32, lines, cols int, grad []float32, add bool) {
	high, wide, line := (lines+1)/2, (cols+1)/2, (cols+1)*f.out
	all := group * high * wide
	ustep, mstep := apart(all*f.in), apart(all*f.out)
	t.u, t.m = sized(t.u, 16*ustep), sized(t.m, 16*mstep)
	at := i * high * wide
	for r := range high {
		for c := range wide {
			vector.TileIn(t.u[at*f.in:], ustep, x[2*(r*xline+c*f.in):], f.in, xline, f.in)
			vector.TileSpread(t.m[at*f.out:], mstep, dy[2*(r*line+c*f.out):], f.out, line, f.out)
			at++
		}
	}
	if !last {
		return
	}
	for k := range 16 {
		product := blas.Lines{
			Groups: 1, Rows: f.in, Cols: f.out, Segments: 1, K: at,
			A: t.u[k*ustep:], ARow: 1, ACol: f.in,
			B: t.m[k*mstep:], BRow: f.out,
			C: grad[k*f.in*f.out:], CRow: f.out, Add: add,
		}
		product.Multiply()
	}
}

// backMinimal adds image i to the gradient in the transformed weights.
func (l *Conv2d) backMinimal(i int, dy []float32) {
	b := &l.back
	p, in := i/b.piece, i%b.piece
	if in == 0 {
		b.held[p] = l.fast.memory.take()
	}
	end := in == b.piece-1 || i == b.sizes[0]-1
	_, ho, wo, _ := l.y.Maps()
	l.fast.gradient(b.held[p], in%b.group, b.group, end || in%b.group == b.group-1, l.in.data[i*l.in.image:], l.in.line, dy, ho, wo,
		b.partial[p*b.width:], in >= b.group)
	if end {
		l.fast.memory.give(b.held[p])
		b.held[p] = nil
	}
}
