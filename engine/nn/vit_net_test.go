package nn

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"kappa/engine/blas"
)

// random returns a net of a kind with drawn parameters, and images for it.
func random(t *testing.T, kind string, input [3]int, n int) (*Net, *Tensor) {
	t.Helper()
	net, err := New(kind, input, 10)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	net.Init(rng)
	x := NewTensor(n, input[0], input[1], input[2])
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	return net, x
}

// naiveVision is a whole Vision Transformer, head included.
func naiveVision(p values, v vision, input [3]int, x []float64) []float64 {
	width, tokens := v.encoder.Width, 1+input[1]/v.patch*(input[2]/v.patch)
	y := naiveEmbed(p, x, input[0], input[1], input[2], v.patch, width)
	for i := range v.depth {
		y = naiveEncoder(p, "blocks."+string(rune('0'+i))+".", y, tokens, v.encoder)
	}
	return naiveLinear(p, "head.", naiveClassNorm(p, "norm.", y, tokens, width, v.encoder.Epsilon), width, len(p["head.bias"]))
}

func TestVisionTransformer(t *testing.T) {
	input := [3]int{2, 8, 12}
	v := vision{patch: 4, depth: 2, encoder: EncoderOptions{Width: 12, Heads: 3, Hidden: 20, Epsilon: 1e-5}}
	net, err := v.net(input, 10)
	if err != nil {
		t.Fatal(err)
	}
	net = newNet(net)
	rng := rand.New(rand.NewPCG(5, 6))
	net.Init(rng)
	x := NewTensor(3, input[0], input[1], input[2])
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	p := values{}
	for _, q := range net.Params() {
		for i := range q.Value {
			q.Value[i] += float32(0.1 * rng.NormFloat64())
		}
		p[q.Name] = wide(q.Export())
	}
	images := wide(x.Data)
	logits := net.Logits(net.Features(x, Mode{Train: true}), Mode{Train: true})
	if e := distance(wide(logits.Data), naiveVision(p, v, input, images)); !(e <= 1e-5) {
		t.Errorf("logits: relative error %.2g", e)
	}
	d := NewTensor(3, 10)
	for i := range d.Data {
		d.Data[i] = float32(rng.NormFloat64())
	}
	loss := func() float64 {
		var s float64
		for i, v := range naiveVision(p, v, input, images) {
			s += float64(d.Data[i]) * v
		}
		return s
	}
	net.Backward(net.Head.Backward(d.Clone(), true))
	for _, q := range net.Params() {
		grad := q.ExportGrad()
		largest := 0
		for i, g := range grad {
			if math.Abs(float64(g)) > math.Abs(float64(grad[largest])) {
				largest = i
			}
		}
		const h = 1e-4
		at := p[q.Name]
		middle := at[largest]
		at[largest] = middle + h
		up := loss()
		at[largest] = middle - h
		down := loss()
		at[largest] = middle
		if want := (up - down) / (2 * h); !(math.Abs(float64(grad[largest])-want) <= 1e-4*math.Abs(want)) {
			t.Errorf("gradient in %s, element %d: %v, want %v", q.Name, largest, grad[largest], want)
		}
	}
}

