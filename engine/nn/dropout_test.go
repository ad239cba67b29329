package nn

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

func TestDropout(t *testing.T) {
	const n = 20000
	x, dy := NewTensor(n/10, 10), NewTensor(n/10, 10)
	for i := range x.Data {
		x.Data[i], dy.Data[i] = 1, float32(i)
	}
	for _, p := range []float64{0.1, 0.5, 0.9} {
		l := NewDropout(p)
		y := l.Forward(x, Mode{Train: true, Rand: rand.New(rand.NewPCG(1, 1))})
		var sum float64
		dropped := 0
		for _, v := range y.Data {
			sum += float64(v)
			if v == 0 {
				dropped++
			} else if math.Abs(float64(v)-1/(1-p)) > 1e-6 {
				t.Fatalf("p = %v: 1 became %v", p, v)
			}
		}
		if d := 5 * math.Sqrt(p/(1-p)/n); math.Abs(sum/n-1) > d || math.Abs(float64(dropped)/n-p) > d {
			t.Errorf("p = %v: mean %v, dropped %d of %d", p, sum/n, dropped, n)
		}
		dx := l.Backward(dy, true)
		for i, v := range dx.Data {
			if v != y.Data[i]*dy.Data[i] {
				t.Fatalf("p = %v: gradient %v in element %d, whose factor is %v, for %v", p, v, i, y.Data[i], dy.Data[i])
			}
		}
		if l.Backward(dy, false) != nil {
			t.Errorf("a gradient that was not wanted")
		}
		if again := NewDropout(p).Forward(x, Mode{Train: true, Rand: rand.New(rand.NewPCG(1, 1))}); !slices.Equal(again.Data, y.Data) {
			t.Errorf("p = %v: the same random numbers drop something else", p)
		}
		if l.Forward(x, Mode{}) != x || l.Backward(dy, true) != dy {
			t.Errorf("p = %v: it drops outside of training", p)
		}
	}
	if y := NewDropout(1).Forward(x, Mode{Train: true, Rand: rand.New(rand.NewPCG(1, 1))}); slices.ContainsFunc(y.Data, func(v float32) bool { return v != 0 }) {
		t.Errorf("p = 1 leaves something")
	}
	for _, p := range []float64{-0.1, 1.1, math.NaN()} {
		func() {
			defer func() {
				if recover() != badDropout {
					t.Errorf("p = %v did not panic", p)
				}
			}()
			NewDropout(p)
		}()
	}
	defer func() {
		if recover() != noRandom {
			t.Errorf("no panic without random numbers")
		}
	}()
	NewDropout(0.5).Forward(x, Mode{Train: true})
}

// TestEncoderDropout holds that a block drops what its two parts give, that its gradient is that of what it did, and that neither
// depends on the number of cores.
func TestEncoderDropout(t *testing.T) {
	run := func(cores int, shift, early float32) (y, dx, dw []float32, b *EncoderBlock) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		b = NewEncoderBlock(EncoderOptions{Width: 8, Heads: 2, Hidden: 12, Epsilon: 1e-5, Dropout: 0.5})
		rng := rand.New(rand.NewPCG(7, 8))
		walk("", b, func(_ string, l Layer) {
			for _, p := range l.Params() {
				p.fill(normal(0.5), rng)
			}
		})
		x := NewTensor(40, 5, 8)
		for i := range x.Data {
			x.Data[i] = float32(rng.NormFloat64())
		}
		b.mlp.fc2.bias.Value[3] += shift
		b.attn.proj.bias.Value[3] += early
		y = b.Forward(x, Mode{Train: true, Rand: rand.New(rand.NewPCG(9, 9))}).Data
		dy := NewTensor(40, 5, 8)
		for i := range dy.Data {
			dy.Data[i] = 1
		}
		return y, b.Backward(dy, true).Data, b.mlp.fc2.bias.Grad, b
	}
	y, dx, dw, b := run(1, 0, 0)
	y2, dx2, dw2, _ := run(2, 0, 0)
	if !slices.Equal(y, y2) || !slices.Equal(dx, dx2) || !slices.Equal(dw, dw2) {
		t.Errorf("results depend on the number of cores")
	}
	var kept float64
	for i := 3; i < len(b.drop2.scale); i += 8 {
		kept += float64(b.drop2.scale[i])
	}
	if math.Abs(kept-float64(dw[3])) > 1e-3 {
		t.Errorf("gradient in the bias of fc2 is %v, want the sum of what was kept, %v", dw[3], kept)
	}
	moved := func(up, down []float32) (d float64) {
		for i := range up {
			d += float64(up[i] - down[i])
		}
		return d
	}
	up, _, _, _ := run(1, 0.5, 0)
	if d := moved(up, y); math.Abs(d-0.5*kept) > 1e-2 {
		t.Errorf("the bias of fc2 moves the sum by %v, want %v", d, 0.5*kept)
	}
	const h = 0.01
	up, _, _, _ = run(1, 0, h)
	down, _, _, _ := run(1, 0, -h)
	want := float64(b.attn.proj.bias.Grad[3])
	if d := moved(up, down) / (2 * h); math.Abs(d-want) > 0.01*math.Abs(want) {
		t.Errorf("the derivative in the bias of proj is %v, its gradient %v", d, want)
	}
}
