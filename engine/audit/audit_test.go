package audit

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/spectrum"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func factor(t testing.TB, x *mat.Dense) *spectrum.Factor {
	t.Helper()
	f, err := spectrum.NewFactor(x)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustMeasure(t testing.TB, in Input) Report {
	t.Helper()
	r, err := Measure(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func product(a, b mat.Matrix) *mat.Dense {
	var c mat.Dense
	c.Mul(a, b)
	return &c
}

// features returns Xθ + 1bᵀ.
func features(x, theta mat.Matrix, b []float64) *mat.Dense {
	f := product(x, theta)
	f.Apply(func(_, j int, v float64) float64 { return v + b[j] }, f)
	return f
}

func identity(n int) *mat.Dense {
	ones := make([]float64, n)
	for i := range ones {
		ones[i] = 1
	}
	return numtest.Diagonal(ones...)
}

// TestVectors compares every figure with fifty-digit arithmetic.
func TestVectors(t *testing.T) {
	for _, set := range numtest.Vectors() {
		t.Run(set.Name, func(t *testing.T) {
			want := set.Expected
			got := mustMeasure(t, Input{
				Primary: factor(t, set.XP), Harmful: factor(t, set.XH), Theta: set.Theta, XPrimary: set.XP, Y: set.YP,
			})
			check := func(what string, got, want float64) {
				t.Helper()
				// 1e-10: the vectors reach κ = 10⁵ on singular values, which costs five of sixteen digits.
				if e := numtest.RelError(got, want); e > 1e-10 {
					t.Errorf("%s = %.17g, want %.17g", what, got, want)
				}
			}
			check("κ(H_P)", got.Primary.Rank.Kappa, want.KappaRank.HP)
			check("κ(H_H)", got.Harmful.Rank.Kappa, want.KappaRank.HH)
			check("κ(K_P)", got.Base.Primary.Rank.Kappa, want.KappaRank.KP)
			check("κ(K_H)", got.Base.Harmful.Rank.Kappa, want.KappaRank.KH)
			check("(i)", got.RatioHarmful.Rank, want.RatioHarmful)
			check("(ii)", got.RatioPrimary.Rank, want.RatioPrimary)
			check("RIR", got.RIR.Rank, want.RIR)
			check("σ_1(H_P)", got.Primary.Rank.SigmaMax, want.EigHP[0])
			check("σ_k(H_H)", got.Harmful.Rank.SigmaMin, want.EigHH[want.RankH-1])
			check("κ(θ)", got.KappaTheta, mat.Cond(set.Theta, 2))
			check("ceiling", got.Ceiling, want.Ceiling)
			if want.RidgeStable {
				check("κ(H_H), ridge", got.Harmful.Ridge.Kappa, want.KappaRidge.HH)
				check("κ(K_P), ridge", got.Base.Primary.Ridge.Kappa, want.KappaRidge.KP)
				check("RIR, ridge", got.RIR.Ridge, want.RIRRidge)
				if got.RidgeDominated() {
					t.Error("a full-rank problem is ridge-dominated")
				}
			}
			if got.Primary.Rank.Rank != want.RankP || got.Harmful.Rank.Rank != want.RankH {
				t.Errorf("ranks %d, %d, want %d, %d", got.Primary.Rank.Rank, got.Harmful.Rank.Rank, want.RankP, want.RankH)
			}
			if got.Unbounded != math.IsInf(want.Ceiling, 1) || (got.Freedom > 0) != (want.KHOnNullKP > 0) {
				t.Errorf("unbounded %v, freedom %d, want the ceiling %g", got.Unbounded, got.Freedom, want.Ceiling)
			}
			if got.DefA != (want.RatioHarmful >= 10) || got.DefB != (want.RatioPrimary <= 1) || !got.DefC {
				t.Errorf("definition %v %v %v for (i) %g, (ii) %g and an invertible θ", got.DefA, got.DefB, got.DefC, want.RatioHarmful, want.RatioPrimary)
			}
		})
	}
}

// TestSettings: the same extractor as θ and as features of two models gives the same figures; what does not apply is NaN or nil.
func TestSettings(t *testing.T) {
	rng := numtest.Rand(1)
	xp, xh := numtest.Gaussian(rng, 12, 5), numtest.Gaussian(rng, 9, 5)
	theta := numtest.Gaussian(rng, 5, 5)
	p, h := factor(t, xp), factor(t, xh)
	fp, fh := factor(t, product(xp, theta)), factor(t, product(xh, theta))

	linear := mustMeasure(t, Input{Primary: p, Harmful: h, Theta: theta})
	models := mustMeasure(t, Input{Primary: fp, Harmful: fh, BasePrimary: p, BaseHarmful: h})
	alone := mustMeasure(t, Input{Primary: fp, Harmful: fh})
	close := cmpopts.EquateApprox(1e-9, 1e-12)
	for _, d := range []string{
		cmp.Diff(linear.RIR, models.RIR, close),
		cmp.Diff(linear.RatioHarmful, models.RatioHarmful, close),
		cmp.Diff(linear.RatioPrimary, models.RatioPrimary, close),
		cmp.Diff(linear.Base, models.Base, close, cmpopts.EquateNaNs()),
		cmp.Diff(linear.Harmful, alone.Harmful, close, cmpopts.EquateNaNs()),
	} {
		if d != "" {
			t.Errorf("two settings, two answers:\n%s", d)
		}
	}
	for what, v := range map[string]float64{
		"κ(θ) of features": models.KappaTheta, "ceiling of two models": models.Ceiling, "RIR of one model": alone.RIR.Rank,
		"ridge RIR of one model": alone.RIR.Ridge, "loss without targets": linear.LossPrimary,
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s = %g, want NaN", what, v)
		}
	}
	if alone.Base != nil || alone.DefA || alone.DefB || alone.DefC || linear.DefC {
		t.Errorf("parts of the definition hold without the figures they need: %+v", alone)
	}
	if math.IsNaN(alone.Ceiling) || math.IsNaN(linear.Ceiling) {
		t.Errorf("no ceiling: %g, %g", alone.Ceiling, linear.Ceiling)
	}
	// Orthogonal extractors change nothing.
	still := mustMeasure(t, Input{Primary: p, Harmful: h, Theta: numtest.Orthogonal(rng, 5), XPrimary: xp, Y: make([]float64, 12)})
	for _, v := range []float64{still.RIR.Rank, still.RIR.Ridge, still.RatioHarmful.Rank, still.RatioPrimary.Rank, still.KappaTheta} {
		if numtest.RelError(v, 1) > 1e-9 {
			t.Errorf("an orthogonal θ has a figure %g, want 1", v)
		}
	}
	if still.DefA || !still.DefB || !still.DefC || still.LossPrimary != 0 {
		t.Errorf("an orthogonal θ: %+v", still)
	}
}

// TestLossOfTwoModels: the losses are those of least squares on the features of each, and NaN for an original whose features are
// not given.
func TestLossOfTwoModels(t *testing.T) {
	rng := numtest.Rand(7)
	before, after, harmful := numtest.Gaussian(rng, 30, 6), numtest.Gaussian(rng, 30, 4), numtest.Gaussian(rng, 20, 4)
	y := numtest.Gaussian(rng, 30, 1)
	least := func(x *mat.Dense) float64 {
		var w, rest mat.Dense
		if err := w.Solve(x, y); err != nil {
			t.Fatal(err)
		}
		rest.Mul(x, &w)
		rest.Sub(&rest, y)
		norm := rest.Norm(2)
		return norm * norm / 30
	}
	in := Input{
		Primary: factor(t, after), Harmful: factor(t, harmful), BasePrimary: factor(t, before), BaseHarmful: factor(t, numtest.Gaussian(rng, 20, 6)),
		XPrimary: after, XBasePrimary: before, Y: y.RawMatrix().Data,
	}
	got := mustMeasure(t, in)
	if math.Abs(got.LossPrimary-least(after)) > 1e-12 || math.Abs(got.LossBase-least(before)) > 1e-12 || got.DefC {
		t.Errorf("losses %v and %v before, want %v and %v", got.LossPrimary, got.LossBase, least(after), least(before))
	}
	in.XBasePrimary = nil
	if got := mustMeasure(t, in); !math.IsNaN(got.LossBase) || math.IsNaN(got.LossPrimary) || got.DefC {
		t.Errorf("without the original's features: losses %v and %v, (c) %t", got.LossPrimary, got.LossBase, got.DefC)
	}
}

// TestBias: with a bias the figures are those of Xθ + 1bᵀ, against X.
func TestBias(t *testing.T) {
	rng := numtest.Rand(2)
	for _, d := range []int{1, 4, 20} { // 20: fewer examples than columns
		xp, xh := numtest.Gaussian(rng, 15, d), numtest.Gaussian(rng, 11, d)
		theta, bias := numtest.Gaussian(rng, d, d), numtest.Gaussian(rng, d, 1).RawMatrix().Data
		y := numtest.Gaussian(rng, 15, 1).RawMatrix().Data
		p, h := factor(t, xp), factor(t, xh)
		got := mustMeasure(t, Input{
			Primary: p, Harmful: h, Theta: theta, Bias: bias, XPrimary: xp, XHarmful: xh, Y: y,
		})
		fp := features(xp, theta, bias)
		want := mustMeasure(t, Input{
			Primary: factor(t, fp), Harmful: factor(t, features(xh, theta, bias)), BasePrimary: p, BaseHarmful: h, XPrimary: fp, Y: y,
		})
		close := []cmp.Option{cmpopts.EquateApprox(1e-8, 1e-14), cmpopts.EquateNaNs(), cmpopts.IgnoreFields(spectrum.Condition{}, "Next")}
		for _, diff := range []string{
			cmp.Diff(want.Primary.Rank, got.Primary.Rank, close...),
			cmp.Diff(want.Harmful.Rank, got.Harmful.Rank, close...),
			cmp.Diff(want.RIR.Rank, got.RIR.Rank, close...),
			cmp.Diff(want.Base, got.Base, close...),
			cmp.Diff(want.LossPrimary, got.LossPrimary, close...),
		} {
			if diff != "" {
				t.Errorf("d = %d (-direct +measured):\n%s", d, diff)
			}
		}
		if got.KappaTheta != spectrum.ThetaCondition(theta) {
			t.Errorf("κ(θ) = %g counts the bias", got.KappaTheta)
		}
	}
	// A bias on rank-deficient data adds one direction.
	x := numtest.WithSingularValues(rng, 12, 5, []float64{3, 2, 1, 0, 0})
	got := mustMeasure(t, Input{
		Primary: factor(t, x), Harmful: factor(t, x), Theta: identity(5), Bias: []float64{1, 2, 3, 4, 5}, XPrimary: x, XHarmful: x,
	})
	if got.Primary.Rank.Rank != 4 || got.Base.Primary.Rank.Rank != 3 {
		t.Errorf("rank %d with the bias, %d without, want 4 and 3", got.Primary.Rank.Rank, got.Base.Primary.Rank.Rank)
	}
}

func TestLoss(t *testing.T) {
	rng := numtest.Rand(3)
	x := numtest.Gaussian(rng, 30, 4)
	w := mat.NewVecDense(4, []float64{1, -2, 3, 4})
	noise := numtest.Gaussian(rng, 30, 1)
	var y mat.VecDense
	y.MulVec(x, w)
	y.AddScaledVec(&y, 0.1, noise.ColView(0))
	loss := func(features *mat.Dense) float64 { // by the normal equations
		var gram, rhs, best, r mat.Dense
		gram.Mul(features.T(), features)
		rhs.Mul(features.T(), &y)
		if err := best.Solve(&gram, &rhs); err != nil {
			t.Fatal(err)
		}
		r.Mul(features, &best)
		r.Sub(&r, &y)
		return math.Pow(mat.Norm(&r, 2), 2) / 30
	}
	f, targets := factor(t, x), y.RawVector().Data
	drop := numtest.Diagonal(1, 1, 1, 0) // loses a column that matters
	const (
		tol = 1e-9
		// The rounding of Xθ turns the span of its columns by εκ(θ) = 2e-9, and the fit is fifty times as long as what it leaves.
		turned = 2e-7
	)
	lost := loss(mat.DenseCopyOf(x.Slice(0, 30, 0, 3)))
	for _, tt := range []struct {
		name  string
		theta *mat.Dense
		want  float64
		tol   float64
		defC  bool
	}{
		{"identity", identity(4), loss(x), tol, true},
		{"invertible", numtest.Gaussian(rng, 4, 4), loss(x), tol, true},
		{"ill-conditioned", numtest.WithSingularValues(rng, 4, 4, []float64{1, 1, 1, 1e-7}), loss(x), turned, true},
		{"singular", drop, lost, tol, false},
		{"invertible, and singular in double precision", numtest.Diagonal(1, 1, 1, 1e-15), lost, tol, false},
	} {
		got := mustMeasure(t, Input{Primary: f, Harmful: f, Theta: tt.theta, XPrimary: x, Y: targets})
		if numtest.RelError(got.LossPrimary, tt.want) > tt.tol || numtest.RelError(got.LossBase, loss(x)) > tol || got.DefC != tt.defC {
			t.Errorf("%s: loss %g, original %g, (c) %v; want %g, %g, %v", tt.name, got.LossPrimary, got.LossBase, got.DefC, tt.want, loss(x), tt.defC)
		}
	}
	// Fewer examples than columns: every θ fits perfectly, and 0 is 0.
	wide := numtest.Gaussian(rng, 3, 4)
	got := mustMeasure(t, Input{
		Primary: factor(t, wide), Harmful: f, Theta: numtest.Gaussian(rng, 4, 4), XPrimary: wide, Y: []float64{1, 2, 3},
	})
	if got.LossPrimary != 0 || got.LossBase != 0 || !got.DefC {
		t.Errorf("a perfect fit: loss %g, original %g, (c) %v", got.LossPrimary, got.LossBase, got.DefC)
	}
}

// TestDefinition: thresholds (a) and (b) on extractors whose ratios are known.
func TestDefinition(t *testing.T) {
	p, h := factor(t, numtest.Diagonal(2, 1)), factor(t, numtest.Diagonal(1, 1))
	for _, tt := range []struct {
		scale      float64 // θ = diag(1, scale): κ(H_P) = 4/scale², κ(H_H) = 1/scale² below 1
		defA, defB bool
	}{
		{1, false, true},
		{0.9, false, false},
		{0.3, true, false},
		{2, false, true},  // κ(H_P) = 1
		{3.5, true, true}, // κ(H_H) = 12.25, κ(H_P) = 3.0625
		{5, true, false},  // κ(H_P) = 6.25
	} {
		got := mustMeasure(t, Input{Primary: p, Harmful: h, Theta: numtest.Diagonal(1, tt.scale)})
		if got.DefA != tt.defA || got.DefB != tt.defB {
			t.Errorf("θ = diag(1, %g): (i) %g, (ii) %g: (a) %v, (b) %v", tt.scale, got.RatioHarmful.Rank, got.RatioPrimary.Rank, got.DefA, got.DefB)
		}
	}
}

func TestErrors(t *testing.T) {
	x := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 7})
	f, other := factor(t, x), factor(t, identity(3))
	theta := identity(2)
	for want, in := range map[string]Input{
		"audit: both tasks are needed":                                                                                 {Primary: f},
		"audit: the primary task has 2 columns, the harmful task 3":                                                    {Primary: f, Harmful: other},
		"audit: the original's features are needed for both tasks or for none":                                         {Primary: f, Harmful: f, BaseHarmful: f},
		"audit: an extractor is compared with the identity, not with another model: give θ or the original's features": {Primary: f, Harmful: f, BasePrimary: f, BaseHarmful: f, Theta: theta},
		"audit: a bias needs an extractor":                                                                             {Primary: f, Harmful: f, Bias: []float64{1, 2}},
		"audit: a bias needs the inputs of both tasks":                                                                 {Primary: f, Harmful: f, Theta: theta, Bias: []float64{1, 2}, XPrimary: x},
		"audit: the original's features are given without their factors":                                               {Primary: f, Harmful: f, XBasePrimary: x},
		"audit: the original's features of the primary task are 1×2, their factor is of 3×2":                           {Primary: f, Harmful: f, BasePrimary: f, BaseHarmful: f, XBasePrimary: mat.NewDense(1, 2, nil)},
		"audit: the loss needs the inputs of the primary task":                                                         {Primary: f, Harmful: f, Y: []float64{1, 2, 3}},
		"audit: 2 targets for 3 examples of the primary task":                                                          {Primary: f, Harmful: f, Y: []float64{1, 2}, XPrimary: x},
		"audit: θ has 3 rows, the inputs have 2 columns":                                                               {Primary: f, Harmful: f, Theta: identity(3)},
		"audit: the bias has 1 elements, θ has 2 columns":                                                              {Primary: f, Harmful: f, Theta: theta, Bias: []float64{1}, XPrimary: x, XHarmful: x},
		"audit: element 1 of the bias is NaN":                                                                          {Primary: f, Harmful: f, Theta: theta, Bias: []float64{1, math.NaN()}, XPrimary: x, XHarmful: x},
		"audit: the inputs of the harmful task are 2×2, its factor is of 3×2":                                          {Primary: f, Harmful: f, XHarmful: theta},
		"audit: primary task: spectrum: element of θ in row 0, column 1 is +Inf":                                       {Primary: f, Harmful: f, Theta: mat.NewDense(2, 2, []float64{1, math.Inf(1), 0, 1})},
		"audit: probe: target 2 is NaN":                                                                                {Primary: f, Harmful: f, XPrimary: x, Y: []float64{0, 1, math.NaN()}},
	} {
		if _, err := Measure(in); err == nil || err.Error() != want {
			t.Errorf("error %v\n want %s", err, want)
		}
	}
}

