package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

var logisticMethods = map[string]Func{
	"gd-fixed": LogisticGDFixed, "nesterov": LogisticNesterov, "adam": LogisticAdam, "lbfgs": LogisticLBFGS,
}

// noisyLabels returns labels that no head meets: those of a random head, some of them turned.
func noisyLabels(x *mat.Dense, seed uint64) []float64 {
	rng := numtest.Rand(seed)
	n, d := x.Dims()
	y := times(x, numtest.Gaussian(rng, d, 1).RawMatrix().Data)
	for i := range n {
		positive := y[i] > 0
		if rng.Float64() < 0.2 {
			positive = !positive
		}
		y[i] = 0
		if positive {
			y[i] = 1
		}
	}
	return y
}

// meanLogistic is the formula as it is printed.
func meanLogistic(x *mat.Dense, y, w []float64) float64 {
	sum := 0.0
	for i, z := range times(x, w) {
		sum += math.Log(1 + math.Exp(-(2*y[i]-1)*z))
	}
	return sum / float64(len(y))
}

func logisticSlope(x *mat.Dense, y, w []float64) []float64 {
	r := times(x, w)
	for i, z := range r {
		r[i] = (1/(1+math.Exp(-z)) - y[i]) / float64(len(y))
	}
	return transposedTimes(x, r)
}

func TestLogisticGradient(t *testing.T) {
	rng := numtest.Rand(1)
	x := numtest.Gaussian(rng, 40, 5)
	l, err := newLogistic(mustPrepare(t, x, noisyLabels(x, 2), 0))
	if err != nil {
		t.Fatal(err)
	}
	at, g := numtest.Gaussian(rng, 5, 1), mat.NewDense(5, 1, nil)
	loss := l.gradient(g.RawMatrix().Data, at.RawMatrix().Data)
	if want := meanLogistic(x, l.t.y, at.RawMatrix().Data); math.Abs(loss-want) > 1e-14 {
		t.Errorf("loss %g, want %g", loss, want)
	}
	f := func(w *mat.Dense) float64 { return meanLogistic(x, l.t.y, w.RawMatrix().Data) }
	if e := numtest.GradientError(f, g, at, 0); e > 1e-8 {
		t.Errorf("gradient differs from central differences by %.2g", e)
	}
	// Logits far outside the range of exp.
	slope := make([]float64, 2)
	wide := &logistic{sign: []float64{1, -1}}
	if loss, accuracy := wide.value([]float64{-2000, -2000}, slope); loss != 1000 || accuracy != 0.5 || slope[0] != -0.5 || slope[1] != 0 {
		t.Errorf("loss %g, accuracy %g, slope %v at logits of −2000", loss, accuracy, slope)
	}
}

