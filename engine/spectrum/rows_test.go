package spectrum

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// The ends and the rank must be those of a full decomposition of the features, whatever their shape.
func TestExtremesOf(t *testing.T) {
	rng := numtest.Rand(70)
	var w Workspace
	for _, c := range []struct {
		n, d, rank int // values beyond rank are rounding of float32
	}{{9, 6, 6}, {6, 9, 6}, {9, 6, 4}, {6, 9, 3}, {1, 1, 1}, {1, 5, 1}, {5, 1, 1}, {64, 64, 64}, {64, 64, 50}, {64, 200, 60}, {140, 130, 130}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			values := numtest.Geometric(30, 1e-2, min(c.n, c.d))
			for i := c.rank; i < len(values); i++ {
				values[i] = 1e-7
			}
			f := numtest.WithSingularValues(rng, c.n, c.d, values)
			x, err := w.ExtremesOf(f, Float32Tol(c.n, c.d))
			if err != nil {
				t.Fatal(err)
			}
			if x.Rank != c.rank || x.Size != c.d {
				t.Fatalf("rank %d of order %d, want %d of %d", x.Rank, x.Size, c.rank, c.d)
			}
			var svd mat.SVD
			if !svd.Factorize(f, mat.SVDThin) {
				t.Fatal("no decomposition")
			}
			sigma := svd.Values(nil)
			second, before := 0.0, 0.0
			if c.rank > 1 {
				second, before = sigma[1]*sigma[1], sigma[c.rank-2]*sigma[c.rank-2]
			}
			norm := 0.0
			for _, s := range sigma {
				norm += s * s * s * s
			}
			for _, v := range []struct {
				name      string
				got, want float64
			}{
				{"σ_1", x.Sigma1, sigma[0] * sigma[0]},
				{"σ_k", x.SigmaK, sigma[c.rank-1] * sigma[c.rank-1]},
				{"σ_2", x.Sigma2, second},
				{"σ_(k−1)", x.SigmaBefore, before},
				{"‖FᵀF‖_F²", x.Frobenius, norm},
			} {
				if e := numtest.RelError(v.got, v.want); e > 1e-10 {
					t.Errorf("%s = %g, want %g", v.name, v.got, v.want)
				}
			}
			var v mat.Dense
			svd.VTo(&v)
			for _, e := range []struct {
				name string
				got  []float64
				col  int
			}{{"v_1", x.V1, 0}, {"v_k", x.VK, c.rank - 1}} {
				if cos := math.Abs(mat.Dot(mat.NewVecDense(c.d, e.got), v.ColView(e.col))); math.Abs(cos-1) > 1e-9 {
					t.Errorf("%s: the cosine with the decomposition's is %.12f", e.name, cos)
				}
			}
			if !mat.Equal(x.F, f) {
				t.Error("F is not the matrix")
			}
		})
	}
}

func TestExtremesOfEdges(t *testing.T) {
	var w Workspace
	x, err := w.ExtremesOf(mat.NewDense(3, 2, nil), 1e-6)
	if err != nil || x.Rank != 0 || x.Sigma1 != 0 || x.SigmaK != 0 || !math.IsNaN(x.Kappa()) {
		t.Errorf("of zero: %+v, %v", x, err)
	}
	flat := numtest.WithSingularValues(numtest.Rand(71), 7, 4, []float64{2, 2, 2, 2})
	if x, err = w.ExtremesOf(flat, 1e-6); err != nil || x.Rank != 4 || !x.Flat() || !x.TopRepeated() || !x.BottomRepeated() {
		t.Errorf("of equal values: %+v, %v", x, err)
	}
	for name, bad := range map[string]struct {
		f   *mat.Dense
		tol float64
	}{
		"nil": {nil, 0}, "empty": {&mat.Dense{}, 0}, "NaN": {mat.NewDense(1, 2, []float64{1, math.NaN()}), 0},
		"Inf": {mat.NewDense(1, 1, []float64{math.Inf(-1)}), 0}, "a tolerance of 1": {flat, 1}, "a tolerance of NaN": {flat, math.NaN()},
		"a negative tolerance": {flat, -1},
	} {
		if _, err := w.ExtremesOf(bad.f, bad.tol); err == nil {
			t.Errorf("%s is no error", name)
		}
	}
}

func TestExtremesOfAllocatesNothing(t *testing.T) {
	f := numtest.Gaussian(numtest.Rand(72), 64, 64)
	var w Workspace
	step := func() {
		if _, err := w.ExtremesOf(f, Float32Tol(64, 64)); err != nil {
			t.Fatal(err)
		}
	}
	step()
	if n := testing.AllocsPerRun(10, step); n != 0 {
		t.Errorf("%g allocations a call", n)
	}
}

// Floor of 64×64: the bidiagonal form, see BenchmarkEnds.
func BenchmarkExtremesOf(b *testing.B) {
	for _, s := range [][2]int{{64, 64}, {64, 768}, {100, 64}, {256, 512}} {
		f := numtest.Gaussian(numtest.Rand(73), s[0], s[1])
		b.Run(fmt.Sprintf("n=%dx%d", s[0], s[1]), func(b *testing.B) {
			var w Workspace
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.ExtremesOf(f, Float32Tol(s[0], s[1])); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
