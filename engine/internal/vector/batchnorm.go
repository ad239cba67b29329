package vector

// ScaleShift stores y = x·scale + shift: y and x are rows×cols, scale and shift have one number for every column. Product and sum
// have one rounding. It is a batch norm with known statistics.
func ScaleShift(y, x, scale, shift []float32, rows, cols int) {
	n := size(rows, cols, y, x)
	need(cols, scale, shift)
	if n == 0 || best.scaleShift(rows, cols, &y[0], &x[0], &scale[0], &shift[0]) {
		return
	}
	for i := 0; i < n; i += cols {
		for c := range cols {
			y[i+c] = x[i+c]*scale[c] + shift[c]
		}
	}
}

// ScaleShiftReLU is ScaleShift with the function of [ReLU] after it.
func ScaleShiftReLU(y, x, scale, shift []float32, rows, cols int) {
	n := size(rows, cols, y, x)
	need(cols, scale, shift)
	if n == 0 || best.scaleShiftReLU(rows, cols, &y[0], &x[0], &scale[0], &shift[0]) {
		return
	}
	for i := 0; i < n; i += cols {
		for c := range cols {
			y[i+c] = relu(x[i+c]*scale[c] + shift[c])
		}
	}
}

// ScaleShiftAddReLU stores y = relu((x·scale + shift) + r): a batch norm, a residual r, rows×cols as well, and a ReLU.
func ScaleShiftAddReLU(y, x, r, scale, shift []float32, rows, cols int) {
	n := size(rows, cols, y, x, r)
	need(cols, scale, shift)
	if n == 0 || best.scaleShiftAddReLU(rows, cols, &y[0], &x[0], &r[0], &scale[0], &shift[0]) {
		return
	}
	for i := 0; i < n; i += cols {
		for c := range cols {
			y[i+c] = relu(x[i+c]*scale[c] + shift[c] + r[i+c])
		}
	}
}

// BatchNormBackwardSums adds Σ_r dy_rc to sum_c and Σ_r dy_rc·x_rc to dot_c: dy and x are rows×cols, products are exact, sums in
// float64. Rows in which dy is zero change nothing, if x is finite there.
func BatchNormBackwardSums(sum, dot []float64, dy, x []float32, rows, cols int) {
	n := size(rows, cols, dy, x)
	need(cols, sum, dot)
	if n == 0 || best.batchNormSums(rows, cols, 4*cols, &sum[0], &dot[0], &dy[0], &x[0]) {
		return
	}
	for i := 0; i < n; i += cols {
		for c := range cols {
			d := float64(dy[i+c])
			sum[c] += d
			dot[c] += d * float64(x[i+c])
		}
	}
}

// BatchNormBackwardSumsReLU is BatchNormBackwardSums behind a ReLU that gave y: before it sums it applies [ReLUBackward] to dy, in
// place.
func BatchNormBackwardSumsReLU(sum, dot []float64, dy, x, y []float32, rows, cols int) {
	n := size(rows, cols, dy, x, y)
	need(cols, sum, dot)
	if n == 0 || best.batchNormSumsReLU(rows, cols, 4*cols, &sum[0], &dot[0], &dy[0], &x[0], &y[0]) {
		return
	}
	for i := 0; i < n; i += cols {
		for c := range cols {
			if y[i+c] <= 0 {
				dy[i+c] = 0
			}
			d := float64(dy[i+c])
			sum[c] += d
			dot[c] += d * float64(x[i+c])
		}
	}
}

// BatchNormBackwardApply stores dx = (b·x + d) + a·dy, with a, b and d by column: dx, dy and x are rows×cols. With n rows in the
// batch, mean μ and ρ = 1/√(σ²+ε) of a column, weight γ, and the sums S = Σ dy, P = Σ dy·(x−μ)·ρ it is the gradient of a batch norm
// for a = γρ, b = −γρ²·P/n, d = −γρ·S/n − b·μ.
func BatchNormBackwardApply(dx, dy, x, a, b, d []float32, rows, cols int) {
	n := size(rows, cols, dx, dy, x)
	need(cols, a, b, d)
	if n == 0 || best.batchNormApply(rows, cols, &dx[0], &dy[0], &x[0], &a[0], &b[0], &d[0]) {
		return
	}
	for i := 0; i < n; i += cols {
		for c := range cols {
			dx[i+c] = b[c]*x[i+c] + d[c] + a[c]*dy[i+c]
		}
	}
}