// TestJSON pins the form that `kappa audit --json` prints, one golden file a setting. Numbers are compared to six digits.
func TestJSON(t *testing.T) {
	p, h := factor(t, numtest.Diagonal(4, 2, 1)), factor(t, numtest.Diagonal(1, 2, 0.5))
	blind := factor(t, numtest.Diagonal(4, 2, 0)) // sees two columns of three
	theta := numtest.Diagonal(0.25, 0.5, 1)
	tall := mat.NewDense(4, 3, []float64{4, 0, 0, 0, 2, 0, 0, 0, 1, 1, 1, 1})
	for name, in := range map[string]Input{
		"theta":     {Primary: p, Harmful: h, Theta: theta},
		"models":    {Primary: h, Harmful: p, BasePrimary: p, BaseHarmful: h},
		"alone":     {Primary: p, Harmful: h},
		"unbounded": {Primary: blind, Harmful: h, Theta: theta},
		"singular":  {Primary: p, Harmful: h, Theta: numtest.Diagonal(1, 1, 0)},
		"losses":    {Primary: factor(t, tall), Harmful: h, Theta: theta, XPrimary: tall, Y: []float64{1, 2, 0, 3}},
		"zero":      {Primary: p, Harmful: factor(t, mat.NewDense(3, 3, nil)), Theta: theta},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.MarshalIndent(mustMeasure(t, in), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got := rounded(string(text)) + "\n"
			file := filepath.Join("testdata", name+".golden.json")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s (-want +got), -update rewrites it:\n%s", file, d)
			}
		})
	}
}

