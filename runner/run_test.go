package runner

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kappa/engine/probe"
	"kappa/store"
)

func openDB(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), ".kappa", "runs.db"), store.Options{Now: time.Now})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func count(t *testing.T, db *store.DB, sql string) int64 {
	t.Helper()
	rows, err := db.Query(t.Context(), sql, store.QueryOptions{})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	n, ok := rows.Values[0][0].(int64)
	if !ok {
		t.Fatalf("%s: got %v, want a whole number", sql, rows.Values[0][0])
	}
	return n
}

func TestRunThenNothingToDo(t *testing.T) {
	db := openDB(t)
	plan := planOf(t, small)
	var finished int
	opt := Options{Jobs: 2, Now: time.Now, Notify: func(e Event) {
		if e.Kind == Finished {
			finished++
		}
	}}
	sum, err := Run(t.Context(), plan, db, opt)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	if sum.Done != len(plan.Runs) || sum.Failed != 0 || finished != sum.Done {
		t.Fatalf("done %d (told of %d), failed %v of %d runs", sum.Done, finished, sum.Failures, len(plan.Runs))
	}
	if n := count(t, db, "SELECT count(*) FROM results WHERE rir > 0"); n != int64(len(plan.Runs)) {
		t.Errorf("%d results with an RIR, want %d", n, len(plan.Runs))
	}
	if n := count(t, db, "SELECT count(DISTINCT task) FROM attacks"); n != 2 {
		t.Errorf("attacks on %d tasks, want 2", n)
	}
	sum, err = Run(t.Context(), plan, db, opt)
	if err != nil || sum.Cached != len(plan.Runs) || sum.Done != 0 {
		t.Errorf("second call: done %d, cached %d, error %v; want everything cached", sum.Done, sum.Cached, err)
	}
	if n := count(t, db, "SELECT count(*) FROM attempts"); n != int64(len(plan.Runs)) {
		t.Errorf("%d attempts after two calls, want %d", n, len(plan.Runs))
	}
}

// TestAttackAdded: a further attack on a kept θ is computed without training, and gives what a run from scratch gives.
func TestAttackAdded(t *testing.T) {
	small := strings.Replace(small, `"released", "optimum"]`, `"released", "rill-only", "imma", "opt-kappa", "optimum"]`, 1)
	more := strings.Replace(small, "steps = 5", "steps = 5\n[[attack]]\nmethod = \"cg\"\nsteps = 4", 1)
	scratch, reused := openDB(t), openDB(t)
	opt := Options{Jobs: 1, Now: time.Now}
	if _, err := Run(t.Context(), planOf(t, small), reused, opt); err != nil {
		t.Fatal(err)
	}
	plan := planOf(t, more)
	decisions, err := Decide(t.Context(), plan, reused, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range decisions {
		if d.Reason != ReasonAttack || !d.Execute {
			t.Errorf("%s: reason %q, want %q", d.Run.Method(), d.Reason, ReasonAttack)
		}
	}
	for _, db := range []*store.DB{scratch, reused} {
		sum, err := Run(t.Context(), plan, db, opt)
		if err != nil || sum.Done != len(plan.Runs) {
			t.Fatalf("done %d, failures %v, error %v", sum.Done, sum.Failures, err)
		}
	}
	for _, run := range plan.Runs {
		a, err := scratch.Outcome(t.Context(), run.Key)
		if err != nil {
			t.Fatal(err)
		}
		b, err := reused.Outcome(t.Context(), run.Key)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Metrics) != len(b.Metrics) || len(a.Conditions) != len(b.Conditions) || len(a.Attacks) != len(b.Attacks) {
			t.Errorf("%s: %d, %d, %d rows from scratch and %d, %d, %d with θ reused", run.Method(),
				len(a.Metrics), len(a.Conditions), len(a.Attacks), len(b.Metrics), len(b.Conditions), len(b.Attacks))
		}
		for i := range min(len(a.Attacks), len(b.Attacks)) {
			if a.Attacks[i].Loss != b.Attacks[i].Loss {
				t.Errorf("%s: attack row %d: loss %v from scratch, %v with θ reused", run.Method(), i, a.Attacks[i].Loss, b.Attacks[i].Loss)
			}
		}
		// From scratch the condition numbers are those of the trace's end, with θ reused they are measured.
		if d := cmp.Diff(a.Result, b.Result, cmpopts.EquateNaNs()); d != "" || a.Status != b.Status || a.Reason != b.Reason {
			t.Errorf("%s: %q (%s) from scratch, %q (%s) with θ reused: %s", run.Method(), a.Status, a.Reason, b.Status, b.Reason, d)
		}
		if !strings.Contains(b.Log, "only the attacks are new") {
			t.Errorf("%s: trained again: %q", run.Method(), b.Log)
		}
	}
}

