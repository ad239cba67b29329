package vector

import "math"

// Exp stores eˣ in dst, with a relative error of at most 2·10⁻⁷ where the result is a normal number. −Inf gives 0, +Inf and
// what is too large +Inf, NaN gives NaN.
func Exp(dst, x []float32) {
	need(len(dst), x)
	if len(dst) == 0 || best.exp(len(dst), &dst[0], &x[0]) {
		return
	}
	for i := range dst {
		dst[i] = float32(math.Exp(float64(x[i])))
	}
}

// SoftmaxRows replaces every row of x, rows×cols, by softmax(scale·row): exp(scale·x_i − m)/Σ exp(scale·x_j − m), m the row's largest
// scale·x_j. The sum is in float64. −Inf gives 0; a row with NaN or +Inf, or with nothing but −Inf, becomes NaN.
func SoftmaxRows(x []float32, rows, cols int, scale float32) {
	n := size(rows, cols, x)
	if n == 0 || best.softmaxShort(rows, cols, x, scale) || best.softmax(rows, cols, &x[0], scale) {
		return
	}
	for i := 0; i < n; i += cols {
		row := x[i : i+cols]
		m := float32(math.Inf(-1))
		for j, v := range row {
			row[j] = scale * v
			m = max(m, row[j])
		}
		var p [lanes]float64
		for j, v := range row {
			row[j] = float32(math.Exp(float64(v - m)))
			p[j%lanes] += float64(row[j])
		}
		inv := float32(1 / fold(&p))
		for j := range row {
			row[j] *= inv
		}
	}
}

// softmaxShort takes rows of up to 64 numbers, where registers are wide: attention among a few tokens.
func (f form) softmaxShort(rows, cols int, x []float32, scale float32) bool {
	switch (cols + lanes - 1) / lanes {
	case 1:
		return f.softmaxOne(rows, cols, &x[0], scale)
	case 2:
		return f.softmaxTwo(rows, cols, &x[0], scale)
	case 3:
		return f.softmaxThree(rows, cols, &x[0], scale)
	case 4:
		return f.softmaxFour(rows, cols, &x[0], scale)
	}
	return false
}

// SoftmaxRowsBackward stores dx = scale·y·(dy − Σ dy·y), the sum along the row: the gradient in x of what SoftmaxRows gave, y, for
// the gradient dy in it. All are rows×cols.
func SoftmaxRowsBackward(dx, dy, y []float32, rows, cols int, scale float32) {
	n := size(rows, cols, dx, dy, y)
	if n == 0 || best.softmaxBackward(rows, cols, &dx[0], &dy[0], &y[0], scale) {
		return
	}
	for i := 0; i < n; i += cols {
		d, v, out := dy[i:i+cols], y[i:i+cols], dx[i:i+cols]
		s := float32(Dot(d, v))
		for j := range out {
			out[j] = scale * v[j] * (d[j] - s)
		}
	}
}
