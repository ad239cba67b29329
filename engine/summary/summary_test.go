package summary

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var (
	nan = math.NaN()
	inf = math.Inf(1)
)

func near(got, want, rel float64) bool {
	if math.IsNaN(want) {
		return math.IsNaN(got)
	}
	return got == want || math.Abs(got-want) <= rel*math.Abs(want)
}

func TestSummarize(t *testing.T) {
	tests := []struct {
		name string
		x    []float64
		want Summary
	}{
		{"nil", nil, Summary{0, 0, nan, nan, nan, nan, nan, nan, nan, []string{"n = 0: no finite values"}}},
		{"none finite", []float64{nan, inf, -inf}, Summary{
			0, 3, nan, nan, nan, nan, nan, nan, nan,
			[]string{"3 non-finite values left out", "n = 0: no finite values"},
		}},
		{"one", []float64{-3}, Summary{1, 0, -3, -3, nan, -3, -3, nan, nan, []string{"n = 1: no spread and no interval"}}},
		// t(0.975; 1) = 12.70620473617471; sd = √2, standard error 1.
		{"two", []float64{3, 1}, Summary{2, 0, 2, 2, math.Sqrt2, 1, 3, 2 - 12.706204736174698, 2 + 12.706204736174698, []string{
			"n = 2: the interval is wide, ±12.7 standard errors",
			"the interval reaches 0 though every value is positive: the sample is too small or too skewed for it",
		}}},
		// t(0.975; 4) = 2.7764451051977987; Σ(x−3)² = 10, sd = √2.5, standard error √½.
		{"five", []float64{5, 1, 4, 2, 3}, Summary{
			5, 0, 3, 3, math.Sqrt(2.5), 1, 5,
			3 - 2.7764451051977987*math.Sqrt(0.5), 3 + 2.7764451051977987*math.Sqrt(0.5), nil,
		}},
		{"excluded", []float64{inf, 1, nan, 2, 3, 4, 5}, Summary{
			5, 2, 3, 3, math.Sqrt(2.5), 1, 5,
			3 - 2.7764451051977987*math.Sqrt(0.5), 3 + 2.7764451051977987*math.Sqrt(0.5),
			[]string{"2 non-finite values left out"},
		}},
		{"equal", []float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, Summary{7, 0, 0.1, 0.1, 0, 0.1, 0.1, 0.1, 0.1, []string{
			"n = 7: all values are equal, the interval has no width",
		}}},
		{"zeros", []float64{0, 0}, Summary{2, 0, 0, 0, 0, 0, 0, 0, 0, []string{
			"n = 2: all values are equal, the interval has no width",
		}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(tt.x)
			got := Summarize(tt.x)
			opts := []cmp.Option{cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-14, 0), cmpopts.EquateEmpty()}
			if d := cmp.Diff(tt.want, got, opts...); d != "" {
				t.Errorf("Summarize(%v) (-want +got):\n%s", tt.x, d)
			}
			if d := cmp.Diff(before, tt.x, cmpopts.EquateNaNs()); d != "" {
				t.Errorf("Summarize changed its argument:\n%s", d)
			}
		})
	}
}