func TestInterrupt(t *testing.T) {
	db := openDB(t)
	plan := planOf(t, strings.Replace(small, "steps = 3", "steps = 2000000\ntrace = \"none\"", 1))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sum, err := Run(ctx, plan, db, Options{Jobs: 1, Now: time.Now, Notify: func(e Event) {
		if e.Kind == Started && e.Run.Method() == "immunize" {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	if sum.Interrupted != 1 || sum.Done != 1 {
		t.Errorf("interrupted %d, done %d; want 1 and 1 (identity)", sum.Interrupted, sum.Done)
	}
	decisions, err := Decide(t.Context(), plan, db, false)
	if err != nil {
		t.Fatal(err)
	}
	want := []Reason{ReasonDone, ReasonInterrupted, ReasonNew, ReasonNew, ReasonNew}
	for i, d := range decisions {
		if d.Reason != want[i] {
			t.Errorf("%s: reason %q, want %q", d.Run.Method(), d.Reason, want[i])
		}
	}
}

func TestTimeoutAndRetry(t *testing.T) {
	db := openDB(t)
	text := strings.Replace(small, "steps = 3", "steps = 2000000\ntrace = \"none\"", 1)
	text = strings.Replace(text, `["identity", "immunize", "released", "optimum"]`, `["immunize"]`, 1)
	text, _, _ = strings.Cut(text, "[[override]]")
	plan := planOf(t, text)
	var retried int
	sum, err := Run(t.Context(), plan, db, Options{Jobs: 1, Timeout: 30 * time.Millisecond, Retries: 1, Now: time.Now, Notify: func(e Event) {
		if e.Kind == Retried {
			retried++
		}
	}})
	if err != nil || sum.Failed != 1 || retried != 1 {
		t.Fatalf("failed %d, retried %d, error %v; want 1, 1 and none", sum.Failed, retried, err)
	}
	if f := sum.Failures[0]; f.Status != store.TimedOut {
		t.Errorf("status %q, want %q (%v)", f.Status, store.TimedOut, f.Err)
	} else if said := f.Err.Error(); !strings.HasSuffix(said, "time limit of 30ms") {
		t.Errorf("the run failed with %q, which does not name the limit", said)
	}
	if n := count(t, db, "SELECT count(*) FROM attempts WHERE status = 'timeout'"); n != 2 {
		t.Errorf("%d attempts timed out, want 2: a retry adds an attempt", n)
	}
}

// TestTroubleIsAFailure breaks one run from inside, by an error and by a panic, and expects its neighbours unharmed.
func TestTroubleIsAFailure(t *testing.T) {
	for _, tt := range []struct {
		name  string
		path  string
		value any // the loader would refuse it
		want  string
		log   string
	}{
		{"error", "train.steps", int64(-1), "must not be negative", ""},
		{"panic", "synthetic.angle", struct{}{}, "panic: runner: a setting of type struct {}", "canonicalValue"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := openDB(t)
			plan := planOf(t, small)
			plan.Runs[1].Settings[tt.path] = tt.value
			sum, err := Run(t.Context(), plan, db, Options{Jobs: 2, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			if sum.Failed != 1 || sum.Done != len(plan.Runs)-1 {
				t.Errorf("failed %d, done %d; want 1 and %d", sum.Failed, sum.Done, len(plan.Runs)-1)
			}
			state, err := db.States(t.Context(), plan.Keys())
			if err != nil {
				t.Fatal(err)
			}
			if st := state[plan.Runs[1].Key]; st.Status != store.Failed || !strings.Contains(st.Error, tt.want) {
				t.Errorf("recorded %q with error %q, want failed with %q", st.Status, st.Error, tt.want)
			}
			if len(sum.Failures) != 1 || sum.Failures[0].Run.Key != plan.Runs[1].Key {
				t.Errorf("failures %v", sum.Failures)
			}
			rows, err := db.Query(t.Context(), "SELECT log FROM attempts WHERE status = 'failed'", store.QueryOptions{})
			if err != nil || len(rows.Values) != 1 {
				t.Fatalf("failed attempts: %v, %v", rows, err)
			}
			if log, _ := rows.Values[0][0].(string); !strings.Contains(log, tt.log) {
				t.Errorf("the log does not say where: %q", log)
			}
		})
	}
}

func TestFilterLeavesOut(t *testing.T) {
	db := openDB(t)
	plan := planOf(t, small)
	sum, err := Run(t.Context(), plan, db, Options{Jobs: 1, Now: time.Now, Filter: func(d Decision) bool { return d.Run.Method() == "identity" }})
	if err != nil || sum.Done != 1 || sum.LeftOut != len(plan.Runs)-1 {
		t.Errorf("done %d, left out %d, error %v", sum.Done, sum.LeftOut, err)
	}
}

// TestJobsDoNotMatter: the same figures, to the last bit, whatever runs beside a run.
func TestJobsDoNotMatter(t *testing.T) {
	text := strings.Replace(small, "steps = 5", "steps = 5\nstart = \"random\"\nseeds = 2", 1)
	text = strings.Replace(text, `"released", "optimum"]`, `"released", "rill-only", "imma", "opt-kappa", "optimum"]`, 1)
	plan := planOf(t, text)
	outcomes := func(jobs int) (out []store.Outcome) {
		db := openDB(t)
		if _, err := Run(t.Context(), plan, db, Options{Jobs: jobs, Now: time.Now}); err != nil {
			t.Fatal(err)
		}
		for _, key := range plan.Keys() {
			o, err := db.Outcome(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			o.WallSeconds, o.CPUSeconds = 0, 0
			out = append(out, o)
		}
		return out
	}
	if d := cmp.Diff(outcomes(1), outcomes(8), cmpopts.EquateNaNs()); d != "" {
		t.Errorf("one at once and eight at once differ:\n%s", d)
	}
}

// TestWarningsOfData: what was doubtful in the data stands in the log of every run on them.
func TestWarningsOfData(t *testing.T) {
	data := fstest.MapFS{"a.csv": {Data: []byte("a,b,gone,y\n1,2,,1\n2,1,,0\n3,5,,2\n")}}
	spec := parse(t, `
title = "A column without values"
[primary]
dataset = { csv = "a.csv", target = "y", missing = 0 }
[harmful]
dataset = { csv = "a.csv", target = "y", missing = 0 }
[train]
method = "identity"
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
	if _, err := Run(t.Context(), plan, db, Options{Jobs: 1, Now: time.Now, Data: data}); err != nil {
		t.Fatal(err)
	}
	out, err := db.Outcome(t.Context(), plan.Runs[0].Key)
	if err != nil || !strings.Contains(out.Log, `warning: a.csv: column "gone" has no value at all`) {
		t.Errorf("log %q, error %v", out.Log, err)
	}
}

// TestMeanTrace: starts that stop early count with their last point, and one without any makes the mean unknown.
func TestMeanTrace(t *testing.T) {
	long := []probe.Point{{Step: 0, Loss: 8}, {Step: 1, Loss: 4}, {Step: 2, Loss: 2}}
	short := []probe.Point{{Step: 0, Loss: 6}, {Step: 1, Loss: 0}}
	got := meanTrace([][]probe.Point{long, short}, "cg", "harmful")
	want := []store.AttackPoint{
		{Attacker: "cg", Task: "harmful", Step: 0, Loss: 7},
		{Attacker: "cg", Task: "harmful", Step: 1, Loss: 2},
		{Attacker: "cg", Task: "harmful", Step: 2, Loss: 1},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, p := range meanTrace([][]probe.Point{long, nil}, "cg", "harmful") {
		if !math.IsNaN(p.Loss) {
			t.Errorf("step %d: loss %g beside a start without a finite loss", p.Step, p.Loss)
		}
	}
}

// TestEpochsOfUnequalTasks: an epoch has as many batches as the smaller task fills.
func TestEpochsOfUnequalTasks(t *testing.T) {
	db := openDB(t)
	plan := planOf(t, `
title = "Unequal tasks"
[primary]
dataset = "digits"
class = 3
n = 100
[harmful]
dataset = "digits"
class = 8
n = 70
[train]
method = "released"
batch = 30
epochs = 2
trace = "none"
keep = "none"
`)
	if _, err := Run(t.Context(), plan, db, Options{Jobs: 1, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "SELECT steps FROM results"); n != 4 {
		t.Errorf("%d steps, want 2 epochs of 2 batches", n)
	}
}

// TestForceTrainsAgain: a forced run computes θ itself, although another run with the same training has kept one.
func TestForceTrainsAgain(t *testing.T) {
	db := openDB(t)
	plan := planOf(t, small)
	more := planOf(t, strings.Replace(small, "steps = 5", "steps = 5\n[[attack]]\nmethod = \"cg\"\nsteps = 4", 1))
	for _, c := range []struct {
		plan  *Plan
		force bool
	}{{plan, false}, {more, false}, {plan, true}, {more, true}} {
		if _, err := Run(t.Context(), c.plan, db, Options{Jobs: 2, Now: time.Now, Force: c.force}); err != nil {
			t.Fatal(err)
		}
	}
	for _, run := range slices.Concat(plan.Runs, more.Runs) {
		out, err := db.Outcome(t.Context(), run.Key)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.Log, "only the attacks are new") {
			t.Errorf("%s: the forced run read its θ: %q", run.Method(), out.Log)
		}
	}
}

func TestForceAddsAnAttempt(t *testing.T) {
	db := openDB(t)
	plan := planOf(t, small)
	for _, force := range []bool{false, true} {
		if _, err := Run(t.Context(), plan, db, Options{Jobs: 2, Now: time.Now, Force: force}); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, db, "SELECT count(*) FROM attempts"); n != int64(2*len(plan.Runs)) {
		t.Errorf("%d attempts, want %d", n, 2*len(plan.Runs))
	}
	if n := count(t, db, "SELECT count(*) FROM results"); n != int64(len(plan.Runs)) {
		t.Errorf("%d results, want one a run", n)
	}
}
