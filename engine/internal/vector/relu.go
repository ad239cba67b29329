package vector

// relu is 0 for x < 0 and x for everything else, NaN included.
func relu(x float32) float32 {
	if x < 0 {
		return 0
	}
	return x
}

// ReLU stores y = max(x, 0). NaN stays NaN.
func ReLU(y, x []float32) {
	need(len(y), x)
	if len(y) == 0 || best.relu(len(y), &y[0], &x[0]) {
		return
	}
	for i := range y {
		y[i] = relu(x[i])
	}
}

// ReLUBackward stores dx = 0 where y ≤ 0 and dx = dy elsewhere, where y is NaN too. y is what ReLU gave.
func ReLUBackward(dx, dy, y []float32) {
	need(len(dx), dy, y)
	if len(dx) == 0 || best.reluBackward(len(dx), &dx[0], &dy[0], &y[0]) {
		return
	}
	for i := range dx {
		if y[i] <= 0 {
			dx[i] = 0
		} else {
			dx[i] = dy[i]
		}
	}
}
