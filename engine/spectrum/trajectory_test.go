package spectrum

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/blas"
	"kappa/engine/internal/numtest"
)

// columns returns a factor of n Gaussian rows whose d columns fall or rise geometrically from a to b.
func columns(tb testing.TB, seed uint64, n, d int, a, b float64) *Factor {
	tb.Helper()
	x := numtest.Gaussian(numtest.Rand(seed), n, d)
	for j, s := range numtest.Geometric(a, b, d) {
		for i := range n {
			x.Set(i, j, x.At(i, j)*s)
		}
	}
	f, err := NewFactor(x)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// deficient returns a factor of rank k whose non-zero singular values fall geometrically from a to b.
func deficient(tb testing.TB, seed uint64, n, d, k int, a, b float64) *Factor {
	tb.Helper()
	values := append(numtest.Geometric(a, b, k), make([]float64, min(n, d)-k)...)
	f, err := NewFactorRank(numtest.WithSingularValues(numtest.Rand(seed), n, d, values), k)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// trajectory takes normalised steps on R_well of one task and R_ill of another, from θ = I.
type trajectory struct {
	fp, fh     *Factor
	wp, wh     Workspace
	xp, xh     *Extremes
	theta      *mat.Dense
	gradient   *mat.Dense
	well, harm float64 // lengths of the steps
}

func newTrajectory(fp, fh *Factor, well, harm float64) *trajectory {
	_, d := fp.Dims()
	return &trajectory{fp: fp, fh: fh, theta: eye(d, d), gradient: mat.NewDense(d, d, nil), well: well, harm: harm}
}

// look finds the ends of both tasks side by side, as in a step.
func (t *trajectory) look(tb testing.TB) {
	tb.Helper()
	var errs [2]error
	blas.Split(2, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if i == 0 {
				t.xp, errs[i] = t.wp.Extremes(t.fp, t.theta)
			} else {
				t.xh, errs[i] = t.wh.Extremes(t.fh, t.theta)
			}
		}
	})
	if err := errors.Join(errs[:]...); err != nil {
		tb.Fatal(err)
	}
}

func (t *trajectory) move() {
	next := mat.DenseCopyOf(t.theta)
	step := func(length float64, x *Extremes, sigma float64, v []float64, n int) {
		if length == 0 {
			return
		}
		x.MulH(t.gradient, -1/float64(n), t.theta)
		vec := mat.NewVecDense(len(v), v)
		var image mat.VecDense
		image.MulVec(t.theta, vec)
		t.gradient.RankOne(t.gradient, sigma, &image, vec)
		t.gradient.Scale(length/mat.Norm(t.gradient, 2), t.gradient)
		next.Sub(next, t.gradient)
	}
	step(t.well, t.xp, t.xp.Sigma1, t.xp.V1, t.xp.Size)
	step(t.harm, t.xh, t.xh.SigmaK, t.xh.VK, t.xh.Rank)
	t.theta.Copy(next)
}

// agrees checks the figures of a call against the full decomposition: κ and all four singular values to max(1e-9, ε√κ).
func agrees(t *testing.T, name string, f *Factor, theta *mat.Dense, x *Extremes) {
	t.Helper()
	s := spectrumOf(t, f, theta, true)
	k := s.Rank
	if x.Rank != k {
		t.Fatalf("%s: rank %d, want %d", name, x.Rank, k)
	}
	kappa := s.RankCondition().Kappa
	tol := max(1e-9, eps*math.Sqrt(kappa))
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"κ", x.Kappa(), kappa},
		{"σ_1", x.Sigma1, s.Sigma[0]},
		{"σ_2", x.Sigma2, s.Sigma[1]},
		{"σ_(k-1)", x.SigmaBefore, s.Sigma[k-2]},
		{"σ_k", x.SigmaK, s.Sigma[k-1]},
	} {
		if e := numtest.RelError(c.got, c.want); !(e <= tol) {
			t.Errorf("%s: %s = %.12g, off by %.1e (allowed %.1e)", name, c.name, c.got, e, tol)
		}
	}
	if x.Residual > tol {
		t.Errorf("%s: a bound of %.1e on the error of κ", name, x.Residual)
	}
	// The vectors agree to the rounding of a decomposition of F, divided by the gap to the next singular value of F.
	for _, c := range []struct {
		name string
		i    int
		gap  float64
		v    []float64
	}{{"v_1", 0, s.roots[0] - s.roots[1], x.V1}, {"v_k", k - 1, s.roots[k-2] - s.roots[k-1], x.VK}} {
		if k < x.Size && c.i > 0 {
			c.gap = min(c.gap, s.roots[k-1])
		}
		var rest mat.VecDense
		v, full := mat.NewVecDense(len(c.v), c.v), s.V.ColView(c.i)
		rest.AddScaledVec(v, -mat.Dot(v, full), full)
		if e := mat.Norm(&rest, 2); !(e <= 5e-14*s.roots[0]/c.gap) {
			t.Errorf("%s: %s is off by %.1e, relative gap %.1e", name, c.name, e, c.gap/s.roots[0])
		}
	}
}

func TestTrajectory(t *testing.T) {
	for _, c := range []struct {
		name       string
		p, h       *Factor
		well, harm float64
		steps      int
	}{
		{"full rank", columns(t, 1, 400, 160, 1, 0.03), columns(t, 2, 400, 160, 0.05, 1), 1e-2, 1e-2, 6},
		{"clustered top", columns(t, 3, 300, 130, 1, 0.1), columns(t, 4, 300, 130, 0.3, 1), 0.1, 0, 16},
		{"κ = 1e10", deficient(t, 5, 132, 132, 132, 1, 1e-5), deficient(t, 6, 132, 132, 132, 3, 3e-5), 1e-2, 1e-3, 6},
		{"κ = 1e13", deficient(t, 7, 132, 132, 132, 1, 3e-7), deficient(t, 8, 132, 132, 132, 3, 1e-6), 1e-2, 1e-3, 6},
		{"rank below D", deficient(t, 9, 200, 150, 132, 1, 1e-3), deficient(t, 10, 200, 150, 140, 2, 1e-6), 1e-2, 1e-3, 6},
		{"N below D", columns(t, 11, 130, 150, 1, 0.03), columns(t, 12, 140, 150, 0.05, 1), 1e-2, 1e-2, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrajectory(c.p, c.h, c.well, c.harm)
			steps := c.steps
			if raceDetector {
				steps = 2
			}
			for i := range steps {
				tr.look(t)
				agrees(t, fmt.Sprintf("primary, step %d", i), c.p, tr.theta, tr.xp)
				agrees(t, fmt.Sprintf("harmful, step %d", i), c.h, tr.theta, tr.xh)
				tr.move()
			}
			if n := tr.wp.fallbacks + tr.wh.fallbacks; n > 0 {
				t.Errorf("%d fallbacks to the bidiagonal form", n)
			}
		})
	}
}
