package immunize

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/regularizer"
)

var everyState = func(int, int) bool { return true }

// certify runs certified steps and checks what holds of every such run.
func certify(t *testing.T, name string, f Func, p Problem, o Options) Result {
	t.Helper()
	o.Step = Certified
	if o.Form == regularizer.Plain {
		o.Form = regularizer.Cancelled
	}
	r, err := f(t.Context(), p, o, nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for i, n := range r.Counts.Half {
		if n.Violations != 0 {
			t.Errorf("%s: half %d: %+v", name, i, n)
		}
		if on := n.Taken + n.Idle; on != r.Counts.Steps && on != 0 {
			t.Errorf("%s: half %d: %d taken and idle in %d steps", name, i, on, r.Counts.Steps)
		}
	}
	if r.Counts.Steps != r.Steps || r.Counts.Compared != r.Steps {
		t.Errorf("%s: %d steps, counts %+v", name, r.Steps, r.Counts)
	}
	for _, s := range r.Certified {
		for _, h := range []HalfStep{s.Well, s.Ill} {
			if !h.Taken {
				continue
			}
			if !(h.Eta > 0) || !(h.Eta < h.Interval.Corrected) {
				t.Errorf("%s, step %d: η = %v outside (0, %v)", name, s.Step, h.Eta, h.Interval.Corrected)
			}
			if e := math.Abs(math.Log(h.After / h.Predicted)); !(e <= h.Tolerance) {
				t.Errorf("%s, step %d: κ = %v, in closed form %v: off by %.2g, above the tolerance %.2g", name, s.Step, h.After, h.Predicted, e, h.Tolerance)
			}
		}
	}
	return r
}

// conditioned returns a task whose κ(K) is the given one, with rank non-zero singular values; with near, the two largest and the
// two smallest lie a relative near apart.
func conditioned(seed uint64, n, d, rank int, kappa, near float64) Task {
	rng := numtest.Rand(seed)
	values := append(numtest.Geometric(1, 1/math.Sqrt(kappa), rank), make([]float64, min(n, d)-rank)...)
	if near > 0 && rank > 3 {
		values[1], values[rank-2] = values[0]*(1-near), values[rank-1]*(1+near)
	}
	t := Task{X: numtest.WithSingularValues(rng, n, d, values), Y: make([]float64, n)}
	if err := t.prepare("test", true); err != nil {
		panic(err)
	}
	return t
}

// No half step moves its κ the wrong way: more than two thousand of them, on problems of full and of deficient rank, up to κ = 10¹⁰
// and with extremes that are nearly repeated, for any fraction of the intervals.
func TestCertifiedStepsNeverFail(t *testing.T) {
	var all [2]HalfCounts
	for _, kappa := range []float64{2, 100, 1e6, 1e10} {
		for seed := range uint64(12) {
			near := []float64{0, 1e-4, 1e-9, 1e-13}[seed%4]
			rng := numtest.Rand(100 + seed)
			n, d := 8+rng.IntN(8), 4+rng.IntN(6)
			ranks := [2]int{min(n, d), min(n, d)}
			if seed%3 != 0 {
				ranks = [2]int{2 + rng.IntN(d-2), 2 + rng.IntN(d-2)}
			}
			p := Problem{Primary: conditioned(2*seed, n, d, ranks[0], kappa, near), Harmful: conditioned(2*seed+1, n, d, ranks[1], kappa, near)}
			for _, fraction := range []float64{0.01, 0.5, 0.9, 0.999} {
				for _, length := range []float64{0, 0.02, 0.5} {
					o := Options{StepFraction: fraction, StepLength: length, Steps: 10, TraceAt: everyState, Form: regularizer.Cancelled}
					if seed%2 == 1 {
						o.Form = regularizer.PseudoInverse
						o.Theta0 = numtest.Gaussian(rng, d, d)
					}
					name := fmt.Sprintf("κ = %g, seed %d, %g of the interval, length %g", kappa, seed, fraction, length)
					for _, f := range []Func{Algorithm1, RillOnly} {
						r := certify(t, name, f, p, o)
						if length > 0 && length < 0.1 && r.Status == Diverged {
							t.Errorf("%s: %s", name, r.Reason)
						}
						for i, h := range r.Counts.Half {
							all[i].Taken += h.Taken
							all[i].Unmoved += h.Unmoved
							all[i].OtherWorse += h.OtherWorse
							all[i].PrintedFailures += h.PrintedFailures
						}
					}
				}
			}
		}
	}
	t.Logf("%+v", all)
	for i, n := range all {
		if n.Taken < 2000 || 10*n.Unmoved > n.Taken || n.OtherWorse == 0 {
			t.Errorf("half %d: %+v: the steps show little", i, n)
		}
	}
	if all[0].PrintedFailures == 0 {
		t.Error("the printed interval of R_well never failed")
	}
}

// The same where the ends of the spectra are found by iteration.
func TestCertifiedStepsOfLargeOrder(t *testing.T) {
	p := Problem{Primary: conditioned(1, 150, 130, 130, 1e4, 1e-6), Harmful: conditioned(2, 150, 130, 130, 1e6, 1e-6)}
	for _, length := range []float64{0, 0.02, 0.3} {
		r := certify(t, fmt.Sprintf("order 130, length %g", length), Algorithm1, p, Options{StepLength: length, Steps: 6, TraceAt: everyState})
		if n := r.Counts.Half; n[0].Taken == 0 || n[0].Unmoved+n[1].Unmoved != 0 {
			t.Errorf("length %g: %+v", length, n)
		}
	}
}

// What is recorded about a step is what the states say, which are measured by another decomposition.
func TestCertifiedRecord(t *testing.T) {
	p := Problem{Primary: shapedTask(1, 12, 6, 0.1), Harmful: shapedTask(2, 12, 6, 0.3)}
	o := Options{StepLength: 0.05, Steps: 40, TraceAt: everyState}
	r := certify(t, "record", Algorithm1, p, o)
	if len(r.Trace) != 41 || len(r.Certified) != 40 || r.Status != StepLimit {
		t.Fatalf("%d states, %d steps, %s", len(r.Trace), len(r.Certified), r.Status)
	}
	worse := [2]int{}
	for i, s := range r.Certified {
		from, to := r.Trace[i], r.Trace[i+1]
		if s.Step != to.Step {
			t.Errorf("step %d is recorded as %d", to.Step, s.Step)
		}
		for _, c := range []struct {
			what      string
			got, want float64
		}{
			{"κ(H_P) before", s.Well.Before, from.Primary.Rank.Kappa},
			{"κ(H_P) after the second half", s.Ill.Other, to.Primary.Rank.Kappa},
			{"κ(H_H) after", s.Ill.After, to.Harmful.Rank.Kappa},
			{"κ(H_H) between", s.Well.Other, s.Ill.Before},
		} {
			if numtest.RelError(c.got, c.want) > 1e-11 {
				t.Errorf("step %d: %s = %v, want %v", s.Step, c.what, c.got, c.want)
			}
		}
		if s.Well.Moved != 1 || !(s.Well.After < s.Well.Before) || s.Ill.Moved != 1 || !(s.Ill.After > s.Ill.Before) {
			t.Errorf("step %d: %+v", s.Step, s)
		}
		if s.Well.Other < from.Harmful.Rank.Kappa {
			worse[0]++
		}
		if s.Ill.Other > s.Well.After {
			worse[1]++
		}
	}
	if n := r.Counts.Half; n[0].OtherWorse != worse[0] || n[1].OtherWorse != worse[1] || n[0].Taken != 40 || n[1].Taken != 40 {
		t.Errorf("%+v; the states say %v", n, worse)
	}
	if again := certify(t, "again", Algorithm1, p, o); !mat.Equal(again.Theta, r.Theta) || again.Counts != r.Counts {
		t.Error("a second run gives another θ")
	}
	o.TraceAt = func(step, last int) bool { return step%15 == 0 }
	sparse := certify(t, "sparse", Algorithm1, p, o)
	var steps []int
	for _, s := range sparse.Certified {
		steps = append(steps, s.Step)
	}
	if !equalInts(steps, []int{15, 30, 40}) || sparse.Counts != r.Counts || !mat.Equal(sparse.Theta, r.Theta) {
		t.Errorf("recorded at %v: %+v, want the counts %+v and the same θ", steps, sparse.Counts, r.Counts)
	}
}

// A half step is exactly θ − η·2θ(σ_1v_1v_1ᵀ − H_P/D), then θ − η·2θ(σ_kv_kv_kᵀ − H_H/k)/g² at the new θ.
func TestCertifiedStepByHand(t *testing.T) {
	p := Problem{Primary: shapedTask(3, 9, 4, 0.1), Harmful: shapedTask(4, 9, 4, 0.3)}
	theta := numtest.Gaussian(numtest.Rand(5), 4, 4)
	const fraction = 0.7
	r := certify(t, "by hand", Algorithm1, p, Options{Theta0: theta, StepFraction: fraction, Steps: 1})
	want := mat.DenseCopyOf(theta)
	for i, task := range []Task{p.Primary, p.Harmful} {
		s, err := task.Factor.Spectrum(want, true)
		if err != nil {
			t.Fatal(err)
		}
		var inner mat.SymDense
		var g mat.Dense
		eta := fraction
		if i == 0 {
			regularizer.WellInner(&inner, s)
			eta *= regularizer.WellInterval(s).Corrected
		} else {
			regularizer.IllInner(&inner, s)
			eta *= regularizer.IllInterval(s).Corrected
		}
		regularizer.Gradient(&g, regularizer.Cancelled, task.Factor, want, &inner)
		g.Scale(eta, &g)
		want.Sub(want, &g)
	}
	if e := numtest.MaxRelError(r.Theta, want); e > 1e-10 {
		t.Errorf("θ after one step is %.2g off", e)
	}
	bounded := certify(t, "bounded", RillOnly, p, Options{Theta0: theta, StepFraction: fraction, StepLength: 0.01, Steps: 1})
	var moved mat.Dense
	moved.Sub(bounded.Theta, theta)
	if e := numtest.RelError(mat.Norm(&moved, 2), 0.01*mat.Norm(theta, 2)/2); e > 1e-12 {
		t.Errorf("a half step bounded by 0.01 is %.2g off that length", e)
	}
}

// The two counter-examples to the printed intervals are seen.
func TestCertifiedSeesPrintedFailures(t *testing.T) {
	root := func(values ...float64) []float64 {
		for i, v := range values {
			values[i] = math.Sqrt(v)
		}
		return values
	}
	p := diagonalProblem(root(4, 1, 1), root(9, 4, 1))
	r := certify(t, "diag(4, 1, 1)", Algorithm1, p, Options{StepFraction: 0.49, StepLength: 1e-6, Steps: 1})
	h := r.Certified[0].Well
	// 0.49 of the printed end 0.375 is the η = 0.18375 that takes κ from 4 to 787.
	if math.Abs(h.PrintedKappa-787) > 1 || h.Before != 4 || r.Counts.Half[0].PrintedFailures != 1 || !(h.PrintedFails < 0.49) || h.Interval.Printed != 0.375 {
		t.Errorf("diag(4, 1, 1): %+v", h)
	}
	p = diagonalProblem(root(3, 2, 1, 1, 1, 1, 1, 1, 1, 1), root(5, 5, 5, 5, 5, 5, 5, 5, 5, 4))
	r = certify(t, "nine fives and a four", RillOnly, p, Options{StepFraction: 5.71 / (16.4025 / 0.2), StepLength: 1e-6, Steps: 1})
	h = r.Certified[0].Ill
	if math.Abs(h.PrintedKappa-1.0011) > 5e-5 || numtest.RelError(h.Before, 1.25) > 1e-14 || r.Counts.Half[1].PrintedFailures != 1 || !(h.PrintedFails < 0.07) {
		t.Errorf("nine fives and a four: %+v", h)
	}
	// Scaled by 10 the printed interval is empty, and the proven one is what it was.
	big := diagonalProblem(root(3, 2, 1, 1, 1, 1, 1, 1, 1, 1), root(50, 50, 50, 50, 50, 50, 50, 50, 50, 40))
	r = certify(t, "ten times", RillOnly, big, Options{Steps: 1})
	if n := r.Counts.Half[1]; n.PrintedEmpty != 1 || n.PrintedFailures != 0 || n.Taken != 1 {
		t.Errorf("ten times: %+v", n)
	}
}

func TestCertifiedEdges(t *testing.T) {
	for _, c := range []struct {
		name   string
		f      Func
		p      Problem
		status Status
		steps  int
		idle   [2]int
	}{
		{"1×1", Algorithm1, diagonalProblem([]float64{2}, []float64{3}), Converged, 0, [2]int{}},
		{"1×1", RillOnly, diagonalProblem([]float64{2}, []float64{3}), Converged, 0, [2]int{}},
		{"both of rank 1", Algorithm1, diagonalProblem([]float64{2, 0}, []float64{0, 3}), Converged, 0, [2]int{}},
		{"harmful of rank 1", RillOnly, diagonalProblem([]float64{2, 1}, []float64{0, 3}), Converged, 0, [2]int{}},
		{"harmful of rank 1", Algorithm1, diagonalProblem([]float64{2, 1}, []float64{0, 3}), StepLimit, 3, [2]int{0, 3}},
		{"primary of rank 1", Algorithm1, diagonalProblem([]float64{2, 0}, []float64{1, 3}), StepLimit, 3, [2]int{3, 0}},
		{"κ(H_P) = 1", Algorithm1, diagonalProblem([]float64{2, 2}, []float64{1, 3}), StepLimit, 3, [2]int{1, 0}},
		{"κ(H_H) = 1", Algorithm1, diagonalProblem([]float64{2, 1}, []float64{3, 3}), StepLimit, 3, [2]int{}},
		{"κ(H_H) = 1", RillOnly, diagonalProblem([]float64{2, 1}, []float64{3, 3}), Degenerate, 0, [2]int{}},
		{"both κ = 1", Algorithm1, diagonalProblem([]float64{2, 2}, []float64{3, 3}), Degenerate, 0, [2]int{}},
		{"σ_1(H_P) repeated", Algorithm1, diagonalProblem([]float64{2, 2, 1}, []float64{3, 3, 3}), Degenerate, 0, [2]int{}},
		{"σ_1(H_P) repeated, harmful of rank 1", Algorithm1, diagonalProblem([]float64{2, 2, 1}, []float64{3, 0, 0}), Degenerate, 0, [2]int{}},
		{"σ_k(H_H) repeated", RillOnly, diagonalProblem([]float64{2, 1, 1}, []float64{3, 1, 1}), StepLimit, 3, [2]int{}},
		{"zero primary", Algorithm1, diagonalProblem([]float64{0, 0}, []float64{3, 1}), StepLimit, 3, [2]int{3, 0}},
		{"zero harmful", Algorithm1, diagonalProblem([]float64{2, 1}, []float64{0, 0}), StepLimit, 3, [2]int{0, 3}},
		{"both zero", Algorithm1, diagonalProblem([]float64{0, 0}, []float64{0, 0}), Converged, 0, [2]int{}},
	} {
		r := certify(t, c.name, c.f, c.p, Options{StepLength: 0.02, Steps: 3})
		idle := [2]int{r.Counts.Half[0].Idle, r.Counts.Half[1].Idle}
		if r.Status != c.status || r.Steps != c.steps || idle != c.idle {
			t.Errorf("%s: %s after %d steps, idle %v; want %s after %d, %v (%s)", c.name, r.Status, r.Steps, idle, c.status, c.steps, c.idle, r.Reason)
		}
		if n := len(r.Trace); n == 0 || r.Trace[n-1].Step != r.Steps {
			t.Errorf("%s: the trace does not end with the last state", c.name)
		}
	}
	// A step of half of a large interval leaves nothing that can be resolved: the run ends at the last state that can be.
	p := Problem{Primary: conditioned(1, 12, 8, 8, 1e6, 0), Harmful: conditioned(2, 12, 8, 8, 1e8, 0)}
	r := certify(t, "no bound", Algorithm1, p, Options{Steps: 50})
	if r.Status != Diverged || r.Steps > 5 || !strings.Contains(r.Reason, fmt.Sprintf("step %d: the half step on H_", r.Steps+1)) || !strings.Contains(r.Reason, "resolves") {
		t.Errorf("no bound: %s after %d steps: %s", r.Status, r.Steps, r.Reason)
	}
	short := certify(t, "as many steps", Algorithm1, p, Options{Steps: r.Steps})
	if !mat.Equal(r.Theta, short.Theta) || r.Counts != short.Counts {
		t.Errorf("the state it ends at is not that after %d steps: %+v, %+v", r.Steps, r.Counts, short.Counts)
	}
	if last := r.Trace[len(r.Trace)-1]; !(last.Harmful.Rank.Kappa > 1e8) || last.Step != r.Steps {
		t.Errorf("no bound: the trace ends with %+v", last)
	}
}

func TestCertifiedErrors(t *testing.T) {
	p := Problem{Primary: gaussianTask(1, 9, 4), Harmful: gaussianTask(2, 9, 4)}
	form := regularizer.Cancelled
	for _, c := range []struct {
		f    Func
		o    Options
		want string
	}{
		{Algorithm1, Options{Form: form, Supervised: true}, "supervised"},
		{Algorithm1, Options{Form: form, Batch: 3}, "all rows"},
		{Algorithm1, Options{}, "preconditioner"},
		{RillOnly, Options{Form: form, Optimizer: Adam}, "adam"},
		{Algorithm1, Options{Form: form, Optimizer: SGD}, "sgd"},
		{Algorithm1, Options{Form: form, StepFraction: 1}, "not below 1"},
		{Algorithm1, Options{Form: form, StepFraction: math.NaN()}, "step fraction"},
		{Algorithm1, Options{Form: form, StepLength: -1}, "bound -1"},
		{Algorithm1, Options{Form: form, StepLength: math.NaN()}, "bound NaN"},
		{Algorithm1, Options{Form: form, Theta0: numtest.Diagonal(1e200, 1, 1, 1)}, "spectra at θ_0"},
		{OptKappa, Options{}, "no theorem"},
		{IMMA, Options{}, "no theorem"},
	} {
		c.o.Step, c.o.Steps = Certified, 3
		if _, err := c.f(t.Context(), p, c.o, numtest.Rand(1)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q in it", err, c.want)
		}
	}
}

// A half step whose κ moves against its theorem by more than rounding is a violation; by no more, it has not moved.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		ill               bool
		change, tolerance float64
		want              int
	}{
		{false, -1e-3, 1e-9, 1},
		{false, 1e-3, 1e-9, -1},
		{false, -1e-9, 1e-8, 0},
		{false, 1e-9, 1e-8, 0},
		{true, 1e-3, 1e-9, 1},
		{true, -1e-3, 1e-9, -1},
		{true, 1e-9, 1e-8, 0},
		{true, -1e-9, 1e-8, 0},
		{true, 0, 0, 0},
	} {
		h, out, n := half{ill: c.ill}, HalfStep{Tolerance: c.tolerance}, HalfCounts{}
		h.judge(&out, c.change)
		n.tally(&out, false)
		if out.Moved != c.want || n.Taken != 1 || (n.Violations == 1) != (c.want == -1) || (n.Unmoved == 1) != (c.want == 0) {
			t.Errorf("ill %v, change %g, tolerance %g: moved %d, %+v; want %d", c.ill, c.change, c.tolerance, out.Moved, n, c.want)
		}
	}
}

