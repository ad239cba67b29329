package immunize

import (
	"os"
	"path/filepath"
	"testing"

	"kappa/engine/internal/numtest"
)

// house returns the House Prices problem from D1.csv and D2.csv in $KAPPA_DATA/house-prices.
func house(t testing.TB) Problem {
	t.Helper()
	dir := os.Getenv("KAPPA_DATA")
	if dir == "" {
		t.Skip("KAPPA_DATA is not set: the House Prices data (D1.csv, D2.csv) are needed")
	}
	var p Problem
	for _, v := range []struct {
		task         *Task
		file, target string
	}{{&p.Primary, "D1.csv", "LotArea"}, {&p.Harmful, "D2.csv", "SalePrice"}} {
		file, err := os.Open(filepath.Join(dir, "house-prices", v.file))
		if err != nil {
			t.Fatal(err)
		}
		v.task.X, v.task.Y, err = numtest.HousePrices(file, v.target)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := v.task.prepare(v.file, true); err != nil {
			t.Fatal(err)
		}
	}
	return p
}
