package nn

import (
	"kappa/engine/blas"
	"kappa/engine/internal/vector"
)

// convBack is what a convolution's backward pass works with.
type convBack struct {
	dy            *Tensor
	in            window  // dy
	dx            *Tensor // nil: not asked for
	add           bool    // to dx
	own           Tensor  // for dx
	planes        Tensor  // dx of images N×C×H×W
	classes       []class
	fast          minimal
	turned        []float32 // weights, class after class
	empty         bool      // some class has no taps
	weights       bool      // their gradient is asked for
	biases        bool
	piece         int       // images that make a partial gradient
	partial       []float32 // one after another, weights and biases
	numbers       int       // of a partial gradient's weights, or transformed ones
	held          []*tiles  // a piece's memory, while it is in work
	group         int       // images whose products are summed up at once
	width         int       // of one
	before, after int       // zeros that the classes need around dy
	pieces        int
	run, sum      func(lo, hi int)
	sizes         [3]int // n, h, w of the input that classes and pieces are for
}

// class is the pixels (Stride·q + y, Stride·r + x) of the input. They see the taps firstY, firstY+Stride, …, taps in number, of outputs from
// q + fromY on, and likewise along x.
type class struct {
	y, x           int
	firstY, firstX int
	tapsY, tapsX   int
	fromY, fromX   int
	rows, cols     int // number of its pixels
	at             int // of its weights in turned: tapsY×tapsX×Out×In
}

// A partial gradient is of eight images, or of more where all of them together would be longer than partialLimit numbers.
const (
	pieceImages  = 8
	partialLimit = 1 << 21
)

// Backward returns the gradient in the input.
func (l *Conv2d) Backward(dy *Tensor, want bool) *Tensor {
	if !want {
		l.backTo(dy, nil)
		return nil
	}
	l.backTo(dy, l.dx())
	return l.input()
}

func (l *Conv2d) backTo(dy, dx *Tensor) {
	b := &l.back
	if !dy.Border || dy.N() != l.y.N() || dy.Shape[1] != l.y.Shape[1] || dy.Shape[2] != l.y.Shape[2] || dy.Shape[3] != l.Out {
		panic(badShape)
	}
	l.beginBack(dx, false)
	b.dy = dy
	b.in.set(dy, b.before, b.after)
	blas.Split(l.back.pieces, 1, l.back.run)
	l.endBack()
}

// dx returns the layer's own maps for the gradient in the input.
func (l *Conv2d) dx() *Tensor {
	n, h, w, c := l.in4()
	l.back.own.ResizeMaps(n, h, w, c)
	return &l.back.own
}

// input returns what is in dx with the shape of the input.
func (l *Conv2d) input() *Tensor {
	b := &l.back
	if l.x.Border {
		return &b.own
	}
	b.planes.Resize(l.x.Shape...)
	n, h, w, c := b.own.Maps()
	for i := range n {
		toPlanes(b.planes.Sample(i), b.own.Sample(i), (w+1)*c, c, h, w)
	}
	return &b.planes
}

// in4 returns the sizes of the input as maps.
func (l *Conv2d) in4() (n, h, w, c int) {
	h, w = l.pixels(l.x)
	return l.x.N(), h, w, l.In
}

// beginBack makes ready for the images: the gradient in the input is stored in dx, or added to it, if dx is not nil.
func (l *Conv2d) beginBack(dx *Tensor, add bool) {
	b := &l.back
	n, h, w, _ := l.in4()
	b.dx, b.add = dx, add
	b.weights, b.biases = l.weight.Trained(), l.bias != nil && l.bias.Trained()
	b.numbers = len(l.weight.Value)
	if l.minimal() {
		b.numbers = 16 * l.In * l.Out
	}
	b.width = b.numbers
	if l.bias != nil {
		b.width += l.Out
	}
	if sizes := [3]int{n, h, w}; sizes != b.sizes {
		b.sizes = sizes
		l.classify(h, w)
		most := max(2, partialLimit/b.width)
		b.piece = max(pieceImages, (n+most-1)/most)
		b.pieces = (n + b.piece - 1) / b.piece
		b.held = sized(b.held, b.pieces)
		count := (l.y.Shape[1] + 1) / 2 * ((l.y.Shape[2] + 1) / 2)
		b.group = min(b.piece, (groupTiles+count-1)/count)
	}
	if b.weights || b.biases {
		b.partial = sized(b.partial, b.pieces*b.width)
	}
	if dx == nil {
		return
	}
	l.turn()
	if l.minimal() {
		b.fast.prepare(b.turned, l.Out, l.In)
	}
}

