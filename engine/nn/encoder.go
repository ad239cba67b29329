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

	h, y  Tensor // where dropout acts; else the sums are made where attn and mlp end
	class Tensor // the first tokens of x
}

// EncoderOptions are the sizes of an encoder block.
type EncoderOptions struct {
	Width, Heads, Hidden int     // D, which Heads divides, and the numbers inside of the MLP
	Epsilon              float64 // of the norms
	Dropout              float64 // probability
	// First says that only the first token of the result is read. The block then gives only that, N×1×D, and computes of the others
	// nothing but what it needs: keys and values.
	First bool
}

// NewEncoderBlock returns a block with weights 0 and norms that are the identity.
func NewEncoderBlock(o EncoderOptions) *EncoderBlock {
	b := &EncoderBlock{
		norm1: NewLayerNorm(o.Width, o.Epsilon), attn: NewAttention(o.Width, o.Heads), drop1: NewDropout(o.Dropout),
		norm2: NewLayerNorm(o.Width, o.Epsilon), mlp: NewFeedForward(o.Width, o.Hidden), drop2: NewDropout(o.Dropout),
	}
	b.attn.first = o.First
	b.parts = []Part{{"norm1", b.norm1}, {"attn", b.attn}, {"norm2", b.norm2}, {"mlp", b.mlp}}
	return b
}

// Params are none but those of the parts.
func (b *EncoderBlock) Params() []*Param { return nil }

// Parts are norm1, attn, norm2 and mlp.
func (b *EncoderBlock) Parts() []Part { return b.parts }

// Forward returns the block's tokens, N×T×D as x.
func (b *EncoderBlock) Forward(x *Tensor, mode Mode) *Tensor {
	asked := b.attn.attend(b.norm1.Forward(x, mode), mode)
	if b.attn.first {
		firstTokens(&b.class, x)
		x = &b.class
	}
	if mode.Train && b.drop1.P > 0 {
		h := sum(&b.h, x, b.drop1.Forward(b.attn.proj.Forward(asked, mode), mode))
		return sum(&b.y, h, b.drop2.Forward(b.mlp.Forward(b.norm2.Forward(h, mode), mode), mode))
	}
	b.drop1.dropped, b.drop2.dropped = false, false
	h := b.attn.proj.onto(asked, x)
	return b.mlp.fc2.onto(b.mlp.activate(b.norm2.Forward(h, mode), mode), h)
}

// Backward returns the gradient in x.
func (b *EncoderBlock) Backward(dy *Tensor, want bool) *Tensor {
	dh := b.norm2.back(b.mlp.Backward(b.drop2.Backward(dy, true), true), dy, true)
	d := b.attn.Backward(b.drop1.Backward(dh, true), true)
	if !b.attn.first {
		return b.norm1.back(d, dh, want)
	}
	dx := b.norm1.back(d, nil, want)
	if want {
		for i := range dx.N() {
			vector.AddTo(dx.Sample(i)[:b.norm1.Width], dh.Sample(i))
		}
	}
	return dx
}

// firstTokens makes dst the first tokens of x, N×1×D.
func firstTokens(dst, x *Tensor) {
	dst.Resize(x.Shape[0], 1, x.Shape[2])
	for i := range x.Shape[0] {
		copy(dst.Sample(i), x.Sample(i))
	}
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