// TestLogisticOptimum: with one feature that is always 1 the infimum is the entropy of the labels; elsewhere long gradient descent finds it.
func TestLogisticOptimum(t *testing.T) {
	for _, hits := range []int{1, 5, 9} {
		x, y := mat.NewDense(10, 1, nil), make([]float64, 10)
		for i := range 10 {
			x.Set(i, 0, 3)
			if i < hits {
				y[i] = 1
			}
		}
		p := float64(hits) / 10
		entropy := -p*math.Log(p) - (1-p)*math.Log(1-p)
		best, err := mustPrepare(t, x, y, 0).optimum()
		if err != nil || math.Abs(best-entropy) > 1e-13 {
			t.Errorf("%d of 10: infimum %.17g, want %.17g (%v)", hits, best, entropy, err)
		}
	}
	for _, size := range []struct{ n, d, k int }{{60, 4, 4}, {60, 6, 3}, {200, 20, 20}} {
		rng := numtest.Rand(uint64(size.d))
		sigma := numtest.Geometric(10, 1, size.k)
		for len(sigma) < size.d {
			sigma = append(sigma, 0)
		}
		x := numtest.WithSingularValues(rng, size.n, size.d, sigma)
		y := noisyLabels(x, 3)
		best, err := mustPrepare(t, x, y, 0).optimum()
		if err != nil {
			t.Fatal(err)
		}
		w := make([]float64, size.d)
		for range 60000 {
			axpy(-4*float64(size.n)/100, logisticSlope(x, y, w), w)
		}
		if long := meanLogistic(x, y, w); math.Abs(best-long) > 1e-10 {
			t.Errorf("%v: infimum %.15g, gradient descent finds %.15g", size, best, long)
		}
		// Data under an invertible extractor have the same infimum, and features that lost a direction their own.
		theta := numtest.Gaussian(rng, size.d, size.d)
		target, err := mustData(t, x, y, false).Under(theta)
		if err != nil {
			t.Fatal(err)
		}
		if under, err := target.optimum(); err != nil || math.Abs(best-under) > 1e-10 {
			t.Errorf("%v: infimum %.15g, %.15g under θ (%v)", size, best, under, err)
		}
		lost := mat.DenseCopyOf(theta)
		for i := range size.d {
			lost.Set(i, 0, 0)
		}
		var features mat.Dense
		features.Mul(x, lost)
		own, err := mustPrepare(t, &features, y, 0).optimum()
		if err != nil {
			t.Fatal(err)
		}
		if target, err = mustData(t, x, y, false).Under(lost); err != nil {
			t.Fatal(err)
		}
		if under, err := target.optimum(); err != nil || math.Abs(own-under) > 1e-10 || size.k == size.d && own < best+1e-6 {
			t.Errorf("%v: infimum %.15g and %.15g under a singular θ, %.15g without (%v)", size, own, under, best, err)
		}
	}
}

// TestLogisticAgainstMatrices compares the weights after each step with those of the methods written down plainly.
func TestLogisticAgainstMatrices(t *testing.T) {
	rng := numtest.Rand(4)
	x, theta := numtest.Gaussian(rng, 50, 6), numtest.Gaussian(rng, 6, 6)
	y := noisyLabels(x, 5)
	data := mustData(t, x, y, false)
	target, err := data.Under(theta)
	if err != nil {
		t.Fatal(err)
	}
	var f mat.Dense
	f.Mul(x, theta)
	best, err := target.optimum()
	if err != nil {
		t.Fatal(err)
	}
	top := norm2(&f)
	rate := 4 * 50 / (top * top)
	for _, w0 := range [][]float64{make([]float64, 6), normal(6, 6)} {
		want := map[string][][]float64{}
		w, v, before, s := w0, w0, w0, 1.0
		var m, second [6]float64
		a := w0
		for step := 1; step <= 30; step++ {
			w = moved(w, rate, logisticSlope(&f, y, w))
			want["gd-fixed"] = append(want["gd-fixed"], w)
			n := moved(v, rate, logisticSlope(&f, y, v))
			next := 0.5 + math.Sqrt(0.25+s*s)
			v = moved(n, -(s-1)/next, moved(n, 1, before))
			before, s = n, next
			want["nesterov"] = append(want["nesterov"], n)
			a = slices.Clone(a)
			for j, g := range logisticSlope(&f, y, a) {
				m[j], second[j] = 0.9*m[j]+0.1*g, 0.999*second[j]+0.001*g*g
				a[j] -= 0.02 * m[j] / (1 - math.Pow(0.9, float64(step))) / (math.Sqrt(second[j]/(1-math.Pow(0.999, float64(step)))) + 1e-8)
			}
			want["adam"] = append(want["adam"], a)
		}
		for name, ws := range want {
			o := Options{Steps: 30, W0: w0, LearningRate: 0.02, TraceAt: every}
			res := mustAttack(t, logisticMethods[name], target, o)
			if e := difference(res.W, ws[29]); e > 1e-10 {
				t.Errorf("%s: the weights after 30 steps are off by %.2g", name, e)
			}
			first := meanLogistic(&f, y, w0)
			for i, p := range res.Trace[1:] {
				loss := meanLogistic(&f, y, ws[i])
				excess := (loss - best) / (first - best)
				if math.Abs(p.Loss-loss) > 1e-12 || math.Abs(p.Excess-excess) > 1e-10 || !math.IsNaN(p.NormRatio) {
					t.Errorf("%s: %+v after %d steps, want loss %g, excess %g", name, p, i+1, loss, excess)
				}
			}
			index := func(level float64) int {
				return slices.IndexFunc(res.Trace, func(p Point) bool { return p.Excess < level })
			}
			if res.StepsTo1 != index(0.01) || res.StepsTo01 != index(0.001) {
				t.Errorf("%s: steps to 1 %% and 0.1 %% are %d and %d, the trace says %d and %d", name, res.StepsTo1, res.StepsTo01, index(0.01), index(0.001))
			}
		}
	}
}

