package spectrum

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// Sizes at, below and above the block sizes of the factorisations, tall, square and wide, of full and of lower rank.
func TestFactor(t *testing.T) {
	rng := numtest.Rand(60)
	for _, c := range []struct{ n, d, rank int }{
		{1, 1, 1}, {4, 1, 1}, {1, 4, 1}, {6, 4, 4}, {6, 4, 2}, {4, 6, 4}, {4, 6, 3}, {5, 5, 5}, {31, 33, 20}, {65, 63, 63}, {130, 66, 50}, {7, 7, 0}, {3, 5, 0},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			p := min(c.n, c.d)
			values := make([]float64, p)
			copy(values, numtest.Geometric(10, 1e-2, c.rank))
			x := numtest.PoisonedCopy(numtest.WithSingularValues(rng, c.n, c.d, values))
			if c.rank == 0 {
				x.Zero()
			}
			before := mat.DenseCopyOf(x)
			f := factor(t, x)
			if !mat.Equal(x, before) || !numtest.Intact(x) {
				t.Error("the data were modified")
			}
			if n, d := f.Dims(); n != c.n || d != c.d {
				t.Errorf("dimensions %d×%d", n, d)
			}
			if f.Rank() != c.rank || f.RankUnclear() {
				t.Errorf("rank %d, unclear %v, want %d", f.Rank(), f.RankUnclear(), c.rank)
			}
			for i, v := range f.SingularValues() {
				if math.Abs(v-values[i]) > 1e-13*float64(c.n+c.d) {
					t.Errorf("σ_%d(X) = %g, want %g", i+1, v, values[i])
				}
			}
			if r, cols := f.R().Dims(); r != p || cols != c.d {
				t.Errorf("R is %d×%d, want %d×%d", r, cols, p, c.d)
			}
			var gramX, gramR mat.Dense
			gramX.Mul(x.T(), x)
			gramR.Mul(f.R().T(), f.R())
			if e := numtest.MaxRelError(&gramR, &gramX); e > 1e-14*float64(c.n+c.d) {
				t.Errorf("RᵀR is off by %g", e)
			}
			if e := numtest.MaxRelError(f.K(), &gramX); e > 1e-14*float64(c.n+c.d) {
				t.Errorf("K is off by %g", e)
			}
			if c.rank > 0 {
				checkVectors(t, "θ = I", spectrumOf(t, f, nil, true))
				checkVectors(t, "Gaussian θ", spectrumOf(t, f, numtest.Gaussian(rng, c.d, c.d), true))
			}
			checkNull(t, f, x)
		})
	}
}

// checkNull checks the null basis and the projector of f.
func checkNull(t *testing.T, f *Factor, x *mat.Dense) {
	t.Helper()
	_, d := f.Dims()
	a := numtest.Gaussian(numtest.Rand(61), d, 3)
	dst := numtest.Poisoned(d, 3)
	f.ProjectRange(dst, a)
	if !numtest.Intact(dst) {
		t.Error("the projection wrote between the rows")
	}
	null := f.NullBasis()
	if null == nil {
		if f.Rank() != d {
			t.Fatalf("no null basis at rank %d of %d", f.Rank(), d)
		}
		if !mat.Equal(dst, a) {
			t.Error("the projection onto everything changed its argument")
		}
		return
	}
	if r, c := null.Dims(); r != d || c != d-f.Rank() {
		t.Fatalf("null basis is %d×%d, want %d×%d", r, c, d, d-f.Rank())
	}
	var ntn, xn, again, rest mat.Dense
	ntn.Mul(null.T(), null)
	if e := numtest.MaxRelError(&ntn, eye(d-f.Rank(), d-f.Rank())); e > 1e-13 {
		t.Errorf("NᵀN differs from I by %g", e)
	}
	xn.Mul(x, null)
	if e := mat.Norm(&xn, 2); e > 1e-11 {
		t.Errorf("XN = %g", e)
	}
	f.ProjectRange(&again, dst)
	if e := mat.Norm(sub(&again, dst), 2); e > 1e-13 {
		t.Errorf("Π² differs from Π by %g", e)
	}
	// a − Πa lies in the null space, Πa is orthogonal to it.
	rest.Mul(null.T(), dst)
	if e := mat.Norm(&rest, 2); e > 1e-13 {
		t.Errorf("NᵀΠa = %g", e)
	}
	rest.Reset()
	rest.Mul(x, sub(a, dst))
	if e := mat.Norm(&rest, 2); e > 1e-11 {
		t.Errorf("X(a − Πa) = %g", e)
	}
	f.ProjectRange(a, a)
	if e := mat.Norm(sub(a, dst), 2); e > 1e-14 {
		t.Errorf("the projection in place differs by %g", e)
	}
}

func sub(a, b mat.Matrix) *mat.Dense {
	var out mat.Dense
	out.Sub(a, b)
	return &out
}

