package runner

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"kappa/experiments"
	"kappa/store"
)

const turned = `
title = "Turned features"
[primary]
dataset = "synthetic"
[harmful]
dataset = "synthetic"
[synthetic]
dimension = 5
condition_harmful = 10
angle = 60
[train]
method = "immunize"
steps = 3
[sweep]
"train.method" = ["identity", "immunize", "released", "optimum"]
"train.rotate" = [false, true]
"train.seed" = [1, 2]
[[override]]
when = { "train.method" = "released" }
set = { "train.batch" = 4, "train.epochs" = 1 }
[[attack]]
method = "cg"
steps = 3
[[attack]]
method = "gd-standardized"
steps = 3
`

// executed runs a plan without files and returns what its runs left, by key.
func executed(t *testing.T, plan *Plan) map[string]store.Outcome {
	t.Helper()
	db := openDB(t)
	sum, err := Run(t.Context(), plan, db, Options{Now: time.Now})
	if err != nil || sum.Done != len(plan.Runs) {
		t.Fatalf("done %d of %d, failures %v, error %v", sum.Done, len(plan.Runs), sum.Failures, err)
	}
	out := make(map[string]store.Outcome)
	for _, run := range plan.Runs {
		if out[run.Key], err = db.Outcome(t.Context(), run.Key); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestRotate: a rotation changes no condition number and no loss, and no attack that knows no basis; it makes every method's run
// depend on the seed, and the one attack that scales features start anew.
func TestRotate(t *testing.T) {
	plan := planOf(t, turned)
	outcomes := executed(t, plan)
	at := make(map[string]Planned)
	var names []string
	for _, run := range plan.Runs {
		r := reader{run.Settings}
		seed := "-"
		if r.has("train.seed") {
			seed = fmt.Sprint(r.integer("train.seed"))
		}
		name := fmt.Sprintf("%s %t %s", run.Method(), r.boolean(rotateKey), seed)
		at[name] = run
		names = append(names, name)
		if i := slices.IndexFunc(run.Swept, func(a experiments.Assignment) bool { return a.Path == rotateKey }); i < 0 {
			t.Errorf("%s: not told that it is swept", name)
		}
	}
	want := []string{
		"identity false -", "identity true 1", "identity true 2", "immunize false -", "immunize true 1", "immunize true 2",
		"released false 1", "released false 2", "released true 1", "released true 2", "optimum false -", "optimum true 1", "optimum true 2",
	}
	if !slices.Equal(names, want) {
		t.Fatalf("runs are\n%q, want\n%q", names, want)
	}
	for _, run := range plan.Runs {
		r := reader{run.Settings}
		if !r.boolean(rotateKey) {
			continue
		}
		name := run.Method() + " false -"
		if run.Method() == "released" {
			name = fmt.Sprintf("released false %d", r.integer("train.seed"))
		}
		plain, turned := outcomes[at[name].Key], outcomes[run.Key]
		a, b := plain.Result, turned.Result
		for what, v := range map[string][2]float64{
			"RIR": {a.RIR, b.RIR}, "(i)": {a.RatioHarmful, b.RatioHarmful}, "(ii)": {a.RatioPrimary, b.RatioPrimary},
			"RIR, ridge": {a.RIRRidge, b.RIRRidge}, "κ(θ)": {a.KappaTheta, b.KappaTheta}, "loss": {a.LossPrimary, b.LossPrimary},
			"cg": {excessOf(plain, "cg"), excessOf(turned, "cg")},
		} {
			if math.Abs(v[1]/v[0]-1) > 1e-9 {
				t.Errorf("%s, seed %d: %s %.15g became %.15g", run.Method(), r.integer("train.seed"), what, v[0], v[1])
			}
		}
		// The identity's and the closed form's features are standardised to something else than before.
		if run.Method() == "optimum" && math.Abs(excessOf(turned, "gd-standardized")/excessOf(plain, "gd-standardized")-1) < 1e-6 {
			t.Errorf("%s: gd-standardized does not see the rotation", run.Method())
		}
		if digestOf(plain) == digestOf(turned) {
			t.Errorf("%s: the kept θ was not rotated", run.Method())
		}
	}
	if digestOf(outcomes[at["optimum true 1"].Key]) == digestOf(outcomes[at["optimum true 2"].Key]) {
		t.Error("two seeds, one rotation")
	}
}

// excessOf is the excess loss on the harmful task after the last step of an attacker.
func excessOf(o store.Outcome, attacker string) float64 {
	out, last := math.NaN(), -1
	for _, p := range o.Attacks {
		if p.Attacker == attacker && p.Task == "harmful" && p.Step > last {
			out, last = p.Excess, p.Step
		}
	}
	return out
}

func digestOf(o store.Outcome) string {
	for _, a := range o.Artifacts {
		if a.Name == "theta" {
			return a.Digest
		}
	}
	return ""
}

// TestRotateKeys: rotate = false is the same as no rotate, so that no run that was recorded before there was the key changes its own.
func TestRotateKeys(t *testing.T) {
	plain := planOf(t, small)
	for value, same := range map[string]bool{"false": true, "true": false} {
		other := planOf(t, strings.Replace(small, "steps = 3\n", "steps = 3\nrotate = "+value+"\n", 1))
		if got := slices.Equal(plain.Keys(), other.Keys()); got != same {
			t.Errorf("rotate = %s: the keys are the same: %t, want %t", value, got, same)
		}
	}
	for _, run := range plain.Runs {
		if _, ok := run.Settings[rotateKey]; ok {
			t.Errorf("run %d has a setting %s", run.Ordinal, rotateKey)
		}
	}
}
