package nn

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Net is a feature extractor with a linear head: blocks one after another, the last of which gives N×Width features, and a head that
// gives N×Classes logits.
type Net struct {
	Kind   string // as in "resnet-small"
	Input  [3]int // channels, height and width of an image
	Width  int    // features of a sample, D_hid
	Blocks []Part
	Head   Part // a *Linear
	// Unfrozen are the patterns of the parameters that the paper leaves to train when such a net is immunized, the head aside; see
	// [Net.Freeze].
	Unfrozen []string

	from, to int      // the blocks of the last forward pass
	params   []*Param // with full names, blocks first
}

// newNet completes a net: it gives parameters their full names.
func newNet(n *Net) *Net {
	for _, b := range append(slices.Clone(n.Blocks), n.Head) {
		walk(b.Name, b.Layer, func(name string, l Layer) {
			for _, p := range l.Params() {
				p.Name = join(name, p.Name)
				n.params = append(n.params, p)
			}
		})
	}
	return n
}

// Params returns all parameters and buffers, those of the head last.
func (n *Net) Params() []*Param { return n.params }

// Classes is the number of logits.
func (n *Net) Classes() int { return n.Head.Layer.(*Linear).Out }

// Freeze freezes every parameter but those of the head and those whose names match one of the patterns: a name, a beginning of one
// up to a dot ("layer4" for all of it), or a pattern of [path.Match] of either ("blocks.*.norm1"). It returns an error that names
// a pattern that matches nothing, and what names begin with.
func (n *Net) Freeze(but ...string) error {
	used := make([]bool, len(but))
	for _, p := range n.params {
		p.Frozen = !within(n.Head.Name, p.Name)
		for i, pattern := range but {
			if within(pattern, p.Name) {
				used[i], p.Frozen = true, false
			}
		}
	}
	for i, ok := range used {
		if !ok {
			return fmt.Errorf("freeze %s: no parameter's name matches %q; the names begin with %s", n.Kind, but[i], strings.Join(n.beginnings(), ", "))
		}
	}
	return nil
}

// beginnings lists the beginnings up to the first dot of the names of all parameters but the head's, such as layer1, in their order.
func (n *Net) beginnings() []string {
	var out []string
	for _, p := range n.params {
		first, _, _ := strings.Cut(p.Name, ".")
		if !within(n.Head.Name, p.Name) && !slices.Contains(out, first) {
			out = append(out, first)
		}
	}
	return out
}

// Thaw unfreezes every parameter.
func (n *Net) Thaw() {
	for _, p := range n.params {
		p.Frozen = false
	}
}

// within says whether a pattern matches a name or a beginning of it that ends before a dot.
func within(pattern, name string) bool {
	for i := range len(name) + 1 {
		if i == len(name) || name[i] == '.' {
			if ok, err := path.Match(pattern, name[:i]); ok && err == nil {
				return true
			}
		}
	}
	return false
}

// Trunk is the number of blocks at the bottom that have no trained parameter: what comes out of them does not change in training.
func (n *Net) Trunk() int {
	i := slices.IndexFunc(n.Blocks, func(b Part) bool { return trains(b.Layer) })
	if i < 0 {
		return len(n.Blocks)
	}
	return i
}

// Features are N×Width: the net's blocks on images N×C×H×W.
func (n *Net) Features(x *Tensor, mode Mode) *Tensor { return n.Through(0, len(n.Blocks), x, mode) }

// Through computes the blocks from … to−1 on x, which is what the block before from gives.
func (n *Net) Through(from, to int, x *Tensor, mode Mode) *Tensor {
	n.from, n.to = from, to
	for _, b := range n.Blocks[from:to] {
		x = b.Forward(x, mode)
	}
	return x
}

// Logits are N×Classes: the head on features.
func (n *Net) Logits(features *Tensor, mode Mode) *Tensor { return n.Head.Forward(features, mode) }

// Backward takes the gradient in what the last Features or Through gave, and adds to the gradients of parameters. It goes no
// further down than the lowest of those blocks that trains.
func (n *Net) Backward(d *Tensor) {
	lowest := max(n.from, n.Trunk())
	for i := n.to - 1; i >= lowest; i-- {
		d = n.Blocks[i].Backward(d, i > lowest)
	}
}

// ZeroGrad sets all gradients to zero.
func (n *Net) ZeroGrad() {
	for _, p := range n.params {
		clear(p.Grad)
	}
}

// CopyFrom takes the values of a net of the same kind, head included. It panics if the nets are not alike.
func (n *Net) CopyFrom(m *Net) {
	if len(n.params) != len(m.params) {
		panic(badShape)
	}
	for i, p := range n.params {
		if q := m.params[i]; q.Name != p.Name || len(q.Value) != len(p.Value) {
			panic(badShape)
		}
		copy(p.Value, m.params[i].Value)
	}
}
