package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"kappa/experiments"
)

var update = flag.Bool("update", false, "rewrite the generated tables of experiments/README.md")

// TestSpecReference holds the spec reference and the tables of names together.
func TestSpecReference(t *testing.T) {
	path := filepath.Join("..", "experiments", "README.md")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := experiments.UpdateReference(old, Catalog())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(old, fresh) {
		return
	}
	if !*update {
		t.Fatal("experiments/README.md is stale: go test ./runner -run TestSpecReference -update")
	}
	if err := os.WriteFile(path, fresh, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestShippedSpecs: what the binary ships can be planned without any file, is fixed by its canonical form, and fits the data that it
// names, as far as they are there.
func TestShippedSpecs(t *testing.T) {
	names, err := experiments.Shipped.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range names {
		t.Run(e.Name(), func(t *testing.T) {
			spec, err := experiments.Load(experiments.Shipped, e.Name(), Catalog())
			if err != nil {
				t.Fatal(err)
			}
			// Files of the user's own are not shipped: any digest stands for theirs.
			references, err := References(spec, nil)
			if err != nil {
				t.Fatal(err)
			}
			own := make(map[string]string)
			for _, ref := range references {
				if !strings.HasPrefix(ref, "name=") {
					own[ref] = strings.Repeat(string(rune('0'+len(own))), 64) // of each another one
				}
			}
			digests, err := Digests(t.Context(), fstest.MapFS{}, spec, nil, own)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := NewPlan(spec, nil, digests)
			if err != nil {
				t.Fatal(err)
			}
			var data fs.FS = fstest.MapFS{}
			if dir := os.Getenv("KAPPA_DATA"); dir != "" {
				data = os.DirFS(dir)
			}
			if err := CheckData(t.Context(), plan, data); err != nil && (os.Getenv("KAPPA_DATA") != "" && len(own) == 0 || !errors.Is(err, fs.ErrNotExist)) {
				t.Error(err)
			}
			again, err := experiments.Parse(e.Name(), spec.Canonical(), Catalog())
			if err != nil {
				t.Fatalf("the canonical form does not load: %v", err)
			}
			plan2, err := NewPlan(again, nil, digests)
			if err != nil {
				t.Fatal(err)
			}
			if recorded := recordedKeys(t, spec); recorded != nil && !slices.Equal(recorded, plan.Keys()) {
				t.Errorf("its report has %d runs under other keys than the plan's %d: what is added for other specs must not change keys", len(recorded), len(plan.Runs))
			}
			if len(plan.Runs) == 0 || len(plan.Runs) != len(plan2.Runs) {
				t.Fatalf("%d runs, %d from the canonical form", len(plan.Runs), len(plan2.Runs))
			}
			for i := range plan.Runs {
				if plan.Runs[i].Key != plan2.Runs[i].Key {
					t.Fatalf("run %d has another key in the canonical form", i)
				}
			}
		})
	}
}

// recordedKeys are the keys of the runs behind the shipped report of the spec as it is; nil if there is none.
func recordedKeys(t *testing.T, spec *experiments.Spec) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "experiments", spec.Name+"_files", "manifest.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var manifest struct {
		Spec struct{ SHA256 string }
		Runs []string
	}
	if err == nil {
		err = json.Unmarshal(data, &manifest)
	}
	if err != nil || len(manifest.Runs) == 0 {
		t.Fatalf("manifest of %s: %d runs, %v", spec.Name, len(manifest.Runs), err)
	}
	if manifest.Spec.SHA256 != spec.Hash {
		return nil // of an earlier version
	}
	return manifest.Runs
}

// TestMetricNames: every figure that a run records is explained in the schema reference.
func TestMetricNames(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "store", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	db := openDB(t)
	var runs []Planned
	for _, spec := range []string{small, tinyAttack} {
		plan := planOf(t, spec)
		if _, err := Run(t.Context(), plan, db, Options{Now: time.Now}); err != nil {
			t.Fatal(err)
		}
		runs = append(runs, plan.Runs...)
	}
	names := make(map[string]bool)
	for _, run := range runs {
		out, err := db.Outcome(t.Context(), run.Key)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Metrics {
			name, _, _ := strings.Cut(m.Name, ":")
			names[name] = true
		}
	}
	if len(names) < 10 {
		t.Errorf("only %d names: the test shows little", len(names))
	}
	for name := range names {
		if !bytes.Contains(text, []byte("`"+name)) {
			t.Errorf("store/README.md does not explain the metric %s", name)
		}
	}
}
