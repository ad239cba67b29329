package immunize

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

// house returns the House Prices problem: primary LotArea of the zones other than RL, harmful SalePrice of RL, 79 features, the
// first 200 rows of each. The data lie in $KAPPA_DATA/house-prices.
func house(t testing.TB) Problem {
	t.Helper()
	dir := os.Getenv("KAPPA_DATA")
	if dir == "" {
		t.Skip("KAPPA_DATA is not set: the House Prices data (D1.csv, D2.csv) are needed")
	}
	p, err := houseOnce(dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var houseCache struct {
	sync.Once
	p   Problem
	err error
}

func houseOnce(dir string) (Problem, error) {
	c := &houseCache
	c.Do(func() {
		if c.p.Primary, c.err = houseTask(filepath.Join(dir, "house-prices", "D1.csv"), "LotArea"); c.err != nil {
			return
		}
		c.p.Harmful, c.err = houseTask(filepath.Join(dir, "house-prices", "D2.csv"), "SalePrice")
	})
	return c.p, c.err
}

// houseTask reads one file: missing is 0, a column with text becomes the index among its sorted distinct strings, every column is
// standardised over all rows (n−1; a deviation of 0 becomes 1), rounded to float32, and the first 200 rows are kept.
func houseTask(path, target string) (Task, error) {
	file, err := os.Open(path)
	if err != nil {
		return Task{}, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return Task{}, err
	}
	const keep = 200
	head, rows := rows[0], rows[1:]
	x := mat.NewDense(keep, len(head)-2, nil)
	y := make([]float64, keep)
	j := 0
	for c, name := range head {
		column := houseColumn(rows, c)
		switch name {
		case target:
			copy(y, column[:keep])
		case "LotArea", "SalePrice":
		default:
			x.SetCol(j, column[:keep])
			j++
		}
	}
	f, err := spectrum.NewFactor(x)
	return Task{X: x, Y: y, Factor: f}, err
}

func houseColumn(rows [][]string, c int) []float64 {
	out := make([]float64, len(rows))
	words := make([]string, len(rows))
	text := false
	for i, r := range rows {
		words[i] = r[c]
		if words[i] == "" {
			words[i] = "0"
		}
		v, err := strconv.ParseFloat(words[i], 64)
		text = text || err != nil
		out[i] = v
	}
	if text {
		distinct := slices.Compact(slices.Sorted(slices.Values(words)))
		for i, w := range words {
			out[i] = float64(slices.Index(distinct, w))
		}
	}
	var mean, square float64
	for _, v := range out {
		mean += v / float64(len(out))
	}
	for _, v := range out {
		square += (v - mean) * (v - mean)
	}
	sd := math.Sqrt(square / float64(len(out)-1))
	if sd == 0 {
		sd = 1
	}
	for i, v := range out {
		out[i] = float64(float32((v - mean) / sd))
	}
	return out
}
