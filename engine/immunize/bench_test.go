package immunize

import (
	"fmt"
	"math"
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

// benchSteps times b.N steps of a method between its first step and its last, without the measurement at either end.
func benchSteps(b *testing.B, f Func, p Problem, o Options) {
	b.Helper()
	b.ReportAllocs()
	b.StopTimer()
	o.Steps = b.N + 1
	o.Progress = func(step, steps int) {
		switch step {
		case 1:
			b.ResetTimer()
			b.StartTimer()
		case steps:
			b.StopTimer()
		}
	}
	r, err := f(b.Context(), p, o, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		b.Fatal(err)
	}
	if r.Status != StepLimit {
		b.Fatalf("%s after %d steps: %s", r.Status, r.Steps, r.Reason)
	}
}

// geometricTask has Gaussian rows with columns scaled geometrically from first to last, κ(K) about (last/first)².
func geometricTask(rng *rand.Rand, n, d int, first, last float64) Task {
	t := Task{X: mat.NewDense(n, d, nil), Y: make([]float64, n)}
	for i := range n {
		for j := range d {
			t.X.Set(i, j, rng.NormFloat64()*first*math.Pow(last/first, float64(j)/float64(d-1)))
		}
		t.Y[i] = rng.NormFloat64()
	}
	return t
}

// shortSize is the largest size under -short, with which the commands of documents are tried out.
const shortSize = 200

// BenchmarkAlgorithm1Step is one step over all rows: normalized, with the squared error.
func BenchmarkAlgorithm1Step(b *testing.B) {
	for _, c := range []struct{ d, n int }{{64, 180}, {79, 200}, {784, 5900}} {
		if testing.Short() && c.d > shortSize {
			continue
		}
		b.Run(fmt.Sprintf("d=%d,n=%d", c.d, c.n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			p := Problem{Primary: geometricTask(rng, c.n, c.d, 1, 0.03), Harmful: geometricTask(rng, c.n, c.d, 0.05, 1)}
			if _, err := p.prepare(needPrimary); err != nil {
				b.Fatal(err)
			}
			o := Options{Step: Normalized, StepFraction: 1e-3, LearningRate: 1e-6, Form: regularizer.Cancelled, Supervised: true}
			b.Run("step", func(b *testing.B) { benchSteps(b, Algorithm1, p, o) })
		})
	}
}

// BenchmarkReleasedStep is one step of the released code on 64 rows of either task, with the logistic loss.
func BenchmarkReleasedStep(b *testing.B) {
	const rows = 64
	for _, d := range []int{79, 784} {
		if testing.Short() && d > shortSize {
			continue
		}
		b.Run(fmt.Sprintf("d=%d,batch=%d", d, rows), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			p := Problem{Primary: geometricTask(rng, 4*rows, d, 1, 1), Harmful: geometricTask(rng, 4*rows, d, 1, 1), Loss: Logistic}
			for i, y := range p.Primary.Y {
				p.Primary.Y[i] = 0
				if y > 0 {
					p.Primary.Y[i] = 1
				}
			}
			if _, err := p.prepare(needPrimary); err != nil {
				b.Fatal(err)
			}
			o := Options{
				Batch: rows, LearningRate: 1e-3, RidgeHarmful: 1e-7,
				LambdaPrimary: Lambda{Value: 1}, LambdaHarmful: Lambda{Value: 5e7},
			}
			b.Run("step", func(b *testing.B) { benchSteps(b, Released, p, o) })
		})
	}
}
