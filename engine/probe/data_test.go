package probe

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/spectrum"
)

func mustData(t *testing.T, x *mat.Dense, y []float64, bias bool) *Data {
	t.Helper()
	data, err := NewData(mustFactor(t, x, bias), x, y)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// mustFactor factorises x, or [x 1].
func mustFactor(t *testing.T, x *mat.Dense, bias bool) *spectrum.Factor {
	t.Helper()
	if bias {
		x = besideOnes(x)
	}
	f, err := spectrum.NewFactor(x)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func besideOnes(x *mat.Dense) *mat.Dense {
	n, d := x.Dims()
	out := mat.NewDense(n, d+1, nil)
	out.Slice(0, n, 0, d).(*mat.Dense).Copy(x)
	for i := range n {
		out.Set(i, d, 1)
	}
	return out
}

// agree compares every attacker on two targets that ought to be the same problem.
func agree(t *testing.T, name string, got, want *Target, w0 []float64) {
	t.Helper()
	if got.Rank() != want.Rank() {
		t.Errorf("%s: rank %d, want %d", name, got.Rank(), want.Rank())
	}
	if e := math.Abs(got.BestLoss() - want.BestLoss()); e > 1e-10*(squared(want.y)+1e-300) {
		t.Errorf("%s: least loss %g, want %g", name, got.BestLoss(), want.BestLoss())
	}
	for method, f := range methods {
		a := mustAttack(t, f, got, Options{Steps: 3, W0: w0, TraceAt: every})
		b := mustAttack(t, f, want, Options{Steps: 3, W0: w0, TraceAt: every})
		if len(a.Trace) != len(b.Trace) {
			t.Errorf("%s: %s stops after %d steps, want %d", name, method, a.Steps, b.Steps)
			continue
		}
		for i := range a.Trace {
			p, q := a.Trace[i], b.Trace[i]
			if math.Abs(p.Excess-q.Excess) > 1e-9 || math.Abs(p.Loss-q.Loss) > 1e-9*(q.Loss+1e-9*b.Trace[0].Loss) || math.Abs(p.NormRatio-q.NormRatio) > 1e-7 {
				t.Errorf("%s: %s: %+v, want %+v", name, method, p, q)
			}
		}
	}
}

// TestUnder compares data that were reduced once with features that are formed and prepared: data of every shape and rank, extractors
// with a bias and without, wide and narrow.
func TestUnder(t *testing.T) {
	for _, size := range []struct{ n, d, k, m int }{
		{30, 8, 8, 8}, {30, 8, 5, 8}, {6, 10, 6, 10}, {6, 10, 4, 10}, {30, 8, 8, 3}, {30, 8, 5, 12}, {9, 1, 1, 1}, {1, 4, 1, 4},
	} {
		for _, bias := range []bool{false, true} {
			name := fmt.Sprintf("%d×%d of rank %d, θ with %d columns, bias %t", size.n, size.d, size.k, size.m, bias)
			rng := numtest.Rand(uint64(100*size.n + size.m))
			sigma := numtest.Geometric(3, 1, size.k)
			for len(sigma) < min(size.n, size.d) {
				sigma = append(sigma, 0)
			}
			x := numtest.WithSingularValues(rng, size.n, size.d, sigma)
			theta, rows := numtest.Gaussian(rng, size.d, size.m), x
			if bias {
				theta, rows = numtest.Gaussian(rng, size.d+1, size.m), besideOnes(x)
			}
			y := numtest.Gaussian(rng, size.n, 1).RawMatrix().Data
			data := mustData(t, x, y, bias)
			target, err := data.Under(theta)
			if err != nil {
				t.Fatal(err)
			}
			var features mat.Dense
			features.Mul(rows, theta)
			want := mustPrepare(t, &features, y, 0)
			agree(t, name, target, want, numtest.Gaussian(rng, size.m, 1).RawMatrix().Data)

			w := numtest.Gaussian(rng, size.m, 1).RawMatrix().Data
			if e := math.Sqrt(distance2(target.features(w), want.features(w))); e > 1e-11 {
				t.Errorf("%s: Xw is off by %.2g", name, e)
			}
			if e := math.Sqrt(distance2(target.pulled(y), want.pulled(y))); e > 1e-11 {
				t.Errorf("%s: Xᵀr is off by %.2g", name, e)
			}
			plain, err := data.Under(nil)
			if err != nil {
				t.Fatal(err)
			}
			agree(t, name+", no θ", plain, mustPrepare(t, rows, y, 0), nil)
			if data.BestLoss() != plain.BestLoss() {
				t.Errorf("%s: least loss %g of the data, %g without θ", name, data.BestLoss(), plain.BestLoss())
			}
		}
	}
}

// TestUnderDeficient: an extractor that loses a direction of the data is no other problem than its features are.
func TestUnderDeficient(t *testing.T) {
	rng := numtest.Rand(80)
	x, y := numtest.Gaussian(rng, 30, 6), normal(81, 30)
	lost := numtest.WithSingularValues(rng, 6, 6, []float64{3, 2, 1, 1, 0, 0})
	var features mat.Dense
	features.Mul(x, lost)
	target, err := mustData(t, x, y, false).Under(lost)
	if err != nil {
		t.Fatal(err)
	}
	want := mustPrepare(t, &features, y, 0)
	if want.Rank() != 4 {
		t.Fatalf("rank %d, want 4", want.Rank())
	}
	agree(t, "deficient θ", target, want, normal(82, 6))
}

func TestNothingToLearn(t *testing.T) {
	for name, x := range map[string]*mat.Dense{"zero data": mat.NewDense(3, 2, nil), "data": mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})} {
		for _, y := range [][]float64{{0, 0, 0}, {1, 2, 4}} {
			data := mustData(t, x, y, false)
			for _, theta := range []*mat.Dense{nil, mat.NewDense(2, 2, nil), mat.NewDense(2, 2, []float64{1, 0, 1, 1})} {
				target, err := data.Under(theta)
				if err != nil {
					t.Fatal(err)
				}
				var features mat.Dense
				features.CloneFrom(x)
				if theta != nil {
					features.Mul(x, theta)
				}
				want := mustPrepare(t, &features, y, 0)
				if target.Rank() != want.Rank() || math.Abs(target.BestLoss()-want.BestLoss()) > 1e-13 {
					t.Errorf("%s, targets %v: rank %d and least loss %g, want %d and %g", name, y, target.Rank(), target.BestLoss(), want.Rank(), want.BestLoss())
				}
				for method, f := range methods {
					res := mustAttack(t, f, target, Options{Steps: 2})
					p := res.Trace[len(res.Trace)-1]
					if want.Rank() == 0 && (res.Status != Converged || !math.IsNaN(p.Excess) || math.Abs(p.Loss-squared(y)) > 1e-13) {
						t.Errorf("%s, targets %v: %s has status %s and ends at %+v", name, y, method, res.Status, p)
					}
				}
			}
		}
	}
}

