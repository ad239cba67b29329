package runner

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"kappa/experiments"
)

const small = `
title = "A small problem"
[primary]
dataset = "synthetic"
[harmful]
dataset = "synthetic"
[synthetic]
dimension = 4
condition_harmful = 10
angle = 60
[train]
method = "immunize"
steps = 3
[sweep]
"train.method" = ["identity", "immunize", "released", "optimum"]
"train.seed" = [1, 2]
[[override]]
when = { "train.method" = "released" }
set = { "train.batch" = 4, "train.epochs" = 1 }
[[attack]]
method = "gd-exact"
steps = 5
`

func parse(t *testing.T, text string) *experiments.Spec {
	t.Helper()
	spec, err := experiments.Parse("small.toml", []byte(text), Catalog())
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return spec
}

func parseErr(text string) (*experiments.Spec, error) {
	return experiments.Parse("small.toml", []byte(text), Catalog())
}

func planOf(t *testing.T, text string) *Plan {
	t.Helper()
	spec := parse(t, text)
	digests, err := Digests(t.Context(), nil, spec, nil, nil)
	if err != nil {
		t.Fatalf("digests: %v", err)
	}
	plan, err := NewPlan(spec, nil, digests)
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	return plan
}

func TestPlanOrderAndSeeds(t *testing.T) {
	plan := planOf(t, small)
	var got []string
	for i, run := range plan.Runs {
		if run.Ordinal != i {
			t.Errorf("run %d has ordinal %d", i, run.Ordinal)
		}
		seed := "-"
		if v, ok := run.Settings["train.seed"]; ok {
			seed = canonicalValue(v)
		}
		got = append(got, run.Method()+" "+seed)
	}
	want := []string{"identity -", "immunize -", "released n1", "released n2", "optimum -"}
	if !slices.Equal(got, want) {
		t.Errorf("runs are %q, want %q: a method that draws nothing runs once", got, want)
	}
	if plan.Merged != 3 {
		t.Errorf("merged %d combinations, want 3", plan.Merged)
	}
}

func TestKeysAreStable(t *testing.T) {
	a, b := planOf(t, small), planOf(t, small)
	if !slices.Equal(a.Keys(), b.Keys()) {
		t.Error("the same spec gives two sequences of keys")
	}
	seen := make(map[string]bool)
	for _, key := range a.Keys() {
		if len(key) != 64 || seen[key] {
			t.Errorf("key %q is not 64 hex digits, or not unique", key)
		}
		seen[key] = true
	}
}

// TestKeyFields changes one thing at a time and says which of the two keys must change with it.
func TestKeyFields(t *testing.T) {
	base := planOf(t, small).Runs
	tests := []struct {
		name, old, new string
		method         string
		train, run     bool
	}{
		{"title", "A small problem", "Another title", "immunize", false, false},
		{"steps", "steps = 3", "steps = 4", "immunize", true, true},
		{"steps of a closed form", "steps = 3", "steps = 4", "optimum", false, false},
		{"attack", "steps = 5", "steps = 6", "immunize", false, true},
		{"attack added", "steps = 5", "steps = 5\n[[attack]]\nmethod = \"cg\"", "immunize", false, true},
		{"data", "angle = 60", "angle = 61", "immunize", true, true},
		{"whole number as float", "angle = 60", "angle = 60.0", "immunize", false, false},
		{"seed of a method that draws nothing", "[1, 2]", "[7, 8]", "immunize", false, false},
		{"seed of a method that draws", "[1, 2]", "[7, 8]", "released", true, true},
		{"init of a method that draws its own", "[train]", "[model]\ninit = \"torch-linear\"\n[train]", "released", false, false},
		{"init of a method that starts from it", "[train]", "[model]\ninit = \"torch-linear\"\n[train]", "immunize", true, true},
		{"random start of an attack", "steps = 5", "steps = 5\nstart = \"random\"", "immunize", false, true},
		{"seed of a start that is not random", "steps = 5", "steps = 5\nstart = \"zero\"", "immunize", false, false},
	}
	find := func(runs []Planned, method string) Planned {
		i := slices.IndexFunc(runs, func(p Planned) bool { return p.Method() == method })
		return runs[i]
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(small, tt.old, tt.new, 1)
			if text == small {
				t.Fatalf("%q is not in the spec", tt.old)
			}
			was, is := find(base, tt.method), find(planOf(t, text).Runs, tt.method)
			if got := was.TrainKey != is.TrainKey; got != tt.train {
				t.Errorf("train key changed: %t, want %t", got, tt.train)
			}
			if got := was.Key != is.Key; got != tt.run {
				t.Errorf("run key changed: %t, want %t\nwas %v\nis  %v", got, tt.run, was.Settings, is.Settings)
			}
		})
	}
}

