package ceiling

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/spectrum"
)

func factor(t testing.TB, x *mat.Dense) *spectrum.Factor {
	t.Helper()
	f, err := spectrum.NewFactor(x)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// kappa returns κ(H(θ)) under the protocol `rank`.
func kappa(t testing.TB, f *spectrum.Factor, theta mat.Matrix) float64 {
	t.Helper()
	s, err := f.Spectrum(theta, false)
	if err != nil {
		t.Fatal(err)
	}
	return s.RankCondition().Kappa
}

func rir(t testing.TB, p, h *spectrum.Factor, theta mat.Matrix) float64 {
	t.Helper()
	return kappa(t, h, theta) / kappa(t, h, nil) / (kappa(t, p, theta) / kappa(t, p, nil))
}

func TestVectors(t *testing.T) {
	for _, set := range numtest.Vectors() {
		t.Run(set.Name, func(t *testing.T) {
			p, h, want := factor(t, set.XP), factor(t, set.XH), set.Expected
			res, err := Exact(p, h)
			if err != nil {
				t.Fatal(err)
			}
			if e := numtest.RelError(res.Ceiling, want.Ceiling); e > 1e-11 {
				t.Errorf("ceiling %.17g, want %.17g", res.Ceiling, want.Ceiling)
			}
			if e := numtest.RelError(res.KappaPrimary, want.KappaRank.KP); e > 1e-11 {
				t.Errorf("κ(K_P) %.17g, want %.17g", res.KappaPrimary, want.KappaRank.KP)
			}
			if e := numtest.RelError(res.KappaHarmful, want.KappaRank.KH); e > 1e-11 {
				t.Errorf("κ(K_H) %.17g, want %.17g", res.KappaHarmful, want.KappaRank.KH)
			}
			if res.Unbounded != math.IsInf(want.Ceiling, 1) || (res.Freedom > 0) != (want.KHOnNullKP > 0) || len(res.Mu) != len(want.Mu) {
				t.Fatalf("got %+v, want ceiling %g, %d values of μ", res, want.Ceiling, len(want.Mu))
			}
			for i, mu := range want.Mu {
				if e := numtest.RelError(res.Mu[i], mu); e > 1e-10 {
					t.Errorf("μ_%d = %.17g, want %.17g", i+1, res.Mu[i], mu)
				}
			}
			if len(want.Mu) > 0 {
				if e := numtest.RelError(res.MuMax/res.MuMin, want.MuRatio); e > 1e-11 {
					t.Errorf("μ_1/μ_r = %.17g, want %.17g", res.MuMax/res.MuMin, want.MuRatio)
				}
			}

			theta, again, err := Optimum(p, h)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(res, again, cmpopts.EquateNaNs()); d != "" {
				t.Errorf("Exact and Optimum disagree:\n%s", d)
			}
			if k := kappa(t, p, theta); math.Abs(k-1) > 1e-10 {
				t.Errorf("κ(H_P) at the optimum is %g, want 1", k)
			}
			if got := rir(t, p, h, theta); !res.Unbounded && numtest.RelError(got, want.RIRAtRoot) > 1e-10 {
				t.Errorf("RIR at the optimum %.17g, want %.17g", got, want.RIRAtRoot)
			}
		})
	}
}

// TestCeilingHolds: on random problems the optimum attains the ceiling and no other extractor exceeds it, nor the bounds in κ(θ).
func TestCeilingHolds(t *testing.T) {
	rng := numtest.Rand(1)
	const problems, each = 200, 10
	worst, best := 0.0, 0.0
	for range problems {
		d := 2 + rng.IntN(7)
		p := factor(t, randomData(rng, d, d))
		h := factor(t, randomData(rng, d, d))
		theta, res, err := Optimum(p, h)
		if err != nil {
			t.Fatal(err)
		}
		if res.Unbounded || res.Freedom != 0 || len(res.Mu) != d {
			t.Fatalf("a full-rank pair is %+v", res)
		}
		e := numtest.RelError(rir(t, p, h, theta), res.Ceiling)
		worst = max(worst, e)
		if e > 1e-6 {
			t.Errorf("d = %d: RIR at the optimum %g, ceiling %g", d, rir(t, p, h, theta), res.Ceiling)
		}
		for range each {
			other := randomTheta(rng, d)
			if rng.IntN(2) == 0 { // near the optimum
				var q mat.Dense
				q.Mul(theta, other)
				other = &q
			}
			got, c := rir(t, p, h, other), spectrum.ThetaCondition(other)
			best = max(best, got/res.Ceiling)
			if got > res.Ceiling*(1+1e-7) {
				t.Errorf("d = %d: RIR %.10g exceeds the ceiling %.10g", d, got, res.Ceiling)
			}
			if bound := Bound(res, c); got > bound*(1+1e-7) {
				t.Errorf("d = %d, κ(θ) = %g: RIR %g exceeds the bound %g", d, c, got, bound)
			}
		}
	}
	t.Logf("the optimum is within %.1g of the ceiling, the others reach %.4f of it", worst, best)
	if best < 0.5 {
		t.Errorf("the extractors reach only %g of the ceiling: the comparison is empty", best)
	}
}

// randomData returns data with d columns and the given rank, κ(K) up to 10⁶.
func randomData(rng *rand.Rand, d, rank int) *mat.Dense {
	values := make([]float64, d)
	copy(values, numtest.Geometric(math.Exp(rng.NormFloat64()), math.Pow(10, -3*rng.Float64()), rank))
	return numtest.WithSingularValues(rng, d+rng.IntN(10), d, values)
}

// randomTheta returns an extractor with κ(θ) up to 10³.
func randomTheta(rng *rand.Rand, d int) *mat.Dense {
	return numtest.WithSingularValues(rng, d, d, numtest.Geometric(1, math.Pow(10, -3*rng.Float64()), d))
}

// embed returns data whose rows lie in the span of the given orthonormal columns.
func embed(rng *rand.Rand, n int, columns mat.Matrix, values []float64) *mat.Dense {
	_, r := columns.Dims()
	x := numtest.WithSingularValues(rng, n, r, values)
	var out mat.Dense
	out.Mul(x, columns.T())
	return &out
}

// TestStrictInclusion: null(K_P) properly inside null(K_H). The ceiling is attained and not exceeded.
func TestStrictInclusion(t *testing.T) {
	rng := numtest.Rand(2)
	for range 60 {
		d := 4 + rng.IntN(5)
		rp := 2 + rng.IntN(d-2) // 2 … d−1
		rh := 1 + rng.IntN(rp)  // 1 … rp
		q := numtest.Orthogonal(rng, d)
		inP := q.Slice(0, d, 0, rp)
		p := factor(t, embed(rng, d+5, inP, numtest.Geometric(2, 0.1, rp)))
		var inH mat.Dense // rh directions within range(K_P)
		inH.Mul(inP, numtest.Orthogonal(rng, rp).Slice(0, rp, 0, rh))
		h := factor(t, embed(rng, d+3, &inH, numtest.Geometric(1, 0.02, rh)))
		theta, res, err := Optimum(p, h)
		if err != nil {
			t.Fatal(err)
		}
		if res.Unbounded || res.Freedom != 0 || len(res.Mu) != rh {
			t.Fatalf("ranks %d, %d of %d: %+v", rp, rh, d, res)
		}
		if got := rir(t, p, h, theta); numtest.RelError(got, res.Ceiling) > 1e-9 {
			t.Errorf("ranks %d, %d of %d: RIR at the optimum %g, ceiling %g", rp, rh, d, got, res.Ceiling)
		}
		for range 20 {
			other := randomTheta(rng, d)
			if got := rir(t, p, h, other); got > res.Ceiling*(1+1e-8) || got > Bound(res, spectrum.ThetaCondition(other))*(1+1e-8) {
				t.Errorf("ranks %d, %d of %d: RIR %g exceeds the ceiling %g or a bound", rp, rh, d, got, res.Ceiling)
			}
		}
	}
}

// TestUnbounded: where the harmful task uses what the primary task never sees, RIR grows with the spike while κ(H_P) stays 1.
func TestUnbounded(t *testing.T) {
	rng := numtest.Rand(3)
	for range 40 {
		d := 4 + rng.IntN(5)
		rp := 1 + rng.IntN(d-1)
		rh := 2 + rng.IntN(d-2)
		p := factor(t, randomData(rng, d, rp))
		h := factor(t, randomData(rng, d, rh))
		theta, res, err := Optimum(p, h)
		if err != nil {
			t.Fatal(err)
		}
		if !res.Unbounded || res.Freedom != min(d-rp, rh) || !math.IsInf(res.Ceiling, 1) || res.Mu != nil {
			t.Fatalf("ranks %d, %d of %d: %+v", rp, rh, d, res)
		}
		if k := kappa(t, p, theta); math.Abs(k-1) > 1e-8 {
			t.Errorf("κ(H_P) at the optimum is %g", k)
		}
		if c := spectrum.ThetaCondition(theta); numtest.RelError(c*c, res.KappaPrimary) > 1e-8 && rp > 1 {
			t.Errorf("κ(θ)² = %g, κ(K_P) = %g", c*c, res.KappaPrimary)
		}
		if got := rir(t, p, h, theta); got > Bound(res, spectrum.ThetaCondition(theta))*(1+1e-8) {
			t.Errorf("RIR %g exceeds the bound", got)
		}
		// A larger spike on the same direction: RIR grows a hundredfold for a tenfold longer one, once it dominates.
		_, top, err := seen(p, h)
		if err != nil {
			t.Fatal(err)
		}
		spike := func(by float64) float64 {
			s := mat.DenseCopyOf(theta)
			s.RankOne(s, by/p.SingularValues()[rp-1], top, top)
			return rir(t, p, h, s)
		}
		if a, b := spike(1e4), spike(1e5); b/a < 90 || b/a > 110 {
			t.Errorf("ranks %d, %d of %d: RIR %g → %g for a spike ten times as long", rp, rh, d, a, b)
		}
	}
}

// TestRankOneHarmful: κ(H_H) is 1 whatever θ is, so that κ(K_P) is all that can be gained.
func TestRankOneHarmful(t *testing.T) {
	rng := numtest.Rand(4)
	for _, rp := range []int{3, 5} {
		p, h := factor(t, randomData(rng, 5, rp)), factor(t, randomData(rng, 5, 1))
		theta, res, err := Optimum(p, h)
		if err != nil {
			t.Fatal(err)
		}
		if want := kappa(t, p, nil); res.Unbounded || numtest.RelError(res.Ceiling, want) > 1e-9 || res.Freedom != min(1, 5-rp) {
			t.Errorf("rank %d: %+v, want the ceiling κ(K_P) = %g", rp, res, want)
		}
		if got := rir(t, p, h, theta); numtest.RelError(got, res.Ceiling) > 1e-9 {
			t.Errorf("rank %d: RIR %g at the optimum, ceiling %g", rp, got, res.Ceiling)
		}
	}
}

// TestAligned is the counterexample to "aligned singular vectors make immunization impossible".
func TestAligned(t *testing.T) {
	root := func(v ...float64) *mat.Dense {
		for i := range v {
			v[i] = math.Sqrt(v[i])
		}
		return numtest.Diagonal(v...)
	}
	p, h := factor(t, root(10, 5, 1)), factor(t, root(10, 1, 0.9))
	res, err := Exact(p, h)
	if err != nil {
		t.Fatal(err)
	}
	theta := numtest.Diagonal(1, math.Sqrt(0.2), 1)
	if got := rir(t, p, h, theta); math.Abs(got-4.5) > 1e-12 || math.Abs(res.Ceiling-4.5) > 1e-12 {
		t.Errorf("RIR %g, ceiling %g, want 4.5 for both", got, res.Ceiling)
	}
	if d := cmp.Diff([]float64{1, 0.9, 0.2}, res.Mu, cmpopts.EquateApprox(1e-14, 0)); d != "" {
		t.Errorf("μ (-want +got):\n%s", d)
	}
	// The same task twice, and one a multiple of the other: nothing can be gained.
	for _, other := range []*spectrum.Factor{p, factor(t, root(1000, 500, 100))} {
		if res, err := Exact(p, other); err != nil || math.Abs(res.Ceiling-1) > 1e-13 || res.LogCeiling < 0 {
			t.Errorf("%+v, %v, want the ceiling 1", res, err)
		}
	}
}

// TestWideSpectrum: a ratio μ_1/μ_D of 10³⁶ keeps its digits, and one beyond the float64 range its logarithm.
func TestWideSpectrum(t *testing.T) {
	for _, e := range []int{10, 60} {
		s := math.Ldexp(1, e)
		p, err := spectrum.NewFactorTol(numtest.Diagonal(1, 1, 1/s), 0)
		if err != nil {
			t.Fatal(err)
		}
		h, err := spectrum.NewFactorTol(numtest.Diagonal(1/s, 1, 1), 0)
		if err != nil {
			t.Fatal(err)
		}
		rng := numtest.Rand(5)
		if e == 10 { // rotated, so that nothing is exact
			q := numtest.Orthogonal(rng, 3)
			turn := func(x *mat.Dense) *spectrum.Factor {
				var xq mat.Dense
				xq.Mul(numtest.Orthogonal(rng, 3), x)
				xq.Mul(&xq, q)
				return factor(t, &xq)
			}
			p, h = turn(numtest.Diagonal(1, 1, 1/s)), turn(numtest.Diagonal(1/s, 1, 1))
		}
		res, err := Exact(p, h)
		if err != nil {
			t.Fatal(err)
		}
		// μ = s², 1, 1/s²; κ(K_P) = κ(K_H).
		if got, want := res.Ceiling, math.Pow(s, 4); numtest.RelError(got, want) > 1e-10 {
			t.Errorf("s = 2^%d: ceiling %g, want %g", e, got, want)
		}
		if got, want := res.MuMin, 1/(s*s); numtest.RelError(got, want) > 1e-10 {
			t.Errorf("s = 2^%d: μ_D = %g, want %g", e, got, want)
		}
	}
	p, h := factor(t, numtest.Diagonal(1e-200, 1e-200)), factor(t, numtest.Diagonal(1e200, 1e199))
	res, err := Exact(p, h)
	if err != nil || numtest.RelError(res.LogCeiling, 0) > 1e-12 || numtest.RelError(res.Ceiling, 1) > 1e-12 {
		t.Errorf("%+v, %v, want the ceiling 1 for two tasks of which one is a multiple of the identity", res, err)
	}
}

func TestEdges(t *testing.T) {
	nan := math.NaN()
	zero := factor(t, mat.NewDense(3, 2, nil))
	some := factor(t, mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 7}))
	one := factor(t, mat.NewDense(1, 1, []float64{-3}))
	for _, tt := range []struct {
		name string
		p, h *spectrum.Factor
		want float64
		err  error
	}{
		{"1×1", one, one, 1, nil},
		{"no primary task", zero, some, nan, ErrNoTask},
		{"no harmful task", some, zero, nan, ErrNoTask},
		{"none", zero, zero, nan, ErrNoTask},
	} {
		res, err := Exact(tt.p, tt.h)
		if err != nil || numtest.RelError(res.Ceiling, tt.want) > 1e-14 || res.Unbounded {
			t.Errorf("%s: %+v, %v, want the ceiling %g", tt.name, res, err, tt.want)
		}
		if _, _, err := Optimum(tt.p, tt.h); !errors.Is(err, tt.err) {
			t.Errorf("%s: Optimum fails with %v, want %v", tt.name, err, tt.err)
		}
	}
	if theta, _, err := Optimum(one, one); err != nil || math.Abs(theta.At(0, 0)-1.0/3) > 1e-15 {
		t.Errorf("Optimum of 1×1: %v, %v, want 1/3", theta, err)
	}
	defer func() {
		if got := recover(); got != badPair {
			t.Errorf("panic %v, want %q", got, badPair)
		}
	}()
	Exact(one, some)
}

