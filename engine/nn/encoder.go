package nn

import "kappa/engine/internal/vector"

// EncoderBlock is a block of a Vision Transformer: x + attn(norm1(x)), and to that h is added mlp(norm2(h)) (norms before what they are
// for). Dropout, where P is not 0, acts on what attn and mlp give.
type EncoderBlock struct {
	norm1, norm2 *LayerNorm
	attn         *Attention
	mlp          *FeedForward
	drop1, drop2 *Dropout
	parts        []Part

	h, y, dh Tensor // used where dropout acts; else the sums are made where attn and mlp end
}

// EncoderOptions are the sizes of an encoder block.
type EncoderOptions struct {
	Width, Heads, Hidden int     // D, which Heads divides, and the numbers inside of the MLP
	Epsilon              float64 // of the norms
	Dropout              float64 // probability
}

// NewEncoderBlock returns a block with weights 0 and norms that are the identity.
func NewEncoderBlock(o EncoderOptions) *EncoderBlock {
	b := &EncoderBlock{
		norm1: NewLayerNorm(o.Width, o.Epsilon), attn: NewAttention(o.Width, o.Heads), drop1: NewDropout(o.Dropout),
		norm2: NewLayerNorm(o.Width, o.Epsilon), mlp: NewFeedForward(o.Width, o.Hidden), drop2: NewDropout(o.Dropout),
	}
	b.parts = []Part{{"norm1", b.norm1}, {"attn", b.attn}, {"norm2", b.norm2}, {"mlp", b.mlp}}
	return b
}

// Params are none but those of the parts.
func (b *EncoderBlock) Params() []*Param { return nil }

// Parts are norm1, attn, norm2 and mlp.
func (b *EncoderBlock) Parts() []Part { return b.parts }

// Forward returns the block's tokens, N×T×D as x.
func (b *EncoderBlock) Forward(x *Tensor, mode Mode) *Tensor {
	if mode.Train && b.drop1.P > 0 {
		h := sum(&b.h, x, b.drop1.Forward(b.attn.Forward(b.norm1.Forward(x, mode), mode), mode))
		return sum(&b.y, h, b.drop2.Forward(b.mlp.Forward(b.norm2.Forward(h, mode), mode), mode))
	}
	b.drop1.dropped, b.drop2.dropped = false, false
	h := b.attn.proj.onto(b.attn.attend(b.norm1.Forward(x, mode), mode), x)
	return b.mlp.fc2.onto(b.mlp.activate(b.norm2.Forward(h, mode), mode), h)
}

// Backward returns the gradient in x.
func (b *EncoderBlock) Backward(dy *Tensor, want bool) *Tensor {
	dh := b.norm2.back(b.mlp.Backward(b.drop2.Backward(dy, true), true), dy, true)
	return b.norm1.back(b.attn.Backward(b.drop1.Backward(dh, true), true), dh, want)
}

// sum makes dst a + b.
func sum(dst, a, b *Tensor) *Tensor {
	dst.Resize(a.Shape...)
	vector.Add(dst.Data, a.Data, b.Data)
	return dst
}

// FeedForward is the MLP of a transformer: fc2(GELU(fc1(x))).
type FeedForward struct {
	fc1, fc2 *Linear
	act      *GELU
	parts    []Part
}

// NewFeedForward returns the layer with all parameters 0.
func NewFeedForward(width, hidden int) *FeedForward {
	f := &FeedForward{fc1: newTimmLinear(width, hidden), act: NewGELU(), fc2: newTimmLinear(hidden, width)}
	f.parts = []Part{{"fc1", f.fc1}, {"act", f.act}, {"fc2", f.fc2}}
	return f
}

// Params are none but those of the parts.
func (f *FeedForward) Params() []*Param { return nil }

// Parts are fc1, act and fc2.
func (f *FeedForward) Parts() []Part { return f.parts }

// Forward returns fc2(GELU(fc1(x))).
func (f *FeedForward) Forward(x *Tensor, mode Mode) *Tensor {
	return f.fc2.Forward(f.activate(x, mode), mode)
}

// activate returns what fc2 maps.
func (f *FeedForward) activate(x *Tensor, mode Mode) *Tensor {
	return f.act.Forward(f.fc1.Forward(x, mode), mode)
}

// Backward returns the gradient in x.
func (f *FeedForward) Backward(dy *Tensor, want bool) *Tensor {
	return f.fc1.Backward(f.act.Backward(f.fc2.Backward(dy, true), true), want)
}
