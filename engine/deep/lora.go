package deep

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"kappa/engine/nn"
)

// LoRA is the [Attack] that trains low-rank adapters and the new head (Hu et al., LoRA: Low-Rank Adaptation of Large Language Models,
// ICLR 2022, Eq. 3). Every weight matrix and convolution W, out×in, of the blocks that net.Unfrozen names becomes W + s·B·A, A r×in and
// B out×r, s = o.Scale; a convolution's in is its channels times its taps, a joint matrix of queries, keys and values is one matrix.
// A is drawn from N(0, 1/in) by draw("attack", "adapters"), B is 0. All else is as it was, batch norms in eval mode; what the blocks below
// give is computed once. Weight decay is on A, B and the head's weights.
//
// The rank is at least 1 and at most the smaller side of each of the matrices.
func LoRA(ctx context.Context, net *nn.Net, task Task, o AttackOptions, draw Draw) (TrainResult, error) {
	return attack(ctx, "lora", net, task, o, draw, func(t *trainer) error {
		_, err := t.adapt(ctx, net.Unfrozen, o)
		return err
	})
}

// LoRAFits returns the error with which [LoRA] would refuse a net of which unfrozen names the blocks, nil where it would not: what can be known
// before there is anything to attack. It changes what is frozen in net.
func LoRAFits(net *nn.Net, unfrozen []string, rank int) error {
	_, err := newAdapters(net, unfrozen, rank, 1, nil)
	return err
}

// adapt makes adapters what a training trains beside the head.
func (t *trainer) adapt(ctx context.Context, unfrozen []string, o AttackOptions) (adapters, error) {
	l, err := newAdapters(t.net, unfrozen, o.Rank, o.Scale, t.draw("adapters"))
	if err != nil {
		return nil, err
	}
	t.merge, t.pull, t.params = l.merge, l.pull, l.params(t.net)
	return l, t.climb(ctx)
}

// adapters are those of a net.
type adapters []*adapter

// adapter is W + s·L·R where W is as it lies in its layer, rows×cols: the out of a weight are its columns unless its order is that of its
// shape. Of L and R the one on the side of out is B, the other A.
type adapter struct {
	weight     *nn.Param // what the net computes with
	base       []float32 // W
	scale      float32
	rows, cols int
	left       *nn.Param // L, rows×r
	right      *nn.Param // R, r×cols
}

// newAdapters freezes all of a net but its head and the weights that get adapters, and makes those.
func newAdapters(net *nn.Net, unfrozen []string, rank int, scale float64, rng *rand.Rand) (adapters, error) {
	switch {
	case rank < 1:
		return nil, fmt.Errorf("adapters of rank %d; accepted: 1 or more", rank)
	case !(scale >= 0) || math.IsInf(scale, 0):
		return nil, fmt.Errorf("adapters scaled by %v; accepted: a number above 0, or 0 for 1", scale)
	case scale == 0:
		scale = 1
	}
	if err := net.Freeze(unfrozen...); err != nil {
		return nil, err
	}
	head := headParams(net)
	var l adapters
	for _, p := range net.Trained() {
		if slices.Contains(head, p) {
			continue
		}
		if !p.Decay || len(p.Shape) < 2 {
			p.Frozen = true
			continue
		}
		a := &adapter{weight: p, base: slices.Clone(p.Value), scale: float32(scale), rows: p.Shape[0]}
		if p.Order != nn.Plain {
			a.rows = len(p.Value) / p.Shape[0]
		}
		a.cols = len(p.Value) / a.rows
		if most := min(a.rows, a.cols); rank > most {
			return nil, fmt.Errorf("adapters of rank %d on %s, which is %v; accepted: 1 to %d", rank, p.Name, p.Shape, most)
		}
		down, up := ".lora_A", ".lora_B"
		if p.Order != nn.Plain {
			a.left, a.right = factor(p.Name+down, a.rows, rank, rng), factor(p.Name+up, rank, a.cols, nil)
		} else {
			a.left, a.right = factor(p.Name+up, a.rows, rank, nil), factor(p.Name+down, rank, a.cols, rng)
		}
		l = append(l, a)
	}
	if len(l) == 0 {
		return nil, fmt.Errorf("no weight matrix or convolution is among the parameters that %v name", unfrozen)
	}
	return l, nil
}

// factor returns a matrix, 0 or drawn from N(0, 1/n), n its longer side: of an A that is in, no smaller than the rank.
func factor(name string, rows, cols int, rng *rand.Rand) *nn.Param {
	p := &nn.Param{Name: name, Shape: []int{rows, cols}, Value: make([]float32, rows*cols), Decay: true}
	if rng != nil {
		scale := 1 / math.Sqrt(float64(max(rows, cols)))
		for i := range p.Value {
			p.Value[i] = float32(scale * rng.NormFloat64())
		}
	}
	return p
}

// params are what is trained: the adapters, and the net's head.
func (l adapters) params(net *nn.Net) []*nn.Param {
	var params []*nn.Param
	for _, a := range l {
		params = append(params, a.left, a.right)
	}
	return append(params, headParams(net)...)
}

// merge gives the net the weights W + s·L·R.
func (l adapters) merge() {
	for _, a := range l {
		copy(a.weight.Value, a.base)
		left, right := general(a.left), general(a.right)
		blas32.Gemm(blas.NoTrans, blas.NoTrans, a.scale, left, right, 1, blas32.General{Rows: a.rows, Cols: a.cols, Stride: a.cols, Data: a.weight.Value})
	}
}

// pull takes the gradients of the factors from G, those of the merged weights: s·G·Rᵀ and s·Lᵀ·G.
func (l adapters) pull() {
	for _, a := range l {
		g := blas32.General{Rows: a.rows, Cols: a.cols, Stride: a.cols, Data: a.weight.Gradient()}
		left, right := general(a.left), general(a.right)
		dl, dr := left, right
		dl.Data, dr.Data = a.left.Gradient(), a.right.Gradient()
		blas32.Gemm(blas.NoTrans, blas.Trans, a.scale, g, right, 0, dl)
		blas32.Gemm(blas.Trans, blas.NoTrans, a.scale, left, g, 0, dr)
	}
}

// general is a factor as a matrix.
func general(p *nn.Param) blas32.General {
	return blas32.General{Rows: p.Shape[0], Cols: p.Shape[1], Stride: p.Shape[1], Data: p.Value}
}

// headParams are the parameters of a net's head.
func headParams(net *nn.Net) []*nn.Param {
	return net.Params()[len(net.Params())-len(net.Head.Params()):]
}