func TestFactorErrors(t *testing.T) {
	bad := numtest.Gaussian(numtest.Rand(62), 4, 3)
	bad.Set(2, 1, math.NaN())
	if _, err := NewFactor(bad); err == nil || !strings.Contains(err.Error(), "row 2, column 1 is NaN") {
		t.Errorf("error %v does not name the element", err)
	}
	bad.Set(2, 1, math.Inf(-1))
	if _, err := NewFactor(bad); err == nil || !strings.Contains(err.Error(), "-Inf") {
		t.Errorf("error %v does not name the value", err)
	}
	good := numtest.Diagonal(2, 1)
	for name, f := range map[string]func() error{
		"nil":             func() error { _, err := NewFactor(nil); return err },
		"empty":           func() error { _, err := NewFactor(&mat.Dense{}); return err },
		"tolerance −1":    func() error { _, err := NewFactorTol(good, -1); return err },
		"tolerance 1":     func() error { _, err := NewFactorTol(good, 1); return err },
		"tolerance NaN":   func() error { _, err := NewFactorTol(good, math.NaN()); return err },
		"rank 0":          func() error { _, err := NewFactorRank(good, 0); return err },
		"rank 3":          func() error { _, err := NewFactorRank(good, 3); return err },
		"rank 1 of zero":  func() error { _, err := NewFactorRank(mat.NewDense(2, 2, nil), 1); return err },
		"empty with rank": func() error { _, err := NewFactorRank(nil, 1); return err },
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	f := factor(t, good)
	for name, theta := range map[string]*mat.Dense{
		"NaN": numtest.Diagonal(math.NaN(), 1), "Inf": numtest.Diagonal(1, math.Inf(1)), "overflow": numtest.Diagonal(1.7e308, 1),
	} {
		if _, err := f.Spectrum(theta, true); err == nil {
			t.Errorf("θ with %s: no error", name)
		}
		var w Workspace
		if _, err := w.Extremes(f, theta); err == nil {
			t.Errorf("θ with %s: no error from the workspace", name)
		}
	}
}

func TestFactorPanics(t *testing.T) {
	f := factor(t, numtest.Diagonal(2, 1))
	three := mat.NewDense(3, 3, nil)
	for name, c := range map[string]struct {
		want string
		f    func()
	}{
		"θ":           {badShape, func() { f.Spectrum(three, false) }},
		"workspace":   {badShape, func() { (&Workspace{}).Extremes(f, three) }},
		"projection":  {badShape, func() { f.ProjectRange(&mat.Dense{}, three) }},
		"destination": {badDst, func() { f.ProjectRange(three, mat.NewDense(2, 2, nil)) }},
		"Gram":        {badDst, func() { spectrumOf(t, f, nil, false).Gram(mat.NewSymDense(3, nil)) }},
		"no matrix":   {noVectors, func() { (&Spectrum{Sigma: []float64{1}, Rank: 1, Size: 1}).Gram(nil) }},
	} {
		func() {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("%s: panic %v, want %q", name, got, c.want)
				}
			}()
			c.f()
		}()
	}
}

// The rank rules: √ε of the largest, a tolerance, a number.
func TestRankRules(t *testing.T) {
	x := numtest.WithSingularValues(numtest.Rand(63), 6, 4, []float64{1, 0.5, 1e-6, 1e-9})
	for _, c := range []struct {
		name    string
		make    func() (*Factor, error)
		rank    int
		unclear bool
	}{
		{"default", func() (*Factor, error) { return NewFactor(x) }, 3, false},
		{"float32", func() (*Factor, error) { return NewFactorTol(x, 1e-5) }, 2, false},
		{"strict", func() (*Factor, error) { return NewFactorTol(x, 1e-12) }, 4, false},
		{"zero tolerance", func() (*Factor, error) { return NewFactorTol(x, 0) }, 4, false},
		{"given", func() (*Factor, error) { return NewFactorRank(x, 1) }, 1, true},
	} {
		f, err := c.make()
		if err != nil {
			t.Fatal(err)
		}
		k := spectrumOf(t, f, nil, false).RankCondition()
		if f.Rank() != c.rank || f.RankUnclear() != c.unclear || k.Rank != c.rank || k.RankUnclear != c.unclear {
			t.Errorf("%s: rank %d, unclear %v, want %d, %v", c.name, k.Rank, k.RankUnclear, c.rank, c.unclear)
		}
		if c.rank == 4 != math.IsNaN(k.Next) {
			t.Errorf("%s: next is %g", c.name, k.Next)
		}
	}
	// The tolerance is strict: a value of exactly 2⁻²⁶·σ_max does not count.
	f := factor(t, numtest.Diagonal(1, rankTol))
	if f.Rank() != 1 {
		t.Errorf("rank %d, want 1", f.Rank())
	}
}

// A factor is shared between goroutines.
func TestFactorIsConcurrent(t *testing.T) {
	f := factor(t, numtest.WithSingularValues(numtest.Rand(64), 9, 6, []float64{5, 4, 3, 2, 0, 0}))
	theta := numtest.Orthogonal(numtest.Rand(65), 6)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := f.Spectrum(theta, true); err != nil {
				t.Error(err)
			}
			f.ProjectRange(&mat.Dense{}, theta)
			if f.K() == nil || f.NullBasis() == nil {
				t.Error("nothing returned")
			}
		})
	}
	group.Wait()
}