func TestBound(t *testing.T) {
	r := Result{Ceiling: 1000, KappaPrimary: 50}
	for _, tt := range []struct{ c, want float64 }{
		{1, 1},
		{2, 16},
		{4, 256},
		{10, 1000},
		{math.Inf(1), 1000},
		{1e200, 1000},
		{0.5, math.NaN()},
		{math.NaN(), math.NaN()},
	} {
		if got := Bound(r, tt.c); numtest.RelError(got, tt.want) > 0 {
			t.Errorf("Bound(%g) = %g, want %g", tt.c, got, tt.want)
		}
	}
	r.KappaPrimary = 3
	if got := Bound(r, 4); got != 48 {
		t.Errorf("Bound(4) = %g, want 48 = c²·κ(K_P)", got)
	}
	if got := Bound(Result{Ceiling: math.NaN()}, 2); !math.IsNaN(got) {
		t.Errorf("Bound without a ceiling = %g, want NaN", got)
	}
}

func BenchmarkExact(b *testing.B) {
	rng := numtest.Rand(6)
	p, h := factor(b, numtest.Gaussian(rng, 200, 64)), factor(b, numtest.Gaussian(rng, 200, 64))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Exact(p, h); err != nil {
			b.Fatal(err)
		}
	}
}

func TestLogBound(t *testing.T) {
	for _, r := range []Result{
		{Ceiling: 1000, LogCeiling: math.Log(1000), KappaPrimary: 50},
		{Ceiling: 1000, LogCeiling: math.Log(1000), KappaPrimary: 3},
		{Ceiling: math.Inf(1), LogCeiling: math.Inf(1), KappaPrimary: 50},
	} {
		for _, c := range []float64{1, 2, 4, 10, 1e30, 0.5, math.NaN()} {
			want := math.Log(Bound(r, c))
			if got := LogBound(r, c); math.Abs(got-want) > 1e-13*(1+math.Abs(want)) || math.IsNaN(got) != math.IsNaN(want) {
				t.Errorf("%+v: LogBound(%g) = %g, want %g", r, c, got, want)
			}
		}
	}
	// Beyond the float64 range.
	r := Result{Ceiling: math.Inf(1), LogCeiling: math.Inf(1), KappaPrimary: 1e300, Unbounded: true}
	if got, want := LogBound(r, 1e100), 4*100*math.Ln10; numtest.RelError(got, want) > 1e-14 {
		t.Errorf("LogBound(1e100) = %g, want %g", got, want)
	}
}

func TestReached(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, tt := range []struct{ rir, limit, want float64 }{
		{2, 4, 0.5},
		{0, 4, 0},
		{-4, 4, -1},
		{4, 4, 1},
		{2, inf, nan}, // no limit
		{0, 0, nan},   // nothing to reach
		{1e-12, 1e-9, nan},
		{nan, 4, nan},
		{2, nan, nan},
		{inf, 4, inf},
	} {
		if got := Reached(tt.rir, tt.limit); got != tt.want && !(math.IsNaN(got) && math.IsNaN(tt.want)) {
			t.Errorf("Reached(%g, %g) = %g, want %g", tt.rir, tt.limit, got, tt.want)
		}
	}
}