// TestTQuantile compares with published tables (three decimals) and with the closed forms for ν = 1, 2 and 4.
func TestTQuantile(t *testing.T) {
	table := []struct{ p, nu, want float64 }{
		{0.90, 5, 1.476},
		{0.95, 7, 1.895},
		{0.975, 3, 3.182},
		{0.975, 5, 2.571},
		{0.975, 6, 2.447},
		{0.975, 9, 2.262},
		{0.975, 19, 2.093},
		{0.975, 29, 2.045},
		{0.975, 59, 2.001},
		{0.975, 120, 1.980},
		{0.975, 1e12, 1.960},
		{0.975, inf, 1.960},
		{0.995, 10, 3.169},
		{0.9995, 3, 12.924},
	}
	for _, tt := range table {
		if got := TQuantile(tt.p, tt.nu); math.Abs(got-tt.want) > 0.0005 {
			t.Errorf("TQuantile(%g, %g) = %.6f, want %.3f", tt.p, tt.nu, got, tt.want)
		}
		if got := TQuantile(1-tt.p, tt.nu); math.Abs(got+tt.want) > 0.0005 {
			t.Errorf("TQuantile(1-%g, %g) = %.6f, want %.3f", tt.p, tt.nu, got, -tt.want)
		}
	}
	for _, p := range []float64{0.6, 0.75, 0.9, 0.975, 0.999, 0.9999} {
		a := 4 * p * (1 - p)
		closed := map[float64]float64{
			1: math.Tan(math.Pi * (p - 0.5)),
			2: (2*p - 1) / math.Sqrt(a/2),
			4: 2 * math.Sqrt(math.Cos(math.Acos(math.Sqrt(a))/3)/math.Sqrt(a)-1),
		}
		for nu, want := range closed {
			if got := TQuantile(p, nu); !near(got, want, 1e-11) {
				t.Errorf("TQuantile(%g, %g) = %.16g, want %.16g", p, nu, got, want)
			}
		}
	}
	// The expansion around the normal distribution joins on smoothly.
	if a, b := TQuantile(0.975, manyFreedom), TQuantile(0.975, manyFreedom*1.0001); !(b < a) || a-b > 1e-9 {
		t.Errorf("at ν = %g the quantile jumps from %.15g to %.15g", manyFreedom, a, b)
	}
	edges := []struct{ p, nu, want float64 }{
		{0, 3, -inf}, {1, 3, inf}, {0.5, 3, 0}, {-0.1, 3, nan}, {1.1, 3, nan}, {nan, 3, nan}, {0.9, 0, nan}, {0.9, -1, nan}, {0.9, nan, nan},
	}
	for _, tt := range edges {
		if got := TQuantile(tt.p, tt.nu); !near(got, tt.want, 0) {
			t.Errorf("TQuantile(%g, %g) = %g, want %g", tt.p, tt.nu, got, tt.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	x := []float64{40, 10, 30, 20} // sorted 10 20 30 40, h = 3p
	tests := []struct {
		x       []float64
		p, want float64
	}{
		{x, 0, 10},
		{x, 1, 40},
		{x, 0.5, 25},
		{x, 0.25, 17.5}, // R: quantile(c(10,20,30,40), .25) = 17.5
		{x, 0.9, 37},
		{x, 1.0 / 3, 20},
		{[]float64{7}, 0.3, 7},
		{[]float64{3, nan, 1, inf, 2}, 0.5, 2},
		{[]float64{-math.MaxFloat64, math.MaxFloat64}, 0.5, 0},
		{nil, 0.5, nan},
		{x, -0.01, nan},
		{x, 1.01, nan},
		{x, nan, nan},
	}
	for _, tt := range tests {
		if got := Quantile(tt.x, tt.p); !near(got, tt.want, 1e-15) {
			t.Errorf("Quantile(%v, %g) = %g, want %g", tt.x, tt.p, got, tt.want)
		}
	}
	if got := Median([]float64{9, 1, 5}); got != 5 {
		t.Errorf("Median(9, 1, 5) = %g, want 5", got)
	}
	if d := cmp.Diff([]float64{40, 10, 30, 20}, x); d != "" {
		t.Errorf("Quantile changed its argument:\n%s", d)
	}
}

// TestMoments compares the mean and the deviation with exact rational arithmetic on samples that defeat the textbook formulas.
func TestMoments(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	sample := func(n int, offset, scale float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = offset + scale*rng.NormFloat64()
		}
		return x
	}
	for _, tt := range []struct {
		name string
		x    []float64
	}{
		{"plain", sample(60, 0, 1)},
		{"offset 1e9", sample(60, 1e9, 1)},
		{"offset 1e15", sample(5, 1e15, 10)},
		{"huge", sample(7, 1e307, 1e307)},
		{"tiny", sample(7, 0, 1e-300)},
		{"mixed", []float64{1e300, -1e300, 1}},
		{"spread of 30 orders", []float64{1e-15, 1, 1e15, 3}},
		{"many", sample(2000, 4, 1e-3)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mean, sd := exactMoments(tt.x)
			s := Summarize(tt.x)
			if !near(s.Mean, mean, 4e-16) {
				t.Errorf("Mean = %.17g, want %.17g", s.Mean, mean)
			}
			if !near(s.SD, sd, 1e-15) {
				t.Errorf("SD = %.17g, want %.17g", s.SD, sd)
			}
			if Mean(tt.x) != s.Mean || StdDev(tt.x) != s.SD || Median(tt.x) != s.Median {
				t.Errorf("Mean, StdDev, Median = %g, %g, %g differ from %+v", Mean(tt.x), StdDev(tt.x), Median(tt.x), s)
			}
			if half := (s.High - s.Low) / 2; !near(CI95(tt.x), half, 1e-9*math.Abs(s.Mean)/s.SD+1e-9) {
				t.Errorf("CI95 = %g, want half of [%g, %g]", CI95(tt.x), s.Low, s.High)
			}
		})
	}
}

// exactMoments computes mean and deviation (n−1) without rounding but the last.
func exactMoments(x []float64) (mean, sd float64) {
	n := new(big.Rat).SetInt64(int64(len(x)))
	m, ss := new(big.Rat), new(big.Rat)
	for _, a := range x {
		m.Add(m, new(big.Rat).SetFloat64(a))
	}
	m.Quo(m, n)
	for _, a := range x {
		d := new(big.Rat).SetFloat64(a)
		d.Sub(d, m)
		ss.Add(ss, d.Mul(d, d))
	}
	ss.Quo(ss, n.Sub(n, big.NewRat(1, 1)))
	mean, _ = m.Float64()
	f := new(big.Float).SetPrec(200).SetRat(ss)
	sd, _ = f.Sqrt(f).Float64()
	return mean, sd
}

// TestCoverage draws many small normal samples: the interval must hold the true mean in 95 % of them. An interval with 1.96
// instead of Student's t covers 88 % at n = 5.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const trials = 20000
	for _, n := range []int{2, 5, 20} {
		hit := 0
		for range trials {
			x := make([]float64, n)
			for i := range x {
				x[i] = 7 + 3*rng.NormFloat64()
			}
			if s := Summarize(x); s.Low <= 7 && 7 <= s.High {
				hit++
			}
		}
		// Four standard deviations of a binomial proportion.
		if p := float64(hit) / trials; math.Abs(p-Level) > 4*math.Sqrt(Level*(1-Level)/trials) {
			t.Errorf("n = %d: the interval covers the mean in %.4f of the samples, want %.2f", n, p, Level)
		}
	}
}

