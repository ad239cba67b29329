package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/mat"
)

func TestEdges(t *testing.T) {
	nan := math.NaN()
	one := mat.NewDense(1, 1, []float64{2})
	tall := mat.NewDense(3, 1, []float64{1, 1, 0})
	wide := mat.NewDense(1, 3, []float64{3, 0, 4})
	zero := mat.NewDense(2, 2, nil)
	type end struct {
		status              Status
		steps               int
		loss, excess, ratio float64
	}
	tests := []struct {
		name  string
		x     *mat.Dense
		y, w0 []float64
		steps int
		want  end
		to1   int
	}{
		{"1×1", one, []float64{6}, nil, 9, end{Converged, 1, 0, 0, 0}, 1},
		{"no step", one, []float64{6}, nil, 0, end{StepLimit, 0, 36, 1, 1}, -1},
		{"tall", tall, []float64{1, 3, 5}, nil, 9, end{Converged, 1, 27, 0, 0}, 1},
		{"wide", wide, []float64{10}, nil, 9, end{Converged, 1, 0, 0, 0}, 1},
		{"zero targets from zero", wide, []float64{0}, nil, 9, end{Converged, 0, 0, nan, nan}, -1},
		{"zero targets from elsewhere", wide, []float64{0}, []float64{1, 0, 0}, 9, end{Converged, 1, 0, 0, 16.0 / 25}, 1},
		{"at the optimum", tall, []float64{1, 3, 5}, []float64{2}, 9, end{Converged, 0, 27, nan, nan}, -1},
		{"targets out of reach", tall, []float64{0, 0, 7}, nil, 9, end{Converged, 0, 49, nan, nan}, -1},
		{"zero features", zero, []float64{1, 2}, nil, 9, end{Converged, 0, 5, nan, nan}, -1},
		{"zero features, other start", zero, []float64{1, 2}, []float64{1, 1}, 9, end{Converged, 0, 5, nan, 1}, -1},
	}
	for _, tt := range tests {
		for name, f := range without("adam") {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				res := mustRun(t, f, tt.x, tt.y, Options{Steps: tt.steps, W0: tt.w0})
				p := res.Trace[len(res.Trace)-1]
				want := tt.want
				if name == "least-squares" && tt.steps > 0 {
					// It knows no gradient: it moves to the solution of minimum norm from anywhere, once.
					want.steps = 1
					if !math.IsNaN(want.ratio) {
						want.ratio = 0
					}
				}
				if name == "gd-standardized" { // of all solutions it moves to the one of minimum norm in its own units
					want.ratio = p.NormRatio
				}
				got := end{res.Status, res.Steps, p.Loss, p.Excess, p.NormRatio}
				if d := cmp.Diff(want, got, cmp.AllowUnexported(end{}), cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-14, 1e-28)); d != "" {
					t.Errorf("(-want +got):\n%s\n%s", d, res.Reason)
				}
				if res.StepsTo1 != tt.to1 || res.StepsTo01 != tt.to1 {
					t.Errorf("steps to 1 %% and 0.1 %%: %d, %d, want %d", res.StepsTo1, res.StepsTo01, tt.to1)
				}
			})
		}
	}
}

func TestDiverged(t *testing.T) {
	x, w0 := mat.NewDense(2, 2, []float64{1, 2, 3, 5}), []float64{1e200, 1}
	for _, f := range []Func{GDExact, CG, GDFixed, Nesterov, LBFGS, Adam, GDStandardized} {
		res, err := f(context.Background(), mustPrepare(t, x, []float64{1, 1}, 0), Options{Steps: 5, W0: w0}, nil)
		if err != nil || res.Status != Diverged || res.Steps != 0 {
			t.Errorf("%+v, %v, want divergence at step 0", res, err)
		}
		if d := cmp.Diff(w0, res.W); d != "" {
			t.Errorf("last finite weights:\n%s", d)
		}
	}
}

func TestErrors(t *testing.T) {
	x, y := mat.NewDense(2, 2, []float64{1, 2, 3, 5}), []float64{1, 2}
	target := mustPrepare(t, x, y, 0)
	for _, tt := range []struct {
		x    *mat.Dense
		y    []float64
		want string
	}{
		{nil, nil, "probe: empty feature matrix"},
		{&mat.Dense{}, nil, "probe: empty feature matrix"},
		{mat.NewDense(2, 2, []float64{1, 2, math.NaN(), 4}), y, "probe: feature in row 1, column 0 is NaN"},
		{x, []float64{1, math.Inf(-1)}, "probe: target 1 is -Inf"},
	} {
		if _, err := Prepare(tt.x, tt.y, 0); err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	panics := map[string]func(){
		badTargets: func() { Prepare(x, y[:1], 0) },
		badRank:    func() { Prepare(x, y, -1) },
	}
	for name, f := range methods {
		if _, err := f(canceled, target, Options{Steps: 3}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: a cancelled context gives %v", name, err)
		}
		want := "probe: weight 0 at the start is NaN"
		if _, err := f(context.Background(), target, Options{W0: []float64{math.NaN(), 1}}, nil); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", name, err, want)
		}
		panics[badWeights] = func() { f(context.Background(), target, Options{W0: []float64{1}}, nil) }
		panics[badSteps] = func() { f(context.Background(), target, Options{Steps: -1}, nil) }
		for want, call := range panics {
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
