package runner

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const certifiedSpec = `
title = "Certified steps"
[primary]
dataset = "synthetic"
[harmful]
dataset = "synthetic"
[synthetic]
dimension = 5
angle = 60
[train]
step = "certified"
steps = 12
trace = 5
[sweep]
"train.method" = ["immunize", "rill-only"]
`

// Certified steps leave rows at the recorded steps and totals over all of them at the last, all explained in the schema reference.
func TestCertifiedRows(t *testing.T) {
	db := openDB(t)
	plan := planOf(t, certifiedSpec)
	if _, err := Run(t.Context(), plan, db, Options{Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "store", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range plan.Runs {
		out, err := db.Outcome(t.Context(), run.Key)
		if err != nil {
			t.Fatal(err)
		}
		at := make(map[string]map[int]float64)
		for _, m := range out.Metrics {
			if at[m.Name] == nil {
				at[m.Name] = make(map[int]float64)
			}
			at[m.Name][m.Step] = m.Value
			if name, _, _ := strings.Cut(m.Name, ":"); !bytes.Contains(text, []byte("`"+name+"`")) && !bytes.Contains(text, []byte("`"+m.Name)) {
				t.Errorf("store/README.md does not explain the metric %s", m.Name)
			}
		}
		wells := 0
		if run.Method() == "immunize" {
			wells = 3
		}
		for side, want := range map[string]int{"well": wells, "ill": 3} {
			for _, name := range []string{"interval", "interval_printed", "step", "kappa_before", "kappa_after", "kappa_predicted", "kappa_other", "tolerance", "moved", "printed_kappa", "printed_whole"} {
				rows := at[side+"_"+name]
				for _, step := range []int{5, 10, 12} {
					if _, ok := rows[step]; ok != (want > 0) {
						t.Errorf("%s: %s_%s at step %d: %v", run.Method(), side, name, step, ok)
					}
				}
				if len(rows) != want {
					t.Errorf("%s: %d rows of %s_%s, want %d", run.Method(), len(rows), side, name, want)
				}
			}
			for step, moved := range at[side+"_moved"] {
				if moved != 1 || !(at[side+"_step"][step] < at[side+"_interval"][step]) {
					t.Errorf("%s, step %d: %s moved %v", run.Method(), step, side, moved)
				}
			}
			taken := 0.0
			if want > 0 {
				taken = 12
			}
			for name, want := range map[string]float64{"taken": taken, "idle": 0, "violations": 0, "unmoved": 0} {
				if got, ok := at[side+"_"+name][12]; !ok || got != want || len(at[side+"_"+name]) != 1 {
					t.Errorf("%s: %s_%s: %v, want %v at the last step", run.Method(), side, name, at[side+"_"+name], want)
				}
			}
		}
		if got := at["certified_steps"][12]; got != 12 {
			t.Errorf("%s: %v certified steps", run.Method(), got)
		}
	}
	if n := count(t, db, "SELECT count(*) FROM metrics WHERE name LIKE 'well_violations' AND value = 0"); n != 2 {
		t.Errorf("%d runs say that no step failed, want 2", n)
	}
}

// Each step rule has its own default fraction, and other rules have none of what certified steps read.
func TestStepDefaults(t *testing.T) {
	for rule, want := range map[string]struct{ fraction, length any }{
		"fixed": {nil, nil}, "normalized": {0.02, nil}, "certified": {0.5, 0.02},
	} {
		plan := planOf(t, strings.Replace(certifiedSpec, "certified\"\nsteps", rule+"\"\nsteps", 1))
		for _, run := range plan.Runs {
			if got := run.Settings["train.step_fraction"]; got != want.fraction {
				t.Errorf("%s, %s: step_fraction is %v, want %v", rule, run.Method(), got, want.fraction)
			}
			if got := run.Settings["train.step_length"]; got != want.length {
				t.Errorf("%s, %s: step_length is %v, want %v", rule, run.Method(), got, want.length)
			}
			if got := run.Settings["train.supervised"]; run.Method() == "immunize" && got != (rule == "fixed") {
				t.Errorf("%s: supervised is %v", rule, got)
			}
		}
	}
}

func TestCertifiedRefuses(t *testing.T) {
	for _, c := range []struct{ add, method, want string }{
		{"", `"opt-kappa"`, "train.step: certified steps are for immunize and rill-only: no theorem is about the steps of opt-kappa"},
		{"", `"imma"`, "no theorem is about the steps of imma"},
		{"supervised = true", `"immunize"`, "train.supervised: a certified step has no supervised loss"},
		{"optimizer = \"adam\"", `"immunize"`, "does not go with adam"},
		{"optimizer = \"sgd\"", `"immunize"`, "does not go with sgd"},
		{"batch = 4", `"immunize"`, "train.batch: a certified step is over all rows"},
		{"form = \"plain\"", `"rill-only"`, "train.form: "},
		{"step_fraction = 1", `"rill-only"`, "train.step_fraction: "},
	} {
		text := strings.Replace(certifiedSpec, `"immunize", "rill-only"`, c.method, 1)
		spec := parse(t, strings.Replace(text, "trace = 5", c.add, 1))
		digests, err := Digests(t.Context(), nil, spec, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewPlan(spec, nil, digests); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: error %v, want %q in it", c.method, c.add, err, c.want)
		}
	}
}
