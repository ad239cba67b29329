package runner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kappa/store"
)

// outcomeOf is what the database has of a plan's run with that method.
func outcomeOf(t *testing.T, db *store.DB, plan *Plan, method string) store.Outcome {
	t.Helper()
	for _, run := range plan.Runs {
		if run.Method() == method {
			out, err := db.Outcome(t.Context(), run.Key)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
	}
	t.Fatalf("the plan has no %s", method)
	return store.Outcome{}
}

// deaf makes runs of one method that never stop, whatever their context says.
func deaf(t *testing.T, method string) func(*trial) (store.Outcome, error) {
	t.Helper()
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	return func(tr *trial) (store.Outcome, error) {
		if tr.run.Method() != method {
			return tr.guarded()
		}
		tr.logf("step 1 of 1")
		<-forever
		tr.logf("far too late")
		tr.progress()(1, 1)
		return store.Outcome{Status: store.Done}, nil
	}
}

// TestRunThatDoesNotStop: one that goes on after its time limit is recorded, the others are executed, on the same worker, and the call ends.
func TestRunThatDoesNotStop(t *testing.T) {
	db := openDB(t)
	plan := planOf(t, small)
	sum, err := Run(t.Context(), plan, db, Options{
		Jobs: 1, Timeout: 400 * time.Millisecond, Grace: 20 * time.Millisecond, Retries: 3, Now: time.Now, hook: deaf(t, "immunize"),
		MemoryLimit: 1 << 40, Sizes: Sizes(t.Context(), plan, nil, nil),
	})
	if err != nil || sum.Done != len(plan.Runs)-1 || sum.Failed != 1 || sum.Running != 0 || sum.Left != 0 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if len(sum.GivenUp) != 1 || sum.GivenUp[0].Run.Method() != "immunize" {
		t.Errorf("given up: %+v", sum.GivenUp)
	}
	if n := count(t, db, "SELECT count(*) FROM attempts WHERE status = 'timeout'"); n != 1 {
		t.Errorf("%d attempts: one that still computes is not tried again beside itself", n)
	}
	out := outcomeOf(t, db, plan, "immunize")
	if out.Status != store.TimedOut || out.Reason != "time limit of 400ms; did not stop" {
		t.Errorf("%s: %s", out.Status, out.Reason)
	}
	if want := "step 1 of 1\nit did not stop within 20ms of being told to (time limit of 400ms), and was given up\n"; out.Log != want {
		t.Errorf("log %q, want %q", out.Log, want)
	}
	decisions, err := Decide(t.Context(), plan, db, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range decisions {
		if d.Execute != (d.Run.Method() == "immunize") {
			t.Errorf("%s afterwards: %v, %s", d.Run.Method(), d.Execute, d.Reason)
		}
	}
}

// TestInterruptDoesNotWaitForever: a run that does not hear the interruption is recorded as interrupted.
func TestInterruptDoesNotWaitForever(t *testing.T) {
	db := openDB(t)
	plan := planOf(t, small)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sum, err := Run(ctx, plan, db, Options{Jobs: 1, Grace: 10 * time.Millisecond, Now: time.Now, hook: deaf(t, "immunize"), Notify: func(e Event) {
		if e.Kind == Started && e.Run.Method() == "immunize" {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || sum.Interrupted != 1 || len(sum.GivenUp) != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if out := outcomeOf(t, db, plan, "immunize"); out.Status != store.Interrupted || !strings.Contains(out.Log, "given up") {
		t.Errorf("%s: %q", out.Status, out.Log)
	}
}

// gauge is a process whose memory grows with its runs.
type gauge struct{ runs, each atomic.Int64 }

func (g *gauge) resident() int64 { return g.runs.Load() * g.each.Load() }

// hungry makes runs that take memory until they are stopped, or, where they have enough of it to themselves, come to their end.
func (g *gauge) hungry(tr *trial) (store.Outcome, error) {
	g.runs.Add(1)
	defer g.runs.Add(-1)
	select {
	case <-tr.ctx.Done():
		return store.Outcome{}, tr.ctx.Err()
	case <-time.After(150 * time.Millisecond):
		return tr.guarded()
	}
}

// TestWatchdogStopsTheNewest: where the process nears its limit the newest run is stopped, and those before it come to their ends.
func TestWatchdogStopsTheNewest(t *testing.T) {
	for _, tt := range []struct {
		name                  string
		each, limit           int64
		retries, done, failed int
	}{
		{"enough for one", 600 << 20, 1000 << 20, 0, 3, 1},
		{"enough for one, another try", 600 << 20, 1000 << 20, 1, 4, 0}, // alone, when the other has ended
		{"enough for two", 400 << 20, 1000 << 20, 0, 4, 0},
		{"enough for none", 1200 << 20, 1000 << 20, 1, 0, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := openDB(t)
			plan := planOf(t, small)
			plan.Runs = plan.Runs[:4]
			g := &gauge{}
			g.each.Store(tt.each)
			relieved := 0
			sum, err := Run(t.Context(), plan, db, Options{
				Jobs: 2, Retries: tt.retries, MemoryLimit: tt.limit, Resident: g.resident, Relieve: func() { relieved++ },
				watchEvery: 2 * time.Millisecond, Now: time.Now, hook: g.hungry,
			})
			if err != nil || sum.Done != tt.done || sum.Failed != tt.failed {
				t.Fatalf("done %d, failed %d, %v; want %d and %d", sum.Done, sum.Failed, err, tt.done, tt.failed)
			}
			if (relieved > 0) != (tt.each != 400<<20) {
				t.Errorf("memory was asked for %d times", relieved)
			}
			for _, f := range sum.Failures {
				if !strings.Contains(f.Err.Error(), " of the 1000 MiB that it may (--memory-limit), and this was the ") {
					t.Errorf("%v", f.Err)
				}
			}
			if n := count(t, db, "SELECT count(*) FROM attempts WHERE status = 'failed' AND reason = 'memory limit'"); (n > 0) != (tt.each != 400<<20) {
				t.Errorf("%d attempts were stopped", n)
			}
		})
	}
}

// TestRunsWaitForMemory: runs that fit alone are executed one after the other where they do not fit beside one another.
func TestRunsWaitForMemory(t *testing.T) {
	plan := planOf(t, strings.Replace(small, "dimension = 4", "dimension = 400", 1))
	plan.Runs = slices.DeleteFunc(plan.Runs, func(r Planned) bool { return r.Method() == "identity" || r.Method() == "optimum" })
	sizes := Sizes(t.Context(), plan, nil, nil)
	var largest int64
	for _, run := range plan.Runs {
		need, ok := Memory(run, sizes)
		if !ok {
			t.Fatal("nothing is known")
		}
		largest = max(largest, need.Total())
	}
	for _, tt := range []struct {
		name  string
		limit int64
		most  int32
	}{{"none", 0, 3}, {"wide", 4 * largest, 3}, {"narrow", largest, 1}, {"too narrow for any", 1, 1}} {
		db := openDB(t)
		var now, most atomic.Int32
		sum, err := Run(t.Context(), plan, db, Options{
			Jobs: 4, MemoryLimit: tt.limit, Sizes: sizes, Now: time.Now, hook: func(*trial) (store.Outcome, error) {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(20 * time.Millisecond)
				now.Add(-1)
				return store.Outcome{Status: store.Done}, nil
			},
		})
		if err != nil || sum.Done != len(plan.Runs) || most.Load() != tt.most {
			t.Errorf("%s: %d runs, at most %d at once, want %d; %v", tt.name, sum.Done, most.Load(), tt.most, err)
		}
	}
}

// TestRoomSharesData: what runs share is counted once, and dropped when it is in the way.
func TestRoomSharesData(t *testing.T) {
	plan := planOf(t, strings.Replace(small, "dimension = 4", "dimension = 100", 1)+"[[override]]\nwhen = { \"train.method\" = \"released\" }\nset = { \"synthetic.angle\" = 10 }\n")
	sizes := Sizes(t.Context(), plan, nil, nil)
	var items []*item
	var needs []Need
	for _, run := range plan.Runs {
		items = append(items, &item{Decision: Decision{Run: run}})
		n, _ := Memory(run, sizes)
		needs = append(needs, n)
	}
	last := slices.IndexFunc(plan.Runs, func(r Planned) bool { return r.Method() == "released" })
	if needs[0].problem != needs[1].problem || needs[0].problem == needs[last].problem {
		t.Fatal("the first two have one problem, the other has another")
	}
	limit := int64(processBytes + needs[0].Problem + needs[0].Own + needs[1].Own)
	var shed []map[string]bool
	m := newRoom(limit, sizes, func(problems, sets map[string]bool) { shed = append(shed, problems) })
	if !m.enter(items[0], false) || !m.enter(items[1], false) {
		t.Fatal("two runs of one problem do not fit")
	}
	if m.enter(items[last], false) {
		t.Fatal("a run of another problem fits too")
	}
	m.leave(items[1])
	if m.enter(items[last], false) || len(shed) != 0 {
		t.Fatal("a run of another problem fits beside one")
	}
	m.leave(items[0])
	if !m.enter(items[last], false) {
		t.Fatal("a run does not fit alone")
	}
	if kept := m.kept(); len(shed) != 0 && kept > float64(limit) {
		t.Errorf("%v kept", kept)
	}
	m.abandon(items[last])
	m.leave(items[last])
	if !m.enter(items[0], false) || !m.enter(items[1], true) {
		t.Error("runs wait for one that was given up")
	}
	if len(shed) == 0 || !shed[len(shed)-1][needs[0].problem] {
		t.Errorf("shed: %v", shed)
	}
}
