package nn

import "testing"

// What lies behind an image's last pixel belongs to the next image's neighbourhood too, which another goroutine may be reading: a norm
// that takes one image back must not touch it, not even to clear it again.
func TestBackApplyLeavesTheBorderBehind(t *testing.T) {
	const h, w, c = 3, 4, 2
	l := NewBatchNorm2d(c)
	x, dy := newMaps(2, h, w, c), newMaps(2, h, w, c)
	for i := range 2 {
		for y := range h {
			for j := range w * c {
				x.Sample(i)[y*(w+1)*c+j], dy.Sample(i)[y*(w+1)*c+j] = float32(i+y*j), float32(i-y+j)
			}
		}
	}
	l.Forward(x, Mode{Train: true})
	want := l.Backward(dy, true).Clone()
	dx := &l.dx
	const mark = 7
	behind := (h*(w+1) - 1) * c
	for i := range 2 {
		for j := range dx.Sample(i) {
			dx.Sample(i)[j] = mark
		}
		l.imageBackApply(i, dx.Sample(i))
		for j, v := range dx.Sample(i) {
			switch {
			case j >= behind && v != mark:
				t.Errorf("image %d: number %d, behind the last pixel, was written", i, j)
			case j < behind && v != want.Sample(i)[j]:
				t.Errorf("image %d: number %d is %v, want %v", i, j, v, want.Sample(i)[j])
			}
		}
	}
}

// newMaps returns n feature maps of h×w pixels with c channels, all zero, with a border.
func newMaps(n, h, w, c int) *Tensor {
	t := &Tensor{}
	t.ResizeMaps(n, h, w, c)
	return t
}
