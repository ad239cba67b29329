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
