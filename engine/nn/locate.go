package nn

import "kappa/engine/internal/vector"

// Locate looks through what the last forward pass, Features or Through on x and then Logits, left behind, in the order in which it was
// computed, and says where the first number is that is NaN or infinite: "the input", "the parameter layer3.0.conv1.weight", "the
// output of layer3.0.bn1"; "" if there is none. If the forward pass is sound it looks at the gradients, from the head down as a
// backward pass computes them: "the gradient of layer3.0.conv1.weight". It computes nothing anew.
func (n *Net) Locate(x *Tensor) string {
	if !vector.AllFinite(x.Data) {
		if n.from > 0 {
			return outputOf(n.Blocks[n.from-1].Name)
		}
		return "the input"
	}
	for _, b := range n.Blocks[n.from:n.to] {
		if where := locate(b.Name, b.Layer); where != "" {
			return where
		}
	}
	if where := locate(n.Head.Name, n.Head.Layer); where != "" {
		return where
	}
	for i := len(n.params) - 1; i >= 0; i-- {
		if p := n.params[i]; p.Trained() && !vector.AllFinite(p.Grad) {
			return "the gradient of " + p.Name
		}
	}
	return ""
}

// locate looks at a layer: its own parameters, its parts, its output, its buffers, which a pass in training follows.
func locate(name string, l Layer) string {
	for _, p := range l.Params() {
		if !p.Buffer && !vector.AllFinite(p.Value) {
			return "the parameter " + p.Name
		}
	}
	for _, part := range l.Parts() {
		if where := locate(join(name, part.Name), part.Layer); where != "" {
			return where
		}
	}
	if l, ok := l.(keeper); ok && !vector.AllFinite(l.output().Data) {
		return outputOf(name)
	}
	for _, p := range l.Params() {
		if p.Buffer && !vector.AllFinite(p.Value) {
			return "the buffer " + p.Name
		}
	}
	return ""
}

// outputOf names an output. A Vision Transformer's embedding has no name of its own.
func outputOf(name string) string {
	if name == "" {
		return "the output of the embedding"
	}
	return "the output of " + name
}

// keeper is a layer that keeps the output of its last forward pass.
type keeper interface{ output() *Tensor }

func (l *Linear) output() *Tensor    { return &l.y }
func (e *Embed) output() *Tensor     { return &e.y }
func (g *GELU) output() *Tensor      { return &g.y }
func (l *LayerNorm) output() *Tensor { return &l.y }
func (c *ClassNorm) output() *Tensor { return &c.norm.y }
