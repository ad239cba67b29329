package nn

// MultiplyAdds counts the multiplications, with the addition that follows each, that one image takes to go forward through each block of
// the net and through its head: those of convolutions, products and attention, without norms and activations. A backward pass takes
// twice as many. Cost: a forward pass of one blank image.
func (n *Net) MultiplyAdds() (blocks []float64, head float64) {
	m, err := New(n.Kind, n.Input, n.Classes())
	if err != nil {
		panic(err) // n was made so
	}
	m.Logits(m.Features(NewTensor(1, n.Input[0], n.Input[1], n.Input[2]), Mode{}), Mode{})
	of := func(p Part) (sum float64) {
		walk(p.Name, p.Layer, func(_ string, l Layer) {
			switch l := l.(type) {
			case *Conv2d:
				_, h, w, c := l.y.Maps()
				sum += float64(h*w*c) * float64(l.In*l.Kernel*l.Kernel)
			case *Linear:
				sum += l.multiplyAdds()
			case *hidden:
				sum += l.multiplyAdds()
			case *Embed:
				sum += float64(l.y.SampleSize()) * float64(l.Channels*l.Patch*l.Patch)
			case *Attention:
				sum += 2 * float64(l.tokens*l.tokens) * float64(l.Width)
			}
		})
		return sum
	}
	for _, b := range m.Blocks {
		blocks = append(blocks, of(b))
	}
	return blocks, of(m.Head)
}

// multiplyAdds are those of the last forward pass.
func (l *Linear) multiplyAdds() float64 { return float64(len(l.y.Data)) * float64(l.In) }
