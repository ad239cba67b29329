package vector

import (
	"math"
	"testing"
)

// A destination may be a source.
func TestInPlace(t *testing.T) {
	const rows, cols = 3, 37
	type matrix = []float32
	every(t, func(t *testing.T) {
		c := &trial{rng: newRand(3), rows: rows, cols: cols}
		row, other := c.random(cols), c.random(cols)
		a, b := c.random(c.n()), c.random(c.n())
		mean, rstd := c.random(rows), c.random(rows)
		for _, e := range []struct {
			name string
			f    func(dst, x matrix)
		}{
			{"Add", func(dst, x matrix) { Add(dst, x, a) }},
			{"Scale", func(dst, x matrix) { Scale(dst, x, 3) }},
			{"AddRow", func(dst, x matrix) { AddRow(dst, x, row, rows, cols) }},
			{"ScaleShift", func(dst, x matrix) { ScaleShift(dst, x, row, other, rows, cols) }},
			{"ScaleShiftReLU", func(dst, x matrix) { ScaleShiftReLU(dst, x, row, other, rows, cols) }},
			{"ScaleShiftAddReLU to x", func(dst, x matrix) { ScaleShiftAddReLU(dst, x, a, row, other, rows, cols) }},
			{"ScaleShiftAddReLU to r", func(dst, x matrix) { ScaleShiftAddReLU(dst, a, x, row, other, rows, cols) }},
			{"BatchNormBackwardApply to dy", func(dst, x matrix) { BatchNormBackwardApply(dst, x, a, row, other, row, rows, cols) }},
			{"BatchNormBackwardApply to x", func(dst, x matrix) { BatchNormBackwardApply(dst, a, x, row, other, row, rows, cols) }},
			{"ReLU", ReLU},
			{"ReLUBackward to dy", func(dst, x matrix) { ReLUBackward(dst, x, a) }},
			{"ReLUBackward to y", func(dst, x matrix) { ReLUBackward(dst, a, x) }},
			{"LayerNorm", func(dst, x matrix) { LayerNorm(dst, x, row, other, clone(mean), clone(rstd), rows, cols, 1e-5) }},
			{"LayerNormBackward to dy", func(dst, x matrix) {
				sums := make([]float64, 2*cols)
				LayerNormBackward(dst, x, a, row, mean, rstd, sums[:cols], sums[cols:], rows, cols)
			}},
			{"LayerNormBackward to x", func(dst, x matrix) {
				sums := make([]float64, 2*cols)
				LayerNormBackward(dst, a, x, row, mean, rstd, sums[:cols], sums[cols:], rows, cols)
			}},
			{"Exp", Exp},
			{"SoftmaxRowsBackward to dy", func(dst, x matrix) { SoftmaxRowsBackward(dst, x, a, rows, cols, 2) }},
			{"SoftmaxRowsBackward to y", func(dst, x matrix) { SoftmaxRowsBackward(dst, a, x, rows, cols, 2) }},
			{"GELU", GELU},
			{"GELUBackward to dy", func(dst, x matrix) { GELUBackward(dst, x, a) }},
			{"GELUBackward to x", func(dst, x matrix) { GELUBackward(dst, a, x) }},
		} {
			x, dst := clone(b), make(matrix, rows*cols)
			e.f(dst, x)
			e.f(x, x)
			for i := range x {
				if math.Float32bits(x[i]) != math.Float32bits(dst[i]) {
					t.Errorf("%s: element %d is %v in place, %v elsewhere", e.name, i, x[i], dst[i])
					break
				}
			}
		}
	})
}

// A NaN or an Inf reaches what depends on it, and nothing else.
func TestPropagation(t *testing.T) {
	const rows, cols = 3, 21
	type matrix = []float32
	one, zero := make(matrix, rows*cols), make(matrix, rows*cols)
	Fill(one, 1)
	for _, e := range []struct {
		name  string
		f     func(dst, x matrix)
		reach func(i, at int) bool // whether x[at] is seen in dst[i]
	}{
		{"Add", func(dst, x matrix) { Add(dst, x, one) }, itself},
		{"Scale", func(dst, x matrix) { Scale(dst, x, 0) }, itself},
		{"AddRow", func(dst, x matrix) { AddRow(dst, one, x[:cols], rows, cols) }, func(i, at int) bool { return i%cols == at }},
		{"ColumnSums", func(dst, x matrix) { clear(dst); ColumnSums(dst[:cols], x, rows, cols) }, func(i, at int) bool { return i == at%cols }},
		{"ScaleShift", func(dst, x matrix) { ScaleShift(dst, x, zero, one, rows, cols) }, itself},
		{"ScaleShiftAddReLU by r", func(dst, x matrix) { ScaleShiftAddReLU(dst, one, x, one, one, rows, cols) }, itself},
		{"BatchNormBackwardApply by dy", func(dst, x matrix) { BatchNormBackwardApply(dst, x, one, zero, one, one, rows, cols) }, itself},
		{"ReLU", ReLU, itself},
		{"ReLUBackward by dy", func(dst, x matrix) { ReLUBackward(dst, x, one) }, itself},
		{"LayerNorm", func(dst, x matrix) {
			LayerNorm(dst, x, one, zero, make(matrix, rows), make(matrix, rows), rows, cols, 1)
		}, sameRow(cols)},
		{"LayerNormBackward", func(dst, x matrix) { LayerNormBackward(dst, x, one, one, zero, one, nil, nil, rows, cols) }, sameRow(cols)},
		{"SoftmaxRows", func(dst, x matrix) { copy(dst, x); SoftmaxRows(dst, rows, cols, 1) }, sameRow(cols)},
		{"SoftmaxRowsBackward", func(dst, x matrix) { SoftmaxRowsBackward(dst, x, one, rows, cols, 1) }, sameRow(cols)},
		{"GELU", GELU, itself},
		{"GELUBackward by dy", func(dst, x matrix) { GELUBackward(dst, x, one) }, itself},
		{"SGD", func(dst, x matrix) { clear(dst); SGD{LearningRate: 1}.Step(dst, x, clone(zero)) }, itself},
		{"AdamW", func(dst, x matrix) {
			clear(dst)
			AdamW{LearningRate: 1, Beta1: 0.9, Beta2: 0.9, Epsilon: 1, Correction1: 1, Correction2: 1}.Step(dst, x, clone(zero), clone(zero))
		}, itself},
	} {
		t.Run(e.name, func(t *testing.T) {
			every(t, func(t *testing.T) {
				for _, bad := range []float64{math.NaN(), math.Inf(1)} {
					for at := range rows * cols {
						x, dst := clone(one), make(matrix, rows*cols)
						x[at] = float32(bad)
						e.f(dst, x)
						for i, v := range dst {
							want := e.reach(i, at)
							if want == (v-v == 0) {
								t.Fatalf("%v at %d: element %d is %v", bad, at, i, v)
							}
						}
					}
				}
			})
		})
	}
}

