package ceiling

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/spectrum"
)

// houses returns the House Prices pair from $KAPPA_DATA/house-prices.
func houses(t testing.TB) (p, h *spectrum.Factor) {
	t.Helper()
	dir := os.Getenv("KAPPA_DATA")
	if dir == "" {
		t.Skip("KAPPA_DATA is not set: the House Prices data (D1.csv, D2.csv) are needed")
	}
	read := func(name, target string) *spectrum.Factor {
		file, err := os.Open(filepath.Join(dir, "house-prices", name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		x, _, err := numtest.HousePrices(file, target)
		if err != nil {
			t.Fatal(err)
		}
		return factor(t, x)
	}
	return read("D1.csv", "LotArea"), read("D2.csv", "SalePrice")
}

func mustBounded(t testing.TB, p, h *spectrum.Factor, c float64) (*mat.Dense, Result) {
	t.Helper()
	theta, res, err := Bounded(t.Context(), p, h, c)
	if err != nil {
		t.Fatal(err)
	}
	return theta, res
}

// TestBoundedHousePrices: at least the RIR that another implementation of the construction reached, where it was scanned by hand.
func TestBoundedHousePrices(t *testing.T) {
	p, h := houses(t)
	for _, tt := range []struct{ c, reference, bound float64 }{
		{1, 1, 1},
		{1.5, 2.8, 5.07},
		{3, 32.4, 81},
		{9, 2420, 6561},
		{50, 1.07e6, 6.25e6},
		{88.41, 4.07e6, 6.11e7},
		{1000, 1.16e8, 7.9e9},
	} {
		theta, res := mustBounded(t, p, h, tt.c)
		got, c := rir(t, p, h, theta), spectrum.ThetaCondition(theta)
		t.Logf("c = %g: RIR %.5g, κ(θ) %.6g, bound %.5g, κ(H_P) %.4g", tt.c, got, c, Bound(res, tt.c), kappa(t, p, theta))
		if got < tt.reference*(1-1e-9) {
			t.Errorf("c = %g: RIR %.6g, the reference has %g", tt.c, got, tt.reference)
		}
		if c > tt.c*(1+1e-9) {
			t.Errorf("c = %g: κ(θ) = %.12g", tt.c, c)
		}
		if limit := Bound(res, tt.c); got > limit*(1+1e-9) || limit > tt.bound {
			t.Errorf("c = %g: RIR %g, bound %g, want at most %g", tt.c, got, limit, tt.bound)
		}
	}
}

func TestBoundedErrors(t *testing.T) {
	one, zero := factor(t, numtest.Diagonal(2, 1)), factor(t, mat.NewDense(2, 2, nil))
	for _, c := range []float64{0, 0.999, -1, math.NaN(), math.Inf(-1)} {
		if _, _, err := Bounded(t.Context(), one, one, c); err == nil {
			t.Errorf("c = %g was accepted", c)
		}
	}
	for _, pair := range [][2]*spectrum.Factor{{one, zero}, {zero, one}, {zero, zero}} {
		if _, _, err := Bounded(t.Context(), pair[0], pair[1], 3); !errors.Is(err, ErrNoTask) {
			t.Errorf("a task without data: %v", err)
		}
	}
}

// TestBoundedHuge: c² may overflow.
func TestBoundedHuge(t *testing.T) {
	rng := numtest.Rand(27)
	p, h := tasks(t, rng, 5, 3, 5, false)
	plain, res := mustBounded(t, p, h, math.Inf(1))
	if !res.Unbounded {
		t.Fatal("the pair has a ceiling")
	}
	for _, c := range []float64{1e20, 1e150, 1e155, math.MaxFloat64} {
		theta, _ := mustBounded(t, p, h, c)
		if got, least := rir(t, p, h, theta), rir(t, p, h, plain); !(got >= least) {
			t.Errorf("c = %g: RIR %g, %g without a bound", c, got, least)
		}
	}
}

// tasks returns a random pair of tasks with D columns and κ up to 10⁴ each; the harmful task stays within the range of the primary one
// if inside is true.
func tasks(t testing.TB, rng *rand.Rand, d, rp, rh int, inside bool) (p, h *spectrum.Factor) {
	t.Helper()
	q := numtest.Orthogonal(rng, d)
	spread := func(n int) []float64 {
		return numtest.Geometric(math.Exp(rng.NormFloat64()), math.Pow(10, -2*rng.Float64()), n)
	}
	inP := q.Slice(0, d, 0, rp)
	p = factor(t, embed(rng, d+3, inP, spread(rp)))
	var inH mat.Dense
	if inside {
		inH.Mul(inP, numtest.Orthogonal(rng, rp).Slice(0, rp, 0, rh))
	} else {
		inH.CloneFrom(numtest.Orthogonal(rng, d).Slice(0, d, 0, rh))
	}
	return p, factor(t, embed(rng, d+2, &inH, spread(rh)))
}

// TestBounded: on random pairs, with a ceiling and without, κ(θ) ≤ c, no RIR exceeds its bound, and none falls short of the plain
// construction, K_P⁺ + s·nnᵀ with its eigenvalues clipped into [m, c²m], for any m and s of a grid.
func TestBounded(t *testing.T) {
	rng := numtest.Rand(21)
	gain := 0.0
	for i := range 60 {
		d := 2 + rng.IntN(7)
		rp := 1 + rng.IntN(d)
		inside := i%2 == 0
		rh := 1 + rng.IntN(d)
		if inside {
			rh = 1 + rng.IntN(rp)
		}
		p, h := tasks(t, rng, d, rp, rh, inside)
		for _, c := range []float64{1, 1.2, 3, 30, 1e4, math.Inf(1)} {
			theta, res := mustBounded(t, p, h, c)
			got, k := rir(t, p, h, theta), spectrum.ThetaCondition(theta)
			if k > c*(1+1e-9) {
				t.Errorf("D = %d, ranks %d, %d, c = %g: κ(θ) = %.12g", d, rp, rh, c, k)
			}
			if limit := Bound(res, min(c, k*(1+1e-12))); got > limit*(1+1e-7) {
				t.Errorf("D = %d, ranks %d, %d, c = %g: RIR %.9g exceeds the bound %.9g", d, rp, rh, c, got, limit)
			}
			if c == 1 && math.Abs(got-1) > 1e-9 {
				t.Errorf("D = %d, ranks %d, %d: RIR %.12g at c = 1", d, rp, rh, got)
			}
			if want := rirOfOptimum(t, p, h, c); got < want*(1-1e-7) {
				t.Errorf("D = %d, ranks %d, %d, c = %g: RIR %.9g, the optimum that κ(θ) ≤ c allows has %.9g", d, rp, rh, c, got, want)
			}
			if !math.IsInf(c, 1) {
				plain := plainClippedSpike(t, p, h, c)
				gain = max(gain, got/plain)
				if got < plain*0.98 {
					t.Errorf("D = %d, ranks %d, %d, c = %g: RIR %.6g, the plain construction has %.6g", d, rp, rh, c, got, plain)
				}
			}
		}
	}
	t.Logf("up to %.3g times the plain construction", gain)
}

// rirOfOptimum is that of Optimum where κ(θ) ≤ c allows it, else 0.
func rirOfOptimum(t testing.TB, p, h *spectrum.Factor, c float64) float64 {
	t.Helper()
	theta, _, err := Optimum(p, h)
	if err != nil {
		t.Fatal(err)
	}
	if spectrum.ThetaCondition(theta) > c {
		return 0
	}
	return rir(t, p, h, theta)
}

// plainClippedSpike is the best RIR over a grid of m and s.
func plainClippedSpike(t testing.TB, p, h *spectrum.Factor, c float64) float64 {
	t.Helper()
	_, top, err := seen(p, h)
	if err != nil {
		t.Fatal(err)
	}
	_, d := p.Dims()
	k := p.Rank()
	basis := mat.NewDense(d, d, nil)
	basis.Slice(0, d, 0, k).(*mat.Dense).Copy(vectors(p))
	if null := p.NullBasis(); null != nil {
		basis.Slice(0, d, k, d).(*mat.Dense).Copy(null)
	}
	inverse := func(i int) float64 { return math.Pow(p.SingularValues()[i], -2) }
	best := 0.0
	for step := range 9 {
		m := inverse(0) * math.Pow(inverse(k-1)/inverse(0), float64(step)/8)
		if step == 8 {
			m = inverse(k-1) / (c * c)
		}
		for _, full := range []bool{false, true} {
			scaled := mat.DenseCopyOf(basis)
			for j := range d {
				value := m
				if j < k {
					value = min(max(inverse(j), m), c*c*m)
				}
				for i := range d {
					scaled.Set(i, j, scaled.At(i, j)*math.Sqrt(value/m))
				}
			}
			var theta mat.Dense
			theta.Mul(scaled, basis.T())
			if full && top != nil {
				theta.RankOne(&theta, c-1, top, top)
			}
			if x := rir(t, p, h, &theta); x > best { // not where κ is NaN
				best = x
			}
		}
	}
	return best
}

// TestBoundedSearch: with two columns θθᵀ has but two parameters, and a fine grid of them finds little more.
func TestBoundedSearch(t *testing.T) {
	rng := numtest.Rand(22)
	worst := 1.0
	for range 12 {
		p, h := tasks(t, rng, 2, 2, 2, true)
		for _, c := range []float64{1.5, 3} {
			theta, _ := mustBounded(t, p, h, c)
			got, best := rir(t, p, h, theta), 0.0
			for turn := range 60 {
				for stretch := range 13 {
					s, co := math.Sincos(math.Pi * float64(turn) / 60)
					x := numtest.Rows([][]float64{{co, s}, {-s, co}})
					x.Mul(mat.DenseCopyOf(x.T()), numtest.Diagonal(math.Pow(c, float64(stretch)/12), 1))
					best = max(best, rir(t, p, h, x))
				}
			}
			worst = min(worst, got/best)
			if got < 0.6*best {
				t.Errorf("c = %g: RIR %g, the grid has %g", c, got, best)
			}
		}
	}
	t.Logf("at least %.3f of the best of the grid", worst)
}

// TestBoundedUnits: the units of the data do not matter.
func TestBoundedUnits(t *testing.T) {
	rng := numtest.Rand(23)
	xp, xh := numtest.WithSingularValues(rng, 9, 6, []float64{5, 3, 1, 0.2, 0, 0}), numtest.Gaussian(rng, 9, 6)
	a, _ := mustBounded(t, factor(t, xp), factor(t, xh), 4)
	xp.Scale(1e-7, xp)
	xh.Scale(1e9, xh)
	b, _ := mustBounded(t, factor(t, xp), factor(t, xh), 4)
	var ma, mb mat.Dense // θθᵀ: θ itself may differ in the signs of the eigenvectors
	ma.Mul(a, a.T())
	mb.Mul(b, b.T())
	if e := numtest.MaxRelError(&ma, &mb); e > 1e-6 {
		t.Errorf("θθᵀ differs by %g in other units", e)
	}
}

// TestRankOneEnds compares the roots of the secular equation with a full decomposition.
func TestRankOneEnds(t *testing.T) {
	rng := numtest.Rand(24)
	for _, tt := range []struct{ a, z []float64 }{
		{[]float64{3}, []float64{2}},
		{[]float64{3}, []float64{0}},
		{[]float64{3, 1, 2}, []float64{0, 0, 0}},
		{[]float64{3, 1, 2}, []float64{0, 5, 0}},
		{[]float64{2, 2, 2}, []float64{1, 1, 0}},
		{[]float64{1, 1e-8, 1e-3}, []float64{1e-9, 1, 1}},
		{[]float64{1, 2, 4, 8}, numtest.Gaussian(rng, 4, 1).RawMatrix().Data},
		{numtest.Geometric(1e3, 1e-3, 12), numtest.Gaussian(rng, 12, 1).RawMatrix().Data},
	} {
		n := len(tt.a)
		square := make([]float64, n)
		s := mat.NewSymDense(n, nil)
		for i, a := range tt.a {
			square[i] = tt.z[i] * tt.z[i]
			s.SetSym(i, i, a)
		}
		s.SymRankOne(s, 1, mat.NewVecDense(n, tt.z))
		var eig mat.EigenSym
		if !eig.Factorize(s, false) {
			t.Fatal("no eigenvalues")
		}
		want := eig.Values(nil)
		least, largest := rankOneEnds(tt.a, square)
		if scale := 1e-13 * want[n-1]; math.Abs(least-want[0]) > scale || math.Abs(largest-want[n-1]) > scale {
			t.Errorf("%v, %v: %.15g and %.15g, want %.15g and %.15g", tt.a, tt.z, least, largest, want[0], want[n-1])
		}
	}
}

// TestBoundedStops: the search ends with its context.
func TestBoundedStops(t *testing.T) {
	rng := numtest.Rand(3)
	p, h := factor(t, numtest.WithSingularValues(rng, 9, 6, []float64{5, 3, 1, 0.2, 0, 0})), factor(t, numtest.Gaussian(rng, 9, 6))
	ctx, cancel := context.WithCancel(t.Context())
	if _, _, err := Bounded(ctx, p, h, 4); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, _, err := Bounded(ctx, p, h, 4); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func BenchmarkBounded(b *testing.B) {
	rng := numtest.Rand(25)
	p, h := tasks(b, rng, 64, 60, 62, false)
	for b.Loop() {
		mustBounded(b, p, h, 10)
	}
}

// TestBoundOfBox: no extractor does more than four times better than the two clips allow, where K_P is positive definite, and one
// between them does no better at all.
func TestBoundOfBox(t *testing.T) {
	rng := numtest.Rand(26)
	worst := 0.0
	for range 60 {
		d := 2 + rng.IntN(6)
		p, h := tasks(t, rng, d, d, d, true)
		f := newFamily(p, h, 0)
		diagonal := func(value func(lambda float64) float64) *mat.Dense { // of M, in the basis of the data
			scaled := mat.DenseCopyOf(f.basis)
			for j, l := range f.lambda {
				for i := range d {
					scaled.Set(i, j, scaled.At(i, j)*math.Sqrt(value(l)))
				}
			}
			return scaled
		}
		ends := func(f *spectrum.Factor, theta *mat.Dense) (top, bottom float64) {
			s, err := f.Spectrum(theta, false)
			if err != nil {
				t.Fatal(err)
			}
			return s.RankCondition().SigmaMax, s.RankCondition().SigmaMin
		}
		for range 20 {
			theta := randomTheta(rng, d) // singular values from 1 down
			c := spectrum.ThetaCondition(theta)
			theta.Scale(c, theta)
			upper, lower := ends(p, theta)
			top, _ := ends(h, diagonal(func(l float64) float64 { return min(c*c, upper/l) }))
			_, bottom := ends(h, diagonal(func(l float64) float64 { return max(1, lower/l) }))
			limit := top / bottom
			worst = max(worst, kappa(t, h, theta)/limit)
			if kappa(t, h, theta) > 4*limit*(1+1e-9) {
				t.Errorf("D = %d, c = %g: κ(H_H) = %g, the clips give %g", d, c, kappa(t, h, theta), limit)
			}
		}
	}
	t.Logf("up to %.3f times the limit of the clips", worst)
}
