package vector

import (
	"math"
	"testing"
)

// column sums f over the rows of a column, and |f|.
func column(c *trial, col int, f func(i int) float64) (sum, size float64) {
	for r := range c.rows {
		v := f(r*c.cols + col)
		sum += v
		size += math.Abs(v)
	}
	return sum, size
}

// added is what a sum in float64 must have become.
func added(was float64, sum, size float64) (float64, float64) { return was + sum, size + math.Abs(was) }

func TestColumnSums(t *testing.T) {
	check(t, func(c *trial) {
		dst, a := c.random(c.cols), c.random(c.n())
		was := clone(dst)
		ColumnSums(dst, a, c.rows, c.cols)
		want(c, "dst", dst, 2, func(i int) (float64, float64) {
			sum, size := column(c, i, func(i int) float64 { return f64(a[i]) })
			return added(f64(was[i]), sum, size)
		})
	})
}

func TestColumnMoments(t *testing.T) {
	check(t, func(c *trial) {
		sum, squares, a := c.sums(c.cols), c.sums(c.cols), c.random(c.n())
		sum0, squares0 := clone64(sum), clone64(squares)
		ColumnMoments(sum, squares, a, c.rows, c.cols)
		want(c, "sum", sum, wideUnits, func(i int) (float64, float64) {
			s, size := column(c, i, func(i int) float64 { return f64(a[i]) })
			return added(sum0[i], s, size)
		})
		want(c, "squares", squares, wideUnits, func(i int) (float64, float64) {
			s, size := column(c, i, func(i int) float64 { return f64(a[i]) * f64(a[i]) })
			return added(squares0[i], s, size)
		})
	})
}

// A mean a thousand standard deviations away from 0 leaves the variance ten digits.
func TestColumnMomentsFarFromZero(t *testing.T) {
	every(t, func(t *testing.T) {
		const rows, cols = 64 * 28 * 28, 16
		a := make([]float32, rows*cols)
		for i := range a {
			a[i] = 1000 + float32(i/cols%3-1) // a period of three rows, so that the moments are known
		}
		var sum, squares [cols]float64
		ColumnMoments(sum[:], squares[:], a, rows, cols)
		var exact, exactSquares float64
		for r := range rows {
			v := float64(r%3 - 1)
			exact += v
			exactSquares += v * v
		}
		mean := exact / rows
		want := exactSquares/rows - mean*mean
		for c := range cols {
			m := sum[c] / rows
			if got := squares[c]/rows - m*m; math.Abs(got-want) > 1e-9 {
				t.Fatalf("variance of column %d: %v, want %v", c, got, want)
			}
		}
	})
}

func TestColumnsInPieces(t *testing.T) {
	every(t, func(t *testing.T) {
		c := &trial{rng: newRand(7), rows: 37, cols: 40}
		a := c.random(c.n())
		whole, squares := make([]float64, c.cols), make([]float64, c.cols)
		ColumnMoments(whole, squares, a, c.rows, c.cols)
		pieces, other := make([]float64, c.cols), make([]float64, c.cols)
		for r := 0; r < c.rows; r += 6 {
			m := min(6, c.rows-r)
			ColumnMoments(pieces, other, a[r*c.cols:], m, c.cols)
		}
		for i := range whole {
			if whole[i] != pieces[i] || squares[i] != other[i] {
				t.Fatalf("column %d: %v in one piece, %v in several", i, whole[i], pieces[i])
			}
		}
	})
}
