package runner

import (
	"math"
	"strings"
	"testing"
	"time"

	"kappa/engine/audit"
	"kappa/engine/deep"
	"kappa/engine/immunize"
	"kappa/engine/spectrum"
)

func TestAttackTrouble(t *testing.T) {
	epochs := func(losses ...float64) (out []deep.Epoch) {
		for i, l := range losses {
			out = append(out, deep.Epoch{Epoch: i, TestLoss: l})
		}
		return out
	}
	for _, tt := range []struct {
		name string
		res  deep.TrainResult
		want string
	}{
		{"sound", deep.TrainResult{Status: immunize.StepLimit, Epochs: epochs(2, 1)}, ""},
		{"diverged", deep.TrainResult{Status: immunize.Diverged, Reason: "step 7: the loss is NaN", Epochs: epochs(2)}, "it diverged: step 7: the loss is NaN"},
		{"finite weights, no answers", deep.TrainResult{Status: immunize.StepLimit, Epochs: epochs(2, math.NaN())}, "after epoch 1, the last, the loss on the test images is NaN"},
		{"infinite", deep.TrainResult{Status: immunize.StepLimit, Epochs: epochs(math.Inf(1))}, "after epoch 0, the last, the loss on the test images is +Inf"},
		{"better again", deep.TrainResult{Status: immunize.StepLimit, Epochs: epochs(math.NaN(), 1)}, ""},
		{"nothing", deep.TrainResult{}, ""},
	} {
		if got := attackTrouble(tt.res); tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestDivergedAttackIsToldOf: an attack that comes to nothing leaves a metric and a warning, so that its accuracy is not taken for a result.
func TestDivergedAttackIsToldOf(t *testing.T) {
	text := strings.Replace(tinyNet, `"immunize", "rill-only", "imma", "opt-kappa"`, `"identity"`, 1)
	text = strings.Replace(text, "steps = 3\nbatch = 32\n", "", 1)
	text = strings.Replace(text, "method = \"full-finetune\"", "method = \"full-finetune\"\nlearning_rate = 1e30", 1)
	plan, db := planOf(t, text), openDB(t)
	if sum, err := Run(t.Context(), plan, db, Options{Jobs: 1, Now: time.Now}); err != nil || sum.Done != 2 {
		t.Fatalf("%+v, %v", sum, err)
	}
	out := outcomeOf(t, db, plan, "identity")
	var marked []string
	for _, m := range out.Metrics {
		if strings.HasPrefix(m.Name, divergedMetric+":") {
			marked = append(marked, m.Name)
		}
	}
	if len(marked) != 1 || marked[0] != "diverged:full-finetune:harmful" {
		t.Errorf("marked: %v", marked)
	}
	if !strings.Contains(out.Log, "warning: attacker full-finetune: it diverged: ") {
		t.Errorf("log: %q", out.Log)
	}
}

func TestDoubts(t *testing.T) {
	if got := doubts(audit.Report{}); len(got) != 0 {
		t.Errorf("%q", got)
	}
	got := doubts(audit.Report{
		Primary: spectrum.Conditions{Rank: spectrum.Condition{RankUnclear: true}},
		Harmful: spectrum.Conditions{Rank: spectrum.Condition{Unresolved: true}, Ridge: spectrum.Condition{RidgeDominated: true}},
	})
	if len(got) != 3 || !strings.Contains(got[0], "rank of the primary") || !strings.Contains(got[1], "κ of the harmful") || !strings.Contains(got[2], "protocol ridge") {
		t.Errorf("%q", got)
	}
}