// On House Prices no half step fails either; with the bound on its length the run follows Algorithm 1, without it κ is out of sight
// within a few steps.
func TestCertifiedHousePrices(t *testing.T) {
	p := house(t)
	t.Parallel()
	for _, c := range []struct {
		fraction  float64
		low, high float64 // RIR after 300 steps
	}{{0.5, 180, 192}, {0.999, 187, 200}} {
		r := certify(t, "House Prices", Algorithm1, p, Options{StepFraction: c.fraction, StepLength: 0.02, Steps: 300})
		got := math.Exp(logRIR(p, r.Trace[len(r.Trace)-1]))
		t.Logf("%g of the intervals: RIR = %.5g, %+v", c.fraction, got, r.Counts.Half)
		if r.Status != StepLimit || !(got >= c.low && got <= c.high) || r.Counts.Half[0].Taken != 300 || r.Counts.Half[0].Unmoved+r.Counts.Half[1].Unmoved != 0 {
			t.Errorf("%g of the intervals: %s, RIR = %.5g, %+v", c.fraction, r.Status, got, r.Counts)
		}
	}
	if r := certify(t, "House Prices, no bound", Algorithm1, p, Options{Steps: 300}); r.Status != Diverged || r.Steps > 3 {
		t.Errorf("no bound: %s after %d steps", r.Status, r.Steps)
	}
}
