package immunize

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

func gaussianTask(seed uint64, n, d int) Task {
	rng := numtest.Rand(seed)
	t := Task{X: numtest.Gaussian(rng, n, d), Y: numtest.Gaussian(rng, n, 1).RawMatrix().Data}
	if err := t.prepare("test", true); err != nil {
		panic(err)
	}
	return t
}

// The plain form on a batch is the gradient of R(H_b(θ)), H_b = (N/B)·F_bᵀF_b, with p = D and k = k_b.
func TestMinibatchGradient(t *testing.T) {
	for _, c := range []struct{ n, d, b int }{{12, 6, 4}, {12, 6, 6}, {12, 5, 9}, {5, 7, 3}} {
		for _, ill := range []bool{false, true} {
			t.Run(fmt.Sprintf("n=%d,d=%d,b=%d,ill=%v", c.n, c.d, c.b, ill), func(t *testing.T) {
				task := gaussianTask(3, c.n, c.d)
				theta := numtest.Gaussian(numtest.Rand(4), c.d, c.d)
				b := newMinibatch(task, c.b, numtest.Rand(5))
				grad := mat.NewDense(c.d, c.d, nil)
				s, ok := b.gradient(grad, &term{ill: ill}, theta, regularizer.Plain)
				if !ok || s.Rank != min(c.b, c.d) || b.scale != float64(c.n)/float64(c.b) {
					t.Fatalf("ok = %v, k_b = %d, H_b scaled by %v", ok, s.Rank, b.scale)
				}
				factor, err := spectrum.NewFactor(b.x)
				if err != nil {
					t.Fatal(err)
				}
				value := func(x *mat.Dense) float64 {
					h, err := factor.Spectrum(x, false)
					if err != nil {
						t.Fatal(err)
					}
					for i := range h.Sigma {
						h.Sigma[i] *= b.scale
					}
					if ill {
						return regularizer.Ill(h)
					}
					return regularizer.Well(h)
				}
				if e := numtest.GradientError(value, grad, theta, 0.1); e > gradientTolerance {
					t.Errorf("differs from central differences by %.2g", e)
				}
			})
		}
	}
}

// A batch of all rows is the full batch, in every form, whatever the order of the rows.
func TestMinibatchOfAllRows(t *testing.T) {
	for _, c := range []struct{ n, d int }{{12, 6}, {5, 7}, {6, 6}} {
		for _, form := range []regularizer.Form{regularizer.Plain, regularizer.Cancelled, regularizer.PseudoInverse} {
			for _, ill := range []bool{false, true} {
				task := gaussianTask(3, c.n, c.d)
				theta := numtest.Gaussian(numtest.Rand(4), c.d, c.d)
				h, err := task.Factor.Spectrum(theta, true)
				if err != nil {
					t.Fatal(err)
				}
				var inner mat.SymDense
				if ill {
					regularizer.IllInner(&inner, h)
				} else {
					regularizer.WellInner(&inner, h)
				}
				var want, got mat.Dense
				regularizer.Gradient(&want, form, task.Factor, theta, &inner)
				got.ReuseAs(c.d, c.d)
				newMinibatch(task, c.n, numtest.Rand(5)).gradient(&got, &term{ill: ill}, theta, form)
				if e := numtest.MaxRelError(&got, &want); e > 1e-10 {
					t.Errorf("n = %d, d = %d, form %d, ill %v: relative error %.2g", c.n, c.d, form, ill, e)
				}
			}
		}
	}
}

func TestMinibatchSkipsWhatHasNoGradient(t *testing.T) {
	same := mat.NewDense(4, 3, []float64{1, 2, 3, 1, 2, 3, 1, 2, 3, 0, 1, 0})
	zero := mat.NewDense(4, 3, nil)
	orthonormal := mat.NewDense(3, 3, []float64{0, 2, 0, 2, 0, 0, 0, 0, 2})
	for _, c := range []struct {
		name     string
		x        *mat.Dense
		b, rank  int
		ill, use bool
	}{
		{"one row", same, 1, 1, false, false},
		{"zero rows", zero, 2, 0, true, false},
		{"orthonormal rows, R_ill", orthonormal, 2, 2, true, false},
		{"orthonormal rows, R_well", orthonormal, 2, 2, false, true},
	} {
		task := Task{X: c.x}
		if err := task.prepare("test", false); err != nil {
			t.Fatal(err)
		}
		const untouched = 7.0
		dst := mat.NewDense(3, 3, nil)
		dst.Set(1, 1, untouched)
		s, ok := newMinibatch(task, c.b, numtest.Rand(1)).gradient(dst, &term{ill: c.ill}, identity(3), regularizer.Cancelled)
		if ok != c.use || s.Rank != c.rank {
			t.Errorf("%s: ok = %v, k_b = %d; want %v, %d", c.name, ok, s.Rank, c.use, c.rank)
		}
		if !c.use && dst.At(1, 1) != untouched {
			t.Errorf("%s: the destination was changed", c.name)
		}
	}
}

