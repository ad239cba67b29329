package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The layers of transformers in float64 and in the plainest way: parameters by name, in the order in which the ecosystem has them.

type values map[string][]float64

func naiveLinear(p values, name string, x []float64, in, out int) []float64 {
	y := make([]float64, len(x)/in*out)
	for i := range len(x) / in {
		for o := range out {
			var s float64
			if b := p[name+"bias"]; b != nil {
				s = b[o]
			}
			for k := range in {
				s += x[i*in+k] * p[name+"weight"][o*in+k]
			}
			y[i*out+o] = s
		}
	}
	return y
}

func naiveNorm(p values, name string, x []float64, width int, epsilon float64) []float64 {
	y := make([]float64, len(x))
	for i := 0; i < len(x); i += width {
		var mean, variance float64
		for _, v := range x[i : i+width] {
			mean += v / float64(width)
		}
		for _, v := range x[i : i+width] {
			variance += (v - mean) * (v - mean) / float64(width)
		}
		for j := range width {
			y[i+j] = (x[i+j]-mean)/math.Sqrt(variance+epsilon)*p[name+"weight"][j] + p[name+"bias"][j]
		}
	}
	return y
}

func naiveGELU(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v * (1 + math.Erf(v/math.Sqrt2)) / 2
	}
	return y
}

func naiveAttention(p values, name string, x []float64, tokens, width, heads int) []float64 {
	size := width / heads
	qkv := naiveLinear(p, name+"qkv.", x, width, 3*width)
	out := make([]float64, len(x))
	at := func(token, which, head, k int) float64 { return qkv[token*3*width+which*width+head*size+k] }
	for i := 0; i < len(x)/width; i += tokens {
		for h := range heads {
			for a := range tokens {
				w, sum := make([]float64, tokens), 0.0
				for b := range tokens {
					for k := range size {
						w[b] += at(i+a, 0, h, k) * at(i+b, 1, h, k) / math.Sqrt(float64(size))
					}
					w[b] = math.Exp(w[b])
					sum += w[b]
				}
				for b := range tokens {
					for k := range size {
						out[(i+a)*width+h*size+k] += w[b] / sum * at(i+b, 2, h, k)
					}
				}
			}
		}
	}
	return naiveLinear(p, name+"proj.", out, width, width)
}

func naiveFeedForward(p values, name string, x []float64, width, hidden int) []float64 {
	return naiveLinear(p, name+"fc2.", naiveGELU(naiveLinear(p, name+"fc1.", x, width, hidden)), hidden, width)
}

func naiveEncoder(p values, name string, x []float64, tokens int, o EncoderOptions) []float64 {
	add := func(a, b []float64) []float64 {
		for i := range a {
			a[i] += b[i]
		}
		return a
	}
	h := add(naiveAttention(p, name+"attn.", naiveNorm(p, name+"norm1.", x, o.Width, o.Epsilon), tokens, o.Width, o.Heads), x)
	return add(naiveFeedForward(p, name+"mlp.", naiveNorm(p, name+"norm2.", h, o.Width, o.Epsilon), o.Width, o.Hidden), h)
}

// naiveEmbed takes images of channels×height×width.
func naiveEmbed(p values, x []float64, channels, height, width, patch, dim int) []float64 {
	images := len(x) / (channels * height * width)
	var y []float64
	for i := range images {
		for j, v := range p["cls_token"] {
			y = append(y, v+p["pos_embed"][j])
		}
		token := 1
		for top := 0; top < height; top += patch {
			for left := 0; left < width; left += patch {
				for o := range dim {
					s := p["patch_embed.proj.bias"][o] + p["pos_embed"][token*dim+o]
					for c := range channels {
						for dy := range patch {
							for dx := range patch {
								s += p["patch_embed.proj.weight"][((o*channels+c)*patch+dy)*patch+dx] *
									x[((i*channels+c)*height+top+dy)*width+left+dx]
							}
						}
					}
					y = append(y, s)
				}
				token++
			}
		}
	}
	return y
}

func naiveClassNorm(p values, name string, x []float64, tokens, width int, epsilon float64) []float64 {
	var class []float64
	for i := 0; i < len(x); i += tokens * width {
		class = append(class, x[i:i+width]...)
	}
	return naiveNorm(p, name, class, width, epsilon)
}

