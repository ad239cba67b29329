package runner

import (
	"runtime"
	"testing"
	"time"

	"kappa/engine/blas"
	"kappa/store"
)

// TestRunsTakeCoresFirst: two runs in flight on two cores leave none to the products inside them; when one has ended, in
// whatever way, its core is the other's.
func TestRunsTakeCoresFirst(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	plan := planOf(t, small)
	if n := blas.Spare(); n != 1 {
		t.Fatalf("%d cores to spare before any run, want 1 of 2", n)
	}
	for _, tt := range []struct {
		name string
		end  func(*gate) // how the first run ends
		want store.Status
	}{
		{"done", func(*gate) {}, store.Done},
		{"panic", func(g *gate) { g.panics = true }, store.Failed},
		{"time limit", func(g *gate) { g.sleeps = 5 * time.Millisecond }, store.TimedOut},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first, second := newGate(t, plan), newGate(t, plan)
			if tt.want == store.TimedOut {
				first.of.opt.Timeout = time.Millisecond
			}
			first.start()
			if n := blas.Spare(); n != 1 {
				t.Errorf("%d cores to spare beside one run, want 1", n)
			}
			second.start()
			if n := blas.Spare(); n != 0 {
				t.Errorf("%d cores to spare beside two runs, want 0", n)
			}
			tt.end(first)
			if got := first.finish(); got != tt.want {
				t.Errorf("the first run ends as %q, want %q", got, tt.want)
			}
			if n := blas.Spare(); n != 1 {
				t.Errorf("%d cores to spare after one run of two has ended, want 1", n)
			}
			if got := second.finish(); got != store.Done {
				t.Errorf("the second run ends as %q", got)
			}
			defer blas.Occupy()()
			if n := blas.Spare(); n != 1 {
				t.Errorf("%d cores to spare beside this test alone, want 1: a run has not left", n)
			}
			defer blas.Occupy()()
			if n := blas.Spare(); n != 0 {
				t.Errorf("%d cores to spare beside two tasks of this test, want 0: a run has left twice", n)
			}
		})
	}
}

// gate is a run that stops at its second question for the time: the first comes before its data are there, the second when its
// training begins.
type gate struct {
	t        *testing.T
	of       *execution
	db       *store.DB
	run      Planned
	at, pass chan struct{}
	end      chan error
	panics   bool
	sleeps   time.Duration
}

func newGate(t *testing.T, plan *Plan) *gate {
	g := &gate{t: t, db: openDB(t), run: plan.Runs[1], at: make(chan struct{}), pass: make(chan struct{}), end: make(chan error, 1)}
	if g.run.Method() != "immunize" {
		t.Fatalf("run 1 is of method %s", g.run.Method())
	}
	asked := 0
	now := func() time.Time {
		if asked++; asked == 2 {
			g.at <- struct{}{}
			<-g.pass
			time.Sleep(g.sleeps)
			if g.panics {
				panic("on demand")
			}
		}
		return time.Time{}
	}
	g.of = &execution{
		plan: plan, db: g.db, opt: Options{Now: now}, problems: newProblemCache(nil, 1),
		board: newBoard(plan, nil, 2, nil), live: make(map[int64]*inFlight),
	}
	return g
}

// start returns when the run is in the midst of its training.
func (g *gate) start() {
	go func() {
		_, err := g.of.execute(g.t.Context(), &item{Decision: Decision{Run: g.run}}, nil)
		g.end <- err
	}()
	<-g.at
}

// finish lets the run go on and returns how it ended.
func (g *gate) finish() store.Status {
	close(g.pass)
	if err := <-g.end; err != nil {
		g.t.Fatal(err)
	}
	states, err := g.db.States(g.t.Context(), []string{g.run.Key})
	if err != nil {
		g.t.Fatal(err)
	}
	return states[g.run.Key].Status
}

// TestWaitingRunLendsItsCore: a run that waits for another one to load the data leaves it both cores.
func TestWaitingRunLendsItsCore(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	s := occupy()
	s.lend(func() {
		if n := blas.Spare(); n != 1 {
			t.Errorf("%d cores to spare while the run waits, want 1", n)
		}
		defer occupy().leave()
		if n := blas.Spare(); n != 1 {
			t.Errorf("%d cores to spare beside whoever loads, want 1", n)
		}
	})
	other := occupy()
	if n := blas.Spare(); n != 0 {
		t.Errorf("%d cores to spare beside a run that has waited and another, want 0", n)
	}
	s.leave()
	other.leave()
	defer blas.Occupy()()
	if n := blas.Spare(); n != 1 {
		t.Errorf("%d cores to spare when both have ended, want 1", n)
	}
}
