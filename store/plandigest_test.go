package store

import (
	"testing"
)

// TestPlanIsWrittenOnce: a plan that is recorded is not written again, and one that has changed, here or by somebody else, is.
func TestPlanIsWrittenOnce(t *testing.T) {
	db := openTest(t, newPath(t), Options{Now: newClock().now})
	e := Experiment{Name: "e", Title: "t", Hash: "h", Bytes: []byte("x"), Runs: []string{key(1), key(2), key(3)}, Swept: []string{`{"a": 1}`, `{"a": 2}`, ""}}
	put := func() (writes int64) {
		t.Helper()
		var was, is int64
		count := func(n *int64) {
			if err := db.w.QueryRowContext(t.Context(), "SELECT total_changes()").Scan(n); err != nil {
				t.Fatal(err)
			}
		}
		count(&was)
		if err := db.RecordExperiment(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		count(&is)
		return is - was
	}
	holds := func(want ...string) {
		t.Helper()
		var got []string
		err := each(t.Context(), db.r, "SELECT r.key || ' ' || x.swept FROM experiment_runs AS x JOIN run AS r ON r.id = x.run ORDER BY ordinal", nil,
			func(scan func(...any) error) error {
				got = append(got, "")
				return scan(&got[len(got)-1])
			})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("the plan holds %q, want %q", got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("run %d of the plan is %q, want %q", i, got[i], want[i])
			}
		}
	}
	if n := put(); n == 0 {
		t.Fatal("the first recording writes nothing")
	}
	holds(key(1)+` {"a": 1}`, key(2)+` {"a": 2}`, key(3)+" {}")
	if n := put(); n != 0 {
		t.Errorf("recording the same again writes %d rows", n)
	}
	// Another spec becomes the current one, then this one again: its plan is not written.
	other := Experiment{Name: "f", Title: "t", Hash: "g", Runs: []string{key(1)}}
	if err := db.RecordExperiment(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if n := put(); n != 1 {
		t.Errorf("making a recorded version the current one writes %d rows, want 1", n)
	}
	if err := db.RecordExperiment(t.Context(), Experiment{Name: "f", Title: "t", Hash: "g"}); err != nil { // out of the way of holds
		t.Fatal(err)
	}
	e.Runs[0], e.Runs[1] = e.Runs[1], e.Runs[0]
	put()
	holds(key(2)+` {"a": 1}`, key(1)+` {"a": 2}`, key(3)+" {}")
	e.Swept[2] = `{"a": 3}`
	put()
	holds(key(2)+` {"a": 1}`, key(1)+` {"a": 2}`, key(3)+` {"a": 3}`)
	for _, damage := range []string{
		"DELETE FROM experiment_runs WHERE ordinal = 1 AND experiment = 1",
		"UPDATE experiment_runs SET run = (SELECT id FROM run WHERE key = '" + key(3) + "') WHERE ordinal = 0 AND experiment = 1",
		"DELETE FROM experiment_runs",
	} {
		if _, err := db.w.ExecContext(t.Context(), damage); err != nil {
			t.Fatal(err)
		}
		put()
		holds(key(2)+` {"a": 1}`, key(1)+` {"a": 2}`, key(3)+` {"a": 3}`)
	}
}
