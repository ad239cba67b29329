package runner

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const housePrices = `
title = "House Prices"
[primary]
dataset = { csv = "house-prices/D1.csv", target = "LotArea", drop = ["SalePrice"], missing = 0, categorical = "sorted-index", standardize = true, float32 = true }
n = 200
[harmful]
dataset = { csv = "house-prices/D2.csv", target = "SalePrice", drop = ["LotArea"], missing = 0, categorical = "sorted-index", standardize = true, float32 = true }
n = 200
[train]
method = "immunize"
steps = 100
[sweep]
"train.method" = ["immunize", "rill-only", "opt-kappa", "optimum"]
"train.step" = ["normalized", "fixed"]
[[override]]
when = { "train.method" = "rill-only" }
set = { "train.step" = "normalized" }
[[override]]
when = { "train.method" = "opt-kappa" }
set = { "train.step" = "normalized" }
`

// planHousePrices plans the spec housePrices on the real files.
func planHousePrices(t *testing.T) (fs.FS, *Plan) {
	t.Helper()
	dir := os.Getenv("KAPPA_DATA")
	if dir == "" {
		t.Skip("KAPPA_DATA is not set: the House Prices files are not in this repository")
	}
	if _, err := os.Stat(filepath.Join(dir, "house-prices", "D1.csv")); err != nil {
		t.Fatalf("KAPPA_DATA is set, and the House Prices files are not there: %v", err)
	}
	data := os.DirFS(dir)
	spec := parse(t, housePrices)
	digests, err := Digests(t.Context(), data, spec, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := NewPlan(spec, nil, digests)
	if err != nil {
		t.Fatal(err)
	}
	return data, plan
}

// TestHousePrices walks the whole road from the CSV files to RIR, against values that numpy computed from the paper's
// preprocessing: relative 1 %.
func TestHousePrices(t *testing.T) {
	data, plan := planHousePrices(t)
	db := openDB(t)
	sum, err := Run(t.Context(), plan, db, Options{Now: time.Now, Data: data})
	if err != nil || sum.Done != 5 || len(plan.Runs) != 5 {
		t.Fatalf("done %d of %d, failures %v, error %v", sum.Done, len(plan.Runs), sum.Failures, err)
	}
	want := map[string]float64{ // RIR under the protocol rank after 100 steps
		"immunize normalized":  6.56,
		"immunize fixed":       11.8,
		"rill-only normalized": 1.68,
		"opt-kappa normalized": 21.9,
		"optimum ":             4.08e6,
	}
	for _, run := range plan.Runs {
		out, err := db.Outcome(t.Context(), run.Key)
		if err != nil {
			t.Fatal(err)
		}
		name := run.Method() + " " + reader{run.Settings}.str("train.step")
		if got := out.Result.RIR; math.Abs(got/want[name]-1) > 0.01 {
			t.Errorf("%s: RIR %.6g, want %.6g to 1 %%", name, got, want[name])
		}
		if !out.Result.Unbounded || out.Result.Freedom != 4 {
			t.Errorf("%s: unbounded %t, freedom %d; want true and 4", name, out.Result.Unbounded, out.Result.Freedom)
		}
	}
}
