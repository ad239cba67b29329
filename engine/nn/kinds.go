package nn

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Kind is an architecture known by name.
type Kind struct {
	Name, Doc string
	// Input is the image it was made for: channels, height, width. Zero means any.
	Input [3]int
	make  func(input [3]int, classes int) (*Net, error)
}

// Kinds are all architectures, in a fixed order.
func Kinds() []Kind {
	return []Kind{
		{Name: "mlp", Doc: "two hidden layers of 256 and 64 with ReLU", make: mlpNet},
		{Name: "resnet18", Doc: "torchvision's resnet18", Input: [3]int{3, 224, 224}, make: resNet18.net},
		{Name: "resnet-small", Doc: "ResNet of width 64: three stages of two basic blocks, 16, 32 and 64 channels", make: resNetSmall.net},
		{Name: "vit-b16", Doc: "timm's vit_base_patch16_224", Input: [3]int{3, 224, 224}, make: vitB16.net},
		{Name: "vit-small", Doc: "Vision Transformer of width 64 and depth 4 on patches of 4×4", make: vitSmall.net},
	}
}

// New returns a net of a kind for images of the size input (channels, height, width), with all parameters as they are before
// anything is drawn (weights 0, norms the identity). The error names what is accepted.
func New(kind string, input [3]int, classes int) (*Net, error) {
	var names []string
	for _, k := range Kinds() {
		if k.Name != kind {
			names = append(names, k.Name)
			continue
		}
		if classes < 1 || min(input[0], input[1], input[2]) < 1 {
			return nil, fmt.Errorf("net %s: images of %v (channels, height, width) and %d classes; accepted: at least 1 each", kind, input, classes)
		}
		n, err := k.make(input, classes)
		if err != nil {
			return nil, fmt.Errorf("net %s: %w", kind, err)
		}
		n.Kind, n.Input = kind, input
		return newNet(n), nil
	}
	return nil, fmt.Errorf("no net is called %q; known: %s", kind, strings.Join(names, ", "))
}

// Clone returns a net with the same values that shares nothing with n. What is frozen in n is not frozen in it.
func (n *Net) Clone() *Net {
	m, err := New(n.Kind, n.Input, n.Classes())
	if err != nil {
		panic(err) // n was made so
	}
	m.CopyFrom(n)
	return m
}

// initializer is a layer that draws its parameters.
type initializer interface{ Init(rng *rand.Rand) }

// Init draws all parameters that are drawn, block after block, as the architecture's reference implementation does.
func (n *Net) Init(rng *rand.Rand) {
	for _, b := range append(n.Blocks[:len(n.Blocks):len(n.Blocks)], n.Head) {
		walk(b.Name, b.Layer, func(_ string, l Layer) {
			if i, ok := l.(initializer); ok {
				i.Init(rng)
			}
		})
	}
}
