package regularizer

import (
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/spectrum"
)

// The projection in the memory of a workspace is that of the factor, at every rank.
func TestProject(t *testing.T) {
	rng := numtest.Rand(23)
	const d = 7
	var w Workspace
	for rank := range d + 1 {
		values := make([]float64, d)
		copy(values, numtest.Geometric(5, 0.3, max(rank, 1))[:rank])
		f := factor(t, numtest.WithSingularValues(rng, 9, d, values))
		if rank == 0 {
			f = factor(t, mat.NewDense(9, d, nil))
		}
		if f.Rank() != rank {
			t.Fatalf("rank %d, want %d", f.Rank(), rank)
		}
		a := numtest.Poisoned(d, 4)
		a.Copy(numtest.Gaussian(rng, d, 4))
		var want mat.Dense
		f.ProjectRange(&want, a)
		w.project(f, a.RawMatrix())
		var diff mat.Dense
		diff.Sub(a, &want)
		if e := mat.Norm(&diff, 2); e > 1e-13 || !numtest.Intact(a) {
			t.Errorf("rank %d: off by %g", rank, e)
		}
	}
}

// AddLogKappa adds a multiple of the gradient and says how long the gradient is, in every form.
func TestAddLogKappa(t *testing.T) {
	rng := numtest.Rand(24)
	f := factor(t, numtest.WithSingularValues(rng, 9, 6, []float64{5, 4, 2, 1, 0, 0}))
	theta := numtest.Gaussian(rng, 6, 6)
	x := ends(t, f, theta)
	var w Workspace
	for _, form := range []Form{Plain, Cancelled, PseudoInverse} {
		g, before := mat.NewDense(6, 6, nil), numtest.Gaussian(rng, 6, 6)
		w.LogKappa(g, form, f, theta, x)
		got := mat.DenseCopyOf(before)
		norm := w.AddLogKappa(got, -2.5, form, f, theta, x)
		if want := mat.Norm(g, 2); numtest.RelError(norm, want) > 1e-14 {
			t.Errorf("form %d: the norm is %v, want %v", form, norm, want)
		}
		var want mat.Dense
		want.Scale(-2.5, g)
		want.Add(before, &want)
		if e := numtest.MaxRelError(got, &want); e > 1e-14 {
			t.Errorf("form %d: the sum is off by %g", form, e)
		}
	}
}

// No form allocates once the workspace has grown.
func TestFormsAllocateNothing(t *testing.T) {
	rng := numtest.Rand(25)
	theta := numtest.Gaussian(rng, 12, 12)
	dst := mat.NewDense(12, 12, nil)
	for _, rank := range []int{12, 9, 3} {
		values := make([]float64, 12)
		copy(values, numtest.Geometric(5, 0.3, rank))
		f := factor(t, numtest.WithSingularValues(rng, 15, 12, values))
		var sw spectrum.Workspace
		var w Workspace
		for _, form := range []Form{Plain, Cancelled, PseudoInverse} {
			step := func() {
				x, err := sw.Extremes(f, theta)
				if err != nil {
					t.Fatal(err)
				}
				w.Well(dst, form, f, theta, x)
				w.Ill(dst, form, f, theta, x)
				w.LogKappa(dst, form, f, theta, x)
			}
			step()
			if n := testing.AllocsPerRun(20, step); n != 0 {
				t.Errorf("rank %d, form %d: %g allocations a step", rank, form, n)
			}
		}
	}
}