// TestLogisticProgress: gradient descent and L-BFGS never raise the loss, L-BFGS and the long runs reach the optimum, and accuracy is the
// share of examples on the right side.
func TestLogisticProgress(t *testing.T) {
	for trial := range uint64(8) {
		x := numtest.WithSingularValues(numtest.Rand(trial), 80, 7, numtest.Geometric(20, 1, 7))
		y := noisyLabels(x, 10+trial)
		target := mustPrepare(t, x, y, 0)
		for _, name := range []string{"gd-fixed", "lbfgs"} {
			res := mustAttack(t, logisticMethods[name], target, Options{Steps: 60, TraceAt: every})
			for i := 1; i < len(res.Trace); i++ {
				if a, b := res.Trace[i-1], res.Trace[i]; b.Loss > a.Loss*(1+1e-14) || b.Excess < -1e-10 {
					t.Fatalf("trial %d, %s: step %d: %+v after %+v", trial, name, b.Step, b, a)
				}
			}
			if short := mustAttack(t, logisticMethods[name], target, Options{Steps: 3}); short.Steps != 3 || short.Status != StepLimit || !(short.Trace[1].Loss < short.Trace[0].Loss) {
				t.Errorf("trial %d, %s: of three steps %+v", trial, name, short)
			}
			p := res.Trace[len(res.Trace)-1]
			if name == "lbfgs" && !(math.Abs(p.Excess) < 1e-9) {
				t.Errorf("trial %d: L-BFGS leaves an excess of %g after %d steps (%s)", trial, p.Excess, res.Steps, res.Reason)
			}
			hits := 0
			for i, z := range times(x, res.W) {
				if (z >= 0) == (y[i] == 1) {
					hits++
				}
			}
			if math.Abs(p.Accuracy-float64(hits)/80) > 1e-12 {
				t.Errorf("trial %d, %s: accuracy %g, want %d/80", trial, name, p.Accuracy, hits)
			}
		}
		for _, name := range []string{"nesterov", "adam"} {
			res := mustAttack(t, logisticMethods[name], target, Options{Steps: 4000, LearningRate: 0.05})
			if res.StepsTo01 < 0 {
				t.Errorf("trial %d: %s does not come within 0.1 %% of the optimum", trial, name)
			}
		}
	}
}

func TestSeparable(t *testing.T) {
	x := mat.NewDense(6, 2, []float64{1, 0, 1, 1, 1, 2, 1, 3, 1, 4, 1, 5})
	y := []float64{0, 0, 0, 1, 1, 1}
	target := mustPrepare(t, x, y, 0)
	for name, f := range logisticMethods {
		res := mustAttack(t, f, target, Options{Steps: 20})
		p := res.Trace[len(res.Trace)-1]
		if res.Status != Separable || !strings.Contains(res.Reason, "no minimum") || !math.IsNaN(p.Excess) || res.StepsTo1 != -1 {
			t.Errorf("%s: status %s (%s), %+v", name, res.Status, res.Reason, p)
		}
		if !(p.Loss < res.Trace[0].Loss) {
			t.Errorf("%s: loss %g from %g", name, p.Loss, res.Trace[0].Loss)
		}
	}
	y[0] = 1 // with one label turned no line is right about all
	if best, err := mustPrepare(t, x, y, 0).optimum(); err != nil || math.IsNaN(best) {
		t.Errorf("optimum %g, %v", best, err)
	}
}

