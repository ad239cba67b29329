package runner

import (
	"math"
	"strings"
	"testing"
	"time"

	"kappa/engine/probe"
	"kappa/store"
)

const panel = `
title = "The panel"
[primary]
dataset = "digits"
class = 3
task = "one-vs-rest"
n = 120
[harmful]
dataset = "digits"
class = 8
task = "one-vs-rest"
n = 120
[train]
method = "identity"
`

// TestPanel runs every attacker on both losses that it knows, from zero and from random starts, and looks at what is recorded.
func TestPanel(t *testing.T) {
	var spec strings.Builder
	spec.WriteString(panel)
	var labels []string
	for _, a := range attackers() {
		for _, loss := range []string{"squared", "logistic"} {
			if loss == "logistic" && a.logistic == nil {
				continue
			}
			for _, start := range []string{"zero", "random"} {
				label := a.Name
				spec.WriteString("[[attack]]\nmethod = \"" + a.Name + "\"\nloss = \"" + loss + "\"\nstart = \"" + start + "\"\n")
				if a.Name != "least-squares" {
					spec.WriteString("steps = 30\n")
				}
				if loss == "logistic" {
					label += "-logistic"
				}
				if start == "random" {
					spec.WriteString("seeds = 3\n")
					label += "-random"
				}
				labels = append(labels, label)
			}
		}
	}
	db, plan := openDB(t), planOf(t, spec.String())
	if sum, err := Run(t.Context(), plan, db, Options{Jobs: 1, Now: time.Now}); err != nil || sum.Done != 1 {
		t.Fatalf("done %d, failures %v, error %v", sum.Done, sum.Failures, err)
	}
	out, err := db.Outcome(t.Context(), plan.Runs[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range labels {
		for _, side := range []string{"primary", "harmful"} {
			var points []store.AttackPoint
			for _, p := range out.Attacks {
				if p.Attacker == label && p.Task == side {
					points = append(points, p)
				}
			}
			if len(points) < 2 || points[0].Step != 0 {
				t.Errorf("%s on the %s task: %d points", label, side, len(points))
				continue
			}
			logistic := strings.Contains(label, "logistic")
			first, last := points[0], points[len(points)-1]
			if !(last.Loss < first.Loss) || !(last.Accuracy > 0.5) && !strings.Contains(label, "random") || !(last.Accuracy > 0) || math.IsNaN(last.NormRatio) != logistic {
				t.Errorf("%s on the %s task goes from %+v to %+v", label, side, first, last)
			}
			if logistic && !strings.Contains(label, "random") && math.Abs(first.Loss-math.Ln2) > 1e-12 {
				t.Errorf("%s on the %s task starts at %+v", label, side, first)
			}
			metrics := make(map[string]float64)
			for _, m := range out.Metrics {
				if name, ok := strings.CutSuffix(m.Name, ":"+label+":"+side); ok {
					metrics[name] = m.Value
				}
			}
			share, judged := metrics["reached_1pct"]
			steps, all := metrics["steps_to_1pct"]
			if judged == math.IsNaN(last.Excess) || all != (share == 1) || steps > 30 || share < 0 || share > 1 {
				t.Errorf("%s on the %s task: %v, excess %g at the end", label, side, metrics, last.Excess)
			}
		}
	}
	// 120 rows of 64 columns can be told apart.
	if !strings.Contains(out.Log, "attacker lbfgs-logistic on the harmful task: separable after") {
		t.Errorf("the log does not say that the classes are separable:\n%s", out.Log)
	}
}

// TestArrivals: the mean steps are of all starts or of none, and the share says how many there are.
func TestArrivals(t *testing.T) {
	trace := []probe.Point{{Excess: 1}}
	none := []probe.Point{{Excess: math.NaN()}}
	for _, tt := range []struct {
		name        string
		steps       []int
		trace       []probe.Point
		mean, share float64
	}{
		{"all", []int{4, 8}, trace, 6, 1},
		{"some", []int{4, -1, 8, -1}, trace, math.NaN(), 0.5},
		{"none", []int{-1}, trace, math.NaN(), 0},
		{"at once", []int{0, 0}, trace, 0, 1},
		{"no excess loss", []int{-1, -1}, none, math.NaN(), math.NaN()},
		{"no finite loss", []int{-1}, nil, math.NaN(), 0},
	} {
		var a arrivals
		for _, steps := range tt.steps {
			a.add(steps, tt.trace)
		}
		same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
		if !same(a.mean(), tt.mean) || !same(a.share(), tt.share) {
			t.Errorf("%s: mean %g, share %g; want %g and %g", tt.name, a.mean(), a.share(), tt.mean, tt.share)
		}
	}
}
