package nn

import (
	"fmt"
	"strconv"
)

// vision are the sizes of a Vision Transformer.
type vision struct {
	patch, depth int
	encoder      EncoderOptions
	unfrozen     []string
}

// vitB16 is timm's vit_base_patch16_224, but for images of any size that patches of 16×16 fill. The code that the paper's authors
// released trains of it the last block and every parameter with "norm" in its name, the norms of all blocks that is: nothing above the
// embedding stays as it is. Its norms have ε = 1e-6.
var vitB16 = vision{
	patch: 16, depth: 12, encoder: EncoderOptions{Width: 768, Heads: 12, Hidden: 3072, Epsilon: 1e-6},
	unfrozen: []string{"blocks.11", "blocks.*.norm[12]", "norm"},
}

// vitSmall is a small one for images of 28×28: patches of 4×4, 49 tokens and the class token. Its norms have ε = 1e-5, the
// default of torch's encoder layers. Of it the last block and the last norm are trained, and not the norms of the blocks below: what
// comes out of those can so be computed once.
var vitSmall = vision{
	patch: 4, depth: 4, encoder: EncoderOptions{Width: 64, Heads: 4, Hidden: 128, Epsilon: 1e-5},
	unfrozen: []string{"blocks.3", "norm"},
}

// net makes the net: the embedding, each encoder block, and the norm of the class token are blocks of their own.
func (v vision) net(input [3]int, classes int) (*Net, error) {
	if input[1]%v.patch != 0 || input[2]%v.patch != 0 {
		return nil, fmt.Errorf("images of %d×%d pixels are not filled by patches of %d×%d: both sides must be multiples of %d",
			input[1], input[2], v.patch, v.patch, v.patch)
	}
	n := &Net{Width: v.encoder.Width, Unfrozen: v.unfrozen}
	n.Blocks = append(n.Blocks, Part{"", NewEmbed(input[0], input[1], input[2], v.patch, v.encoder.Width)})
	for i := range v.depth {
		v.encoder.First = i == v.depth-1 // the class token is all that is read
		n.Blocks = append(n.Blocks, Part{"blocks." + strconv.Itoa(i), NewEncoderBlock(v.encoder)})
	}
	n.Blocks = append(n.Blocks, Part{"norm", NewClassNorm(v.encoder.Width, v.encoder.Epsilon)})
	n.Head = Part{"head", newTimmLinear(v.encoder.Width, classes)}
	return n, nil
}

// ClassNorm is the end of a Vision Transformer: it takes the class token, the first, of tokens N×T×D, and norms it. That is
// the class token of all tokens normed.
type ClassNorm struct {
	norm  *LayerNorm
	shape []int // of x
	x, dx Tensor
}

// NewClassNorm returns the layer with weight 1 and bias 0.
func NewClassNorm(width int, epsilon float64) *ClassNorm {
	return &ClassNorm{norm: NewLayerNorm(width, epsilon)}
}

// Params are those of the norm.
func (c *ClassNorm) Params() []*Param { return c.norm.Params() }

// Parts are none.
func (c *ClassNorm) Parts() []Part { return nil }

// Forward returns the normed class tokens, N×D.
func (c *ClassNorm) Forward(x *Tensor, mode Mode) *Tensor {
	if len(x.Shape) != 3 || x.Shape[2] != c.norm.Width {
		panic(badShape)
	}
	c.shape = append(c.shape[:0], x.Shape...)
	firstTokens(&c.x, x)
	c.x.Resize(x.Shape[0], x.Shape[2])
	return c.norm.Forward(&c.x, mode)
}

// Backward returns the gradient in all tokens: zero but for the class token's.
func (c *ClassNorm) Backward(dy *Tensor, want bool) *Tensor {
	d := c.norm.Backward(dy, want)
	if !want {
		return nil
	}
	c.dx.Resize(c.shape...)
	clear(c.dx.Data)
	for i := range c.shape[0] {
		copy(c.dx.Sample(i), d.Sample(i))
	}
	return &c.dx
}
