package nn

import (
	"kappa/engine/blas"
	"kappa/engine/internal/vector"
)

// rowPiece is the number of rows of a matrix over which sums are taken in one go; the sums of the pieces are then added in order.
const rowPiece = 128

// pieces is the number of pieces that so many rows are cut into.
func pieces(rows int) int { return (rows + rowPiece - 1) / rowPiece }

// sized returns a slice of length n, s if it is long enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// addWide adds the rows of a matrix to dst: first to one another, in order, in place of the first.
func addWide(dst []float32, rows []float64) {
	first := rows[:len(dst)]
	for rows = rows[len(dst):]; len(rows) > 0; rows = rows[len(dst):] {
		for i, v := range rows[:len(dst)] {
			first[i] += v
		}
	}
	vector.AddWide(dst, first)
}

// columnSum adds the columns of a matrix, the same bits whatever the number of cores.
type columnSum struct {
	part  []float32 // sums of pieces
	data  []float32
	cols  int
	piece func(lo, hi int)
}

// add adds the sums of the columns of data, which is len(dst) wide, to dst.
func (c *columnSum) add(dst, data []float32) {
	if c.piece == nil {
		c.piece = c.sum
	}
	c.cols, c.data = len(dst), data
	n := pieces(len(data) / c.cols)
	c.part = sized(c.part, n*c.cols)
	blas.Split(n, 1, c.piece)
	vector.ColumnSums(dst, c.part, n, c.cols)
}

func (c *columnSum) sum(lo, hi int) {
	for p := lo; p < hi; p++ {
		dst := c.part[p*c.cols : (p+1)*c.cols]
		clear(dst)
		data := c.data[p*rowPiece*c.cols : min(len(c.data), (p+1)*rowPiece*c.cols)]
		vector.ColumnSums(dst, data, len(data)/c.cols, c.cols)
	}
}
