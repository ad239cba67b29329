package runner

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kappa/experiments"
)

// TestKeysOfShippedReports holds the keys of the shipped experiments to those under which their reports' runs were recorded: what is
// added for other models must not change them.
func TestKeysOfShippedReports(t *testing.T) {
	files, err := filepath.Glob("../experiments/*_files/manifest.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("manifests %q, %v", files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(filepath.Dir(file)), "_files")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var manifest struct {
				Runs []string `json:"runs"`
			}
			if err := json.Unmarshal(data, &manifest); err != nil {
				t.Fatal(err)
			}
			spec, err := experiments.Load(os.DirFS("../experiments"), name+".toml", Catalog())
			if err != nil {
				t.Fatal(err)
			}
			digests, err := Digests(t.Context(), nil, spec, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := NewPlan(spec, nil, digests)
			if err != nil {
				t.Fatal(err)
			}
			if len(manifest.Runs) == 0 || !slices.Equal(plan.Keys(), manifest.Runs) {
				t.Errorf("the plan has %d keys, the report %d, and they differ", len(plan.Keys()), len(manifest.Runs))
			}
		})
	}
}
