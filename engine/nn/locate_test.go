package nn

import (
	"math"
	"testing"

	"kappa/engine/internal/numtest"
)

// pass is a whole pass of a drawn net with a gradient of ones.
func pass(t *testing.T, kind string, spoil func(n *Net, x *Tensor)) string {
	t.Helper()
	n, err := New(kind, [3]int{1, 8, 8}, 3)
	if err != nil {
		t.Fatal(err)
	}
	n.Init(numtest.Rand(1))
	x := NewTensor(2, 1, 8, 8)
	for i := range x.Data {
		x.Data[i] = float32(i%7) / 7
	}
	if spoil != nil {
		spoil(n, x)
	}
	d := n.Logits(n.Features(x, Mode{Train: true}), Mode{Train: true}).Clone()
	for i := range d.Data {
		d.Data[i] = 1
	}
	where := n.Locate(x)
	if where == "" {
		n.Backward(n.Head.Backward(d, true))
	}
	return where
}

// param is a net's parameter.
func param(t *testing.T, n *Net, name string) *Param {
	t.Helper()
	for _, p := range n.Params() {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no parameter %q", name)
	return nil
}

func TestLocate(t *testing.T) {
	nan := float32(math.NaN())
	set := func(name string, v float32) func(*Net, *Tensor) {
		return func(n *Net, _ *Tensor) {
			p := param(t, n, name)
			for i := range p.Value {
				p.Value[i] = v
			}
		}
	}
	for _, test := range []struct {
		kind, what string
		spoil      func(*Net, *Tensor)
		want       string
	}{
		{"mlp", "nothing", nil, ""},
		{"mlp", "the input", func(_ *Net, x *Tensor) { x.Data[3] = nan }, "the input"},
		{"mlp", "a parameter", set("layers.1.bias", nan), "the parameter layers.1.bias"},
		{"mlp", "two parameters", func(n *Net, x *Tensor) { set("head.bias", nan)(n, x); set("layers.0.weight", nan)(n, x) }, "the parameter layers.0.weight"},
		{"mlp", "an overflow", set("layers.1.weight", 3e38), "the output of layers.1"},
		{"mlp", "an overflow in the head", set("head.weight", 3e38), "the output of head"},
		{"vit-small", "nothing", nil, ""},
		{"vit-small", "an overflow inside of a block", set("blocks.2.mlp.fc1.weight", 3e38), "the output of blocks.2.mlp.fc1"},
		{"vit-small", "a norm", set("blocks.1.norm2.weight", 3e38), "the output of blocks.1.norm2"},
		{"vit-small", "the embedding", set("pos_embed", float32(math.Inf(-1))), "the parameter pos_embed"},
		{"vit-small", "the last norm", set("norm.bias", nan), "the parameter norm.bias"},
	} {
		if got := pass(t, test.kind, test.spoil); got != test.want {
			t.Errorf("%s, %s: %q, want %q", test.kind, test.what, got, test.want)
		}
	}
}

func TestLocateLooksAtGradients(t *testing.T) {
	var net *Net
	if where := pass(t, "mlp", func(n *Net, _ *Tensor) { net = n }); where != "" {
		t.Fatal(where)
	}
	x := NewTensor(2, 1, 8, 8)
	for _, name := range []string{"layers.0.weight", "layers.1.bias"} {
		param(t, net, name).Grad[0] = float32(math.Inf(1))
	}
	if got, want := net.Locate(x), "the gradient of layers.1.bias"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
