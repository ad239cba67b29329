package immunize

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/regularizer"
)

// benchProblem is a full-rank problem of the size of one pair of digits.
func benchProblem(n, d int) Problem {
	rng := rand.New(rand.NewPCG(1, 2))
	task := func(flip bool) Task {
		x := mat.NewDense(n, d, nil)
		y := make([]float64, n)
		for i := range n {
			for j := range d {
				scale := float64(j+1) / float64(d)
				if flip {
					scale = 1.1 - scale
				}
				x.Set(i, j, scale*rng.NormFloat64())
			}
			y[i] = rng.NormFloat64()
		}
		return Task{X: x, Y: y}
	}
	p := Problem{Primary: task(false), Harmful: task(true)}
	if _, err := p.prepare(0); err != nil {
		panic(err)
	}
	return p
}

func BenchmarkMethods(b *testing.B) {
	p := benchProblem(178, 64)
	balanced := Lambda{Balance: true}
	for _, c := range []struct {
		name string
		f    Func
		o    Options
	}{
		{"identity", Identity, Options{}},
		{"immunize", Algorithm1, Options{Form: regularizer.Cancelled, LambdaPrimary: balanced, LambdaHarmful: balanced, Supervised: true}},
		{"immunize,batch=64", Algorithm1, Options{Batch: 64, Form: regularizer.Cancelled, LambdaPrimary: balanced, LambdaHarmful: balanced, Supervised: true}},
		{"rill-only", RillOnly, Options{Step: Normalized, Form: regularizer.Cancelled}},
		{"opt-kappa", OptKappa, Options{Step: Normalized}},
		{"imma", IMMA, Options{Step: Normalized}},
		{"released,batch=64", Released, Options{Batch: 64, LambdaPrimary: Lambda{Value: 100}, LambdaHarmful: Lambda{Value: 1e7}}},
	} {
		c.o.Steps = 100
		b.Run(c.name+"/d=64,steps=100", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.f(b.Context(), p, c.o, rand.New(rand.NewPCG(1, 2))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
