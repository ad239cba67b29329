package runner

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"kappa/store"
)

// TestForeignHolder: of two runs that processes on other machines have begun, the one whose process is silent is taken, when it has been
// silent for long enough; the other one is left to its process, and is not waited for.
func TestForeignHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".kappa", "runs.db")
	open := func(o store.Options) *store.DB {
		t.Helper()
		db, err := store.Open(t.Context(), path, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	far := open(store.Options{Holder: "far|boot|ns|1"})
	plan := planOf(t, small)
	var attempts []int64
	for _, run := range plan.Runs[:2] {
		a, ok, _, err := far.Claim(t.Context(), start(run, Options{Now: time.Now}), false)
		if err != nil || !ok {
			t.Fatalf("claim: %v, %v", ok, err)
		}
		attempts = append(attempts, a)
	}

	// Time flies: each look is a second later, by the clock that nobody sets. The other one goes back all the while.
	var looks atomic.Int64
	db := open(store.Options{
		Elapsed: func() time.Duration { return time.Duration(looks.Add(1)) * time.Second },
		Now:     func() time.Time { return time.Now().Add(-time.Duration(looks.Load()) * time.Hour) },
	})
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				_ = far.Heartbeat(t.Context(), attempts[1:])
			}
		}
	}()
	sum, err := Run(t.Context(), plan, db, Options{Jobs: 2, Now: time.Now})
	close(stop)
	<-done
	if err != nil {
		t.Fatal(err)
	}
	if want := len(plan.Runs) - 1; sum.Done != want || sum.Left != 0 {
		t.Errorf("%+v; want %d done, all but the one that lives elsewhere", sum.Counts, want)
	}
	states, err := db.States(t.Context(), plan.Keys())
	if err != nil {
		t.Fatal(err)
	}
	if st := states[plan.Runs[0].Key]; st.Status != store.Done || st.Attempt != 2 {
		t.Errorf("the run of the silent process: %+v; want it done by a second attempt", st)
	}
	if st := states[plan.Runs[1].Key]; st.Status != store.Running || st.Host != "far" {
		t.Errorf("the run of the living process: %+v; want it running there", st)
	}
}
