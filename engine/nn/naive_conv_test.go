package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// maps64 are N×H×W×C maps without a border, in float64: the tests' own arithmetic is on them.
type maps64 struct {
	n, h, w, c int
	v          []float64
}

func newMaps64(n, h, w, c int) maps64 { return maps64{n, h, w, c, make([]float64, n*h*w*c)} }

func (m maps64) at(i, y, x, k int) *float64 { return &m.v[((i*m.h+y)*m.w+x)*m.c+k] }

// values64 are the values of parameters by name, in the order of their shapes.
type values64 map[string][]float64

func valuesOf(l Layer) values64 {
	out := make(values64)
	walk("", l, func(name string, l Layer) {
		for _, p := range l.Params() {
			v := p.Export()
			to := make([]float64, len(v))
			for i := range v {
				to[i] = float64(v[i])
			}
			out[join(name, p.base())] = to
		}
	})
	return out
}

// base is the last part of the name.
func (p *Param) base() string {
	for i := len(p.Name) - 1; i >= 0; i-- {
		if p.Name[i] == '.' {
			return p.Name[i+1:]
		}
	}
	return p.Name
}

func naiveConv(x maps64, w, bias []float64, out, k, s, p int) maps64 {
	y := newMaps64(x.n, (x.h+2*p-k)/s+1, (x.w+2*p-k)/s+1, out)
	taps := make([]float64, len(w)) // in last
	for o := range out {
		for in := range x.c {
			for t := range k * k {
				taps[(o*k*k+t)*x.c+in] = w[(o*x.c+in)*k*k+t]
			}
		}
	}
	for i := range y.n {
		for r := range y.h {
			for c := range y.w {
				for o := range out {
					sum := 0.0
					if bias != nil {
						sum = bias[o]
					}
					for ky := range k {
						for kx := range k {
							yy, xx := r*s+ky-p, c*s+kx-p
							if yy < 0 || yy >= x.h || xx < 0 || xx >= x.w {
								continue
							}
							tap := taps[((o*k+ky)*k+kx)*x.c:][:x.c]
							for in, v := range x.v[((i*x.h+yy)*x.w+xx)*x.c:][:x.c] {
								sum += v * tap[in]
							}
						}
					}
					*y.at(i, r, c, o) = sum
				}
			}
		}
	}
	return y
}

// naiveBatchNorm normalizes with the batch's statistics, or the running ones.
func naiveBatchNorm(x maps64, v values64, prefix string, batch bool) maps64 {
	y := newMaps64(x.n, x.h, x.w, x.c)
	pixels := x.n * x.h * x.w
	for c := range x.c {
		mean, variance := v[join(prefix, "running_mean")][c], v[join(prefix, "running_var")][c]
		if batch {
			mean, variance = 0, 0
			for p := range pixels {
				mean += x.v[p*x.c+c] / float64(pixels)
			}
			for p := range pixels {
				variance += (x.v[p*x.c+c] - mean) * (x.v[p*x.c+c] - mean) / float64(pixels)
			}
		}
		for p := range pixels {
			y.v[p*x.c+c] = (x.v[p*x.c+c]-mean)/math.Sqrt(variance+1e-5)*v[join(prefix, "weight")][c] + v[join(prefix, "bias")][c]
		}
	}
	return y
}

func naiveReLU(x maps64) maps64 {
	y := newMaps64(x.n, x.h, x.w, x.c)
	for i, v := range x.v {
		y.v[i] = max(v, 0)
	}
	return y
}

func naivePool(x maps64, k, s, p int) maps64 {
	y := newMaps64(x.n, (x.h+2*p-k)/s+1, (x.w+2*p-k)/s+1, x.c)
	for i := range y.n {
		for r := range y.h {
			for c := range y.w {
				for o := range x.c {
					best := math.Inf(-1)
					for yy := max(0, r*s-p); yy < min(x.h, r*s-p+k); yy++ {
						for xx := max(0, c*s-p); xx < min(x.w, c*s-p+k); xx++ {
							best = max(best, *x.at(i, yy, xx, o))
						}
					}
					*y.at(i, r, c, o) = best
				}
			}
		}
	}
	return y
}

func naiveAverage(x maps64) maps64 {
	y := newMaps64(x.n, 1, 1, x.c)
	for i := range x.v {
		y.v[i/(x.h*x.w*x.c)*x.c+i%x.c] += x.v[i] / float64(x.h*x.w)
	}
	return y
}

func naiveBlock(x maps64, v values64, prefix string, out, stride int, batch bool) maps64 {
	norm := func(m maps64, name string) maps64 { return naiveBatchNorm(m, v, join(prefix, name), batch) }
	h := naiveReLU(norm(naiveConv(x, v[join(prefix, "conv1.weight")], nil, out, 3, stride, 1), "bn1"))
	h = norm(naiveConv(h, v[join(prefix, "conv2.weight")], nil, out, 3, 1, 1), "bn2")
	if w := v[join(prefix, "downsample.0.weight")]; w != nil {
		x = norm(naiveConv(x, w, nil, out, 1, stride, 0), "downsample.1")
	}
	for i := range h.v {
		h.v[i] += x.v[i]
	}
	return naiveReLU(h)
}