// classify finds the classes for h×w pixels.
func (l *Conv2d) classify(h, w int) {
	b := &l.back
	b.classes, b.empty = b.classes[:0], false
	at := 0
	for y := range l.Stride {
		for x := range l.Stride {
			c := class{y: y, x: x, rows: (h - y + l.Stride - 1) / l.Stride, cols: (w - x + l.Stride - 1) / l.Stride, at: at}
			c.firstY, c.tapsY, c.fromY = l.taps(y)
			c.firstX, c.tapsX, c.fromX = l.taps(x)
			if c.tapsY == 0 || c.tapsX == 0 {
				b.empty = true
				continue
			}
			if c.rows <= 0 || c.cols <= 0 {
				continue
			}
			at += c.tapsY * c.tapsX * l.In * l.Out
			b.classes = append(b.classes, c)
		}
	}
	b.turned = sized(b.turned, at)
	b.before, b.after = 0, 0
	for _, c := range b.classes {
		b.before = max(b.before, -c.fromY, -c.fromX)
		b.after = max(b.after, c.rows+c.fromY+c.tapsY-1-l.y.Shape[1], c.cols+c.fromX+c.tapsX-1-l.y.Shape[2])
	}
}

// taps returns the taps first, first+Stride, … that the pixels Stride·q + offset take part in, and where the outputs that they belong
// to begin: tap first+Stride·t belongs to output q + from + count−1 − t.
func (l *Conv2d) taps(offset int) (first, count, from int) {
	first = (offset + l.Pad) % l.Stride
	count = max(0, (l.Kernel-first+l.Stride-1)/l.Stride)
	return first, count, (offset+l.Pad)/l.Stride - count + 1
}

// turn writes the weights of each class with the taps in the order of the outputs, and in and out exchanged.
func (l *Conv2d) turn() {
	b := &l.back
	for _, c := range b.classes {
		at := c.at
		for u := range c.tapsY {
			ky := c.firstY + l.Stride*(c.tapsY-1-u)
			for v := range c.tapsX {
				kx := c.firstX + l.Stride*(c.tapsX-1-v)
				transpose(b.turned[at:], l.weight.Value[(ky*l.Kernel+kx)*l.In*l.Out:], l.In, l.Out, l.Out)
				at += l.In * l.Out
			}
		}
	}
}

func (l *Conv2d) backImages(lo, hi int) {
	b := &l.back
	for p := lo; p < hi; p++ {
		for i := p * b.piece; i < min(b.sizes[0], (p+1)*b.piece); i++ {
			l.backImage(i, b.dy, &b.in, i)
		}
	}
}

