package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kappa/experiments"
	"kappa/store"
)

// TestRepeatedElsewhere: while another process trains a lost θ_0 again, what needs it waits for that, however finished the run was before;
// where the other process gives up, θ_0 is trained here.
func TestRepeatedElsewhere(t *testing.T) {
	for _, giveUp := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), ".kappa", "runs.db")
		var dbs [2]*store.DB
		for i := range dbs {
			db, err := store.Open(t.Context(), path, store.Options{Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			dbs[i] = db
		}
		plan := planOf(t, tinyAttack)
		if _, err := Run(t.Context(), plan, dbs[0], Options{Jobs: 1, Now: time.Now}); err != nil {
			t.Fatal(err)
		}
		kept, ok, err := dbs[0].FindTheta(t.Context(), plan.Runs[0].TrainKey)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := os.Remove(dbs[0].ArtifactPath(kept.Artifacts[0])); err != nil {
			t.Fatal(err)
		}

		theirs, cancel := context.WithCancel(t.Context())
		defer cancel()
		begun, release := make(chan bool), make(chan bool)
		sums := make(chan Summary, 2)
		go func() {
			sum, err := Run(theirs, planOf(t, strings.Replace(tinyAttack, "steps = 2", "steps = 3", 1)), dbs[0], Options{
				Jobs: 1, Now: time.Now, Notify: func(e Event) {
					if e.Kind == Started && e.Run.Method() == pretrainMethod {
						close(begun)
						<-release
					}
				},
			})
			if giveUp != (err != nil) {
				t.Errorf("giveUp %t: the other process: %v", giveUp, err)
			}
			sums <- sum
		}()
		<-begun
		mine := planOf(t, strings.Replace(tinyAttack, "steps = 2", "steps = 4", 1))
		for _, force := range []bool{false, true} {
			if d, err := Decide(t.Context(), mine, dbs[1], force); err != nil || d[0].Reason != ReasonElsewhere || d[0].State.Status != store.Done {
				t.Errorf("force %t: %q, %+v, %v; want it running elsewhere", force, d[0].Reason, d[0].State, err)
			}
		}
		go func() {
			sum, err := Run(t.Context(), mine, dbs[1], Options{Jobs: 2, Now: time.Now})
			if err != nil {
				t.Error(err)
			}
			sums <- sum
		}()
		time.Sleep(lookout / 2)
		if giveUp {
			cancel()
		}
		close(release)
		a, b := <-sums, <-sums
		if done := a.Done + b.Done; a.Failed+b.Failed > 0 || !giveUp && done != 3 || giveUp && done != 2 {
			t.Errorf("giveUp %t: %+v and %+v", giveUp, a, b)
		}
		if n := count(t, dbs[1], "SELECT count(*) FROM attempts WHERE status = 'done' AND run = '"+mine.Runs[0].Key+"'"); n != 2 {
			t.Errorf("giveUp %t: θ_0 was trained %d times, want twice", giveUp, n)
		}
	}
}

// TestTakenMeanwhile: a run that another process begins to repeat between the decision and the claim is waited for.
func TestTakenMeanwhile(t *testing.T) {
	pre := Planned{Key: "a", Settings: experiments.Settings{"train.method": pretrainMethod}}
	run := Planned{Key: "b", Depends: []Dependency{{"a", Theta0}}}
	s := newSchedule([]Decision{{Run: pre, Execute: true, Reason: ReasonLost}, {Run: run, Execute: true}})
	it, _ := s.next()
	s.ended(it, store.State{Status: store.Done, Live: true})
	if runs := s.away(); len(runs) != 1 || runs[0].Key != "a" {
		t.Fatalf("away: %v", runs)
	}
	done := map[string]store.State{"a": {Status: store.Done}}
	if ended, back := s.arrived(done, map[string]bool{"a": true}); len(ended) != 0 || len(back) != 1 {
		t.Fatalf("lost: ended %v, back %v", ended, back)
	}
	if it, _ = s.next(); it.Run.Key != "a" || it.Reason != ReasonLost {
		t.Fatalf("next: %+v", it)
	}
	s.ended(it, store.State{Status: store.Done, Live: true})
	if ended, back := s.arrived(done, nil); len(ended) != 1 || len(back) != 0 {
		t.Fatalf("there: ended %v, back %v", ended, back)
	}
	if it, broken := s.next(); it.Run.Key != "b" || broken != nil {
		t.Errorf("next: %+v, %+v", it, broken)
	}
}

// unreadable is a database that fails to tell of runs.
type unreadable struct {
	Database
	fails func() error
}

func (u unreadable) States(ctx context.Context, keys []string) (map[string]store.State, error) {
	return map[string]store.State{keys[0]: {Status: store.Running, Live: true}}, u.fails()
}

// TestUnreadableWhileWaiting: a database that does not come back ends the call with its error; one that fails in between does not.
func TestUnreadableWhileWaiting(t *testing.T) {
	pre := Planned{Key: "a", Settings: experiments.Settings{"train.method": pretrainMethod}}
	run := Planned{Key: "b", Depends: []Dependency{{"a", Theta0}}}
	gone := errors.New("disk on fire")
	tries := 0
	s := &execution{
		db: unreadable{fails: func() error {
			if tries++; tries == lookouts { // once in between it can be read
				return nil
			}
			return gone
		}},
		schedule: newSchedule([]Decision{{Run: pre, Reason: ReasonElsewhere}, {Run: run, Execute: true}}),
	}
	waits := make(chan *item)
	go func() {
		it, _ := s.schedule.next()
		waits <- it
	}()
	err := s.look(t.Context(), time.Millisecond/10)
	if !errors.Is(err, gone) || tries != 2*lookouts {
		t.Errorf("%v after %d tries, want %v after %d", err, tries, gone, 2*lookouts)
	}
	if it := <-waits; it != nil {
		t.Errorf("handed out: %+v", it)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.look(ctx, time.Hour); err != nil {
		t.Errorf("at the end: %v", err)
	}
}
