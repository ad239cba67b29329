package nn

import (
	"strconv"

	"kappa/engine/internal/vector"
)

// perceptron is the hidden layers of the net "mlp".
var perceptron = []int{256, 64}

// mlpNet makes the net: every hidden layer, a linear map and a ReLU, is a block. The features are the last layer's numbers.
func mlpNet(input [3]int, classes int) (*Net, error) {
	in := input[0] * input[1] * input[2]
	n := &Net{Unfrozen: []string{"layers." + strconv.Itoa(len(perceptron)-1)}}
	for i, out := range perceptron {
		n.Blocks = append(n.Blocks, Part{"layers." + strconv.Itoa(i), newHidden(in, out)})
		in = out
	}
	n.Width = in
	n.Head = Part{"head", NewLinear(in, classes, true)}
	return n, nil
}

// hidden is a hidden layer of the net "mlp": max(0, x·Wᵀ + b), for samples of any shape.
type hidden struct {
	*Linear
	flat, dx Tensor // headers of x and its gradient
	shape    []int
}

func newHidden(in, out int) *hidden { return &hidden{Linear: NewLinear(in, out, true)} }

// Forward returns N×Out.
func (h *hidden) Forward(x *Tensor, mode Mode) *Tensor {
	if x.Border || len(x.Data) != x.N()*h.In {
		panic(badShape)
	}
	h.shape = append(h.shape[:0], x.Shape...)
	h.flat = Tensor{Shape: append(h.flat.Shape[:0], x.N(), h.In), Data: x.Data}
	y := h.Linear.Forward(&h.flat, mode)
	vector.ReLU(y.Data, y.Data)
	return y
}

// Backward returns the gradient in x, in x's shape. It overwrites dy.
func (h *hidden) Backward(dy *Tensor, want bool) *Tensor {
	if len(dy.Data) != len(h.y.Data) {
		panic(badShape)
	}
	vector.ReLUBackward(dy.Data, dy.Data, h.y.Data)
	d := h.Linear.Backward(dy, want)
	if !want {
		return nil
	}
	h.dx = Tensor{Shape: append(h.dx.Shape[:0], h.shape...), Data: d.Data}
	return &h.dx
}