// TestKeysOfClasses: what a run on classes does not read is not in its key.
func TestKeysOfClasses(t *testing.T) {
	const text = `
title = "Two digits"
[primary]
dataset = "digits"
class = 3
[harmful]
dataset = "digits"
class = 8
[train]
method = "immunize"
supervised = true
[sweep]
"train.method" = ["identity", "immunize", "released", "rill-only", "imma", "opt-kappa", "optimum"]
"train.loss" = ["squared", "logistic"]
`
	runs := func(text string) map[string]int {
		n := make(map[string]int)
		for _, run := range planOf(t, text).Runs {
			n[run.Method()]++
		}
		return n
	}
	want := map[string]int{"identity": 1, "immunize": 2, "released": 2, "rill-only": 1, "imma": 2, "opt-kappa": 1, "optimum": 1}
	if got := runs(text); !maps.Equal(got, want) {
		t.Errorf("two losses: runs %v, want %v", got, want)
	}
	want["immunize"] = 1
	if got := runs(strings.Replace(text, "supervised = true", "supervised = false", 1)); !maps.Equal(got, want) {
		t.Errorf("two losses, nothing supervised: runs %v, want %v", got, want)
	}
	// θ₀ from a file is asked for only where a run starts from it.
	file := strings.Replace(text, "supervised = true\n[sweep]", "[sweep]", 1)
	file = strings.Replace(file, "[train]", "[model]\ninit = \"theta.npy\"\n[train]", 1)
	for _, tt := range []struct {
		methods string
		refs    int
	}{{`["optimum", "identity", "released"]`, 1}, {`["optimum", "immunize"]`, 2}} {
		spec := parse(t, strings.Replace(file, `["identity", "immunize", "released", "rill-only", "imma", "opt-kappa", "optimum"]`, tt.methods, 1))
		if refs, err := References(spec, nil); err != nil || len(refs) != tt.refs {
			t.Errorf("%s: references %q, want %d (%v)", tt.methods, refs, tt.refs, err)
		}
	}
}

func TestKeyFormatIsInjective(t *testing.T) {
	keyOf := func(s experiments.Settings) string {
		_, run := makeKeys(s, []string{"d", "e"}, 1)
		return run
	}
	a := keyOf(experiments.Settings{"train.a": "bc", "train.b": ""})
	b := keyOf(experiments.Settings{"train.a": "b", "train.b": "c"})
	if a == b {
		t.Error("two settings share a key because their fields run together")
	}
	if keyOf(experiments.Settings{"train.a": "1"}) == keyOf(experiments.Settings{"train.a": int64(1)}) {
		t.Error("the string 1 and the number 1 share a key")
	}
	c, _ := makeKeys(experiments.Settings{}, []string{"ab", "c"}, 1)
	d, _ := makeKeys(experiments.Settings{}, []string{"a", "bc"}, 1)
	if c == d {
		t.Error("two pairs of digests share a key")
	}
	e, _ := makeKeys(experiments.Settings{}, []string{"ab", "c"}, 2)
	if c == e {
		t.Error("two engine versions share a key")
	}
}