func TestTransformerKinds(t *testing.T) {
	const block = 12 // parameters of an encoder block
	for _, c := range []struct {
		kind            string
		input           [3]int
		params, numbers int
		names           []string // the first ones
		blocks, width   int
		epsilon         float64
		trained, lowest int // by the kind's own choice: parameters without the head, and the lowest block that has any
	}{
		{
			kind: "vit-small", input: [3]int{1, 28, 28}, blocks: 6, width: 64, epsilon: 1e-5, trained: block + 2, lowest: 4,
			params:  4 + 4*block + 2 + 2,
			numbers: 64*16 + 64 + 64 + 50*64 + 4*(4*64+3*64*64+3*64+64*64+64+2*64*128+128+64) + 128 + 650,
			names: []string{
				"cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias",
				"blocks.0.norm1.weight", "blocks.0.norm1.bias", "blocks.0.attn.qkv.weight", "blocks.0.attn.qkv.bias",
				"blocks.0.attn.proj.weight", "blocks.0.attn.proj.bias", "blocks.0.norm2.weight", "blocks.0.norm2.bias",
				"blocks.0.mlp.fc1.weight", "blocks.0.mlp.fc1.bias", "blocks.0.mlp.fc2.weight", "blocks.0.mlp.fc2.bias", "blocks.1.norm1.weight",
			},
		},
		{
			kind: "vit-b16", input: [3]int{3, 32, 16}, blocks: 14, width: 768, epsilon: 1e-6, trained: block + 11*4 + 2, lowest: 1,
			params:  4 + 12*block + 2 + 2,
			numbers: 85_798_656 - 194*768 + 768*10 + 10, // timm's without a head, with 3 positions for its 197, and a head
			names:   []string{"cls_token"},
		},
		{
			kind: "mlp", input: [3]int{1, 5, 7}, blocks: 2, width: 64, trained: 2, lowest: 1, params: 6, numbers: 36*256 + 257*64 + 650,
			names: []string{"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "head.weight", "head.bias"},
		},
	} {
		t.Run(c.kind, func(t *testing.T) {
			net, err := New(c.kind, c.input, 10)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			numbers := 0
			for _, p := range net.Params() {
				names = append(names, p.Name)
				numbers += len(p.Value)
			}
			if len(names) != c.params || !slices.Equal(names[:len(c.names)], c.names) || numbers != c.numbers {
				t.Errorf("%d parameters with %d numbers, want %d with %d: %v", len(names), numbers, c.params, c.numbers, names)
			}
			if len(net.Blocks) != c.blocks || net.Width != c.width || net.Classes() != 10 {
				t.Errorf("%d blocks, %d features, %d classes", len(net.Blocks), net.Width, net.Classes())
			}
			for _, b := range net.Blocks {
				walk(b.Name, b.Layer, func(name string, l Layer) {
					if n, ok := l.(*LayerNorm); ok && n.Epsilon != c.epsilon {
						t.Errorf("%s has ε = %v, want %v", name, n.Epsilon, c.epsilon)
					}
				})
				if n, ok := b.Layer.(*ClassNorm); ok && n.norm.Epsilon != c.epsilon {
					t.Errorf("%s has ε = %v, want %v", b.Name, n.norm.Epsilon, c.epsilon)
				}
			}
			if err := net.Freeze(net.Unfrozen...); err != nil {
				t.Fatal(err)
			}
			if got := len(net.Trained()) - 2; got != c.trained || net.Trunk() != c.lowest {
				t.Errorf("%d parameters trained from block %d on, want %d from %d", got, net.Trunk(), c.trained, c.lowest)
			}
		})
	}
	for _, input := range [][3]int{{1, 28, 30}, {1, 27, 28}} {
		if _, err := New("vit-small", input, 10); err == nil || !strings.Contains(err.Error(), "multiples of 4") {
			t.Errorf("images of %v: %v", input, err)
		}
	}
}

// TestTransformerInit holds how parameters are drawn.
func TestTransformerInit(t *testing.T) {
	net, _ := random(t, "vit-small", [3]int{1, 28, 28}, 1)
	for _, p := range net.Params() {
		var s, q float64
		for _, v := range p.Value {
			s += float64(v)
			q += float64(v) * float64(v)
		}
		mean, deviation := s/float64(len(p.Value)), math.Sqrt(q/float64(len(p.Value)))
		var want float64
		switch {
		case strings.Contains(p.Name, "norm") && strings.HasSuffix(p.Name, "weight"):
			want = 1
		case p.Name == "cls_token":
			want = 1e-6
		case strings.HasPrefix(p.Name, "patch_embed"):
			want = 0.25 / math.Sqrt(3) // uniform within ±1/√16
		case strings.HasSuffix(p.Name, "weight"), p.Name == "pos_embed":
			want = 0.02
		}
		if math.Abs(deviation-want) > 0.25*want || want == 1 && deviation != 1 || want != 1 && math.Abs(mean) > 0.6*want {
			t.Errorf("%s: mean %.3g, root mean square %.3g, want %.3g", p.Name, mean, deviation, want)
		}
	}
}

// TestTransformerBits holds that results do not depend on the number of cores.
func TestTransformerBits(t *testing.T) {
	run := func(cores int) [][]float32 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		net, x := random(t, "vit-small", [3]int{1, 28, 28}, 17)
		labels := make([]int, x.N())
		var grad Tensor
		CrossEntropy(net.Logits(net.Features(x, Mode{Train: true}), Mode{}), labels, 0.1, &grad)
		net.Backward(net.Head.Backward(&grad, true))
		var out [][]float32
		for _, p := range net.Params() {
			out = append(out, p.Grad)
		}
		return append(out, grad.Data)
	}
	one, two := run(1), run(2)
	for i := range one {
		if !slices.Equal(one[i], two[i]) {
			t.Fatalf("gradient %d is not the same with one and with two cores", i)
		}
	}
}

func TestTransformerAllocations(t *testing.T) {
	if blas.Kernel() == "gonum" {
		t.Skip("without kernels products are gonum's, which allocate to share themselves out")
	}
	for _, kind := range []string{"vit-small", "mlp"} {
		step := newStep(t, kind, 8)
		step()
		if n := testing.AllocsPerRun(5, step); n > 0 {
			t.Errorf("%s: %v allocations a step", kind, n)
		}
	}
}

func TestMLP(t *testing.T) {
	net, x := random(t, "mlp", [3]int{2, 3, 5}, 7)
	p := values{}
	for _, q := range net.Params() {
		p[q.Name] = wide(q.Export())
	}
	h := wide(x.Data)
	for i, in := range []int{30, 256} {
		h = naiveLinear(p, []string{"layers.0.", "layers.1."}[i], h, in, []int{256, 64}[i])
		for j, v := range h {
			h[j] = max(v, 0)
		}
	}
	features := net.Features(x, Mode{})
	if e := distance(wide(features.Data), h); !(e <= 1e-5) || !slices.Equal(features.Shape, []int{7, 64}) {
		t.Errorf("features %v: relative error %.2g", features.Shape, e)
	}
	for _, c := range []struct {
		in, out int
		shape   []int
	}{{30, 17, []int{5, 2, 3, 5}}, {4, 1, []int{1, 4}}} {
		layerCase{newHidden(c.in, c.out), c.shape, func(p values, x []float64) []float64 {
			y := naiveLinear(p, "", x, c.in, c.out)
			for i, v := range y {
				y[i] = max(v, 0)
			}
			return y
		}}.check(t, 2)
	}
}
