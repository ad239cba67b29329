package nn

import "math/rand/v2"

// Mode says how a forward pass is meant.
type Mode struct {
	// Train: norms use the batch's statistics, and follow them; dropout drops. Otherwise the pass is a function of its input.
	Train bool
	// Rand is what dropout draws from; read only where Train and a layer drops.
	Rand *rand.Rand
}

// Layer is a differentiable function with parameters.
type Layer interface {
	// Forward returns the layer's output for x. The output belongs to the layer and lasts until its next Forward. x must not be
	// changed before Backward, where that follows.
	Forward(x *Tensor, mode Mode) *Tensor
	// Backward takes the gradient of a loss in the output of the last Forward. It adds the loss's gradients to those of the parameters
	// that are trained and returns the gradient in x, which belongs to the layer and lasts until its next Backward; nil if want is
	// false. It may overwrite dy.
	Backward(dy *Tensor, want bool) *Tensor
	// Parts are the layers that it is made of, in the order in which they compute; nil if it is made of none.
	Parts() []Part
	// Params are its own parameters and buffers, without those of its parts, with names that begin at the layer.
	Params() []*Param
}

// Part is a layer with its name in a net.
type Part struct {
	Name string // "layer3", "" for a layer that has no name of its own
	Layer
}

// join puts a part's name before a name inside of it.
func join(prefix, name string) string {
	if prefix == "" || name == "" {
		return prefix + name
	}
	return prefix + "." + name
}

// walk calls visit for a layer and all it is made of, outside first, with full names.
func walk(name string, l Layer, visit func(name string, l Layer)) {
	visit(name, l)
	for _, p := range l.Parts() {
		walk(join(name, p.Name), p.Layer, visit)
	}
}

// trains says whether a layer, or one that it is made of, has a parameter that is trained. It allocates nothing where Params and
// Parts do not.
func trains(l Layer) bool {
	for _, p := range l.Params() {
		if p.Trained() {
			return true
		}
	}
	for _, p := range l.Parts() {
		if trains(p.Layer) {
			return true
		}
	}
	return false
}
