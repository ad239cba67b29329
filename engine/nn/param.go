package nn

import "math/rand/v2"

// Order says how the numbers of a parameter lie inside its layer.
type Order int

const (
	// Plain is the order of the shape.
	Plain Order = iota
	// Transposed is of a weight out×in, where in may be several dimensions: in×out.
	Transposed
	// Taps is of a convolution's weight out×in×height×width: height×width×in×out.
	Taps
)

// Param is a parameter, or a buffer, of a layer.
type Param struct {
	Name  string // as the ecosystem has it, the layers' names before it: "layer3.1.conv2.weight"
	Shape []int  // as the ecosystem has it
	Order Order
	// Value and Grad are in Order. Grad is of the length of Value, or nil: of a buffer always, of a parameter until a backward pass
	// asks for it.
	Value, Grad []float32
	// Buffer says that it is a statistic and no parameter: nothing trains it.
	Buffer bool
	// Frozen parameters get no gradient and are not trained.
	Frozen bool
	// Decay says that weight decay is meant for it: of weights, not of biases, norms, tokens and positions.
	Decay bool
}

// newParam returns a parameter of zeros.
func newParam(name string, order Order, shape ...int) *Param {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return &Param{Name: name, Shape: shape, Order: order, Value: make([]float32, n)}
}

// Trained says whether backward passes have to give it a gradient.
func (p *Param) Trained() bool { return !p.Buffer && !p.Frozen }

// Gradient returns Grad, made where it is not yet.
func (p *Param) Gradient() []float32 {
	if p.Grad == nil {
		p.Grad = make([]float32, len(p.Value))
	}
	return p.Grad
}

// Export returns the values in the order of Shape.
func (p *Param) Export() []float32 { return p.exported(p.Value) }

// ExportGrad returns the gradient in the order of Shape; zeros where there is none.
func (p *Param) ExportGrad() []float32 {
	if p.Grad == nil {
		return make([]float32, len(p.Value))
	}
	return p.exported(p.Grad)
}

func (p *Param) exported(values []float32) []float32 {
	out := make([]float32, len(values))
	p.each(func(inside, outside int) { out[outside] = values[inside] })
	return out
}

// Import takes values in the order of Shape. It panics if there are not as many.
func (p *Param) Import(values []float32) {
	if len(values) != len(p.Value) {
		panic(badShape)
	}
	p.each(func(inside, outside int) { p.Value[inside] = values[outside] })
}

// each calls visit for every number with its index inside and in the order of Shape.
func (p *Param) each(visit func(inside, outside int)) {
	out, in, taps := 1, len(p.Value), 1
	switch p.Order {
	case Transposed:
		out = p.Shape[0]
		in /= max(1, out)
	case Taps:
		out, in, taps = p.Shape[0], p.Shape[1], p.Shape[2]*p.Shape[3]
	}
	for o := range out {
		for i := range in {
			for t := range taps {
				visit((t*in+i)*out+o, (o*in+i)*taps+t)
			}
		}
	}
}

// fill draws every value, in the order of Shape.
func (p *Param) fill(draw func(*rand.Rand) float64, rng *rand.Rand) {
	values := make([]float32, len(p.Value))
	for i := range values {
		values[i] = float32(draw(rng))
	}
	p.Import(values)
}