// backImage takes image i back, and adds to the partial gradient of its piece, which the first of a piece begins. The gradient in the
// output is image j of d, which in shows with b.before and b.after zeros.
func (l *Conv2d) backImage(i int, d *Tensor, in *window, j int) {
	b := &l.back
	p, begun := i/b.piece, i%b.piece > 0
	dy := d.Sample(j)
	_, ho, wo, _ := d.Maps()
	if b.weights && l.minimal() {
		l.backMinimal(i, dy)
	} else if b.weights && l.narrow(l.Out, ho) {
		narrowWeights(l.in.data[i*l.in.image:], l.in.line, l.In, d.Data[d.Lead()+j*d.SampleSize()-(wo+1)*l.Out:],
			ho, wo, l.Out, b.partial[p*b.width:], begun)
	} else if b.weights {
		product := blas.Lines{
			Groups: l.Kernel, Rows: l.Kernel * l.In, Cols: l.Out, Segments: ho, K: wo,
			A: l.in.data[i*l.in.image:], AGroup: l.in.line, ARow: 1, ASegment: l.Stride * l.in.line, ACol: l.Stride * l.In,
			B: dy, BSegment: (wo + 1) * l.Out, BRow: l.Out,
			C: b.partial[p*b.width:], CGroup: l.Kernel * l.In * l.Out, CRow: l.Out, Add: begun,
		}
		product.Multiply()
	}
	if b.biases {
		sums := b.partial[(p+1)*b.width-l.Out : (p+1)*b.width]
		if !begun {
			clear(sums)
		}
		vector.ColumnSums(sums, dy, ho*(wo+1), l.Out)
	}
	if b.dx == nil {
		return
	}
	in.fill(d, j)
	from := in.data[j*in.image:]
	dx := b.dx.Sample(i)
	if b.empty && !b.add {
		clear(dx)
	}
	if l.narrow(l.In, ho) {
		if !b.add {
			clear(dx)
		}
		narrowImage(from, in.line, l.Out, b.turned, dx, ho, wo, l.In)
		return
	}
	line := (b.dx.Shape[2] + 1) * l.In
	if l.minimal() {
		b.fast.image(from, in.line, dx, line, ho, wo, b.add)
		return
	}
	for _, c := range b.classes {
		product := blas.Lines{
			Groups: c.rows, Rows: c.cols, Cols: l.In, Segments: c.tapsY, K: c.tapsX * l.Out,
			A:      from[(in.margin+c.fromY)*in.line+(in.margin+c.fromX)*l.Out:],
			AGroup: in.line, ARow: l.Out, ASegment: in.line, ACol: 1,
			B: b.turned[c.at:], BSegment: c.tapsX * l.Out * l.In, BRow: l.In,
			C: dx[c.y*line+c.x*l.In:], CGroup: l.Stride * line, CRow: l.Stride * l.In, Add: b.add,
		}
		product.Multiply()
	}
}

// endBack adds the partial gradients to those of the parameters, in order.
func (l *Conv2d) endBack() {
	b := &l.back
	if b.weights {
		l.weight.Gradient()
	}
	if b.biases {
		l.bias.Gradient()
	}
	if !b.weights && !b.biases {
		return
	}
	if l.minimal() && b.biases {
		l.addPartial(l.bias, 0, l.Out, b.numbers)
	}
	if l.minimal() {
		blas.Split(l.In, minimalUnit, b.sum)
	} else {
		blas.Split(b.width, 4096, b.sum)
	}
}

// sumPartial adds up numbers lo … hi of the partial gradients, or the transformed weights of the inputs lo … hi.
func (l *Conv2d) sumPartial(lo, hi int) {
	b := &l.back
	if !l.minimal() {
		if b.weights {
			l.addPartial(l.weight, lo, min(hi, b.numbers), 0)
		}
		if b.biases {
			l.addPartial(l.bias, max(lo, b.numbers)-b.numbers, hi-b.numbers, b.numbers)
		}
		return
	}
	if !b.weights {
		return
	}
	n := l.In * l.Out
	lo, hi = lo*l.Out, hi*l.Out
	for k := range 16 {
		for i := 1; i < b.pieces; i++ {
			vector.AddTo(b.partial[k*n+lo:k*n+hi], b.partial[i*b.width+k*n+lo:i*b.width+k*n+hi])
		}
	}
	vector.TileGradient(l.weight.Grad[lo:], n, b.partial[lo:], n, hi-lo)
}

// addPartial adds to numbers lo … hi of a parameter's gradient what is in the partial ones from at on, in order.
func (l *Conv2d) addPartial(p *Param, lo, hi, at int) {
	if lo >= hi {
		return
	}
	b := &l.back
	for i := range b.pieces {
		vector.AddTo(p.Grad[lo:hi], b.partial[i*b.width+at+lo:i*b.width+at+hi])
	}
}
