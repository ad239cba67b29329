package immunize

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

func TestNorm(t *testing.T) {
	p := newPasses(3)
	for _, scale := range []float64{0, 1, 1e-200, 1e-308, 1e150, 1e300, math.Inf(1), math.NaN()} {
		a := mat.NewDense(3, 3, []float64{1, -2, 3, 0, 5, -6, 7, 8, 0})
		a.Scale(scale, a)
		if got, want := p.norm(a), mat.Norm(a, 2); numtest.RelError(got, want) > 1e-15 && !(math.IsNaN(got) && math.IsNaN(want)) && got != want {
			t.Errorf("scale %g: ‖a‖ = %v, want %v", scale, got, want)
		}
	}
}

func TestCombine(t *testing.T) {
	rng := numtest.Rand(1)
	const d = 5
	nan := mat.NewDense(d, d, nil)
	nan.Apply(func(int, int, float64) float64 { return math.NaN() }, nan)
	a0, b, u, v := numtest.Gaussian(rng, d, d), numtest.Gaussian(rng, d, d), numtest.Gaussian(rng, d, 1), numtest.Gaussian(rng, d, 1)
	for _, c := range []struct {
		wa, wb float64
		outer  bool
	}{{1, 0, false}, {2, 3, true}, {0, -1, true}, {0.5, 0, true}, {0, 0, false}} {
		var want, part mat.Dense
		want.Scale(c.wa, a0)
		part.Scale(c.wb, b)
		want.Add(&want, &part)
		a, second, left, right := mat.DenseCopyOf(a0), b, []float64(nil), []float64(nil)
		if c.outer {
			left, right = u.RawMatrix().Data, v.RawMatrix().Data
			want.RankOne(&want, 1, u.ColView(0), v.ColView(0))
		}
		if c.wa == 0 {
			a.Copy(nan) // what takes no part may hold anything
		}
		if c.wb == 0 {
			second = nan
		}
		newPasses(d).combine(c.wa, a, c.wb, second, left, right)
		if e := numtest.MaxRelError(a, &want); !(e < 1e-15) {
			t.Errorf("%+v: off by %g", c, e)
		}
	}
}

// The gradient through R is that through X.
func TestSupervisedFromFactor(t *testing.T) {
	task := gaussianTask(1, 30, 6)
	theta, omega := numtest.Gaussian(numtest.Rand(2), 6, 6), numtest.Gaussian(numtest.Rand(3), 6, 1).RawMatrix().Data
	s := newSupervised(SquaredError, 6)
	s.fromData(task.X, theta, omega, task.Y)
	want := append([]float64(nil), s.xdz...)
	if !s.reduce(task) {
		t.Fatal("30 rows of 6 columns are not reduced")
	}
	s.fromFactor(theta, omega)
	if e := numtest.MaxRelError(column(s.xdz), column(want)); e > 1e-13 {
		t.Errorf("off by %g", e)
	}
	if newSupervised(Logistic, 6).reduce(task) || newSupervised(SquaredError, 6).reduce(gaussianTask(1, 6, 6)) {
		t.Error("data are reduced where that is no gain, or wrong")
	}
}

// A direction with a scale is the scaled direction, for every optimizer, in place or not; a value that is not finite is seen.
func TestMoverStep(t *testing.T) {
	const n = 3 * stepGrain
	rng := numtest.Rand(4)
	x0 := numtest.Gaussian(rng, n, 1).RawMatrix().Data
	for _, kind := range []Optimizer{GD, SGD, Adam} {
		scaled, plain := newMover(kind, 0.9, n), newMover(kind, 0.9, n)
		x, other, y := append([]float64(nil), x0...), make([]float64, n), append([]float64(nil), x0...)
		for range 3 {
			d := numtest.Gaussian(rng, n, 1).RawMatrix().Data
			twice := make([]float64, n)
			for i, v := range d {
				twice[i] = 2 * v
			}
			if !scaled.step(other, x, d, 0.1, 2) {
				t.Errorf("%v: finite values are said not to be", kind)
			}
			x, other = other, x
			plain.move(y, twice, 0.1)
			for i := range x {
				if math.Abs(x[i]-y[i]) > 1e-15*(1+math.Abs(y[i])) {
					t.Fatalf("%v: element %d is %v, want %v", kind, i, x[i], y[i])
				}
			}
		}
		for _, at := range []int{0, n - 1} {
			d := make([]float64, n)
			d[at] = math.NaN()
			if newMover(kind, 0.9, n).step(other, x0, d, 0.1, 1) {
				t.Errorf("%v: NaN at %d is not seen", kind, at)
			}
		}
	}
}

// A run gives the same bits on one core and on several.
func TestCoresDoNotMatter(t *testing.T) {
	const d = 150 // above the grains of all passes
	p := Problem{Primary: shapedTask(1, 200, d, 0.1), Harmful: shapedTask(2, 180, d, 0.1)}
	methods := []struct {
		name string
		f    Func
		o    Options
	}{
		{"algorithm 1", Algorithm1, Options{Step: Normalized, Supervised: true, Form: regularizer.Cancelled}},
		{"opt-kappa", OptKappa, Options{Step: Normalized}},
		{"imma", IMMA, Options{Step: Normalized}},
		{"released", Released, Options{Batch: 64, LambdaPrimary: Lambda{Value: 1}, LambdaHarmful: Lambda{Value: 1}}},
	}
	run := func(cores int) []*mat.Dense {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		var out []*mat.Dense
		for _, m := range methods {
			m.o.Steps = 4
			r, err := m.f(t.Context(), p, m.o, numtest.Rand(1))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, r.Theta)
		}
		return out
	}
	one := run(1)
	for i, theta := range run(4) {
		if !mat.Equal(theta, one[i]) {
			t.Errorf("%s: θ differs by %g", methods[i].name, numtest.MaxRelError(theta, one[i]))
		}
	}
}

// The factor of the inputs with a column of ones may be given, and is what would be computed.
func TestReleasedWithOnes(t *testing.T) {
	p := Problem{Primary: gaussianTask(1, 12, 4), Harmful: gaussianTask(2, 10, 4)}
	o := Options{Steps: 5, Batch: 3, LambdaPrimary: Lambda{Value: 1}, LambdaHarmful: Lambda{Value: 1}}
	want, err := Released(t.Context(), p, o, numtest.Rand(1))
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	given := p
	for _, task := range []*Task{&given.Primary, &given.Harmful} {
		f, err := task.withOnes()
		if err != nil {
			t.Fatal(err)
		}
		task.WithOnes = func() (*spectrum.Factor, error) { calls++; return f, nil }
	}
	got, err := Released(t.Context(), given, o, numtest.Rand(1))
	if err != nil {
		t.Fatal(err)
	}
	if k, l := got.Trace[1].Primary.Rank.Kappa, want.Trace[1].Primary.Rank.Kappa; calls != 2 || k != l || !mat.Equal(got.Theta, want.Theta) {
		t.Errorf("%d calls, κ(H_P) = %v, want %v, or another θ", calls, k, l)
	}
	given.Harmful.WithOnes = func() (*spectrum.Factor, error) { return nil, fmt.Errorf("no factor") }
	if _, err := Released(t.Context(), given, o, numtest.Rand(1)); err == nil || !strings.Contains(err.Error(), "no factor") {
		t.Errorf("error %v", err)
	}
	given.Harmful.WithOnes = func() (*spectrum.Factor, error) { return p.Harmful.Factor, nil }
	defer func() {
		if recover() == nil {
			t.Error("a factor of X alone was accepted")
		}
	}()
	Released(t.Context(), given, o, numtest.Rand(1))
}
