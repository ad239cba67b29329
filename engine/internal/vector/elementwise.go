package vector

// Fill sets every element of dst to v.
func Fill(dst []float32, v float32) {
	if len(dst) == 0 || best.fill(len(dst), &dst[0], v) {
		return
	}
	for i := range dst {
		dst[i] = v
	}
}

// Add stores a + b in dst.
func Add(dst, a, b []float32) {
	need(len(dst), a, b)
	if len(dst) == 0 || best.add(len(dst), &dst[0], &a[0], &b[0]) {
		return
	}
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

// AddTo adds a to dst.
func AddTo(dst, a []float32) { Add(dst, dst, a) }

// Scale stores s·a in dst.
func Scale(dst, a []float32, s float32) {
	need(len(dst), a)
	if len(dst) == 0 || best.scale(len(dst), &dst[0], &a[0], s) {
		return
	}
	for i := range dst {
		dst[i] = s * a[i]
	}
}

// AddRow stores x + row in dst, for every row of x: dst and x are rows×cols, row has cols numbers.
func AddRow(dst, x, row []float32, rows, cols int) {
	n := size(rows, cols, dst, x)
	need(cols, row)
	if n == 0 || best.addRow(rows, cols, &dst[0], &x[0], &row[0]) {
		return
	}
	for i := 0; i < n; i += cols {
		for c, v := range row[:cols] {
			dst[i+c] = x[i+c] + v
		}
	}
}

// AddWide adds sums in float64 to dst, rounding each to float32 first.
func AddWide(dst []float32, sums []float64) {
	need(len(dst), sums)
	for i := range dst {
		dst[i] += float32(sums[i])
	}
}
