package immunize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/regularizer"
)

// methods lists all of them under the names of the report.
var methods = []struct {
	name string
	f    Func
}{
	{"identity", Identity},
	{"immunize", Algorithm1},
	{"released", Released},
	{"rill-only", RillOnly},
	{"imma", IMMA},
	{"opt-kappa", OptKappa},
	{"optimum", Optimum},
}

func diagonalProblem(primary, harmful []float64) Problem {
	return Problem{
		Primary: Task{X: numtest.Diagonal(primary...), Y: make([]float64, len(primary))},
		Harmful: Task{X: numtest.Diagonal(harmful...), Y: make([]float64, len(harmful))},
	}
}

func TestEdges(t *testing.T) {
	normalized := Options{Step: Normalized, Form: regularizer.Cancelled, Steps: 3}
	fixed := Options{
		Form: regularizer.Cancelled, Steps: 3, LearningRate: 0.01,
		LambdaPrimary: Lambda{Value: 1e-3}, LambdaHarmful: Lambda{Value: 1e-3},
	}
	for _, c := range []struct {
		name   string
		f      Func
		p      Problem
		o      Options
		status Status
		steps  int
	}{
		{"1×1", Algorithm1, diagonalProblem([]float64{2}, []float64{3}), normalized, Converged, 0},
		{"1×1", RillOnly, diagonalProblem([]float64{2}, []float64{3}), fixed, Converged, 0},
		{"1×1", OptKappa, diagonalProblem([]float64{2}, []float64{3}), normalized, Converged, 0},
		{"1×1", Released, diagonalProblem([]float64{2}, []float64{3}), fixed, Converged, 0},
		{"both of rank 1", Algorithm1, diagonalProblem([]float64{2, 0}, []float64{0, 3}), normalized, Converged, 0},
		{"harmful of rank 1", RillOnly, diagonalProblem([]float64{2, 1}, []float64{0, 3}), normalized, Converged, 0},
		{"harmful of rank 1", Algorithm1, diagonalProblem([]float64{2, 1}, []float64{0, 3}), normalized, StepLimit, 3},
		{"harmful of rank 1", OptKappa, diagonalProblem([]float64{2, 1}, []float64{0, 3}), normalized, StepLimit, 3},
		{"primary of rank 1", Algorithm1, diagonalProblem([]float64{2, 0}, []float64{1, 3}), normalized, StepLimit, 3},
		{"κ(H_H) = 1", Algorithm1, diagonalProblem([]float64{2, 1}, []float64{3, 3}), normalized, Degenerate, 0},
		{"κ(H_H) = 1", Algorithm1, diagonalProblem([]float64{2, 1}, []float64{3, 3}), fixed, Degenerate, 0},
		{"κ(H_H) = 1", RillOnly, diagonalProblem([]float64{2, 1}, []float64{3, 3}), normalized, Degenerate, 0},
		{"κ(H_H) = 1", OptKappa, diagonalProblem([]float64{2, 1}, []float64{3, 3}), normalized, Degenerate, 0},
		{"κ(H_P) = 1", OptKappa, diagonalProblem([]float64{2, 2}, []float64{3, 1}), normalized, StepLimit, 3},
		{"zero primary", Algorithm1, diagonalProblem([]float64{0, 0}, []float64{3, 1}), normalized, StepLimit, 3},
		{"zero harmful", Algorithm1, diagonalProblem([]float64{2, 1}, []float64{0, 0}), normalized, StepLimit, 3},
		{"both zero", Algorithm1, diagonalProblem([]float64{0, 0}, []float64{0, 0}), normalized, Converged, 0},
		{"no weights", Algorithm1, diagonalProblem([]float64{2, 1}, []float64{3, 1}), Options{Form: regularizer.Cancelled, Steps: 3}, Converged, 0},
		{"no steps", Algorithm1, diagonalProblem([]float64{2, 1}, []float64{3, 1}), Options{Step: Normalized}, StepLimit, 0},
		{"one zero task", IMMA, diagonalProblem([]float64{0, 0}, []float64{0, 0}), normalized, Converged, 0},
	} {
		r, err := c.f(t.Context(), c.p, c.o, numtest.Rand(1))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if r.Status != c.status || r.Steps != c.steps {
			t.Errorf("%s: %s after %d steps, want %s after %d (%s)", c.name, r.Status, r.Steps, c.status, c.steps, r.Reason)
		}
		if (r.Status == Degenerate) != strings.Contains(r.Reason, "gradient") {
			t.Errorf("%s: status %s with the reason %q", c.name, r.Status, r.Reason)
		}
		if n := len(r.Trace); n == 0 || r.Trace[n-1].Step != r.Steps {
			t.Errorf("%s: the trace does not end with the last state", c.name)
		}
	}
}

