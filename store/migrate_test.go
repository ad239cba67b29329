package store

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// olderFile unpacks a database that an older version has made into a new folder and returns its path.
func olderFile(t *testing.T, name string) string {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("testdata", name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestVersion1 opens a database of version 1. It holds an experiment of four runs: one without a ceiling, one with, one whose ceiling
// is 1, and one with a singular extractor.
func TestVersion1(t *testing.T) {
	path := olderFile(t, "v1.db")
	db := openTest(t, path, Options{})
	mustCheck(t, db)
	rows, err := db.Query(t.Context(), `SELECT method, def_a, def_b, def_a_ridge, def_b_ridge, round(reached, 12), loss_base, bound,
		reached_bound, experiment, swept FROM results ORDER BY seed`, QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]any{
		{"method-0", int64(1), int64(0), int64(0), int64(1), nil, nil, nil, nil, "old", "{}"},
		{"method-1", int64(1), int64(1), int64(1), int64(0), 0.5, nil, nil, nil, "old", "{}"}, // ln 40/ln 1600
		{"method-2", int64(0), int64(1), int64(0), int64(1), nil, nil, nil, nil, "old", "{}"},
		{"method-0", nil, nil, nil, nil, nil, nil, nil, nil, "old", "{}"},
	}
	if d := cmp.Diff(want, rows.Values); d != "" {
		t.Errorf("the results of version 1 (-want +got):\n%s", d)
	}
	// What was recorded reads back as it was, and new runs stand beside it.
	got, err := db.Outcome(t.Context(), key(1))
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Result; r == nil || r.RIR != 40 || r.Ceiling != 1600 || !r.DefARidge || r.DefBRidge || r.Bound == r.Bound {
		t.Errorf("result %+v", r)
	}
	record(t, db, 4)
	if got := one(t, db, "SELECT count(*) FROM results"); got != int64(5) {
		t.Errorf("%v results, want 5", got)
	}
	fresh := openTest(t, newPath(t), Options{})
	const shape = `SELECT group_concat(name || ': ' || sql, char(10)) FROM (SELECT * FROM sqlite_schema ORDER BY name)`
	if d := cmp.Diff(one(t, fresh, shape), one(t, db, shape)); d != "" {
		t.Errorf("tables and views (-new file +migrated one):\n%s", d)
	}
}
