package runner

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kappa/store"
)

// tinyNet is a small experiment on a net: everything that nets have, on the digits in the binary.
const tinyNet = `
title = "A perceptron on digits"
[primary]
dataset = "digits"
[harmful]
dataset = "digits"
[model]
kind = "mlp"
[pretrain]
epochs = 2
n = 256
[train]
method = "immunize"
steps = 3
batch = 32
groups = 3
group_size = 40
[sweep]
"train.method" = ["immunize", "rill-only", "imma", "opt-kappa"]
"train.seed" = [1]
[[attack]]
method = "linear-probe"
n = 128
test_n = 100
epochs = 2
[[attack]]
method = "linear-probe"
optimizer = "lbfgs"
n = 128
test_n = 100
epochs = 2
[[attack]]
method = "lora"
n = 128
test_n = 100
epochs = 2
[[attack]]
method = "full-finetune"
n = 128
test_n = 100
epochs = 2
`

func TestNetRuns(t *testing.T) {
	db := openDB(t)
	plan := planOf(t, tinyNet)
	var methods []string
	for i, run := range plan.Runs {
		if run.Ordinal != i {
			t.Errorf("run %d has ordinal %d", i, run.Ordinal)
		}
		methods = append(methods, run.Method())
	}
	if want := []string{"pretrain", "identity", "immunize", "rill-only", "imma", "opt-kappa"}; !slices.Equal(methods, want) {
		t.Errorf("runs %q, want %q", methods, want)
	}
	sum, err := Run(t.Context(), plan, db, Options{Jobs: 2, Now: time.Now})
	if err != nil || sum.Done != len(plan.Runs) || sum.Diverged > 0 {
		t.Fatalf("%+v, %v", sum, err)
	}
	for sql, want := range map[string]int64{
		"SELECT count(*) FROM results WHERE rir > 0 AND ceiling IS NULL AND unbounded IS NULL AND def_c IS NULL": 5,
		"SELECT count(*) FROM results WHERE method = 'identity' AND rir = 1 AND ratio_harmful = 1":               1,
		"SELECT count(*) FROM metrics WHERE name = 'accuracy_primary' AND value BETWEEN 0 AND 1":                 5 + 3,
		"SELECT count(*) FROM metrics WHERE name = 'group_rir_ridge' AND step BETWEEN 1 AND 3":                   15,
		"SELECT count(*) FROM metrics WHERE name LIKE 'rfd:%:harmful'":                                           4 * 4,
		"SELECT count(*) FROM attacks WHERE task = 'harmful' AND accuracy BETWEEN 0 AND 1":                       5 * (3 + 2 + 3 + 3),
		"SELECT count(DISTINCT attacker) FROM attacks":                                                           4,
		"SELECT count(*) FROM dependencies":                                                                      5 + 4,
		"SELECT count(*) FROM runs WHERE method = 'pretrain' AND harmful_dataset IS NULL":                        1,
	} {
		if got := count(t, db, sql); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}
	sum, err = Run(t.Context(), plan, db, Options{Jobs: 2, Now: time.Now})
	if err != nil || sum.Cached != len(plan.Runs) {
		t.Errorf("again: %+v, %v", sum, err)
	}
}

func TestNetSpecRefused(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"linear method", `"opt-kappa"]`, `"optimum"]`, `train.method": the method "optimum" is not for deep nets, such as the model "mlp" – for these want "identity", "immunize"`},
		{"linear attacker", `method = "lora"`, `method = "gd-exact"`, `attack.2.method: the attacker "gd-exact" is not for deep nets`},
		{"attacker of nets", `kind = "mlp"`, `kind = "linear"`, `the attacker "linear-probe" is not for linear extractors`},
		{"data set", `dataset = "digits"`, `dataset = "house-prices"`, `primary.dataset: the data set "house-prices" is not for deep nets`},
		{"class", `dataset = "digits"`, "dataset = \"digits\"\nclass = 3", `primary.class: no run of the spec reads it – read by digits (linear extractors)`},
		{"a key of linear ones", `batch = 32`, "batch = 32\nrotate = true", `train.rotate: no run of the spec reads it`},
		{"no labels left", "batch = 32", "batch = 32\nlabel_smoothing = 1.0", `train.label_smoothing: smoothed by 1 labels say nothing`},
		{"nothing unfrozen", `kind = "mlp"`, "kind = \"mlp\"\nunfrozen = []", `model.unfrozen: the list is empty`},
		{"init", `kind = "mlp"`, "kind = \"mlp\"\ninit = \"identity\"", `model.init`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(tinyNet, tt.old, tt.new, 1)
			spec, err := parseErr(text)
			if err == nil {
				digests, derr := Digests(t.Context(), nil, spec, nil, nil)
				if derr != nil {
					t.Fatal(derr)
				}
				_, err = NewPlan(spec, nil, digests)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "small.toml:") {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestNetsDoNotDependOnJobs: every small net goes through, to the same bits whether one run or three are under way.
func TestNetsDoNotDependOnJobs(t *testing.T) {
	text := strings.Replace(tinyAttack, "[[attack]]", "[sweep]\n\"model.kind\" = [\"mlp\", \"vit-small\", \"resnet-small\"]\n[[attack]]", 1)
	text = strings.Replace(text, "epochs = 4\nn = 128", "epochs = 1\nn = 64\nbatch = 32", 1)
	plan := planOf(t, text)
	one, three := openDB(t), openDB(t)
	for db, jobs := range map[*store.DB]int{one: 1, three: 3} {
		sum, err := Run(t.Context(), plan, db, Options{Jobs: jobs, Now: time.Now})
		if err != nil || sum.Done != 9 {
			t.Fatalf("%d jobs: %+v, %v", jobs, sum, err)
		}
	}
	for _, run := range plan.Runs {
		a, err := one.Outcome(t.Context(), run.Key)
		if err != nil {
			t.Fatal(err)
		}
		b, err := three.Outcome(t.Context(), run.Key)
		if err != nil {
			t.Fatal(err)
		}
		same := cmp.Options{cmpopts.IgnoreFields(store.Outcome{}, "WallSeconds", "CPUSeconds"), cmpopts.EquateNaNs()}
		if d := cmp.Diff(a, b, same); d != "" {
			t.Errorf("%s on %s (-one job +three):\n%s", run.Method(), run.Settings["model.kind"], d)
		}
	}
}