// layerCase is a layer with the function that it is meant to be.
type layerCase struct {
	layer Layer
	shape []int // of x
	naive func(p values, x []float64) []float64
}

// gradientsPerParam is the number of elements of a parameter whose derivative is computed: a central difference is two whole passes.
const gradientsPerParam = 12

// check compares a layer's pass, and its gradients in x and in all parameters, with the naive function and its central differences.
func (c layerCase) check(t *testing.T, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	p := values{}
	walk("", c.layer, func(name string, l Layer) {
		for _, q := range l.Params() {
			q.fill(normal(0.5), rng)
			if n, ok := l.(*LayerNorm); ok && q == n.weight {
				for i := range q.Value {
					q.Value[i]++
				}
			}
			p[join(name, q.Name)] = wide(q.Export())
		}
	})
	x := NewTensor(c.shape...)
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	// What a layer keeps from other images of another number must not matter.
	shape := slices.Clone(c.shape)
	shape[0] += 2
	if len(shape) == 3 { // of tokens
		shape[1] += 2
	}
	before := NewTensor(shape...)
	for i := range before.Data {
		before.Data[i] = float32(rng.NormFloat64())
	}
	c.layer.Backward(c.layer.Forward(before, Mode{}).Clone(), true)
	walk("", c.layer, func(_ string, l Layer) {
		for _, q := range l.Params() {
			clear(q.Grad)
		}
	})
	input := wide(x.Data)
	want := c.naive(p, input)
	y := c.layer.Forward(x, Mode{})
	if len(y.Data) != len(want) {
		t.Fatalf("%d numbers (%v), want %d", len(y.Data), y.Shape, len(want))
	}
	if e := distance(wide(y.Data), want); !(e <= 1e-5) {
		t.Errorf("output: relative error %.2g", e)
	}
	dy := NewTensor(y.Shape...)
	for i := range dy.Data {
		dy.Data[i] = float32(rng.NormFloat64())
	}
	weights := wide(dy.Data)
	loss := func() float64 {
		var s float64
		for i, v := range c.naive(p, input) {
			s += weights[i] * v
		}
		return s
	}
	dx := c.layer.Backward(dy.Clone(), true)
	if !slices.Equal(dx.Shape, x.Shape) {
		t.Fatalf("gradient in x is %v, want %v", dx.Shape, x.Shape)
	}
	compare := func(name string, at []float64, got []float32) {
		t.Helper()
		indices := rng.Perm(len(at))
		indices = indices[:min(len(at), gradientsPerParam)]
		var g, w []float64
		for _, i := range indices {
			const h = 1e-4
			v := at[i]
			at[i] = v + h
			up := loss()
			at[i] = v - h
			down := loss()
			at[i] = v
			g, w = append(g, float64(got[i])), append(w, (up-down)/(2*h))
		}
		if e := distance(g, w); !(e <= 1e-4) {
			t.Errorf("gradient in %s: relative error %.2g", name, e)
		}
	}
	compare("x", input, dx.Data)
	first := map[string][]float32{}
	walk("", c.layer, func(name string, l Layer) {
		for _, q := range l.Params() {
			full := join(name, q.Name)
			compare(full, p[full], q.ExportGrad())
			first[full] = slices.Clone(q.Grad)
		}
	})
	// A second pass adds the same again; without want there is no gradient in x, and the same in parameters.
	c.layer.Forward(x, Mode{})
	if d := c.layer.Backward(dy.Clone(), false); d != nil {
		t.Errorf("a gradient in x that was not wanted")
	}
	walk("", c.layer, func(name string, l Layer) {
		for _, q := range l.Params() {
			for i, g := range first[join(name, q.Name)] {
				if d := math.Abs(float64(q.Grad[i] - 2*g)); !(d <= 1e-4*(1+math.Abs(float64(g)))) {
					t.Fatalf("gradient in %s after two passes: %v, want twice %v", join(name, q.Name), q.Grad[i], g)
				}
			}
		}
	})
}

// distance is max|got − want|/max|want|, +Inf where it is not a number.
func distance(got, want []float64) float64 {
	var worst, scale float64
	for i, w := range want {
		d := math.Abs(got[i] - w)
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		worst, scale = max(worst, d), max(scale, math.Abs(w))
	}
	if scale == 0 {
		return worst
	}
	return worst / scale
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
