package vector

import (
	"fmt"
	"testing"
)

// BenchmarkKernels says how much memory a function goes through, what it reads and what it writes, on matrices that stay in the
// second cache (64 rows) and on the largest feature maps of a small net (64·28·28 rows of 16, or as many numbers otherwise). The
// floor for those that read one matrix and write another is copy.
func BenchmarkKernels(b *testing.B) {
	for _, shape := range []struct{ rows, cols int }{{64, 256}, {64 * 28 * 28, 16}, {64 * 7 * 7, 256}, {64 * 50, 50}} {
		rows, cols := shape.rows, shape.cols
		c := &trial{rng: newRand(1), rows: rows, cols: cols}
		x, y, z := c.random(c.n()), c.random(c.n()), c.random(c.n())
		p, q, r := c.random(cols), c.random(cols), c.random(cols)
		mean, rstd := c.random(rows), c.random(rows)
		s, u := c.sums(cols), c.sums(cols)
		AddTo(rstd, rstd)
		for _, k := range []struct {
			name     string
			matrices int // read or written, 4 bytes a number
			f        func()
		}{
			{"copy", 2, func() { copy(x, y) }},
			{"Fill", 1, func() { Fill(x, 1) }},
			{"Add", 3, func() { Add(x, y, z) }},
			{"AddRow", 2, func() { AddRow(x, y, p, rows, cols) }},
			{"Dot", 2, func() { Dot(x, y) }},
			{"AllFinite", 1, func() { AllFinite(x) }},
			{"ColumnSums", 1, func() { ColumnSums(p, x, rows, cols) }},
			{"ColumnMoments", 1, func() { ColumnMoments(s, u, x, rows, cols) }},
			{"ScaleShiftReLU", 2, func() { ScaleShiftReLU(x, y, p, q, rows, cols) }},
			{"ScaleShiftAddReLU", 3, func() { ScaleShiftAddReLU(x, y, z, p, q, rows, cols) }},
			{"ReLUBackward", 3, func() { ReLUBackward(x, y, z) }},
			{"BatchNormBackwardSums", 2, func() { BatchNormBackwardSums(s, u, x, y, rows, cols) }},
			{"BatchNormBackwardSumsReLU", 4, func() { BatchNormBackwardSumsReLU(s, u, x, y, z, rows, cols) }},
			{"BatchNormBackwardApply", 3, func() { BatchNormBackwardApply(x, y, z, p, q, r, rows, cols) }},
			{"LayerNorm", 2, func() { LayerNorm(x, y, p, q, mean, rstd, rows, cols, 1e-5) }},
			{"LayerNormBackward", 3, func() { LayerNormBackward(x, y, z, p, mean, rstd, s, u, rows, cols) }},
			{"Exp", 2, func() { Exp(x, y) }},
			{"SoftmaxRows", 2, func() { SoftmaxRows(x, rows, cols, 1) }},
			{"SoftmaxRowsBackward", 3, func() { SoftmaxRowsBackward(x, y, z, rows, cols, 1) }},
			{"GELU", 2, func() { GELU(x, y) }},
			{"GELUBackward", 3, func() { GELUBackward(x, y, z) }},
			{"SGD", 5, func() { SGD{LearningRate: 1e-9, Momentum: 0.9, Nesterov: true}.Step(x, y, z) }},
		} {
			b.Run(fmt.Sprintf("%s/%dx%d", k.name, rows, cols), func(b *testing.B) {
				b.SetBytes(int64(4 * k.matrices * rows * cols))
				for b.Loop() {
					k.f()
				}
			})
		}
	}
}
