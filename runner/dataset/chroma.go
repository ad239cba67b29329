package dataset

import (
	"image"
	"image/color"
)

// pictureOfJPEG is the picture that a JPEG holds. Colours at half the density of the lightness are brought to its density as
// libjpeg does unless it is told otherwise: of four lines (or pixels) around the gap between two, each takes three quarters of the
// nearer sample and one of the farther one. Other ratios repeat the nearest sample.
func pictureOfJPEG(m *image.YCbCr) *picture {
	b := m.Bounds()
	cb, cr := newChroma(m, m.Cb), newChroma(m, m.Cr)
	return &picture{b.Dx(), b.Dy(), func(y int, out []byte) {
		light := m.Y[m.YOffset(b.Min.X, b.Min.Y+y):][:b.Dx()]
		blue, red := cb.line(y), cr.line(y)
		for x, v := range light {
			p := out[3*x:][:3]
			p[0], p[1], p[2] = color.YCbCrToRGB(v, blue[x], red[x])
		}
	}}
}

// chroma is a plane of one colour that is brought to the density of the picture line by line.
type chroma struct {
	m      *image.YCbCr
	plane  []byte
	width  int // of the plane
	height int
	out    []byte  // a line of the picture
	sums   []int32 // of a line of the plane and its neighbour
}

func newChroma(m *image.YCbCr, plane []byte) *chroma {
	c := &chroma{m: m, plane: plane, width: m.Rect.Dx(), height: m.Rect.Dy()}
	c.out = make([]byte, c.width+1)
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio420:
		c.height = (c.height + 1) / 2
		fallthrough
	case image.YCbCrSubsampleRatio422:
		c.width = (c.width + 1) / 2
	}
	c.sums = make([]int32, c.width)
	return c
}

// line returns line y of the picture; the next call overwrites it. The picture's corner is at 0, 0, as decoders leave it.
func (c *chroma) line(y int) []byte {
	stride := c.m.CStride
	switch ratio := c.m.SubsampleRatio; {
	case ratio == image.YCbCrSubsampleRatio422 && c.width > 2:
		for i, v := range c.plane[y*stride:][:c.width] {
			c.sums[i] = int32(v)
		}
		c.widen(2, 1, 2)
	case ratio == image.YCbCrSubsampleRatio420 && c.width > 2:
		near := y / 2
		far := min(c.height-1, max(0, near-1+2*(y%2)))
		for i, v := range c.plane[near*stride:][:c.width] {
			c.sums[i] = 3*int32(v) + int32(c.plane[far*stride+i])
		}
		c.widen(4, 8, 7)
	default:
		for x := range c.m.Rect.Dx() {
			c.out[x] = c.plane[c.m.COffset(x, y)]
		}
	}
	return c.out
}

// widen doubles the sums into out: pixel 2i lies a quarter left of sample i, 2i+1 a quarter right of it. Sums and weights have
// together bits more than a byte; left and right are what the two kinds add to be rounded, alternately so that no drift remains.
func (c *chroma) widen(bits int, left, right int32) {
	n := len(c.sums)
	for i, s := range c.sums {
		c.out[2*i] = byte((3*s + c.sums[max(0, i-1)] + left) >> bits)
		if 2*i+1 < len(c.out) {
			c.out[2*i+1] = byte((3*s + c.sums[min(n-1, i+1)] + right) >> bits)
		}
	}
}
