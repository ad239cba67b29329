package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kappa/experiments"
	"kappa/store"
)

// tinyAttack is a smaller experiment: one method, one attack.
const tinyAttack = `
title = "One attack"
[primary]
dataset = "digits"
[harmful]
dataset = "digits"
[model]
kind = "mlp"
[pretrain]
epochs = 4
n = 128
[train]
method = "immunize"
steps = 2
batch = 32
groups = 2
group_size = 30
[[attack]]
method = "full-finetune"
n = 64
test_n = 50
epochs = 2
`

func methodsOf(plan *Plan) (out []string) {
	for _, run := range plan.Runs {
		out = append(out, run.Method())
	}
	return out
}

// TestDependenciesAreAdded: each plan has what its runs need, before the first that needs it, and no run twice.
func TestDependenciesAreAdded(t *testing.T) {
	sweep := func(lines string) string {
		return strings.Replace(tinyAttack, "[[attack]]", "[sweep]\n"+lines+"\n[[attack]]", 1)
	}
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"one method", tinyAttack, []string{"pretrain", "identity", "immunize"}},
		{"no attack", tinyAttack[:strings.Index(tinyAttack, "[[attack]]")], []string{"pretrain", "immunize"}},
		{"the base line is there, later", sweep(`"train.method" = ["immunize", "identity"]`), []string{"pretrain", "immunize", "identity"}},
		{"two seeds", sweep(`"train.seed" = [1, 2]`), []string{"pretrain", "identity", "immunize", "identity", "immunize"}},
		{"two weights, one base line", sweep(`"train.lambda_harmful" = [1.0, 2.0]`), []string{"pretrain", "identity", "immunize", "immunize"}},
		{"two pre-trainings", sweep(`"pretrain.seed" = [1, 2]`), []string{"pretrain", "identity", "immunize", "pretrain", "identity", "immunize"}},
		{"two attacks", sweep(`"attack.0.epochs" = [1, 2]`), []string{"pretrain", "identity", "immunize", "identity", "immunize"}},
		{"another base line of its own", strings.Replace(sweep(`"train.method" = ["identity", "immunize"]`), "steps = 2", "steps = 2\nkeep = \"none\"", 1), []string{"pretrain", "identity", "immunize"}},
	} {
		plan := planOf(t, tt.text)
		if got := methodsOf(plan); !slices.Equal(got, tt.want) {
			t.Errorf("%s: runs %q, want %q", tt.name, got, tt.want)
		}
		at := make(map[string]int)
		for i, run := range plan.Runs {
			if _, twice := at[run.Key]; twice || run.Ordinal != i {
				t.Errorf("%s: run %d (%s) stands twice, or has ordinal %d", tt.name, i, run.Method(), run.Ordinal)
			}
			at[run.Key] = i
		}
		for _, run := range plan.Runs {
			for _, d := range run.Depends {
				if j, ok := at[d.Key]; !ok || d.What == Theta0 && j >= run.Ordinal {
					t.Errorf("%s: %s needs the %s of run %d (in the plan: %t)", tt.name, run.Method(), d.What, j, ok)
				}
			}
		}
	}
}

