package runner

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"kappa/store"
)

// slowClock goes on by a step each time it is looked at.
func slowClock(step time.Duration) func() time.Time {
	var mu sync.Mutex
	at := time.Now()
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(step)
		return at
	}
}

// TestInterruptedNetKeepsItsSteps: a run on a net that is interrupted, or out of time, long before a checkpoint is due leaves one, from which
// the next attempt goes on to the same figures.
func TestInterruptedNetKeepsItsSteps(t *testing.T) {
	text, _, _ := strings.Cut(tinyNet, "[[attack]]")
	text = strings.Replace(text, `"immunize", "rill-only", "imma", "opt-kappa"`, `"immunize"`, 1)
	text = strings.Replace(strings.Replace(text, "steps = 3", "steps = 300\ntrace = \"none\"", 1), "epochs = 2", "epochs = 1", 1)
	plan := planOf(t, text)
	whole, cut := openDB(t), openDB(t)
	if sum, err := Run(t.Context(), plan, whole, Options{Jobs: 1, Now: time.Now}); err != nil || sum.Done != 2 {
		t.Fatalf("%+v, %v", sum, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	steps := 0
	_, err := Run(ctx, plan, cut, Options{Jobs: 1, Now: slowClock(20 * time.Millisecond), Notify: func(e Event) {
		if e.Kind == Stepped && e.Run.Method() == "immunize" {
			if steps++; steps == 8 {
				cancel()
			}
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	run := plan.Runs[1]
	if _, ok, err := cut.ReadCheckpoint(run.Key); !ok || err != nil {
		t.Fatalf("no checkpoint: %v", err)
	}
	if sum, err := Run(t.Context(), plan, cut, Options{Jobs: 1, Now: time.Now}); err != nil || sum.Done != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	a, b := outcomeOf(t, whole, plan, "immunize"), outcomeOf(t, cut, plan, "immunize")
	if !strings.Contains(b.Log, resumed+" step ") {
		t.Errorf("it began anew: %q", b.Log)
	}
	if a.Result == nil || b.Result == nil || a.Result.RIR != b.Result.RIR || a.Result.LossPrimary != b.Result.LossPrimary {
		t.Errorf("RIR %v and loss %v, want %v and %v", b.Result.RIR, b.Result.LossPrimary, a.Result.RIR, a.Result.LossPrimary)
	}
	if _, ok, _ := cut.ReadCheckpoint(run.Key); ok {
		t.Error("the checkpoint is still there")
	}
}

// TestCheckpointOfAFinishedRun: one that a crash between the record and the removal has left is removed by the next call, though there is
// nothing to execute, and is not begun with when the run is repeated.
func TestCheckpointOfAFinishedRun(t *testing.T) {
	text, _, _ := strings.Cut(tinyNet, "[[attack]]")
	text = strings.Replace(text, `"immunize", "rill-only", "imma", "opt-kappa"`, `"identity"`, 1)
	text = strings.Replace(text, "steps = 3\nbatch = 32\n", "", 1)
	plan := planOf(t, text)
	db := openDB(t)
	opt := Options{Jobs: 1, Now: time.Now}
	if sum, err := Run(t.Context(), plan, db, opt); err != nil || sum.Done != 2 {
		t.Fatalf("%+v, %v", sum, err)
	}
	for _, force := range []bool{false, true} {
		for _, run := range plan.Runs {
			if err := db.WriteCheckpoint(run.Key, (&standing{Outcome: store.Outcome{Status: store.Done}}).encode); err != nil {
				t.Fatal(err)
			}
		}
		opt.Force = force
		if _, err := Run(t.Context(), plan, db, opt); err != nil {
			t.Fatal(err)
		}
		for _, run := range plan.Runs {
			if _, ok, err := db.ReadCheckpoint(run.Key); ok || err != nil {
				t.Errorf("force %v: the checkpoint of %s is still there (%v)", force, run.Method(), err)
			}
			if out, err := db.Outcome(t.Context(), run.Key); err != nil || strings.Contains(out.Log, "checkpoint") {
				t.Errorf("force %v: %s was begun with it: %q, %v", force, run.Method(), out.Log, err)
			}
		}
	}
}
