package runner

import (
	"math"
	"os"
	"testing"
	"time"
)

// TestKappaThetaMax: optimum keeps κ(θ) within its bound on pairs with a ceiling and on pairs without, what it reaches
// grows with the bound, and the figures that are recorded agree with one another.
func TestKappaThetaMax(t *testing.T) {
	plan := planOf(t, `
title = "The price"
[primary]
dataset = "digits"
class = 0
[harmful]
dataset = "digits"
class = 1
[train]
method = "optimum"
[sweep]
"primary.class" = [0, 1, 4]
"harmful.class" = [0, 1, 7]
"train.kappa_theta_max" = [1, 2.5, 9, 60, 1e6]
distinct = [["primary.class", "harmful.class"]]
`)
	outcomes := executed(t, plan)
	last, bounded := math.Inf(1), 0
	for _, run := range plan.Runs {
		c := reader{run.Settings}.number("train.kappa_theta_max")
		r := outcomes[run.Key].Result
		if r.KappaTheta > c*(1+1e-9) {
			t.Errorf("%v: κ(θ) = %.12g", run.Swept, r.KappaTheta)
		}
		if r.RIR > r.Bound*(1+1e-9) || r.ReachedBound > 1+1e-9 || r.Reached > 1+1e-9 {
			t.Errorf("%v: RIR %g, bound %g, reached %g and %g", run.Swept, r.RIR, r.Bound, r.Reached, r.ReachedBound)
		}
		if c == 1 {
			last = 1
			if math.Abs(r.RIR-1) > 1e-9 || !math.IsNaN(r.ReachedBound) {
				t.Errorf("%v: RIR %g, reached %g of the bound", run.Swept, r.RIR, r.ReachedBound)
			}
		}
		if r.RIR < last*(1-1e-9) {
			t.Errorf("%v: RIR %g, less than %g with a smaller bound", run.Swept, r.RIR, last)
		}
		last = r.RIR
		if !r.Unbounded {
			bounded++
			if got, want := r.Reached, math.Log(r.RIR)/math.Log(r.Ceiling); math.Abs(got-want) > 1e-9 {
				t.Errorf("%v: reached %g, want %g", run.Swept, got, want)
			}
			if c == 1e6 && r.Reached < 1-1e-9 {
				t.Errorf("%v: reached %.12g of the ceiling", run.Swept, r.Reached)
			}
		} else if !math.IsNaN(r.Reached) {
			t.Errorf("%v: reached %g of no ceiling", run.Swept, r.Reached)
		}
	}
	if bounded == 0 || bounded == len(plan.Runs) {
		t.Errorf("%d of %d pairs have a ceiling: the test is one-sided", bounded, len(plan.Runs))
	}
}

// TestKappaThetaMaxHousePrices: the RIRs that a scan by hand of the same construction has reached, through the whole road.
func TestKappaThetaMaxHousePrices(t *testing.T) {
	dir := os.Getenv("KAPPA_DATA")
	if dir == "" {
		t.Skip("KAPPA_DATA is not set: the House Prices files are not in this repository")
	}
	data := os.DirFS(dir)
	spec := parse(t, `
title = "The price"
[primary]
dataset = "house-prices"
[harmful]
dataset = "house-prices"
[train]
method = "optimum"
[sweep]
"train.kappa_theta_max" = [3, 9, 50]
`)
	digests, err := Digests(t.Context(), data, spec, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := NewPlan(spec, nil, digests)
	if err != nil {
		t.Fatal(err)
	}
	db := openDB(t)
	sum, err := Run(t.Context(), plan, db, Options{Now: time.Now, Data: data})
	if err != nil || sum.Done != 3 {
		t.Fatalf("done %d, failures %v, error %v", sum.Done, sum.Failures, err)
	}
	for i, want := range []float64{32.4, 2420, 1.07e6} {
		out, err := db.Outcome(t.Context(), plan.Runs[i].Key)
		if err != nil {
			t.Fatal(err)
		}
		if r := out.Result; r.RIR < want || r.RIR > r.Bound || !(r.ReachedBound > 0 && r.ReachedBound < 1) {
			t.Errorf("%v: RIR %g, bound %g, reached %g of it; want at least %g", plan.Runs[i].Swept, r.RIR, r.Bound, r.ReachedBound, want)
		}
	}
}
