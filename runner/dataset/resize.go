package dataset

import "math"

// The ways of resizing, see [Source.Interpolation].
const (
	Bilinear = "bilinear"
	Bicubic  = "bicubic"
)

// filter is a kernel of interpolation, zero from support on.
type filter struct {
	support float64
	at      func(x float64) float64 // x ≥ 0
}

// filters are the triangle and Keys's cubic with a = −1/2 (R. G. Keys, "Cubic convolution interpolation for digital image
// processing", IEEE Transactions on Acoustics, Speech, and Signal Processing 29(6), 1981, eq. 15).
var filters = map[string]filter{
	Bilinear: {1, func(x float64) float64 { return max(0, 1-x) }},
	Bicubic: {2, func(x float64) float64 {
		switch {
		case x < 1:
			return (1.5*x-2.5)*x*x + 1
		case x < 2:
			return ((2.5-0.5*x)*x-4)*x + 2
		}
		return 0
	}},
}

// weightBits is the number of binary places of a weight: eight bits of a pixel, a sign and a bit for the overshoot of a cubic
// remain of 32.
const weightBits = 22

// taps are the source pixels that a target pixel is a weighted sum of: weights of the pixels first, first+1, ….
type taps struct {
	first   int
	weights []int32
}

// distribute returns the taps of the target pixels lo … hi−1 when from pixels become to. Where the picture shrinks the kernel is
// stretched, so that every source pixel takes part (antialiasing).
func (f filter) distribute(from, to, lo, hi int) []taps {
	scale := float64(from) / float64(to)
	stretch := max(1, scale)
	support := f.support * stretch
	out := make([]taps, hi-lo)
	for k := range out {
		center := (float64(lo+k) + 0.5) * scale
		first := max(0, int(center-support+0.5))
		last := min(from, int(center+support+0.5))
		weights, total := make([]float64, last-first), 0.0
		for i := range weights {
			weights[i] = f.at(math.Abs((float64(first+i) - center + 0.5) / stretch))
			total += weights[i]
		}
		out[k] = taps{first, make([]int32, len(weights))}
		for i, w := range weights {
			out[k].weights[i] = int32(math.Round(w / total * (1 << weightBits)))
		}
	}
	return out
}

// rgb is a picture of 8-bit red, green and blue, line by line.
type rgb struct {
	width, height int
	pix           []byte // 3·width·height
}

// picture is a decoded photograph. Its lines become 8-bit red, green and blue one at a time, as they are asked for: all of them would
// take twice the memory.
type picture struct {
	width, height int
	line          func(y int, out []byte) // writes 3·width bytes; by one goroutine at a time
}

// window is a part of a resized picture.
type window struct{ left, top, width, height int }

// resize returns the part w of m resized to width×height pixels. It is Pillow's way to the bit: first along lines, then across them,
// weights rounded to 22 binary places, both times rounded to 8 bits. Cost: O(lines of m that matter · w.width + w.width·w.height)
// times the taps of a pixel, about 2·support·(shrinkage, at least 1); the rest of the resized picture is not made.
func (m *picture) resize(f filter, width, height int, w window) *rgb {
	columns := f.distribute(m.width, width, w.left, w.left+w.width)
	lines := f.distribute(m.height, height, w.top, w.top+w.height)
	top := lines[0].first
	last := lines[len(lines)-1]
	bottom := last.first + len(last.weights)

	half := &rgb{w.width, bottom - top, make([]byte, 3*w.width*(bottom-top))}
	line := make([]byte, 3*m.width)
	for y := range half.height {
		m.line(top+y, line)
		out := half.pix[3*w.width*y:][:3*w.width]
		for x, t := range columns {
			r, g, b := int32(1<<(weightBits-1)), int32(1<<(weightBits-1)), int32(1<<(weightBits-1))
			in := line[3*t.first:][:3*len(t.weights)]
			for i, k := range t.weights {
				p := in[3*i:][:3]
				r += k * int32(p[0])
				g += k * int32(p[1])
				b += k * int32(p[2])
			}
			o := out[3*x:][:3]
			o[0], o[1], o[2] = clip(r), clip(g), clip(b)
		}
	}

	done := &rgb{w.width, w.height, make([]byte, 3*w.width*w.height)}
	sums := make([]int32, 3*w.width)
	for y, t := range lines {
		for i := range sums {
			sums[i] = 1 << (weightBits - 1)
		}
		for i, k := range t.weights {
			line := half.pix[3*w.width*(t.first-top+i):][:len(sums)]
			for j, p := range line {
				sums[j] += k * int32(p)
			}
		}
		out := done.pix[3*w.width*y:][:len(sums)]
		for j, s := range sums {
			out[j] = clip(s)
		}
	}
	return done
}

// clip drops the binary places of a sum and brings it into 0 … 255.
func clip(sum int32) byte { return byte(max(0, min(255, sum>>weightBits))) }