func TestEquivariance(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		x := make([]float64, 3+rng.IntN(20))
		y := make([]float64, len(x))
		for i := range x {
			x[i] = rng.NormFloat64()
			y[i] = 100 - 3*x[i]
		}
		rng.Shuffle(len(y), func(i, j int) { y[i], y[j] = y[j], y[i] })
		a, b := Summarize(x), Summarize(y)
		for _, c := range []struct {
			what      string
			got, want float64
		}{
			{"mean", b.Mean, 100 - 3*a.Mean},
			{"median", b.Median, 100 - 3*a.Median},
			{"sd", b.SD, 3 * a.SD},
			{"low", b.Low, 100 - 3*a.High},
			{"high", b.High, 100 - 3*a.Low},
		} {
			if !near(c.got, c.want, 1e-12) {
				t.Errorf("%s of 100 - 3x = %.16g, want %.16g", c.what, c.got, c.want)
			}
		}
	}
}

func TestWarningsOfFewValues(t *testing.T) {
	for n := 2; n < 8; n++ {
		x := make([]float64, n)
		for i := range x {
			x[i] = -float64(i)
		}
		got := strings.Join(Summarize(x).Warnings, "\n")
		if wide := strings.Contains(got, "wide"); wide != (n < Few) {
			t.Errorf("n = %d: warnings %q", n, got)
		}
	}
}

func BenchmarkSummarize(b *testing.B) {
	x := make([]float64, 60)
	for i := range x {
		x[i] = float64(i * i % 37)
	}
	b.ReportAllocs()
	for b.Loop() {
		Summarize(x)
	}
}