func itself(i, at int) bool { return i == at }

func sameRow(cols int) func(i, at int) bool {
	return func(i, at int) bool { return i/cols == at/cols }
}

func TestShortSlicesPanic(t *testing.T) {
	a, b := make([]float32, 12), make([]float32, 11)
	w := make([]float64, 2)
	for name, f := range map[string]func(){
		"Add":                       func() { Add(a, a, b) },
		"AddRow":                    func() { AddRow(a, a, b[:2], 4, 3) },
		"AddWide":                   func() { AddWide(a, w) },
		"Dot":                       func() { Dot(a, b) },
		"ColumnSums":                func() { ColumnSums(b[:2], a, 4, 3) },
		"ColumnSums of nothing":     func() { ColumnSums(b[:2], nil, 0, 3) },
		"ColumnMoments":             func() { ColumnMoments(w, w, a, 4, 3) },
		"ScaleShift":                func() { ScaleShift(a, b, a, a, 4, 3) },
		"BatchNormBackwardSums":     func() { BatchNormBackwardSums(w, w, a, b, 6, 2) },
		"BatchNormBackwardSumsReLU": func() { BatchNormBackwardSumsReLU(w, w, a, a, b, 6, 2) },
		"LayerNorm":                 func() { LayerNorm(a, a, a, a, b[:3], a, 4, 3, 1) },
		"LayerNormBackward":         func() { LayerNormBackward(a, a, a, a, a, a, w, nil, 6, 2) },
		"SoftmaxRows":               func() { SoftmaxRows(b, 4, 3, 1) },
		"SGD":                       func() { SGD{}.Step(a, a, b) },
		"AdamW":                     func() { AdamW{}.Step(a, a, a, b) },
		"negative":                  func() { ColumnMoments(w, w, a, -1, 2) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); p != short && p != negative {
					t.Errorf("panic with %v", p)
				}
			}()
			f()
		})
	}
}

func TestNothingIsAllocated(t *testing.T) {
	const rows, cols = 20, 300
	c := &trial{rng: newRand(5), rows: rows, cols: cols}
	a, b, d, row := c.random(c.n()), c.random(c.n()), c.random(c.n()), c.random(cols)
	s, u := c.sums(cols), c.sums(cols)
	every(t, func(t *testing.T) {
		n := testing.AllocsPerRun(3, func() {
			_ = Dot(a, b) + SumSquares(b)
			_ = AllFinite(a)
			ColumnSums(row, a, rows, cols)
			ColumnMoments(s, u, a, rows, cols)
			ScaleShiftAddReLU(d, a, b, row, row, rows, cols)
			LayerNorm(d, a, row, row, b, b[rows:], rows, cols, 1)
			LayerNormBackward(d, a, d, row, row, row, s, u, rows, cols)
			SoftmaxRows(d, rows, cols, 1)
			SGD{}.Step(a, b, d)
			AdamW{Correction1: 1, Correction2: 1}.Step(a, b, d, d)
		})
		if n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// Nothing is fine with every function.
func TestNothing(t *testing.T) {
	every(t, func(t *testing.T) {
		row := make([]float32, 5)
		w := make([]float64, 5)
		for _, rows := range []int{0, 4} {
			cols := 5
			if rows > 0 {
				cols = 0
			}
			AddRow(nil, nil, row, rows, cols)
			ColumnSums(row, nil, rows, cols)
			ColumnMoments(w, w, nil, rows, cols)
			ScaleShiftAddReLU(nil, nil, nil, row, row, rows, cols)
			BatchNormBackwardSums(w, w, nil, nil, rows, cols)
			BatchNormBackwardSumsReLU(w, w, nil, nil, nil, rows, cols)
			BatchNormBackwardApply(nil, nil, nil, row, row, row, rows, cols)
			LayerNorm(nil, nil, row, row, row, row, rows, cols, 1)
			LayerNormBackward(nil, nil, nil, row, row, row, w, w, rows, cols)
			SoftmaxRows(nil, rows, cols, 1)
			SoftmaxRowsBackward(nil, nil, nil, rows, cols, 1)
		}
		Fill(nil, 1)
		AddTo(nil, nil)
		Exp(nil, nil)
		ReLU(nil, nil)
		SGD{}.Step(nil, nil, nil)
		AdamW{}.Step(nil, nil, nil, nil)
	})
}
