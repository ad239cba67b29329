package nn

import "math/rand/v2"

// WithHead returns a net that shares nothing with n: the values of its blocks, and a head for other classes, drawn as Init draws it.
// Nothing in it is frozen. It panics if classes < 1.
func (n *Net) WithHead(classes int, rng *rand.Rand) *Net {
	m, err := New(n.Kind, n.Input, classes)
	if err != nil {
		panic(err) // n was made so
	}
	for i, p := range m.params {
		if q := n.params[i]; !within(m.Head.Name, p.Name) {
			copy(p.Value, q.Value)
		}
	}
	if l, ok := m.Head.Layer.(initializer); ok {
		l.Init(rng)
	}
	return m
}