var jsonNumber = regexp.MustCompile(`-?\d+(\.\d+)?([eE][-+]?\d+)?`)

// rounded rounds the numbers of a JSON text to six digits: the last digits depend on the processor.
func rounded(text string) string {
	return jsonNumber.ReplaceAllStringFunc(text, func(s string) string {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return s
		}
		if math.Abs(f) < 1e-12 {
			f = 0
		}
		return strconv.FormatFloat(f, 'g', 6, 64)
	})
}

func TestNumber(t *testing.T) {
	for _, tt := range []struct {
		n    float64
		want string
	}{
		{0, "0"},
		{1.5, "1.5"},
		{-1e300, "-1e+300"},
		{math.NaN(), `"NaN"`},
		{math.Inf(1), `"Infinity"`},
		{math.Inf(-1), `"-Infinity"`},
	} {
		if got, err := json.Marshal(number(tt.n)); err != nil || string(got) != tt.want {
			t.Errorf("%g is %s, %v, want %s", tt.n, got, err, tt.want)
		}
	}
}

func BenchmarkMeasure(b *testing.B) {
	rng := numtest.Rand(4)
	x := numtest.Gaussian(rng, 178, 64)
	f, theta, y := factor(b, x), numtest.Gaussian(rng, 64, 64), make([]float64, 178)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Measure(Input{Primary: f, Harmful: f, Theta: theta, XPrimary: x, Y: y}); err != nil {
			b.Fatal(err)
		}
	}
}