// On a diagonal problem one term alone moves κ by the closed form of its theorem.
func TestStepsByHand(t *testing.T) {
	p := diagonalProblem([]float64{3, 2, 1}, []float64{3, 2, 1}) // σ = 9, 4, 1
	const eta = 0.001
	r, err := Algorithm1(t.Context(), p, Options{
		Form: regularizer.Cancelled, Steps: 1, LearningRate: eta, LambdaPrimary: Lambda{Value: 1},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	grow := func(s, x float64) float64 { return s * (1 + 2*eta*x) * (1 + 2*eta*x) }
	want := grow(9, -9*(1-1./3)) / grow(1, 1./3)
	if got := r.Trace[1].Primary.Rank.Kappa; numtest.RelError(got, want) > 1e-12 {
		t.Errorf("R_well: κ = %v, want %v", got, want)
	}
	g := (81.+16+1)/6 - 0.5
	r, err = RillOnly(t.Context(), p, Options{
		Form: regularizer.Cancelled, Steps: 1, LearningRate: eta, LambdaHarmful: Lambda{Value: g * g},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want = grow(9, 9./3) / grow(1, -(1-1./3))
	if got := r.Trace[1].Harmful.Rank.Kappa; numtest.RelError(got, want) > 1e-12 {
		t.Errorf("R_ill: κ = %v, want %v", got, want)
	}
}

// The counts see the interval's end: diag(4, 1, 1) and η = 0.18375 take κ from 4 to 787 (printed interval), and count.
func TestCounts(t *testing.T) {
	p := diagonalProblem([]float64{2, 1, 1}, []float64{3, 2, 1})
	for _, c := range []struct {
		eta     float64
		outside int
		rose    int
	}{{0.18375, 1, 1}, {0.09, 0, 0}, {0.094, 1, 0}} { // (1 − ½)/(2·⅔·4) = 0.09375
		r, err := Algorithm1(t.Context(), p, Options{
			Form: regularizer.Cancelled, Steps: 1, LearningRate: 2 * c.eta, LambdaPrimary: Lambda{Value: 0.5},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Counts; got.WellOutside != c.outside || got.PrimaryRose != c.rose || got.Steps != 1 || got.Compared != 1 || got.IllOutside != 0 {
			t.Errorf("η = %v: κ(H_P) = %v, %+v", c.eta, r.Trace[1].Primary.Rank.Kappa, got)
		}
	}
	// σ_k = 1 has g = (81 + 16 + 1)/6 − ½ and the end g²/(2·⅔); beyond it σ_k grows again and κ may fall.
	g := (81.+16+1)/6 - 0.5
	for _, c := range []struct {
		eta     float64
		outside int
	}{{0.7 * g * g, 0}, {0.8 * g * g, 1}} {
		r, err := RillOnly(t.Context(), p, Options{
			Form: regularizer.Cancelled, Steps: 1, LearningRate: 1, LambdaHarmful: Lambda{Value: c.eta},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Counts.IllOutside != c.outside || r.Counts.WellOutside != 0 {
			t.Errorf("η = %v: %+v", c.eta, r.Counts)
		}
	}
	// Nine fives and a four with η = 5.71, inside the printed interval: κ falls from 1.25 to 1.002.
	fives := []float64{2, math.Sqrt(5), math.Sqrt(5), math.Sqrt(5), math.Sqrt(5), math.Sqrt(5), math.Sqrt(5), math.Sqrt(5), math.Sqrt(5), math.Sqrt(5)}
	r, err := RillOnly(t.Context(), diagonalProblem(fives, fives), Options{
		Form: regularizer.Cancelled, Steps: 1, LearningRate: 1, LambdaHarmful: Lambda{Value: 5.71},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Counts; c.IllOutside != 1 || c.HarmfulFell != 1 || r.Trace[1].Harmful.Rank.Kappa > 1.003 {
		t.Errorf("κ(H_H) = %v, %+v", r.Trace[1].Harmful.Rank.Kappa, c)
	}
	repeated := diagonalProblem([]float64{2, 2, 1}, []float64{3, 1, 1})
	r, err = Algorithm1(t.Context(), repeated, Options{Step: Normalized, Form: regularizer.Cancelled, Steps: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Counts.Degenerate != 1 || r.Status != StepLimit {
		t.Errorf("repeated extremes: %+v, %s", r.Counts, r.Status)
	}
}

func TestDiverged(t *testing.T) {
	p := Problem{Primary: gaussianTask(1, 9, 4), Harmful: gaussianTask(2, 9, 4)}
	all := func(int, int) bool { return true }
	for _, c := range []struct {
		name string
		f    Func
		o    Options
	}{
		{"immunize", Algorithm1, Options{Form: regularizer.Cancelled, Steps: 200, LearningRate: 1e30, LambdaPrimary: Lambda{Value: 1}, LambdaHarmful: Lambda{Value: 1}, Supervised: true, TraceAt: all}},
		{"immunize, batches", Algorithm1, Options{Form: regularizer.Cancelled, Steps: 200, Batch: 3, LearningRate: 1e30, LambdaPrimary: Lambda{Value: 1}, TraceAt: all}},
		{"immunize, batches, no trace", Algorithm1, Options{Form: regularizer.Cancelled, Steps: 200, Batch: 3, LearningRate: 1e30, LambdaPrimary: Lambda{Value: 1}}},
		{"imma", IMMA, Options{Steps: 200, LearningRate: 1e50, TraceAt: all}},
		{"released", Released, Options{Steps: 200, Batch: 3, LearningRate: 1e200, LambdaPrimary: Lambda{Value: 1}, TraceAt: all}},
	} {
		r, err := c.f(t.Context(), p, c.o, numtest.Rand(1))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if r.Status != Diverged || !strings.HasPrefix(r.Reason, fmt.Sprintf("step %d: ", r.Steps+1)) || r.Steps >= 200 || r.Counts.Steps != r.Steps {
			t.Errorf("%s: %s after %d steps (%+v), reason %q", c.name, r.Status, r.Steps, r.Counts, r.Reason)
		}
		for i := range 4 {
			for _, v := range r.Theta.RawRowView(i) {
				if v-v != 0 {
					t.Errorf("%s: θ holds %v", c.name, v)
				}
			}
		}
		for i, pt := range r.Trace {
			if pt.Step > r.Steps || i > 0 && pt.Step <= r.Trace[i-1].Step {
				t.Errorf("%s: trace point %d is of step %d", c.name, i, pt.Step)
			}
		}
	}
}

func TestContextAndProgress(t *testing.T) {
	p := Problem{Primary: gaussianTask(1, 9, 4), Harmful: gaussianTask(2, 9, 4)}
	for _, m := range methods {
		ctx, cancel := context.WithCancel(t.Context())
		var calls int
		o := Options{Step: Normalized, Form: regularizer.Cancelled, Steps: 10, Progress: func(step, steps int) {
			calls++
			if step != calls || steps != 10 && m.name != "optimum" {
				t.Errorf("%s: progress (%d, %d) on call %d", m.name, step, steps, calls)
			}
			if step == 3 {
				cancel()
			}
		}}
		r, err := m.f(ctx, p, o, numtest.Rand(1))
		switch m.name {
		case "identity", "optimum":
			if err != nil || r.Steps != calls {
				t.Errorf("%s: %d steps, %d calls, error %v", m.name, r.Steps, calls, err)
			}
			cancel()
			if _, err := m.f(ctx, p, o, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: cancelled, error %v", m.name, err)
			}
		default:
			if !errors.Is(err, context.Canceled) || calls != 3 {
				t.Errorf("%s: cancelled at step 3: %d calls, error %v", m.name, calls, err)
			}
		}
		cancel()
	}
}

func TestErrors(t *testing.T) {
	ok := func() Problem {
		return Problem{Primary: gaussianTask(1, 9, 4), Harmful: gaussianTask(2, 9, 4)}
	}
	with := func(change func(p *Problem)) Problem {
		p := ok()
		change(&p)
		return p
	}
	nan := math.NaN()
	for _, c := range []struct {
		name string
		f    Func
		p    Problem
		o    Options
		want string
	}{
		{"no data", Algorithm1, Problem{}, Options{}, "primary task has no data"},
		{"no harmful data", Identity, with(func(p *Problem) { p.Harmful = Task{} }), Options{}, "harmful task has no data"},
		{"NaN data", OptKappa, with(func(p *Problem) { p.Harmful = Task{X: mat.NewDense(1, 4, []float64{1, nan, 0, 0})} }), Options{}, "factorise the harmful task"},
		{"no targets", Algorithm1, with(func(p *Problem) { p.Primary.Y = nil }), Options{Supervised: true}, "needs targets of the primary"},
		{"no harmful targets", IMMA, with(func(p *Problem) { p.Harmful.Y = nil }), Options{}, "needs targets of the harmful"},
		{"NaN target", IMMA, with(func(p *Problem) { p.Harmful.Y[2] = nan }), Options{}, "harmful target 2"},
		{"labels", Released, with(func(p *Problem) { p.Loss = Logistic }), Options{}, "labels 0 or 1"},
		{"learning rate", Algorithm1, ok(), Options{LearningRate: -1}, "learning rate"},
		{"learning rate", Algorithm1, ok(), Options{LearningRate: nan}, "learning rate"},
		{"step fraction", Algorithm1, ok(), Options{StepFraction: math.Inf(1)}, "step fraction"},
		{"weight", Algorithm1, ok(), Options{LambdaHarmful: Lambda{Value: nan}}, "weight NaN"},
		{"weight", Algorithm1, ok(), Options{LambdaPrimary: Lambda{Value: -1}}, "weight -1"},
		{"momentum", Algorithm1, ok(), Options{Optimizer: SGD, Momentum: 1}, "momentum"},
		{"steps", Algorithm1, ok(), Options{Steps: -1}, "must not be negative"},
		{"adam", OptKappa, ok(), Options{Optimizer: Adam, Step: Normalized}, "adam"},
		{"θ_0", Identity, ok(), Options{Theta0: mat.NewDense(4, 4, append(make([]float64, 15), nan))}, "row 3, column 3"},
		{"θ_0 overflows", Algorithm1, ok(), Options{Theta0: numtest.Diagonal(1e200, 1, 1, 1)}, "spectra at θ_0"},
		{"balance", Released, ok(), Options{LambdaPrimary: Lambda{Balance: true}}, "does not balance"},
	} {
		if _, err := c.f(t.Context(), c.p, c.o, numtest.Rand(1)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", c.name, err, c.want)
		}
	}
	for _, c := range []struct {
		f Func
		o Options
	}{{Algorithm1, Options{Batch: 3}}, {Released, Options{}}} {
		if _, err := c.f(t.Context(), ok(), c.o, nil); err == nil || !strings.Contains(err.Error(), "random numbers") {
			t.Errorf("no generator: error %v", err)
		}
	}
}

func TestPanics(t *testing.T) {
	p := Problem{Primary: gaussianTask(1, 9, 4), Harmful: gaussianTask(2, 9, 4)}
	other := p
	other.Harmful = gaussianTask(2, 9, 5)
	short := p
	short.Primary.Y = short.Primary.Y[:3]
	wrong := p
	wrong.Primary.Factor = other.Harmful.Factor
	for _, c := range []struct {
		name string
		p    Problem
		o    Options
		want string
	}{
		{"columns", other, Options{}, badColumns},
		{"targets", short, Options{Supervised: true}, badTargets},
		{"factor", wrong, Options{}, badFactor},
		{"θ_0", p, Options{Theta0: identity(3)}, badTheta},
		{"rule", p, Options{Step: 7}, badRule},
		{"form", p, Options{Form: 7}, badForm},
		{"side", p, Options{Side: 7}, badSide},
		{"optimizer", p, Options{Optimizer: 7}, badOptimizer},
	} {
		func() {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("%s: panic %v, want %q", c.name, got, c.want)
				}
			}()
			_, _ = Algorithm1(t.Context(), c.p, c.o, nil)
		}()
	}
	defer func() {
		if got := recover(); got != badLoss {
			t.Errorf("loss: panic %v", got)
		}
	}()
	p.Loss = 7
	_, _ = Algorithm1(t.Context(), p, Options{Supervised: true}, nil)
}

func TestDeterminism(t *testing.T) {
	p := Problem{Primary: gaussianTask(1, 12, 4), Harmful: gaussianTask(2, 10, 4)}
	p.Primary.Y = labels(12)
	for _, loss := range []Loss{SquaredError, Logistic} {
		p.Loss = loss
		for _, optimizer := range []Optimizer{GD, SGD, Adam} {
			for _, batch := range []int{0, 3} {
				for _, m := range methods {
					o := Options{
						Optimizer: optimizer, Momentum: 0.5, Batch: batch, Steps: 7, LearningRate: 1e-3, Form: regularizer.Cancelled,
						LambdaPrimary: Lambda{Value: 1}, LambdaHarmful: Lambda{Value: 1}, Supervised: true,
					}
					run := func(seed uint64) Result {
						r, err := m.f(t.Context(), p, o, rand.New(rand.NewPCG(seed, 0)))
						if err != nil {
							t.Fatalf("%s: %v", m.name, err)
						}
						return r
					}
					a, b, other := run(1), run(1), run(2)
					if !mat.Equal(a.Theta, b.Theta) {
						t.Errorf("%s, %v, %v, batch %d: the same seed gives another θ", m.name, loss, optimizer, batch)
					}
					random := m.name == "released" || batch > 0 && (m.name == "immunize" || m.name == "rill-only")
					if mat.Equal(a.Theta, other.Theta) == random {
						t.Errorf("%s, %v, %v, batch %d: another seed gives the same θ: %v", m.name, loss, optimizer, batch, !random)
					}
				}
			}
		}
	}
}

// Heavy-ball momentum and Adam reach where plain descent goes: each lowers the objective of Eq. 11 on a small problem.
func TestOptimizersDescend(t *testing.T) {
	p := Problem{Primary: gaussianTask(1, 12, 4), Harmful: gaussianTask(2, 10, 4)}
	for _, optimizer := range []Optimizer{GD, SGD, Adam} {
		r, err := Algorithm1(t.Context(), p, Options{
			Optimizer: optimizer, Momentum: 0.9, Steps: 40, LearningRate: 1e-3, Form: regularizer.Plain, Supervised: true,
			LambdaPrimary: Lambda{Value: 1e-2}, LambdaHarmful: Lambda{Value: 10},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		value := func(pt Point) float64 { return 1e-2*pt.RWell + 10*pt.RIll + pt.LossPrimary }
		if first, last := value(r.Trace[0]), value(r.Trace[len(r.Trace)-1]); !(last < first) {
			t.Errorf("%v: objective from %v to %v", optimizer, first, last)
		}
	}
}
