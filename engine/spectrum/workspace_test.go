package spectrum

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// compare checks the figures of a workspace against the full decomposition.
func compare(t *testing.T, name string, f *Factor, theta *mat.Dense, w *Workspace) {
	t.Helper()
	s := spectrumOf(t, f, theta, true)
	x, err := w.Extremes(f, theta)
	if err != nil {
		t.Fatal(err)
	}
	if x.Rank != s.Rank || x.Size != s.Size {
		t.Fatalf("%s: rank %d of %d, want %d of %d", name, x.Rank, x.Size, s.Rank, s.Size)
	}
	if s.Rank == 0 {
		return
	}
	k := s.Rank
	root := func(name string, got, want float64) {
		t.Helper()
		if e := math.Abs(math.Sqrt(got)-math.Sqrt(want)) / math.Sqrt(s.Sigma[0]); e > 1e-14*float64(s.Size) {
			t.Errorf("%s: √%g and √%g differ by %.1e of √σ_1", name, got, want, e)
		}
	}
	root(name+": σ_1", x.Sigma1, s.Sigma[0])
	root(name+": σ_k", x.SigmaK, s.Sigma[k-1])
	if k > 1 {
		root(name+": σ_2", x.Sigma2, s.Sigma[1])
		root(name+": σ_(k-1)", x.SigmaBefore, s.Sigma[k-2])
	}
	sum := 0.0
	for _, v := range s.Sigma {
		sum += v * v
	}
	if e := numtest.RelError(x.Frobenius, sum); e > 1e-12 {
		t.Errorf("%s: ‖H‖_F² off by %.1e", name, e)
	}
	if x.TopRepeated() != s.TopRepeated() || x.BottomRepeated() != s.BottomRepeated() || x.Flat() != s.Flat() {
		t.Errorf("%s: flags differ from those of the full decomposition", name)
	}
	// The vectors agree to the rounding error of a decomposition divided by the gap to the neighbours.
	for _, end := range []struct {
		name  string
		index int
		v     []float64
	}{{"v_1", 0, x.V1}, {"v_k", k - 1, x.VK}} {
		v := mat.NewVecDense(len(end.v), end.v)
		if e := math.Abs(mat.Norm(v, 2) - 1); e > 1e-13 {
			t.Errorf("%s: |%s| differs from 1 by %.1e", name, end.name, e)
		}
		if x.Unresolved() && end.index > 0 {
			continue
		}
		gap := math.Inf(1)
		if end.index > 0 {
			gap = s.roots[end.index-1] - s.roots[end.index]
		}
		if end.index+1 < len(s.roots) {
			gap = min(gap, s.roots[end.index]-s.roots[end.index+1])
		} else if len(s.roots) < s.Size {
			gap = min(gap, s.roots[end.index])
		}
		var rest mat.VecDense
		full := s.V.ColView(end.index)
		rest.AddScaledVec(v, -mat.Dot(v, full), full)
		if e := mat.Norm(&rest, 2); e > 1e-15*float64(s.Size+10)*s.roots[0]/gap {
			t.Errorf("%s: %s is off by %.1e, relative gap %.1e", name, end.name, e, gap/s.roots[0])
		}
	}
}

func TestWorkspace(t *testing.T) {
	rng := numtest.Rand(10)
	var w Workspace
	shapes := []struct{ n, d, m int }{{1, 1, 1}, {3, 1, 1}, {1, 3, 3}, {2, 2, 2}, {5, 2, 2}, {2, 5, 5}, {40, 9, 9}, {9, 40, 40}, {30, 8, 5}, {8, 30, 5}, {8, 30, 15}, {100, 64, 64}, {200, 79, 79}, {64, 130, 130}}
	for _, c := range shapes {
		for _, bottom := range []float64{1, 1e-1, 1e-4, 1e-7} {
			p := min(c.n, c.d)
			f := factor(t, numtest.WithSingularValues(rng, c.n, c.d, numtest.Geometric(3, 3*bottom, p)))
			for _, theta := range []*mat.Dense{eye(c.d, c.m), numtest.Gaussian(rng, c.d, c.m), numtest.Orthogonal(rng, c.d).Slice(0, c.d, 0, c.m).(*mat.Dense)} {
				compare(t, fmt.Sprintf("%+v bottom %g", c, bottom), f, theta, &w)
			}
		}
	}
	if w.fallbacks > 0 {
		t.Errorf("%d fallbacks to the full decomposition", w.fallbacks)
	}
}