// TestNetKeyFields changes one thing at a time and says which keys change with it.
func TestNetKeyFields(t *testing.T) {
	keys := func(text string) map[string]string {
		out := make(map[string]string)
		for _, run := range planOf(t, text).Runs {
			out[run.Method()] = run.Key
			out[run.Method()+" θ"] = run.TrainKey
		}
		return out
	}
	base := keys(tinyAttack)
	all := []string{"pretrain", "pretrain θ", "identity", "identity θ", "immunize", "immunize θ"}
	for _, tt := range []struct {
		name, old, new string
		changed        []string
	}{
		{"title", "One attack", "Another title", nil},
		{"epochs of the pre-training", "epochs = 4", "epochs = 5", all},
		{"momentum of an optimizer without one", "epochs = 4", "epochs = 4\noptimizer = \"adamw\"", all},
		{"steps", "steps = 2", "steps = 3", []string{"immunize", "immunize θ"}},
		{"unfrozen", `kind = "mlp"`, "kind = \"mlp\"\nunfrozen = [\"layers\"]", []string{"identity", "identity θ", "immunize", "immunize θ"}},
		{"groups", "groups = 2", "groups = 3", []string{"identity", "identity θ", "immunize", "immunize θ"}},
		{"seed", "steps = 2", "steps = 2\nseed = 2", []string{"identity", "identity θ", "immunize", "immunize θ"}},
		{"attack", "test_n = 50", "test_n = 51", []string{"identity", "immunize"}},
		{"a default", "steps = 2", "steps = 2\nlabel_smoothing = 0.1", nil},
		{"net", `kind = "mlp"`, `kind = "vit-small"`, all},
	} {
		text := strings.Replace(tinyAttack, tt.old, tt.new, 1)
		if text == tinyAttack {
			t.Fatalf("%q is not in the spec", tt.old)
		}
		is := keys(text)
		for _, name := range all {
			if got := is[name] != base[name]; got != slices.Contains(tt.changed, name) {
				t.Errorf("%s: the key of %s changed: %t", tt.name, name, got)
			}
		}
	}
	for path := range planOf(t, tinyAttack).Runs[0].Settings {
		if strings.HasPrefix(path, "attack.") || strings.HasPrefix(path, "harmful.") || strings.HasPrefix(path, "train.") && path != "train.method" {
			t.Errorf("the pre-training has the setting %s", path)
		}
	}
}

