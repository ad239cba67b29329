package nn

import "fmt"

// residual are the sizes of a ResNet of basic blocks.
type residual struct {
	kernel, stride int  // of the first convolution
	pool           bool // a 3×3 max pool with stride 2 after it
	widths         []int
	unfrozen       []string
}

// resNet18 is torchvision's resnet18, for images of any size.
var resNet18 = residual{kernel: 7, stride: 2, pool: true, widths: []int{64, 128, 256, 512}, unfrozen: []string{"layer4"}}

// resNetSmall is a small one for images of 28×28: 16, 32 and 64 channels.
var resNetSmall = residual{kernel: 3, stride: 1, widths: []int{16, 32, 64}, unfrozen: []string{"layer3"}}

// net makes the net: the stem, each basic block and the average pool are blocks of their own.
func (r residual) net(input [3]int, classes int) (*Net, error) {
	in := r.widths[0]
	n := &Net{Width: r.widths[len(r.widths)-1], Unfrozen: r.unfrozen}
	n.Blocks = append(n.Blocks, Part{"", newStem(input[0], in, r.kernel, r.stride, r.pool)})
	for s, out := range r.widths {
		for b := range 2 {
			stride := 1
			if s > 0 && b == 0 {
				stride = 2
			}
			n.Blocks = append(n.Blocks, Part{fmt.Sprintf("layer%d.%d", s+1, b), NewBasicBlock(in, out, stride)})
			in = out
		}
	}
	n.Blocks = append(n.Blocks, Part{"", NewAvgPool()})
	n.Head = Part{"fc", NewLinear(n.Width, classes, true)}
	return n, nil
}

// stem is the beginning of a ResNet: conv1, bn1, a ReLU and, where there is one, the max pool.
type stem struct {
	unit  *convNorm
	pool  *MaxPool2d // nil: none
	parts []Part
}

func newStem(in, out, kernel, stride int, pool bool) *stem {
	l := &stem{unit: newConvNorm(in, out, kernel, stride, kernel/2)}
	l.parts = []Part{{"conv1", l.unit.conv}, {"bn1", l.unit.norm}}
	if pool {
		l.pool = NewMaxPool2d(3, 2, 1)
		l.parts = append(l.parts, Part{"", l.pool})
	}
	return l
}

// Params are none of its own.
func (l *stem) Params() []*Param { return nil }

// Parts are conv1, bn1 and the pool.
func (l *stem) Parts() []Part { return l.parts }

// Forward takes images N×C×H×W and returns maps.
func (l *stem) Forward(x *Tensor, mode Mode) *Tensor {
	y := l.unit.pass(x, nil, true, mode)
	if l.pool != nil {
		y = l.pool.Forward(y, mode)
	}
	return y
}

// Backward returns the gradient in the images.
func (l *stem) Backward(dy *Tensor, want bool) *Tensor {
	if l.pool != nil {
		dy = l.pool.Backward(dy, true)
	}
	conv := l.unit.conv
	if !want {
		l.unit.backward(dy, nil, false, nil)
		return nil
	}
	l.unit.backward(dy, conv.dx(), false, nil)
	return conv.input()
}