// What was computed once serves every extractor, from several goroutines, and gives the same figures.
func TestOriginal(t *testing.T) {
	rng := numtest.Rand(41)
	xp, xh := numtest.Gaussian(rng, 30, 5), numtest.Gaussian(rng, 25, 5)
	tasks := Input{
		Primary: factor(t, xp), Harmful: factor(t, xh), XPrimary: xp, XHarmful: xh, Y: numtest.Gaussian(rng, 30, 1).RawMatrix().Data,
	}
	shared := tasks
	shared.Original = NewOriginal(tasks)
	var group sync.WaitGroup
	for i := range 6 {
		theta, bias := numtest.Gaussian(rng, 5, 5), []float64(nil)
		if i%2 == 1 {
			bias = []float64{1, 2, 3, 4, 5}
		}
		group.Go(func() {
			one, all := tasks, shared
			one.Theta, one.Bias, all.Theta, all.Bias = theta, bias, theta, bias
			want, err := Measure(one)
			if err != nil {
				t.Error(err)
			}
			got, err := Measure(all)
			if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Report{}), cmpopts.EquateNaNs()); diff != "" {
				t.Error(diff)
			}
			all.Known = &Known{Primary: got.Primary, Harmful: got.Harmful, KappaTheta: got.KappaTheta}
			if got, err = Measure(all); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Report{}), cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("with known figures: %s", diff)
			}
		})
	}
	group.Wait()
	for _, task := range []struct {
		ones func() (*spectrum.Factor, error)
		n    int
	}{{shared.Original.PrimaryWithOnes, 30}, {shared.Original.HarmfulWithOnes, 25}} {
		f, err := task.ones()
		if err != nil {
			t.Fatal(err)
		}
		if n, d := f.Dims(); n != task.n || d != 6 {
			t.Errorf("the factor with a column of ones is of %d×%d", n, d)
		}
	}

	theta := identity(5)
	other := shared
	other.Theta, other.Harmful, other.XHarmful = theta, tasks.Primary, xp
	if _, err := Measure(other); err == nil {
		t.Error("an original of other tasks was accepted")
	}
	known := tasks
	known.Known = &Known{}
	if _, err := Measure(known); err == nil {
		t.Error("known figures of no extractor were accepted")
	}
	if _, err := NewOriginal(Input{Primary: tasks.Primary, Harmful: tasks.Harmful}).PrimaryWithOnes(); err == nil {
		t.Error("no error without inputs")
	}
}
