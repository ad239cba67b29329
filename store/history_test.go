package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestHistory: the latest of each kind, with parameters and the metrics asked for; what the first on a pair of tasks was.
func TestHistory(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	if h, err := db.History(t.Context(), "x"); err != nil || len(h) != 0 {
		t.Fatalf("an empty database: %v, %v", h, err)
	}
	for i := range 3 {
		s := start(i)
		s.Primary.Class, s.Harmful.Class = ptr(int64(min(i, 1))), nil
		a := claimTest(t, db, s, false)
		o := outcome(i)
		o.Log = "log"
		o.CPUSeconds = float64(i + 1)
		if i == 2 {
			o.Metrics = append(o.Metrics, Metric{"late", 5, 1})
		}
		if err := db.Finish(t.Context(), a, o); err != nil {
			t.Fatal(err)
		}
	}
	failed := claimTest(t, db, start(8), false)
	if err := db.Finish(t.Context(), failed, Outcome{Status: Failed, CPUSeconds: 9}); err != nil {
		t.Fatal(err)
	}
	h, err := db.History(t.Context(), "grad_well", "late")
	if err != nil || len(h) != 3 {
		t.Fatalf("%d attempts, %v", len(h), err)
	}
	last := h[0]
	if len(last.Params) != 2 {
		t.Fatalf("parameters %+v", last.Params)
	}
	last.Params = nil
	want := Past{
		Key: key(2), Method: "method-2", Model: "linear", Primary: DataRef{"digits", ptr(int64(1)), "p"}, Harmful: DataRef{"digits", nil, "h"},
		CPUSeconds: 3, CPU: "c", Kernel: "avx2", Log: "log", FirstOfMethod: true, Numbers: map[string]float64{"grad_well": 2},
	}
	if d := cmp.Diff(want, last); d != "" {
		t.Error(d)
	}
	if !h[1].First || !h[2].First {
		t.Errorf("first: %v, %v; want both, they are on different tasks", h[1].First, h[2].First)
	}
}

func TestHistoryKeepsEveryKind(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	for i := range 3 * (historyOfKind + 2) {
		record(t, db, i) // three methods
	}
	h, err := db.History(t.Context())
	if err != nil || len(h) != 3*historyOfKind {
		t.Errorf("%d attempts, %v; want %d of each of three methods", len(h), err, historyOfKind)
	}
}

// TestPace: what is under way at once is counted once, and a pause not at all.
func TestPace(t *testing.T) {
	clock := newClock()
	db := openTest(t, newPath(t), Options{Now: clock.now})
	if p, err := db.Pace(t.Context(), "c", time.Time{}); err != nil || p != (Pace{}) {
		t.Fatalf("an empty database: %+v, %v", p, err)
	}
	finish := func(a int64, wall, cpu float64) {
		t.Helper()
		if err := db.Finish(t.Context(), a, Outcome{Status: Done, WallSeconds: wall, CPUSeconds: cpu}); err != nil {
			t.Fatal(err)
		}
	}
	// Two at once, the second two seconds later; then a pause; then one alone.
	a := claimTest(t, db, start(1), false)
	clock.advance(2 * time.Second)
	b := claimTest(t, db, start(2), false)
	clock.advance(2 * time.Second)
	finish(a, 4, 3)
	clock.advance(2 * time.Second)
	finish(b, 4, 5)
	clock.advance(time.Hour)
	c := claimTest(t, db, start(3), false)
	clock.advance(time.Second)
	finish(c, 1, 0.5)
	got, err := db.Pace(t.Context(), "c", time.Time{})
	want := Pace{Attempts: 3, Busy: 7 * time.Second, Wall: 9 * time.Second, CPU: 8500 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if p, err := db.Pace(t.Context(), "c", clock.now().Add(-time.Minute)); err != nil || p.Attempts != 1 || p.Busy != time.Second {
		t.Errorf("the last minute: %+v, %v; want the last attempt", p, err)
	}
	if p, err := db.Pace(t.Context(), "another", time.Time{}); err != nil || p != (Pace{}) {
		t.Errorf("another machine: %+v, %v", p, err)
	}
}
