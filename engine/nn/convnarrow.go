package nn

import "kappa/engine/blas"

// narrowMost is the number of channels up to which 3×3 convolutions share what they read: a tile of the product is one register
// wide, and would need as many loads as multiplications.
const narrowMost = 16

// narrow says whether a convolution to c channels of so many lines is computed by narrowImage.
func (l *Conv2d) narrow(c, lines int) bool {
	return c <= narrowMost && lines > 2 && l.Kernel == 3 && l.Stride == 1 && l.Pad == 1
}

// narrowImage adds to y the 3×3 convolution of an image of as many lines: a line of x is multiplied with all weights at once, and
// adds to three lines of y. x begins with the line and column above and left of the image; in is the channels of x, out those of
// y. y has no more zeros than a border's.
func narrowImage(x []float32, xline, in int, weights, y []float32, lines, cols, out int) {
	step, line := 3*in*out, (cols+1)*out
	part := func(from, count, top, blocks int, w []float32) {
		product := blas.Lines{
			Groups: count, Rows: cols, Blocks: blocks, Cols: out, Segments: 1, K: 3 * in,
			A: x[(from+1)*xline:], AGroup: xline, ARow: in, ACol: 1,
			B: w, BRow: out, BBlock: -step, // the first block is the last line of taps
			C: y[top*line:], CGroup: line, CRow: out, CBlock: line, Add: true,
		}
		product.Multiply()
	}
	part(0, 1, 0, 2, weights[:2*step])
	part(1, lines-2, 0, 3, weights)
	part(lines-1, 1, lines-2, 2, weights[step:])
}

// narrowWeights is the gradient in the weights: a line of x is multiplied with three lines of dy at once. dy begins with the line above
// the image.
func narrowWeights(x []float32, xline, in int, dy []float32, lines, cols, out int, grad []float32, add bool) {
	line := (cols + 1) * out
	product := blas.Lines{
		Groups: 1, Rows: 3 * in, Blocks: 3, Cols: out, Segments: lines, K: cols,
		A: x[xline:], ARow: 1, ASegment: xline, ACol: in,
		B: dy, BSegment: line, BRow: out, BBlock: line,
		C: grad, CRow: out, CBlock: -3 * in * out, Add: add,
	}
	product.Multiply()
}