// fromTensor copies maps or images.
func fromTensor(t *Tensor) maps64 {
	if len(t.Shape) == 2 {
		m := newMaps64(t.Shape[0], 1, 1, t.Shape[1])
		for i, v := range t.Data {
			m.v[i] = float64(v)
		}
		return m
	}
	n, h, w, c := t.Maps()
	if !t.Border {
		h, w, c = w, c, h
	}
	m := newMaps64(n, h, w, c)
	for i := range n {
		for y := range h {
			for x := range w {
				for k := range c {
					*m.at(i, y, x, k) = float64(t.Data[place(t, i, y, x, k)])
				}
			}
		}
	}
	return m
}

// place is the index of a number in the data of maps or images.
func place(t *Tensor, i, y, x, k int) int {
	if len(t.Shape) == 2 {
		return i*t.Shape[1] + k
	}
	if !t.Border {
		return ((i*t.Shape[1]+k)*t.Shape[2]+y)*t.Shape[3] + x
	}
	return t.Lead() + i*t.SampleSize() + (y*(t.Shape[2]+1)+x)*t.Shape[3] + k
}

// randomLike fills the pixels of a tensor.
func randomLike(t *Tensor, rng *rand.Rand) *Tensor {
	m := fromTensor(t)
	for i := range m.n {
		for y := range m.h {
			for x := range m.w {
				for k := range m.c {
					t.Data[place(t, i, y, x, k)] = float32(rng.NormFloat64())
				}
			}
		}
	}
	return t
}

func checkBorder(t *testing.T, what string, x *Tensor) {
	t.Helper()
	if !x.Border {
		return
	}
	y := x.Clone()
	m := fromTensor(x)
	for i := range m.n {
		for r := range m.h {
			for c := range m.w {
				for k := range m.c {
					y.Data[place(x, i, r, c, k)] = 0
				}
			}
		}
	}
	for _, v := range y.Data {
		if v != 0 {
			t.Fatalf("%s: the border is not zero", what)
		}
	}
}

// randomize gives every parameter values as they may be in training.
func randomize(l Layer, rng *rand.Rand) {
	walk("", l, func(_ string, l Layer) {
		for _, p := range l.Params() {
			scale := 1 / math.Sqrt(float64(len(p.Value))/float64(max(1, slices.Max(append(p.Shape, 1)[:1]))))
			p.fill(func(rng *rand.Rand) float64 {
				switch p.base() {
				case "running_var":
					return 0.5 + rng.Float64()
				}
				if len(p.Shape) == 1 {
					return rng.NormFloat64()
				}
				return scale * rng.NormFloat64()
			}, rng)
		}
	})
}

// checkLayer compares a layer with its definition in float64: the output, and the gradients of Σ dy·y with dy random, in some of
// the numbers of the input and of every parameter, with central differences.
func checkLayer(t *testing.T, l Layer, x *Tensor, mode Mode, define func(x maps64, v values64) maps64) {
	t.Helper()
	const tolerance = 1e-4
	rng := rand.New(rand.NewPCG(5, 6))
	values, input := valuesOf(l), fromTensor(x)
	want := define(input, values)
	kept := x.Clone()
	y := l.Forward(x, mode)
	checkBorder(t, "output", y)
	got := fromTensor(y)
	if got.n != want.n || got.h != want.h || got.w != want.w || got.c != want.c {
		t.Fatalf("output of %d×%d×%d×%d, want %d×%d×%d×%d", got.n, got.h, got.w, got.c, want.n, want.h, want.w, want.c)
	}
	size := 0.0
	for _, v := range want.v {
		size = max(size, math.Abs(v))
	}
	for i := range want.v {
		if math.Abs(got.v[i]-want.v[i]) > tolerance*size {
			t.Fatalf("output %d is %v, want %v", i, got.v[i], want.v[i])
		}
	}
	dy := randomLike(&Tensor{Shape: slices.Clone(y.Shape), Border: y.Border, Data: make([]float32, len(y.Data))}, rng)
	weights := fromTensor(dy)
	loss := func() float64 {
		sum := 0.0
		for i, v := range define(input, values).v {
			sum += v * weights.v[i]
		}
		return sum
	}
	dx := l.Backward(dy, true)
	checkBorder(t, "gradient", dx)
	if !slices.Equal(x.Data, kept.Data) {
		t.Fatal("the input was changed")
	}
	compare := func(name string, at []float64, got []float64) {
		t.Helper()
		if len(at) != len(got) {
			t.Fatalf("%s: %d numbers in the gradient, want %d", name, len(got), len(at))
		}
		const h = 1e-6
		size := 0.0
		for _, v := range got {
			size = max(size, math.Abs(v))
		}
		tries := 24
		if len(values) > 20 { // a net takes long
			tries = rng.IntN(2)
		}
		for range min(len(at), tries) {
			i := rng.IntN(len(at))
			old := at[i]
			at[i] = old + h
			up := loss()
			at[i] = old - h
			down := loss()
			at[i] = old
			if want := (up - down) / (2 * h); math.Abs(got[i]-want) > tolerance*max(size, 1e-2) {
				t.Fatalf("gradient in %s, number %d: %v, want %v", name, i, got[i], want)
			}
		}
	}
	compare("x", input.v, fromTensor(dx).v)
	walk("", l, func(name string, l Layer) {
		for _, p := range l.Params() {
			if p.Buffer {
				continue
			}
			var grad []float64
			for _, v := range p.ExportGrad() {
				grad = append(grad, float64(v))
			}
			compare(join(name, p.base()), values[join(name, p.base())], grad)
		}
	})
}