// A batch without a gradient is no end: the next one may have one. With batches of one row none ever has.
func TestMinibatchGoesOn(t *testing.T) {
	same := mat.NewDense(4, 3, []float64{1, 2, 3, 1, 2, 3, 1, 2, 3, 0, 1, 0})
	p := Problem{Primary: Task{X: same}, Harmful: Task{X: same}}
	skipped := 0
	for seed := range uint64(8) {
		o := Options{Step: Normalized, Form: regularizer.Cancelled, Steps: 6, Batch: 2}
		r, err := RillOnly(t.Context(), p, o, numtest.Rand(seed))
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != StepLimit || r.Steps != 6 {
			t.Errorf("seed %d: %s after %d steps", seed, r.Status, r.Steps)
		}
		o.Steps = 1
		if r, err = RillOnly(t.Context(), p, o, numtest.Rand(seed)); err != nil {
			t.Fatal(err)
		}
		if mat.Equal(r.Theta, identity(3)) {
			skipped++
		}
	}
	if skipped == 0 || skipped == 8 {
		t.Errorf("%d of 8 first batches have no gradient: the test needs some", skipped)
	}
	r, err := RillOnly(t.Context(), p, Options{Step: Normalized, Form: regularizer.Cancelled, Steps: 6, Batch: 1}, numtest.Rand(1))
	if err != nil || r.Status != Converged || r.Steps != 0 {
		t.Errorf("batches of one row: %s after %d steps, %v", r.Status, r.Steps, err)
	}
}

// Batches of a lower rank than their shape and their task allow are counted, one after the other, and batches of full rank among
// them as well.
func TestMinibatchRank(t *testing.T) {
	rng := numtest.Rand(6)
	const n, d, size = 40, 6, 5
	x := numtest.Gaussian(rng, n, d)
	for i := range n { // half of the rows lie in a plane
		if i%2 == 0 {
			for j := 2; j < d; j++ {
				x.Set(i, j, 0)
			}
		}
	}
	task := Task{X: x}
	if err := task.prepare("test", false); err != nil {
		t.Fatal(err)
	}
	theta := numtest.Gaussian(rng, d, d)
	b := newMinibatch(task, size, rng)
	seen := map[int]int{}
	got, want := mat.NewDense(d, d, nil), &mat.Dense{}
	for range 60 {
		s, ok := b.gradient(got, &term{ill: true}, theta, regularizer.Cancelled)
		scaled := mat.DenseCopyOf(b.x)
		scaled.Scale(math.Sqrt(b.scale), scaled)
		factor, err := spectrum.NewFactorTol(scaled, 1e-10)
		if err != nil {
			t.Fatal(err)
		}
		h, err := factor.Spectrum(theta, true)
		if err != nil {
			t.Fatal(err)
		}
		seen[s.Rank]++
		if s.Rank != h.Rank || ok != (h.Rank > 1) {
			t.Fatalf("k_b = %d, want %d", s.Rank, h.Rank)
		}
		if e := numtest.RelError(s.SigmaK, h.Sigma[h.Rank-1]); e > 1e-10 {
			t.Errorf("σ_k = %v, want %v", s.SigmaK, h.Sigma[h.Rank-1])
		}
		var inner mat.SymDense
		regularizer.IllInner(&inner, h)
		regularizer.Gradient(want, regularizer.Cancelled, factor, theta, &inner)
		if e := numtest.MaxRelError(got, want); e > 1e-9 {
			t.Errorf("k_b = %d: the gradient is off by %g", s.Rank, e)
		}
	}
	if len(seen) < 3 {
		t.Errorf("ranks %v: the test needs more of them", seen)
	}
}
