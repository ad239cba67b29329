package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// removeTest is a database with the runs 1 to 3 of "digits", the θ_0 of 2 being that of 1.
func removeTest(t *testing.T) (*DB, *clock) {
	t.Helper()
	clk := newClock()
	db := openTest(t, newPath(t), Options{Now: clk.now})
	if err := db.RecordExperiment(t.Context(), Experiment{Name: "digits", Hash: "1", Runs: []string{key(1), key(2), key(3)}}); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 3; i++ {
		s, o := start(i), outcome(i)
		if i == 2 {
			s.Depends = []Dependency{{Needs: key(1), What: "θ_0"}}
		}
		a, err := db.WriteArtifact(key(i), "theta", fmt.Appendf(nil, "θ of %d", i))
		if err != nil {
			t.Fatal(err)
		}
		o.Artifacts = []Artifact{a}
		if err := db.Finish(t.Context(), claimTest(t, db, s, false), o); err != nil {
			t.Fatal(err)
		}
		clk.advance(time.Second)
	}
	return db, clk
}

func TestRemoved(t *testing.T) {
	db, _ := removeTest(t)
	ctx := t.Context()
	before := one(t, db, "SELECT count(*) FROM metrics")
	r, err := db.Remove(ctx, []string{key(3)[:9]}, false)
	want := []Loss{{"digits", 1, 3}}
	if d := cmp.Diff(want, r.Experiments); err != nil || len(r.Runs) != 1 || len(r.Already) != 0 || d != "" {
		t.Fatalf("removed %+v, %v\n%s", r, err, d)
	}

	// Nothing sees it.
	for _, view := range []string{
		"runs WHERE key", "results WHERE run", "metrics WHERE run", "condition_numbers WHERE run", "attacks WHERE run", "params WHERE run",
		"attempts WHERE run", "artifacts WHERE run", "dependencies WHERE run",
	} {
		if n := one(t, db, "SELECT count(*) FROM "+view+" = '"+key(3)+"'"); n != int64(0) {
			t.Errorf("%s: %v rows of a removed run", view, n)
		}
	}
	if s := stateOf(t, db, key(3)); s != (State{Key: key(3), Removed: true}) {
		t.Errorf("its state: %+v", s)
	}
	if _, ok, err := db.FindTheta(ctx, start(3).TrainKey); ok || err != nil {
		t.Errorf("its θ is found: %v", err)
	}
	kin := start(3)
	kin.Key = key(9)
	if found, err := db.Kin(ctx, []Start{kin}); len(found) != 0 || err != nil {
		t.Errorf("its kin: %v, %v", found, err)
	}
	if h, err := db.History(ctx); len(h) != 2 || err != nil {
		t.Errorf("a history of %d, %v", len(h), err)
	}
	for name, err := range map[string]error{
		"outcome":  second(db.Outcome(ctx, key(3))),
		"dossier":  second(db.Dossier(ctx, key(3))),
		"artifact": second(db.Artifact(ctx, key(3), "theta")),
		"prefix":   second(db.RunByPrefix(ctx, key(3))),
		"selector": second(db.SelectOne(ctx, key(3))),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if rows, err := db.RunsList(ctx, Filter{Removed: true}); err != nil || len(rows) != 1 || rows[0].Removed.IsZero() {
		t.Errorf("the removed runs: %+v, %v", rows, err)
	}

	// Again, and back.
	if r, err = db.Remove(ctx, []string{key(3)}, false); err != nil || len(r.Runs) != 0 || len(r.Already) != 1 || r.Experiments != nil {
		t.Errorf("removed again: %+v, %v", r, err)
	}
	if r, err = db.Restore(ctx, []string{"digits"}); err != nil || len(r.Runs) != 1 || r.Experiments[0].Removed != 0 {
		t.Errorf("restored: %+v, %v", r, err)
	}
	if r, err = db.Restore(ctx, []string{key(3)}); err != nil || len(r.Runs) != 0 || len(r.Already) != 1 {
		t.Errorf("restored again: %+v, %v", r, err)
	}
	if n := one(t, db, "SELECT count(*) FROM metrics"); n != before {
		t.Errorf("%v metrics, there were %v", n, before)
	}
	mustCheck(t, db)
}

func second[T any](_ T, err error) error { return err }

// TestRemovedRunAgain: a new attempt that finishes brings a run back with its figures, one that fails does not.
func TestRemovedRunAgain(t *testing.T) {
	db, _ := removeTest(t)
	if _, err := db.Remove(t.Context(), []string{key(3)}, false); err != nil {
		t.Fatal(err)
	}
	attempt := claimTest(t, db, start(3), false) // without force: it is not there
	if s := stateOf(t, db, key(3)); !s.Live || s.Status != Running || !s.Removed {
		t.Errorf("under way: %+v", s)
	}
	if _, err := db.Restore(t.Context(), []string{key(3)}); err != nil {
		t.Errorf("restored meanwhile: %v", err)
	}
	var used *InUseError
	if _, err := db.Remove(t.Context(), []string{"digits"}, true); !errors.As(err, &used) || len(used.Running) != 1 || used.Running[0] != key(3) {
		t.Errorf("a run under way behind a finished attempt: %v", err)
	}
	if err := db.Finish(t.Context(), attempt, Outcome{Status: Failed}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Remove(t.Context(), []string{key(3)}, false); err != nil {
		t.Fatal(err)
	}
	if err := db.Finish(t.Context(), claimTest(t, db, start(3), false), Outcome{Status: Failed}); err != nil {
		t.Fatal(err)
	}
	if s := stateOf(t, db, key(3)); !s.Removed {
		t.Errorf("after an attempt that failed: %+v", s)
	}
	o := outcome(3)
	o.Result.RIR = 1234
	if err := db.Finish(t.Context(), claimTest(t, db, start(3), false), o); err != nil {
		t.Fatal(err)
	}
	if got := one(t, db, "SELECT rir FROM results WHERE run = '"+key(3)+"'"); got != 1234.0 {
		t.Errorf("after one that has finished its RIR is %v", got)
	}
	mustCheck(t, db)
}

func TestRemoveRefused(t *testing.T) {
	db, _ := removeTest(t)
	ctx := t.Context()
	var used *InUseError
	_, err := db.Remove(ctx, []string{"@1", key(1)}, false)
	if !errors.As(err, &used) || len(used.Needed) != 1 || used.Needed[0] != (Need{key(2), key(1), "θ_0"}) {
		t.Errorf("a run that another needs: %v", err)
	}
	if err == nil || !strings.Contains(err.Error(), "needed (for θ_0) by 1 run that would stay: "+key(2)[:12]) {
		t.Errorf("it says %v", err)
	}
	if n := one(t, db, "SELECT count(*) FROM runs"); n != int64(3) {
		t.Errorf("%v runs are left of 3", n)
	}
	if r, err := db.Remove(ctx, []string{key(1), key(2)}, false); err != nil || len(r.Runs) != 2 {
		t.Errorf("both: %+v, %v", r, err)
	}
	if _, err := db.Restore(ctx, []string{"@1:2"}); err != nil {
		t.Error(err)
	}
	if r, err := db.Remove(ctx, []string{key(1)}, true); err != nil || len(r.Dependents) != 1 {
		t.Errorf("by force: %+v, %v", r, err)
	}
	if r, err := db.Restore(ctx, []string{key(1)}); err != nil || len(r.Runs) != 1 {
		t.Errorf("back: %+v, %v", r, err)
	}
	for _, k := range []string{key(2), key(1)} { // one after the other: what is removed needs nothing
		if r, err := db.Remove(ctx, []string{k}, false); err != nil || len(r.Dependents) != 0 {
			t.Errorf("%s: %+v, %v", k[:12], r, err)
		}
	}
	for _, bad := range [][]string{nil, {""}, {"@9"}, {"@1", "nothing"}, {"digits:best(rri)"}} {
		if _, err := db.Remove(ctx, bad, false); err == nil {
			t.Errorf("%q were removed", bad)
		}
		if _, err := db.Restore(ctx, bad); err == nil {
			t.Errorf("%q were restored", bad)
		}
	}
	ro, err := OpenReadOnly(ctx, db.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ro.Close() }()
	if _, err := ro.Remove(ctx, []string{"@1"}, false); !errors.Is(err, ErrReadOnly) {
		t.Errorf("in a database that is only read: %v", err)
	}
}
