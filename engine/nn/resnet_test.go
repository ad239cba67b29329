package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

func TestBatchNorm2d(t *testing.T) {
	for _, c := range []struct{ n, h, w, c int }{{2, 1, 1, 1}, {3, 7, 5, 3}, {5, 4, 4, 16}, {2, 3, 2, 17}, {1, 5, 5, 4}} {
		for _, train := range []bool{true, false} {
			t.Run(fmt.Sprintf("%+v/%v", c, train), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 2))
				l := NewBatchNorm2d(c.c)
				randomize(l, rng)
				x := randomLike(newMaps(c.n, c.h, c.w, c.c), rng)
				before := valuesOf(l)
				checkLayer(t, l, x, Mode{Train: train}, func(x maps64, v values64) maps64 { return naiveBatchNorm(x, v, "", train) })
				checkRunning(t, l, fromTensor(x), before, train)
			})
		}
	}
}

// checkRunning compares the running statistics after one pass over x with what they were before.
func checkRunning(t *testing.T, l *BatchNorm2d, x maps64, before values64, moved bool) {
	t.Helper()
	n := float64(x.n * x.h * x.w)
	for c := range x.c {
		mean, variance := before["running_mean"][c], before["running_var"][c]
		if moved {
			mu, sigma := 0.0, 0.0
			for i := c; i < len(x.v); i += x.c {
				mu += x.v[i] / n
			}
			for i := c; i < len(x.v); i += x.c {
				sigma += (x.v[i] - mu) * (x.v[i] - mu) / (n - 1)
			}
			mean, variance = 0.9*mean+0.1*mu, 0.9*variance+0.1*sigma
		}
		if math.Abs(float64(l.mean.Value[c])-mean) > 1e-6 || math.Abs(float64(l.variance.Value[c])-variance) > 1e-6 {
			t.Fatalf("running statistics %v, %v, want %v, %v", l.mean.Value[c], l.variance.Value[c], mean, variance)
		}
	}
}

func TestFrozenBatchNormStandsStill(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	l := NewBatchNorm2d(3)
	randomize(l, rng)
	for _, p := range l.Params() {
		p.Frozen = true
	}
	x, before := randomLike(newMaps(4, 3, 3, 3), rng), valuesOf(l)
	got := fromTensor(l.Forward(x, Mode{Train: true}))
	for i, want := range naiveBatchNorm(fromTensor(x), before, "", false).v {
		if math.Abs(got.v[i]-want) > 1e-5 {
			t.Fatalf("output %d is %v, want %v", i, got.v[i], want)
		}
	}
	checkRunning(t, l, fromTensor(x), before, false)
}

func TestBatchNormOfShiftedMaps(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	l := NewBatchNorm2d(2)
	x := randomLike(newMaps(3, 4, 4, 2), rng)
	m := fromTensor(x)
	for i := range m.n {
		for p := range m.h * m.w {
			for k := range m.c {
				x.Data[place(x, i, p/m.w, p%m.w, k)] += 1000 // a deviation of a thousandth
			}
		}
	}
	got := fromTensor(l.Forward(x, Mode{Train: true}))
	for i, want := range naiveBatchNorm(fromTensor(x), valuesOf(l), "", true).v {
		if math.Abs(got.v[i]-want) > 3e-4 { // 1000 has a spacing of 6e-5
			t.Fatalf("output %d is %v, want %v", i, got.v[i], want)
		}
	}
}

func TestMaxPool2d(t *testing.T) {
	for _, c := range []struct{ h, w, kernel, stride, pad int }{{1, 1, 3, 2, 1}, {7, 5, 3, 2, 1}, {8, 6, 3, 2, 1}, {5, 5, 2, 2, 0}, {4, 4, 3, 1, 1}} {
		rng := rand.New(rand.NewPCG(1, 2))
		x := randomLike(newMaps(2, c.h, c.w, 3), rng)
		checkLayer(t, NewMaxPool2d(c.kernel, c.stride, c.pad), x, Mode{}, func(x maps64, _ values64) maps64 {
			return naivePool(x, c.kernel, c.stride, c.pad)
		})
	}
	l := NewMaxPool2d(3, 2, 1)
	x := randomLike(newMaps(1, 3, 3, 1), rand.New(rand.NewPCG(1, 2)))
	x.Data[place(x, 0, 1, 1, 0)] = float32(math.NaN())
	for _, v := range fromTensor(l.Forward(x, Mode{})).v {
		if v == v {
			t.Error("a NaN in the window was lost")
		}
	}
}

func TestAvgPool(t *testing.T) {
	for _, c := range [][3]int{{1, 1, 1}, {7, 5, 17}, {2, 3, 64}} {
		x := randomLike(newMaps(3, c[0], c[1], c[2]), rand.New(rand.NewPCG(1, 2)))
		checkLayer(t, NewAvgPool(), x, Mode{}, func(x maps64, _ values64) maps64 { return naiveAverage(x) })
	}
}

func TestBasicBlock(t *testing.T) {
	for _, c := range []struct{ n, h, w, in, out, stride int }{
		{5, 1, 3, 1, 2, 2},
		{5, 7, 5, 3, 3, 1},
		{5, 7, 5, 3, 16, 2},
		{5, 6, 4, 16, 17, 2},
		{5, 4, 4, 3, 4, 1},
		{9, 2, 3, 32, 32, 1},
		{9, 3, 3, 16, 32, 2}, // several partial gradients, by minimal filtering
	} {
		for _, train := range []bool{true, false} {
			t.Run(fmt.Sprintf("%+v/%v", c, train), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(7, 2))
				l := NewBasicBlock(c.in, c.out, c.stride)
				randomize(l, rng)
				x := randomLike(newMaps(c.n, c.h, c.w, c.in), rng)
				checkLayer(t, l, x, Mode{Train: train}, func(x maps64, v values64) maps64 {
					return naiveBlock(x, v, "", c.out, c.stride, train)
				})
			})
		}
	}
}