// TestFailedDependency: what needs a run that fails is recorded as failed too, with a sentence, and is not begun.
func TestFailedDependency(t *testing.T) {
	db := openDB(t)
	plan := planOf(t, tinyAttack)
	plan.Runs[0].Settings["pretrain.batch"] = int64(-1) // what the loader would refuse
	sum, err := Run(t.Context(), plan, db, Options{Jobs: 2, Now: time.Now})
	if err != nil || sum.Failed != 3 || sum.Done != 0 {
		t.Fatalf("%+v, %v", sum, err)
	}
	states, err := db.States(t.Context(), plan.Keys())
	if err != nil {
		t.Fatal(err)
	}
	pre := short(plan.Runs[0].Key)
	if got := states[plan.Runs[1].Key].Error; !strings.Contains(got, "it needs the θ_0 of run "+pre+" (pretrain), which failed: pre-train mlp: batches of -1 images") {
		t.Errorf("identity: %q", got)
	}
	if got := states[plan.Runs[2].Key]; !strings.Contains(got.Error, "it needs the θ_0 of run "+pre) || got.Reason != "not begun" {
		t.Errorf("immunize: %q (%s)", got.Error, got.Reason)
	}
	// Repaired, the same plan goes through.
	sum, err = Run(t.Context(), planOf(t, tinyAttack), db, Options{Jobs: 2, Now: time.Now})
	if err != nil || sum.Done != 3 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// TestDivergedDependency: a pre-training that diverges has no θ_0 to give.
func TestDivergedDependency(t *testing.T) {
	db := openDB(t)
	plan := planOf(t, strings.Replace(tinyAttack, "epochs = 4", "epochs = 4\nlearning_rate = 1e30", 1))
	sum, err := Run(t.Context(), plan, db, Options{Jobs: 1, Now: time.Now})
	if err != nil || sum.Diverged != 1 || sum.Failed != 2 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if got := sum.Failures[0].Err.Error(); !strings.Contains(got, "which diverged: step ") {
		t.Errorf("%q", got)
	}
}

// TestNetAttackAdded: a further attack on a kept net is computed alone, and gives what a run from scratch gives.
func TestNetAttackAdded(t *testing.T) {
	more := tinyAttack + "[[attack]]\nmethod = \"linear-probe\"\nn = 64\ntest_n = 50\nepochs = 2\n"
	opt := Options{Jobs: 2, Now: time.Now}
	scratch, reused := openDB(t), openDB(t)
	if _, err := Run(t.Context(), planOf(t, tinyAttack), reused, opt); err != nil {
		t.Fatal(err)
	}
	plan := planOf(t, more)
	decisions, err := Decide(t.Context(), plan, reused, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Reason{ReasonDone, ReasonAttack, ReasonAttack} {
		if decisions[i].Reason != want {
			t.Errorf("%s: reason %q, want %q", plan.Runs[i].Method(), decisions[i].Reason, want)
		}
	}
	for _, db := range []*store.DB{scratch, reused} {
		if sum, err := Run(t.Context(), plan, db, opt); err != nil || sum.Failed > 0 {
			t.Fatalf("%+v, %v", sum, err)
		}
	}
	for _, run := range plan.Runs[1:] {
		a, err := scratch.Outcome(t.Context(), run.Key)
		if err != nil {
			t.Fatal(err)
		}
		b, err := reused.Outcome(t.Context(), run.Key)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.Log, "only the attacks are new") {
			t.Errorf("%s: trained again: %q", run.Method(), b.Log)
		}
		same := cmp.Options{
			cmpopts.IgnoreFields(store.Outcome{}, "WallSeconds", "CPUSeconds", "Log"), cmpopts.EquateNaNs(),
			cmpopts.IgnoreSliceElements(func(m store.Metric) bool { return m.Name == workMetric }),
			cmpopts.IgnoreFields(store.Artifact{}, "Path"),
		}
		if d := cmp.Diff(a, b, same); d != "" {
			t.Errorf("%s (-from scratch +with θ reused):\n%s", run.Method(), d)
		}
	}
}

// TestLostTheta0: a θ_0 whose file is gone is trained again; one that is damaged is told of.
func TestLostTheta0(t *testing.T) {
	db := openDB(t)
	opt := Options{Jobs: 1, Now: time.Now}
	if _, err := Run(t.Context(), planOf(t, tinyAttack), db, opt); err != nil {
		t.Fatal(err)
	}
	other := planOf(t, strings.Replace(tinyAttack, "steps = 2", "steps = 3", 1))
	out, err := db.Outcome(t.Context(), other.Runs[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	file := db.ArtifactPath(out.Artifacts[0])
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bad := slices.Clone(good)
	bad[len(bad)-1]++
	if err := os.WriteFile(file, bad, 0o666); err != nil {
		t.Fatal(err)
	}
	sum, err := Run(t.Context(), other, db, opt)
	if err != nil || sum.Failed != 1 || !strings.Contains(sum.Failures[0].Err.Error(), "remove the file, and the same command trains it again") {
		t.Errorf("damaged: %+v, %v", sum, err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	decisions, err := Decide(t.Context(), other, db, false)
	if err != nil || decisions[0].Reason != ReasonLost || !decisions[0].Execute {
		t.Errorf("removed: %q, %v", decisions[0].Reason, err)
	}
	if decisions, err = Decide(t.Context(), other, db, true); err != nil || decisions[0].Reason != ReasonLost {
		t.Errorf("removed, forced: %q, %v", decisions[0].Reason, err)
	}
	// A filter does not leave it out.
	opt.Filter = func(d Decision) bool { return d.Run.Method() == "immunize" }
	sum, err = Run(t.Context(), other, db, opt)
	if err != nil || sum.Done != 2 || sum.LeftOut != 0 {
		t.Errorf("removed: %+v, %v", sum, err)
	}
	if again, err := os.ReadFile(file); err != nil || !slices.Equal(again, good) {
		t.Errorf("the θ_0 trained again is another one (%v)", err)
	}
}

// TestSelectKeepsWhatIsNeeded: a filter leaves out no run that a kept one needs and does not have.
func TestSelectKeepsWhatIsNeeded(t *testing.T) {
	plan := planOf(t, strings.Replace(tinyAttack, "[[attack]]", "[sweep]\n\"train.seed\" = [1, 2]\n[[attack]]", 1))
	var decisions []Decision
	for _, run := range plan.Runs {
		decisions = append(decisions, Decision{Run: run, Execute: true, Reason: ReasonNew})
	}
	keep := func(d Decision) bool { return d.Run.Method() == "immunize" && d.Run.Settings["train.seed"] == int64(2) }
	var got []bool
	for _, d := range Select(decisions, keep) {
		got = append(got, d.Execute)
	}
	if want := []bool{true, false, false, true, true}; !slices.Equal(got, want) { // pretrain, identity 1, immunize 1, identity 2, immunize 2
		t.Errorf("executed %v, want %v", got, want)
	}
	for i := range decisions {
		decisions[i].Reason, decisions[i].State.Status = ReasonForced, store.Done
	}
	decisions[3].State.Status = store.Failed
	got = nil
	for _, d := range Select(decisions, keep) {
		got = append(got, d.Execute)
	}
	if want := []bool{false, false, false, true, true}; !slices.Equal(got, want) { // what is there is not repeated, what failed is needed
		t.Errorf("forced: executed %v, want %v", got, want)
	}
}

// TestTwoProcessesShareDependencies: two calls on one database with one plan between them compute every run once, and the second waits
// for what the first is at.
func TestTwoProcessesShareDependencies(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".kappa", "runs.db")
	text := strings.Replace(tinyAttack, "[[attack]]", "[sweep]\n\"train.seed\" = [1, 2, 3]\n[[attack]]", 1)
	done := make(chan Summary, 2)
	for i := range 2 {
		db, err := store.Open(t.Context(), path, store.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		go func() {
			sum, err := Run(t.Context(), planOf(t, text), db, Options{Jobs: 1, Now: time.Now})
			if err != nil {
				t.Error(i, err)
			}
			done <- sum
		}()
	}
	a, b := <-done, <-done
	if a.Done+b.Done != 7 || a.Failed+b.Failed > 0 || a.Left+b.Left > 0 {
		t.Errorf("%+v and %+v: want 7 runs between them", a, b)
	}
	db, err := store.Open(t.Context(), path, store.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if n := count(t, db, "SELECT count(*) FROM attempts"); n != 7 {
		t.Errorf("%d attempts, want 7", n)
	}
}

// TestScheduleTakesBackWhatIsLeft: a run elsewhere that nobody is at any more is handed out here, and what needs it after it.
func TestScheduleTakesBackWhatIsLeft(t *testing.T) {
	pre := Planned{Key: "a", Settings: experiments.Settings{"train.method": pretrainMethod}}
	run := Planned{Key: "b", Depends: []Dependency{{"a", Theta0}}}
	s := newSchedule([]Decision{{Run: pre, Reason: ReasonElsewhere}, {Run: run, Execute: true}})
	if runs := s.away(); len(runs) != 1 || runs[0].Key != "a" {
		t.Fatalf("away: %v", runs)
	}
	if ended, back := s.arrived(map[string]store.State{"a": {Status: store.Running, Live: true}}, nil); len(ended)+len(back) != 0 {
		t.Error("it is still at work")
	}
	if _, back := s.arrived(map[string]store.State{"a": {Status: store.Interrupted}}, nil); len(back) != 1 {
		t.Error("it is not taken back")
	}
	it, broken := s.next()
	if it == nil || it.Run.Key != "a" || broken != nil {
		t.Fatalf("next: %+v", it)
	}
	s.ended(it, store.State{Status: store.TimedOut, Error: "too long"})
	it, broken = s.next()
	if it == nil || it.Run.Key != "b" || broken == nil {
		t.Fatalf("next: %+v, %+v", it, broken)
	}
	if got := without(it, broken).Error(); got != "it needs the θ_0 of run a (pretrain), which ran out of time: too long" {
		t.Errorf("%q", got)
	}
	s.ended(it, store.State{Status: store.Failed})
	if it, _ := s.next(); it != nil {
		t.Errorf("one more: %+v", it)
	}
}
