package store

import (
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDependencies(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	start := Start{Key: key(2), Method: "immunize", Depends: []Dependency{{key(1), "θ_0"}, {key(3), "base line"}}}
	for range 2 { // a second claim says the same
		attempt, ok, _, err := db.Claim(t.Context(), start, false)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := db.Finish(t.Context(), attempt, Outcome{Status: Failed}); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := db.Query(t.Context(), "SELECT run, needs, what FROM dependencies ORDER BY what", QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]any{{key(2), key(3), "base line"}, {key(2), key(1), "θ_0"}}
	if d := cmp.Diff(want, rows.Values); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	start.Key, start.Depends = key(4), []Dependency{{"abc", "θ_0"}}
	if _, _, _, err := db.Claim(t.Context(), start, false); err == nil {
		t.Error("a run needs something that is no key")
	}
}

// TestDeepResult: what does not apply to nets is NULL, and reads back as it was.
func TestDeepResult(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	attempt, _, _, err := db.Claim(t.Context(), Start{Key: key(1), Method: "immunize"}, false)
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	r := Result{
		Deep: true, Steps: 3, RIR: 4, RatioHarmful: 12, RatioPrimary: 3, RIRRidge: nan, RatioHarmfulRidge: nan, RatioPrimaryRidge: nan,
		Ceiling: nan, KappaTheta: nan, Bound: nan, Reached: nan, ReachedBound: nan, LossPrimary: 0.5, LossBase: 0.4, DefA: true,
	}
	if err := db.Finish(t.Context(), attempt, Outcome{Status: Done, Result: &r}); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(t.Context(), `SELECT rir, ceiling, unbounded, freedom, kappa_theta, def_a, def_b, def_c, def_a_ridge, loss_primary,
		loss_base, (SELECT kinds FROM result) AS kinds FROM results`, QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	kinds := `{"ratio_harmful_ridge":"nan","ratio_primary_ridge":"nan","rir_ridge":"nan"}` // these apply, and are no numbers
	want := [][]any{{4.0, nil, nil, nil, nil, int64(1), int64(0), nil, nil, 0.5, 0.4, kinds}}
	if d := cmp.Diff(want, rows.Values); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	out, err := db.Outcome(t.Context(), key(1))
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Result; got == nil || !got.Deep || !math.IsNaN(got.Ceiling) || got.LossBase != 0.4 || !got.DefA {
		t.Errorf("result %+v", got)
	}
}

// writing returns what writes a text, in two parts.
func writing(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text[:len(text)/2])
		if err == nil {
			_, err = io.WriteString(w, text[len(text)/2:])
		}
		return err
	}
}

func TestCheckpoints(t *testing.T) {
	path := newPath(t)
	db := openTest(t, path, Options{})
	if _, ok, err := db.ReadCheckpoint(key(1)); ok || err != nil {
		t.Fatalf("there is one before any was written (%v)", err)
	}
	for _, text := range []string{"first", "", "second\nline"} {
		if err := db.WriteCheckpoint(key(1), writing(text)); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := db.ReadCheckpoint(key(1)); !ok || err != nil || string(got) != text {
			t.Errorf("%q, %t, %v; want %q", got, ok, err, text)
		}
	}
	full := errors.New("the disk is full")
	if err := db.WriteCheckpoint(key(1), func(w io.Writer) error { return errors.Join(writing("third")(w), full) }); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
	if got, ok, err := db.ReadCheckpoint(key(1)); !ok || err != nil || string(got) != "second\nline" {
		t.Errorf("after one that could not be written: %q, %t, %v", got, ok, err)
	}
	if names, err := os.ReadDir(filepath.Join(db.Dir(), artifactFolder)); err != nil || len(names) != 1 {
		t.Errorf("%v, %v: want one file", names, err)
	}
	file := db.checkpointPath(key(1))
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"cut": data[:len(data)-1], "changed": append([]byte("0"), data[1:]...), "empty": nil} {
		if err := os.WriteFile(file, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := db.ReadCheckpoint(key(1)); ok || !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %t, %v", name, ok, err)
		}
	}
	for range 2 {
		if err := db.RemoveCheckpoint(key(1)); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "../x", "ABC"} {
		if db.WriteCheckpoint(bad, nil) == nil || db.RemoveCheckpoint(bad) == nil {
			t.Errorf("%q passes for a key", bad)
		}
	}
	read, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if err := read.WriteCheckpoint(key(1), nil); !errors.Is(err, ErrReadOnly) {
		t.Errorf("%v", err)
	}
}
