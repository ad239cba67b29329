package probe

import (
	"context"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

var methods = map[string]Func{
	"gd-exact": GDExact, "gd-fixed": GDFixed, "gd-standardized": GDStandardized, "nesterov": Nesterov, "adam": Adam, "cg": CG, "lbfgs": LBFGS,
	"least-squares": LeastSquares,
}

// without returns the methods but for some.
func without(names ...string) map[string]Func {
	out := maps.Clone(methods)
	for _, name := range names {
		delete(out, name)
	}
	return out
}

func every(_, _ int) bool { return true }

// mustPrepare is Prepare without trouble.
func mustPrepare(t testing.TB, x *mat.Dense, y []float64, rank int) *Target {
	t.Helper()
	target, err := Prepare(x, y, rank)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// mustRun runs f and checks what holds for every result.
func mustRun(t *testing.T, f Func, x *mat.Dense, y []float64, o Options) Result {
	t.Helper()
	return mustAttack(t, f, mustPrepare(t, x, y, 0), o)
}

// mustAttack is mustRun on a prepared target.
func mustAttack(t *testing.T, f Func, target *Target, o Options) Result {
	t.Helper()
	res, err := f(context.Background(), target, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last := res.Trace[len(res.Trace)-1].Step; last != res.Steps || res.Trace[0].Step != 0 {
		t.Errorf("the trace goes from %d to %d, the run from 0 to %d", res.Trace[0].Step, last, res.Steps)
	}
	return res
}

func normal(seed uint64, n int) []float64 {
	return numtest.Gaussian(numtest.Rand(seed), n, 1).RawMatrix().Data
}

// difference returns ‖a − b‖/‖b‖.
func difference(a, b []float64) float64 {
	return math.Sqrt(distance2(a, b) / squared(b))
}

// TestVectors compares with fifty-digit arithmetic: the minimum-norm solution and the norm ratio of gradient descent with exact
// line search, on problems of full and of deficient rank.
func TestVectors(t *testing.T) {
	for _, set := range numtest.Vectors() {
		t.Run(set.Name, func(t *testing.T) {
			var x mat.Dense
			x.Mul(set.XH, set.Theta)
			target := mustPrepare(t, &x, set.YH, 0)
			if target.Rank() != set.Expected.RankH {
				t.Errorf("rank %d, want %d", target.Rank(), set.Expected.RankH)
			}
			if d := difference(target.BestWeights(), set.Expected.ProbeW); d > 1e-12 {
				t.Errorf("w* is off by %.2g", d)
			}
			res := mustAttack(t, GDExact, target, Options{Steps: 10, TraceAt: every})
			for _, p := range res.Trace {
				want, ok := set.Expected.ProbeNormRatio[p.Step]
				if !ok {
					continue
				}
				if e := numtest.RelError(p.NormRatio, want); e > 1e-10 {
					t.Errorf("norm ratio after %d steps %.17g, want %.17g", p.Step, p.NormRatio, want)
				}
			}
			if len(set.Expected.ProbeNormRatio) == 0 {
				t.Error("no norm ratios in the set")
			}
		})
	}
}

// naiveGD is gradient descent with exact line search as the formula is printed, through the Gram matrix, with L and L* by
// subtraction.
func naiveGD(x *mat.Dense, y, w0 []float64, steps int) (w []float64, excess []float64) {
	n, d := x.Dims()
	yv, wv := mat.NewVecDense(n, y), mat.NewVecDense(d, slices.Clone(w0))
	var h mat.Dense
	h.Mul(x.T(), x)
	var xty, g, hg, star mat.VecDense
	xty.MulVec(x.T(), yv)
	if err := star.SolveVec(x, yv); err != nil {
		panic(err)
	}
	loss := func(w *mat.VecDense) float64 {
		var r mat.VecDense
		r.MulVec(x, w)
		r.SubVec(&r, yv)
		return mat.Dot(&r, &r)
	}
	l0, best := loss(wv), loss(&star)
	excess = append(excess, 1)
	for range steps {
		g.MulVec(&h, wv)
		g.SubVec(&g, &xty)
		g.ScaleVec(2, &g)
		hg.MulVec(&h, &g)
		wv.AddScaledVec(wv, -mat.Dot(&g, &g)/(2*mat.Dot(&g, &hg)), &g)
		excess = append(excess, (loss(wv)-best)/(l0-best))
	}
	return wv.RawVector().Data, excess
}

func TestGDExactIsThePrintedFormula(t *testing.T) {
	rng := numtest.Rand(1)
	for _, size := range []struct{ n, d int }{{20, 5}, {7, 7}, {3, 1}, {200, 30}} {
		x := numtest.WithSingularValues(rng, size.n, size.d, numtest.Geometric(3, 0.2, size.d))
		y, w0 := normal(2, size.n), normal(3, size.d)
		w, excess := naiveGD(x, y, w0, 20)
		res := mustRun(t, GDExact, x, y, Options{Steps: 20, W0: w0, TraceAt: every})
		if res.Steps == 20 && difference(res.W, w) > 1e-10 {
			t.Errorf("%v: w after 20 steps is off by %.2g", size, difference(res.W, w))
		}
		for _, p := range res.Trace {
			if math.Abs(p.Excess-excess[p.Step]) > 1e-12 {
				t.Errorf("%v: excess after %d steps %g, want %g", size, p.Step, p.Excess, excess[p.Step])
			}
		}
	}
}

// TestGradient compares Fᵀr, in every kind of coordinates, with central differences of the loss.
func TestGradient(t *testing.T) {
	rng := numtest.Rand(4)
	x, y := numtest.Gaussian(rng, 9, 4), normal(5, 9)
	target := mustPrepare(t, x, y, 0)
	scaled, err := target.standardize()
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]space{"basis": target.basis, "ambient": ambient{target}, "standardized": scaled} {
		r := make([]float64, 4)
		loss := func(w *mat.Dense) float64 {
			in.residual(r, w.RawMatrix().Data)
			return target.rest + squared(r)
		}
		at := numtest.Gaussian(rng, 4, 1)
		loss(at)
		g := mat.NewDense(4, 1, nil)
		in.halfGradient(g.RawMatrix().Data, r)
		g.Scale(2, g)
		if e := numtest.GradientError(loss, g, at, 0); e > 1e-8 {
			t.Errorf("%s: gradient differs from central differences by %.2g", name, e)
		}
	}
}

func TestMonotone(t *testing.T) {
	rng := numtest.Rand(6)
	for trial := range 30 {
		d := 2 + rng.IntN(30)
		n := 1 + rng.IntN(60)
		x := numtest.WithSingularValues(rng, n, d, numtest.Geometric(1, math.Pow(10, -4*rng.Float64()), min(n, d)))
		y := numtest.Gaussian(rng, n, 1).RawMatrix().Data
		for _, name := range []string{"gd-exact", "gd-fixed", "gd-standardized", "cg", "lbfgs"} {
			res := mustRun(t, methods[name], x, y, Options{Steps: 300, TraceAt: every})
			for i := 1; i < len(res.Trace); i++ {
				a, b := res.Trace[i-1], res.Trace[i]
				// 1e-26: the square of what rounding leaves in a residual of 300 steps.
				if b.Loss > a.Loss*(1+1e-14)+1e-26 || b.Excess > a.Excess*(1+1e-9)+1e-24 || b.Excess < 0 {
					t.Fatalf("trial %d (%d×%d), %s: step %d: loss %g → %g, excess %g → %g", trial, n, d, name, b.Step, a.Loss, b.Loss, a.Excess, b.Excess)
				}
			}
			first := func(level float64) int {
				return slices.IndexFunc(res.Trace, func(p Point) bool { return p.Excess < level })
			}
			if got, want := [2]int{res.StepsTo1, res.StepsTo01}, [2]int{first(0.01), first(0.001)}; got != want {
				t.Errorf("trial %d, %s: steps to 1 %% and 0.1 %% are %v, the trace says %v", trial, name, got, want)
			}
			sparse := mustRun(t, methods[name], x, y, Options{Steps: 300})
			if sparse.StepsTo1 != res.StepsTo1 || sparse.StepsTo01 != res.StepsTo01 || len(sparse.Trace) > 12 {
				t.Errorf("trial %d, %s: another trace changed the figures: %+v", trial, name, sparse)
			}
		}
	}
}

// TestRates holds both methods to their bounds in κ.
func TestRates(t *testing.T) {
	rng := numtest.Rand(7)
	for _, root := range []float64{1.5, 10, 100} { // κ(X) = √κ(H)
		x := numtest.WithSingularValues(rng, 40, 30, numtest.Geometric(1, 1/root, 30))
		y := normal(8, 40)
		kappa := root * root
		for _, p := range mustRun(t, GDExact, x, y, Options{Steps: 200, TraceAt: every}).Trace {
			if bound := math.Pow((kappa-1)/(kappa+1), 2*float64(p.Step)); p.Excess > bound*1.0001+1e-25 {
				t.Errorf("gd-exact, κ = %g: excess %g after %d steps, the bound is %g", kappa, p.Excess, p.Step, bound)
			}
		}
		for _, p := range mustRun(t, GDFixed, x, y, Options{Steps: 200, TraceAt: every}).Trace {
			if bound := math.Pow(1-1/kappa, 2*float64(p.Step)); p.Excess > bound*1.0001+1e-25 {
				t.Errorf("gd-fixed, κ = %g: excess %g after %d steps, the bound is %g", kappa, p.Excess, p.Step, bound)
			}
		}
		target := mustPrepare(t, x, y, 0)
		// L(w_t) − L* ≤ 2L‖w_0 − w*‖²/(t+1)², L = 2σ_max².
		first := 4 * target.sigma[0] * target.sigma[0] * squared(target.wStar) / squared(target.b)
		for _, p := range mustAttack(t, Nesterov, target, Options{Steps: 200, TraceAt: every}).Trace[1:] {
			if bound := first / math.Pow(float64(p.Step+1), 2); p.Excess > bound*1.0001+1e-25 {
				t.Errorf("nesterov, κ = %g: excess %g after %d steps, the bound is %g", kappa, p.Excess, p.Step, bound)
			}
		}
		for _, p := range mustRun(t, CG, x, y, Options{Steps: 100, TraceAt: every}).Trace {
			if bound := 4 * math.Pow((root-1)/(root+1), 2*float64(p.Step)); p.Excess > bound*1.0001+1e-25 {
				t.Errorf("cg, κ = %g: excess %g after %d steps, the bound is %g", kappa, p.Excess, p.Step, bound)
			}
		}
	}
}

// Whether the last gradient counts as rounding is itself decided by rounding: the seed is one for which it does with every kernel.
func TestTerminates(t *testing.T) {
	rng := numtest.Rand(7)
	flat := []float64{2, 2, 2, 2, 2, 2}
	three := []float64{5, 5, 3, 3, 1, 1}
	lost := []float64{5, 4, 3, 2, 0, 0}
	for _, tt := range []struct {
		name   string
		f      Func
		values []float64
		steps  int
	}{
		{"gd-exact, κ = 1", GDExact, flat, 1},
		{"cg, κ = 1", CG, flat, 1},
		{"cg, three distinct", CG, three, 3},
		{"cg, rank 4", CG, lost, 4},
		{"cg, full", CG, numtest.Geometric(3, 1, 6), 6},
		{"least-squares", LeastSquares, numtest.Geometric(1, 1e-5, 6), 1},
		{"least-squares, rank 4", LeastSquares, lost, 1},
		{"gd-fixed, κ = 1", GDFixed, flat, 1},
		{"nesterov, κ = 1", Nesterov, flat, 1},
		{"lbfgs, κ = 1", LBFGS, flat, 1},
		{"lbfgs, three distinct", LBFGS, three, 3},
	} {
		for _, n := range []int{6, 11} {
			x := numtest.WithSingularValues(rng, n, 6, tt.values)
			res := mustRun(t, tt.f, x, normal(10, n), Options{Steps: 50})
			if res.Status != Converged || res.Steps > tt.steps {
				t.Errorf("%s, %d rows: %s after %d steps (%s), want %d", tt.name, n, res.Status, res.Steps, res.Reason, tt.steps)
			}
			if p := res.Trace[len(res.Trace)-1]; p.Excess > 1e-20 || p.NormRatio > 1e-20 {
				t.Errorf("%s, %d rows: excess %g, norm ratio %g at the end", tt.name, n, p.Excess, p.NormRatio)
			}
		}
	}
}

// TestRotation: θQ with an orthogonal Q changes nothing for methods that know no coordinates.
func TestRotation(t *testing.T) {
	rng := numtest.Rand(11)
	x := numtest.WithSingularValues(rng, 30, 12, numtest.Geometric(2, 0.2, 12))
	y := normal(12, 30)
	var xq mat.Dense
	xq.Mul(x, numtest.Orthogonal(rng, 12))
	for name, f := range without("adam", "gd-standardized") {
		a := mustRun(t, f, x, y, Options{Steps: 10})
		b := mustRun(t, f, &xq, y, Options{Steps: 10})
		if d := cmp.Diff(a.Trace, b.Trace, cmpopts.EquateApprox(1e-8, 1e-20), cmpopts.EquateNaNs()); d != "" {
			t.Errorf("%s: the rotation changed the trace:\n%s", name, d)
		}
	}
}

// TestScale: powers of two change nothing at all, and neither do features whose squares leave the float64 range.
func TestScale(t *testing.T) {
	rng := numtest.Rand(13)
	x, y, w0 := numtest.Gaussian(rng, 15, 6), normal(14, 15), normal(15, 6)
	for name, f := range without("adam") {
		want := mustRun(t, f, x, y, Options{Steps: 8, W0: w0})
		for _, e := range []struct{ x, y int }{{0, 400}, {700, 0}, {-800, 20}, {500, -450}} {
			x2, y2, w2 := mat.DenseCopyOf(x), slices.Clone(y), slices.Clone(w0)
			x2.Scale(math.Ldexp(1, e.x), x2)
			for i := range y2 {
				y2[i] = math.Ldexp(y2[i], e.y)
			}
			for i := range w2 {
				w2[i] = math.Ldexp(w2[i], e.y-e.x)
			}
			got := mustRun(t, f, x2, y2, Options{Steps: 8, W0: w2})
			for i := range got.Trace {
				got.Trace[i].Loss = math.Ldexp(got.Trace[i].Loss, -2*e.y)
			}
			for i := range got.W {
				got.W[i] = math.Ldexp(got.W[i], e.x-e.y)
			}
			if d := cmp.Diff(want, got, cmpopts.EquateNaNs()); d != "" {
				t.Errorf("%s, X·2^%d, y·2^%d:\n%s", name, e.x, e.y, d)
			}
		}
	}
}

func TestIllConditioned(t *testing.T) {
	rng := numtest.Rand(16)
	for _, root := range []float64{1e3, 9e4, 1e6} {
		x := numtest.WithSingularValues(rng, 200, 74, numtest.Geometric(40, 40/root, 74))
		y := normal(17, 200)
		if res := mustRun(t, LeastSquares, x, y, Options{Steps: 1}); res.Trace[1].Excess > 2e-14 {
			t.Errorf("least-squares, κ(H) = %.1g: excess %g", root*root, res.Trace[1].Excess)
		}
		cg := mustRun(t, CG, x, y, Options{Steps: 10000})
		if p := cg.Trace[len(cg.Trace)-1]; cg.StepsTo01 < 0 || p.Excess > 1e-6 {
			t.Errorf("cg, κ(H) = %.1g: %s, excess %g after %d steps", root*root, cg.Reason, p.Excess, cg.Steps)
		}
	}
}

// TestRank: what counts as zero decides w* and L*, not the road of the attacker.
func TestRank(t *testing.T) {
	rng := numtest.Rand(18)
	x := numtest.WithSingularValues(rng, 12, 5, []float64{4, 3, 2, 1e-9, 1e-20})
	y := normal(19, 12)
	for _, tt := range []struct{ given, want int }{{0, 3}, {3, 3}, {4, 4}, {5, 4}, {2, 2}, {99, 4}} {
		target := mustPrepare(t, x, y, tt.given)
		if target.Rank() != tt.want {
			t.Errorf("rank %d given: rank %d, want %d", tt.given, target.Rank(), tt.want)
		}
		a := mustAttack(t, GDExact, mustPrepare(t, x, y, tt.given), Options{Steps: 5})
		b := mustAttack(t, GDExact, target, Options{Steps: 5})
		c := mustRun(t, GDExact, x, y, Options{Steps: 5})
		if d := cmp.Diff(a, b, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("a shared target changes the result:\n%s", d)
		}
		if d := cmp.Diff(a.W, c.W); d != "" {
			t.Errorf("the rank changes the weights:\n%s", d)
		}
	}
}

func TestArgumentsUnchanged(t *testing.T) {
	rng := numtest.Rand(20)
	for _, n := range []int{4, 9} {
		x := numtest.PoisonedCopy(numtest.Gaussian(rng, n, 6)) // a view: rows are not contiguous, the gaps are NaN
		y, w0 := normal(21, n), normal(22, 6)
		x2, y2, w2 := mat.DenseCopyOf(x), slices.Clone(y), slices.Clone(w0)
		for name, f := range methods {
			a := mustRun(t, f, x, y, Options{Steps: 4, W0: w0, Accuracy: true})
			b := mustRun(t, f, x2, y2, Options{Steps: 4, W0: w2, Accuracy: true})
			if d := cmp.Diff(a, b, cmpopts.EquateNaNs()); d != "" {
				t.Errorf("%s: a view gives another result:\n%s", name, d)
			}
			if !mat.Equal(x, x2) || !slices.Equal(y, y2) || !slices.Equal(w0, w2) || !numtest.Intact(x) {
				t.Errorf("%s changed its arguments", name)
			}
		}
	}
}

func TestAccuracy(t *testing.T) {
	x := mat.NewDense(4, 2, []float64{1, 0, 1, 0.2, 1, 0.8, 1, 1})
	labels := []float64{0, 0, 1, 1}
	accuracy := func(y []float64, ask bool) (first, last float64) {
		res := mustRun(t, LeastSquares, x, y, Options{Steps: 1, Accuracy: ask})
		return res.Trace[0].Accuracy, res.Trace[1].Accuracy
	}
	if a, b := accuracy(labels, true); a != 0.5 || b != 1 {
		t.Errorf("accuracy %g → %g, want 0.5 → 1", a, b)
	}
	if a, b := accuracy(labels, false); !math.IsNaN(a) || !math.IsNaN(b) {
		t.Errorf("accuracy %g → %g without being asked for", a, b)
	}
	if a, b := accuracy([]float64{0, 0, 1, 2}, true); !math.IsNaN(a) || !math.IsNaN(b) {
		t.Errorf("accuracy %g → %g for labels that are not 0 or 1", a, b)
	}
}

func TestLogSteps(t *testing.T) {
	var got []int
	for step := range 1235 {
		if LogSteps(step, 1234) {
			got = append(got, step)
		}
	}
	if d := cmp.Diff([]int{0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1234}, got); d != "" {
		t.Error(d)
	}
	if !LogSteps(0, 0) || LogSteps(-10, 5) {
		t.Error("LogSteps(0, 0) = false or LogSteps(-10, 5) = true")
	}
}

func BenchmarkGDExact(b *testing.B) {
	rng := numtest.Rand(23)
	x, y := numtest.Gaussian(rng, 200, 79), normal(24, 200)
	target := mustPrepare(b, x, y, 0)
	b.Run("100 steps", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := GDExact(context.Background(), target, Options{Steps: 100}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("prepare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Prepare(x, y, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}
