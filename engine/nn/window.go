package nn

// window is feature maps as convolutions read them: with zeros around each image. Where the border of a tensor suffices they are read
// where they are, else from a copy.
type window struct {
	data              []float32
	image, line, size int // steps between images and lines, numbers of a pixel
	copied            bool
	margin            int // of the copy, above and left

	own  []float32
	dims [5]int
}

// set makes w the maps of x with so many pixels of zeros above and left of each image, and below and right of it. The first of
// them is at the index 0 of data. A copy is not yet filled.
func (w *window) set(x *Tensor, before, after int) {
	n, h, wd, c := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	if !x.Border {
		h, wd, c = wd, c, h
	}
	w.size, w.margin = c, before
	if w.copied = !x.Border || before > 1 || after > 1; !w.copied {
		w.line, w.image = (wd+1)*c, x.SampleSize()
		w.data = x.Data[x.Lead()-before*(w.line+c):]
		return
	}
	w.line = (wd + before + after) * c
	w.image = (h + before + after) * w.line
	if dims := [5]int{n, h, wd, c, 1000*before + after}; dims != w.dims {
		w.dims = dims
		w.own = make([]float32, n*w.image+2*w.line) // the last tile of a minimal convolution reaches further
	}
	w.data = w.own
}

// fill copies image i, if there is a copy at all.
func (w *window) fill(x *Tensor, i int) {
	if !w.copied {
		return
	}
	src := x.Sample(i)
	at := i*w.image + w.margin*(w.line+w.size)
	if x.Border {
		h, n := x.Shape[1], x.Shape[2]*w.size
		for y := range h {
			copy(w.data[at+y*w.line:][:n], src[y*(n+w.size):])
		}
		return
	}
	toPixels(w.data[at:], w.line, src, x.Shape[1], x.Shape[2], x.Shape[3])
}

// toPixels copies an image of c planes of h×w numbers to lines of pixels.
func toPixels(dst []float32, line int, src []float32, c, h, w int) {
	for y := range h {
		if c == 1 {
			copy(dst[y*line:][:w], src[y*w:])
			continue
		}
		to := dst[y*line:][:w*c]
		for k := range c {
			for x, v := range src[(k*h+y)*w:][:w] {
				to[x*c+k] = v
			}
		}
	}
}

// toPlanes is the way back.
func toPlanes(dst, src []float32, line, c, h, w int) {
	for y := range h {
		from := src[y*line:][:w*c]
		for k := range c {
			to := dst[(k*h+y)*w:][:w]
			for x := range to {
				to[x] = from[x*c+k]
			}
		}
	}
}