// whole is a net as one layer.
type whole struct{ *Net }

func (w whole) Forward(x *Tensor, mode Mode) *Tensor { return w.Logits(w.Features(x, mode), mode) }

func (w whole) Backward(dy *Tensor, _ bool) *Tensor {
	d := w.Head.Backward(dy, true)
	for i := len(w.Blocks) - 1; i >= 0; i-- {
		d = w.Blocks[i].Backward(d, true)
	}
	return d
}

func (w whole) Parts() []Part { return append(slices.Clone(w.Blocks), w.Head) }

func (w whole) Params() []*Param { return nil }

func TestResNets(t *testing.T) {
	for _, c := range []struct {
		kind  string
		input [3]int
		r     residual
	}{
		{"resnet-small", [3]int{1, 7, 6}, resNetSmall},
		{"resnet-small", [3]int{3, 5, 8}, resNetSmall},
		{"resnet18", [3]int{3, 17, 9}, resNet18},
	} {
		t.Run(fmt.Sprint(c.kind, c.input), func(t *testing.T) {
			n, err := New(c.kind, c.input, 3)
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(1, 2))
			n.Init(rng)
			if c.kind == "resnet18" {
				checkOutput(t, n, c.r, rng)
				return
			}
			x := randomLike(NewTensor(4, c.input[0], c.input[1], c.input[2]), rng)
			checkLayer(t, whole{n}, x, Mode{Train: true}, func(x maps64, v values64) maps64 { return naiveNet(x, v, c.r, true) })
		})
	}
}

// checkOutput compares the output only.
func checkOutput(t *testing.T, n *Net, r residual, rng *rand.Rand) {
	x := randomLike(NewTensor(2, n.Input[0], n.Input[1], n.Input[2]), rng)
	want := naiveNet(fromTensor(x), valuesOf(whole{n}), r, false)
	got := fromTensor(whole{n}.Forward(x, Mode{}))
	for i := range want.v {
		if math.Abs(got.v[i]-want.v[i]) > 1e-4*math.Max(1, math.Abs(want.v[i])) {
			t.Fatalf("logit %d is %v, want %v", i, got.v[i], want.v[i])
		}
	}
}

func naiveNet(x maps64, v values64, r residual, batch bool) maps64 {
	x = naiveReLU(naiveBatchNorm(naiveConv(x, v["conv1.weight"], nil, r.widths[0], r.kernel, r.stride, r.kernel/2), v, "bn1", batch))
	if r.pool {
		x = naivePool(x, 3, 2, 1)
	}
	for s, out := range r.widths {
		for b := range 2 {
			stride := 1
			if s > 0 && b == 0 {
				stride = 2
			}
			x = naiveBlock(x, v, fmt.Sprintf("layer%d.%d", s+1, b), out, stride, batch)
		}
	}
	x = naiveAverage(x)
	return naiveConv(x, v["fc.weight"], v["fc.bias"], len(v["fc.bias"]), 1, 1, 0)
}

// step is one of training without the optimizer.
func step(n *Net, x, dy *Tensor) {
	n.ZeroGrad()
	n.Logits(n.Features(x, Mode{Train: true}), Mode{Train: true})
	n.Backward(n.Head.Backward(dy, true))
}

func smallStep(t testing.TB, batch int) (n *Net, x, dy *Tensor) {
	t.Helper()
	n, err := New("resnet-small", [3]int{1, 28, 28}, 10)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	n.Init(rng)
	return n, randomLike(NewTensor(batch, 1, 28, 28), rng), randomLike(NewTensor(batch, 10), rng)
}

func TestResNetStepIsTheSameOnAnyCores(t *testing.T) {
	var grads [2][]float32
	for i, cores := range []int{1, 2} {
		before := runtime.GOMAXPROCS(cores)
		n, x, dy := smallStep(t, 19)
		step(n, x, dy)
		runtime.GOMAXPROCS(before)
		for _, p := range n.Params() {
			grads[i] = append(append(grads[i], p.Value...), p.Grad...)
		}
	}
	if !slices.Equal(grads[0], grads[1]) {
		t.Error("the gradients depend on the number of cores")
	}
}

func TestResNetStepAllocatesNothing(t *testing.T) {
	n, x, dy := smallStep(t, 9)
	step(n, x, dy)
	if got := testing.AllocsPerRun(3, func() { step(n, x, dy) }); got > 0 {
		t.Errorf("%v allocations a step", got)
	}
}

func TestResNetFrozenBelow(t *testing.T) {
	n, x, dy := smallStep(t, 5)
	if err := n.Freeze(n.Unfrozen...); err != nil {
		t.Fatal(err)
	}
	if n.Trunk() != 5 || n.Blocks[5].Name != "layer3.0" {
		t.Fatalf("a trunk of %d blocks", n.Trunk())
	}
	before := n.Clone()
	step(n, x, dy)
	for i, p := range n.Params() {
		in := within("layer3", p.Name) || within("fc", p.Name)
		if (p.Grad != nil) != (in && !p.Buffer) {
			t.Errorf("%s: gradient of length %d", p.Name, len(p.Grad))
		}
		if !in && !slices.Equal(p.Value, before.Params()[i].Value) {
			t.Errorf("%s changed", p.Name)
		}
	}
}