func TestLogisticEdges(t *testing.T) {
	one := mat.NewDense(2, 1, []float64{1, 1})
	zero := mat.NewDense(2, 2, nil)
	for name, f := range logisticMethods {
		for _, tt := range []struct {
			name string
			x    *mat.Dense
		}{{"optimal start", one}, {"zero features", zero}} {
			res := mustAttack(t, f, mustPrepare(t, tt.x, []float64{0, 1}, 0), Options{Steps: 5})
			if p := res.Trace[0]; res.Status != Converged || res.Steps != 0 || math.Abs(p.Loss-math.Ln2) > 1e-15 || !math.IsNaN(p.Excess) || p.Accuracy != 0.5 {
				t.Errorf("%s: %s: %s after %d steps, %+v", name, tt.name, res.Status, res.Steps, p)
			}
		}
		target := mustPrepare(t, mat.NewDense(3, 1, []float64{1, 1, 1}), []float64{0, 1, 1}, 0)
		if res := mustAttack(t, f, target, Options{}); res.Steps != 0 || res.Status != StepLimit || res.Trace[0].Excess != 1 {
			t.Errorf("%s: no step gives %+v", name, res)
		}
		huge := []float64{math.MaxFloat64}
		if res, err := f(context.Background(), mustPrepare(t, mat.NewDense(3, 1, []float64{4, 4, 4}), []float64{0, 1, 1}, 0), Options{Steps: 2, W0: huge}, nil); err != nil || res.Status != Diverged || res.Steps != 0 {
			t.Errorf("%s: a start without a finite loss gives %+v, %v", name, res, err)
		}
		if _, err := f(context.Background(), mustPrepare(t, one, []float64{0, 2}, 0), Options{}, nil); err == nil || err.Error() != "probe: the logistic loss needs labels 0 or 1; target 1 is 2" {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := f(context.Background(), target, Options{W0: []float64{math.NaN()}}, nil); err == nil || err.Error() != "probe: weight 0 at the start is NaN" {
			t.Errorf("%s: error %v", name, err)
		}
		canceled, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := f(canceled, target, Options{Steps: 3}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: a cancelled context gives %v", name, err)
		}
		for want, call := range map[string]func(){
			badWeights: func() { f(context.Background(), target, Options{W0: []float64{1, 2}}, nil) },
			badSteps:   func() { f(context.Background(), target, Options{Steps: -1}, nil) },
		} {
			func() {
				defer func() {
					if got := fmt.Sprint(recover()); got != want {
						t.Errorf("%s: panic %q, want %q", name, got, want)
					}
				}()
				call()
			}()
		}
	}
}

// TestLogisticStopsWhenAsked: a context that ends on the way ends the attack.
func TestLogisticStopsWhenAsked(t *testing.T) {
	x := numtest.WithSingularValues(numtest.Rand(20), 60, 5, numtest.Geometric(100, 1, 5))
	target := mustPrepare(t, x, noisyLabels(x, 21), 0)
	for name, f := range logisticMethods {
		ctx, cancel := context.WithCancel(context.Background())
		seen := 0
		_, err := f(ctx, target, Options{Steps: 1000, TraceAt: func(step, _ int) bool {
			if seen = max(seen, step); step == 3 {
				cancel()
			}
			return false
		}}, nil)
		if !errors.Is(err, context.Canceled) || seen > 4 {
			t.Errorf("%s: cancelled at step 3, at step %d it returns %v", name, seen, err)
		}
		cancel()
	}
}
