package vector

// maxColumns is how many columns are summed at once where the sums need memory.
const maxColumns = 256

// ColumnSums adds to dst the sums of the columns of a, rows×cols: dst_c += Σ_r a_rc. The sum is in float64 and rounded to float32
// before it is added.
func ColumnSums(dst, a []float32, rows, cols int) {
	if size(rows, cols, a) == 0 {
		need(cols, dst)
		return
	}
	need(cols, dst)
	if best != plain {
		var sums [maxColumns]float64
		for c := 0; c < cols; c += maxColumns {
			part := sums[:min(maxColumns, cols-c)]
			clear(part)
			best.columnSums(rows, len(part), 4*cols, &part[0], &a[c])
			AddWide(dst[c:c+len(part)], part)
		}
		return
	}
	for c := range cols {
		sum := 0.0
		for r := range rows {
			sum += float64(a[r*cols+c])
		}
		dst[c] += float32(sum)
	}
}

// ColumnMoments adds to sum and squares, of cols numbers each, the sums of the columns of a, rows×cols, and of their squares. Squares
// are exact: the variance squares/n − (sum/n)² is off by about 10⁻¹⁶ of the mean square. Rows of zeros, as in the border of a
// feature map, change nothing.
func ColumnMoments(sum, squares []float64, a []float32, rows, cols int) {
	n := size(rows, cols, a)
	need(cols, sum, squares)
	if n == 0 || best.columnMoments(rows, cols, 4*cols, &sum[0], &squares[0], &a[0]) {
		return
	}
	for i := 0; i < n; i += cols {
		for c, v := range a[i : i+cols] {
			x := float64(v)
			sum[c] += x
			squares[c] += x * x
		}
	}
}
