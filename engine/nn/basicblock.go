package nn

// BasicBlock is the block of ResNet-18: y = ReLU(bn2(conv2(ReLU(bn1(conv1(x))))) + s(x)) with 3×3 convolutions, the first with the
// block's stride, and s the identity where shapes agree, else a 1×1 convolution with its norm ("downsample"): K. He et al., Deep
// residual learning for image recognition, CVPR 2016, figure 2 and option B.
type BasicBlock struct {
	In, Out, Stride int
	first, second   *convNorm
	down            *convNorm // nil: s is the identity
	parts           []Part
}

// NewBasicBlock returns the block as its parts are made.
func NewBasicBlock(in, out, stride int) *BasicBlock {
	l := &BasicBlock{In: in, Out: out, Stride: stride, first: newConvNorm(in, out, 3, stride, 1), second: newConvNorm(out, out, 3, 1, 1)}
	l.parts = []Part{{"conv1", l.first.conv}, {"bn1", l.first.norm}, {"conv2", l.second.conv}, {"bn2", l.second.norm}}
	if in != out || stride != 1 {
		l.down = newConvNorm(in, out, 1, stride, 0)
		l.parts = append(l.parts, Part{"downsample.0", l.down.conv}, Part{"downsample.1", l.down.norm})
	}
	return l
}

// Params are none of its own.
func (l *BasicBlock) Params() []*Param { return nil }

// Parts are convolutions and norms.
func (l *BasicBlock) Parts() []Part { return l.parts }

// Forward returns the maps, N×H'×W'×Out.
func (l *BasicBlock) Forward(x *Tensor, mode Mode) *Tensor {
	h := l.first.pass(x, nil, true, mode)
	skip := x
	if l.down != nil {
		skip = l.down.pass(x, nil, false, mode)
	}
	return l.second.pass(h, skip, true, mode)
}

// Backward returns the gradient in the input. It overwrites dy, and where the shortcut is the identity what it returns lies in dy.
func (l *BasicBlock) Backward(dy *Tensor, want bool) *Tensor {
	if !want && !l.first.trained() {
		l.second.backward(dy, nil, false, nil)
		if l.down != nil {
			l.down.backward(dy, nil, false, nil)
		}
		return nil
	}
	l.second.backward(dy, l.second.conv.dx(), false, l.first) // dy is now the gradient of the sum
	if !want {
		l.first.finishBack(nil, false, nil)
		if l.down != nil {
			l.down.backward(dy, nil, false, nil)
		}
		return nil
	}
	if l.down == nil {
		l.first.finishBack(dy, true, nil)
		return dy
	}
	dx := l.first.conv.dx()
	l.first.finishBack(dx, false, nil)
	l.down.backward(dy, dx, true, nil)
	return dx
}
