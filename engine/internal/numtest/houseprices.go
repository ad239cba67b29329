package numtest

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"
)

// HousePrices prepares one task of the paper's House Prices problem from the CSV file in r, as the paper's released code does:
// missing is 0, a column with text becomes the index among its sorted distinct strings, every column is standardised over all rows
// (n−1; a deviation of 0 becomes 1) and rounded to float32, and the first 200 rows are kept. The features are the 79 columns but
// LotArea and SalePrice, one of which is the target: LotArea for D1.csv (primary), SalePrice for D2.csv (harmful).
func HousePrices(r io.Reader, target string) (x *mat.Dense, y []float64, err error) {
	const keep = 200
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, nil, err
	}
	if len(rows) < keep+1 {
		return nil, nil, fmt.Errorf("numtest: %d rows, want more than %d", len(rows), keep)
	}
	head, rows := rows[0], rows[1:]
	x = mat.NewDense(keep, len(head)-2, nil)
	j := 0
	for c, name := range head {
		column := standardised(rows, c)[:keep]
		switch name {
		case target:
			y = column
		case "LotArea", "SalePrice":
		default:
			x.SetCol(j, column)
			j++
		}
	}
	return x, y, nil
}

func standardised(rows [][]string, c int) []float64 {
	words, out := make([]string, len(rows)), make([]float64, len(rows))
	numeric := true
	for i, row := range rows {
		words[i] = row[c]
		if words[i] == "" {
			words[i] = "0"
		}
		v, err := strconv.ParseFloat(words[i], 64)
		out[i], numeric = v, numeric && err == nil
	}
	if !numeric {
		distinct := slices.Compact(slices.Sorted(slices.Values(words)))
		for i, w := range words {
			k, _ := slices.BinarySearch(distinct, w)
			out[i] = float64(k)
		}
	}
	n := float64(len(out))
	var mean, squares float64
	for _, v := range out {
		mean += v
	}
	mean /= n
	for _, v := range out {
		squares += (v - mean) * (v - mean)
	}
	deviation := math.Sqrt(squares / (n - 1))
	if deviation == 0 {
		deviation = 1
	}
	for i, v := range out {
		out[i] = float64(float32((v - mean) / deviation))
	}
	return out
}