// TestDataAccuracy: U_kᵀy and what is left of y keep their digits although κ(X)² leaves none in XᵀX.
func TestDataAccuracy(t *testing.T) {
	rng := numtest.Rand(90)
	const root = 1e6
	sigma := numtest.Geometric(1, 1/root, 20)
	x := numtest.WithSingularValues(rng, 80, 20, sigma)
	best := numtest.Gaussian(rng, 20, 1).RawMatrix().Data
	y := times(x, best) // can be met
	data := mustData(t, x, y, false)
	if l := data.BestLoss(); l > 1e-24*squared(y) {
		t.Errorf("loss %g of targets that can be met, of %g", l, squared(y))
	}
	target, err := data.Under(numtest.WithSingularValues(rng, 20, 20, numtest.Geometric(1, 0.1, 20)))
	if err != nil {
		t.Fatal(err)
	}
	// The excess that the closed form leaves, measured on the features themselves.
	res := mustAttack(t, LeastSquares, target, Options{Steps: 1})
	r := target.features(res.W)
	for i := range r {
		r[i] -= y[i]
	}
	if e := squared(r) / squared(y); e > 2e-14 {
		t.Errorf("least squares leave %g on the features", e)
	}
	y = normal(91, 80)
	data = mustData(t, x, y, false)
	var qr mat.QR
	var w mat.VecDense
	qr.Factorize(x)
	if err := qr.SolveVecTo(&w, false, mat.NewVecDense(80, slices.Clone(y))); err != nil && !strings.Contains(err.Error(), "condition") {
		t.Fatal(err)
	}
	r = times(x, w.RawVector().Data)
	for i := range r {
		r[i] -= y[i]
	}
	if e := numtest.RelError(data.BestLoss(), squared(r)); e > 1e-12 {
		t.Errorf("least loss %.17g, by QR %.17g", data.BestLoss(), squared(r))
	}
}

func TestDataErrors(t *testing.T) {
	x, y := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6}), []float64{1, 2, 3}
	f := mustFactor(t, x, false)
	if _, err := NewData(f, x, []float64{1, math.NaN(), 2}); err == nil || err.Error() != "probe: target 1 is NaN" {
		t.Errorf("error %v", err)
	}
	data := mustData(t, x, y, false)
	if _, err := data.Under(mat.NewDense(2, 1, []float64{1, math.Inf(1)})); err == nil || !strings.HasPrefix(err.Error(), "probe: a feature is ") {
		t.Errorf("error %v for an infinite θ", err)
	}
	for want, call := range map[string]func(){
		badFactor:  func() { NewData(f, mat.NewDense(3, 3, nil), y) },
		badTargets: func() { NewData(f, x, y[:2]) },
		badTheta:   func() { data.Under(mat.NewDense(3, 3, nil)) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != want {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			call()
		}()
	}
}
