package store

import (
	"os"
	"strings"
	"testing"
)

// TestNetworkLost: of an older copy in the place of the notebook it is told what is missing, until that has been executed again.
func TestNetworkLost(t *testing.T) {
	t.Setenv(networkSwitch, "1")
	path := newPath(t)
	open := func(share bool) *DB {
		db, err := Open(t.Context(), path, Options{Share: share})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	read := func() (notes string, lost []Lost, st State) {
		t.Helper()
		ro, err := OpenReadOnly(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		notes = strings.Join(ro.Notices(), "\n")
		if lost, err = ro.Lost(t.Context()); err != nil {
			t.Error(err)
		}
		st = stateOf(t, ro, key(2))
		must(t, ro.Close())
		return notes, lost, st
	}
	var older []byte
	for i := 1; i <= 2; i++ {
		db := open(i == 2)
		record(t, db, i)
		must(t, db.Close())
		if i == 1 {
			var err error
			older, err = os.ReadFile(path)
			must(t, err)
		}
	}
	if notes, lost, st := read(); strings.Contains(notes, "missing") || len(lost) > 0 || st.Lost {
		t.Fatalf("nothing is lost: %q, %+v, %+v", notes, lost, st)
	}
	must(t, os.WriteFile(path, older, 0o666))
	says := path + ": a run that was recorded is missing"
	if notes, lost, st := read(); !strings.Contains(notes, says) || len(lost) != 1 || lost[0].Key != key(2) || !st.Lost {
		t.Errorf("a reader: %q, %+v, %+v", notes, lost, st)
	}
	db := open(true)
	if notes := strings.Join(db.Notices(), "\n"); strings.Count(notes, says) != 1 {
		t.Errorf("who records runs: %q", notes)
	}
	if st := stateOf(t, db, key(2)); !st.Lost {
		t.Errorf("state %+v", st)
	}
	if notes, lost, st := read(); !strings.Contains(notes, says) || len(lost) != 1 || !st.Lost {
		t.Errorf("a reader, once it was noted: %q, %+v, %+v", notes, lost, st)
	}
	record(t, db, 2)
	must(t, db.Close())
	if notes, lost, st := read(); strings.Contains(notes, "missing") || len(lost) > 0 || st.Lost || st.Status != Done {
		t.Errorf("once it was executed again: %q, %+v, %+v", notes, lost, st)
	}
	if acks, err := ackFile(path + "-acked").all(); err != nil || len(acks.lines) != 2 || acks.lines[1].Key != key(2) {
		t.Errorf("the list: %+v, %v", acks, err)
	}
	must(t, os.Remove(path)) // the whole of it
	change := open(false)
	if lost, err := change.Lost(t.Context()); err != nil || len(lost) != 2 {
		t.Errorf("without the notebook: %+v, %v", lost, err)
	}
	must(t, change.ForgetLost(t.Context()))
	must(t, change.Close())
	if notes, lost, _ := read(); strings.Contains(notes, "missing") || len(lost) > 0 {
		t.Errorf("once it was forgotten: %q, %+v", notes, lost)
	}

	// Of a run that had finished before, the later end is lost: it is executed again too.
	db = open(false)
	record(t, db, 3)
	must(t, db.Close())
	older, err := os.ReadFile(path)
	must(t, err)
	db = open(false)
	must(t, db.Finish(t.Context(), claimTest(t, db, start(3), true), outcome(3)))
	must(t, db.Close())
	must(t, os.WriteFile(path, older, 0o666))
	db = open(true)
	must(t, db.Finish(t.Context(), claimTest(t, db, start(3), false), outcome(3)))
	must(t, db.Close())
	if _, lost, _ := read(); len(lost) > 0 {
		t.Errorf("still lost: %+v", lost)
	}
	db = open(false)
	if n := one(t, db, "SELECT count(*) FROM attempts WHERE run = '"+key(3)+"'"); n != int64(2) {
		t.Errorf("a repetition with the same figures: %v attempts, want 2", n)
	}
	must(t, db.Close())
}