func TestPlanNamesMissingData(t *testing.T) {
	spec := parse(t, `
title = "Own data"
[primary]
dataset = { csv = "none.csv", target = "y" }
[harmful]
dataset = { csv = "gone.csv", target = "y" }
[train]
method = "identity"
`)
	_, err := Digests(t.Context(), nil, spec, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "none.csv") || !strings.Contains(err.Error(), "gone.csv") {
		t.Errorf("the error must name both files: %v", err)
	}
	refs, err := References(spec, nil)
	if err != nil || len(refs) != 2 {
		t.Fatalf("references: %q, %v", refs, err)
	}
	if _, err := NewPlan(spec, nil, nil); err == nil || !strings.Contains(err.Error(), "none.csv") {
		t.Errorf("a plan without digests must say which are missing: %v", err)
	}
}

func TestCatalogNamesAreUnique(t *testing.T) {
	c := Catalog()
	seen := make(map[string]bool)
	for _, k := range c.Keys {
		if seen[k.Path] {
			t.Errorf("key %s stands twice", k.Path)
		}
		seen[k.Path] = true
		if k.Doc == "" {
			t.Errorf("key %s has no documentation", k.Path)
		}
	}
	for _, m := range methods() {
		if m.run == nil || m.Doc == "" {
			t.Errorf("method %s is incomplete", m.Name)
		}
		for _, path := range m.Uses {
			if !seen[path] {
				t.Errorf("method %s reads %s, which is not a key", m.Name, path)
			}
		}
		for path := range maps.Keys(m.Defaults) {
			if !slices.Contains(m.Uses, path) {
				t.Errorf("method %s has a default for %s, which it does not read", m.Name, path)
			}
		}
	}
	for _, a := range attackers() {
		for _, path := range a.Uses {
			if !seen[path] {
				t.Errorf("attacker %s reads %s, which is not a key", a.Name, path)
			}
		}
	}
}

func TestPlanRefusesWhatNoRunCanDo(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"balanced weights of released", "[train]", "[train]\nlambda_harmful = \"balance\"", "small.toml:12: train.lambda_harmful: \"balance\" is not for"},
		{"normalized steps with adam", "[train]", "[train]\nstep = \"normalized\"\noptimizer = \"adam\"", "small.toml:13: train.optimizer: adam sets"},
		{"logistic regression", "[train]", "[train]\nloss = \"logistic\"", "small.toml:12: train.loss: the logistic loss"},
		{"two attacks of one name", "steps = 5", "steps = 5\n[[attack]]\nmethod = \"cg\"\n[[attack]]\nmethod = \"gd-exact\"\nsteps = 9", "small.toml:26: attack.2.method: a second attack is recorded as \"gd-exact\""},
		{"two attacks from random starts", "steps = 5", "start = \"random\"\n[[attack]]\nmethod = \"gd-exact\"\nstart = \"random\"\nseed = 2", "small.toml:24: attack.1.method: a second attack is recorded as \"gd-exact-random\""},
		{"logistic attack on a regression", "steps = 5", "steps = 5\n[[attack]]\nmethod = \"nesterov\"\nloss = \"logistic\"", "small.toml:25: attack.1.loss: the logistic loss needs two classes, and the harmful task is regression – want harmful.task = \"one-vs-rest\""},
		{"logistic conjugate gradients", "steps = 5", "steps = 5\n[[attack]]\nmethod = \"cg\"\nloss = \"logistic\"", "small.toml:25: attack.1.loss: cg is a method for the squared loss: it rests on the loss being a quadratic – with the logistic loss want gd-fixed, nesterov, adam, lbfgs"},
		{"two logistic attacks", "steps = 5", "steps = 5\n[[attack]]\nmethod = \"adam\"\nloss = \"logistic\"\n[[attack]]\nmethod = \"adam\"\nloss = \"logistic\"\nlearning_rate = 1", "a second attack is recorded as \"adam-logistic\""},
		{"epochs without batch", "steps = 3", "epochs = 3", "small.toml:13: train.epochs: epochs without a batch size"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := parse(t, strings.Replace(small, tt.old, tt.new, 1))
			digests, err := Digests(t.Context(), nil, spec, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = NewPlan(spec, nil, digests)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
