package nn

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkStep is a training step of a whole net as PyTorch is timed: 64 images of 28×28, label smoothing, SGD
// with Nesterov's momentum.
func BenchmarkStep(b *testing.B) {
	for _, kind := range []string{"resnet-small", "vit-small"} {
		b.Run(kind, func(b *testing.B) {
			_, before, _ := resident()
			step := newStep(b, kind, 64)
			for range 3 {
				step()
			}
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
			reportPeak(b, before)
		})
	}
}

// newStep returns a training step of a net on n random images.
func newStep(t testing.TB, kind string, n int) (step func()) {
	net, err := New(kind, [3]int{1, 28, 28}, 10)
	if err != nil {
		t.Skip(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	net.Init(rng)
	x, labels := NewTensor(n, 1, 28, 28), make([]int, n)
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	for i := range labels {
		labels[i] = rng.IntN(10)
	}
	optimizer := NewSGD(net.Trained(), 0.9, true, 0)
	var grad Tensor
	return func() {
		mode := Mode{Train: true}
		net.ZeroGrad()
		CrossEntropy(net.Logits(net.Features(x, mode), mode), labels, 0.1, &grad)
		net.Backward(net.Head.Backward(&grad, true))
		optimizer.Step(0.01)
	}
}