// Zeros, splits, repeated values, graded rows and scales near the ends of the range.
func TestWorkspaceOnAwkwardMatrices(t *testing.T) {
	rng := numtest.Rand(11)
	graded := numtest.Gaussian(rng, 12, 12)
	for i := range 12 {
		for j := range 12 {
			graded.Set(i, j, graded.At(i, j)*math.Pow(10, -float64(i)/2))
		}
	}
	permuted := numtest.Rows([][]float64{{0, 0, 3, 0}, {2, 0, 0, 0}, {0, 0, 0, 1}, {0, 5, 0, 0}})
	blocks := numtest.Rows([][]float64{{3, 1, 0, 0}, {0, 2, 0, 0}, {0, 0, 3, 1}, {0, 0, 0, 2}})
	var w Workspace
	for name, x := range map[string]*mat.Dense{
		"zero":            mat.NewDense(4, 3, nil),
		"zero columns":    numtest.Diagonal(3, 0, 2, 0, 1),
		"identity":        numtest.Diagonal(1, 1, 1, 1),
		"one direction":   numtest.WithSingularValues(rng, 7, 5, []float64{2, 0, 0, 0, 0}),
		"permutation":     permuted,
		"two blocks":      blocks,
		"graded rows":     graded,
		"graded columns":  mat.DenseCopyOf(graded.T()),
		"deficient":       numtest.WithSingularValues(rng, 30, 20, append(numtest.Geometric(9, 0.1, 14), make([]float64, 6)...)),
		"wide, deficient": numtest.WithSingularValues(rng, 20, 30, append(numtest.Geometric(9, 0.1, 14), make([]float64, 6)...)),
		"noise":           numtest.WithSingularValues(rng, 30, 20, append(numtest.Geometric(9, 0.1, 14), numtest.Geometric(1e-9, 1e-10, 6)...)),
		"repeated ends":   numtest.WithSingularValues(rng, 9, 6, []float64{3, 3, 2, 1, 1, 1}),
	} {
		_, d := x.Dims()
		for _, scale := range []float64{1, 1e-60, 1e60} {
			var scaled mat.Dense
			scaled.Scale(scale, x)
			f := factor(t, &scaled)
			for i, theta := range []*mat.Dense{eye(d, d), numtest.Orthogonal(rng, d), numtest.Gaussian(rng, d, d)} {
				compare(t, fmt.Sprintf("%s, scale %g, θ %d", name, scale, i), f, theta, &w)
			}
		}
	}
	if w.fallbacks > 0 {
		t.Errorf("%d fallbacks to the full decomposition", w.fallbacks)
	}
}

// The fallback gives the figures that the fast way gives.
func TestWorkspaceFallback(t *testing.T) {
	rng := numtest.Rand(12)
	f := factor(t, numtest.WithSingularValues(rng, 9, 6, numtest.Geometric(4, 1, 6)))
	theta := numtest.Gaussian(rng, 6, 6)
	var w Workspace
	x, err := w.Extremes(f, theta)
	if err != nil {
		t.Fatal(err)
	}
	before := *x
	first := append([]float64(nil), x.V1...)
	if err := w.decompose(x); err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]float64{{x.Sigma1, before.Sigma1}, {x.Sigma2, before.Sigma2}, {x.SigmaBefore, before.SigmaBefore}, {x.SigmaK, before.SigmaK}} {
		if numtest.RelError(pair[0], pair[1]) > 1e-12 {
			t.Errorf("σ = %g from the fallback, %g before", pair[0], pair[1])
		}
	}
	if dot := mat.Dot(mat.NewVecDense(6, first), mat.NewVecDense(6, x.V1)); math.Abs(math.Abs(dot)-1) > 1e-12 {
		t.Errorf("the vectors differ: their product is %g", dot)
	}
}

func eye(n, m int) *mat.Dense {
	a := mat.NewDense(n, m, nil)
	for i := range min(n, m) {
		a.Set(i, i, 1)
	}
	return a
}

func BenchmarkExtremes(b *testing.B) {
	for _, n := range []int{64, 79, 784} {
		rng := numtest.Rand(1)
		f, err := NewFactor(numtest.WithSingularValues(rng, n, n, numtest.Geometric(40, 0.1, n)))
		if err != nil {
			b.Fatal(err)
		}
		theta := numtest.Gaussian(rng, n, n)
		b.Run(fmt.Sprintf("workspace/n=%d", n), func(b *testing.B) {
			var w Workspace
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Extremes(f, theta); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("full/n=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Spectrum(theta, true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
