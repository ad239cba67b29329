package nn

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// matrix is a row-major matrix without gaps.
func matrix(rows, cols int, data []float32) blas32.General {
	return blas32.General{Rows: rows, Cols: cols, Stride: max(1, cols), Data: data}
}

// product computes c ← a·b + beta·c.
func product(c, a, b blas32.General, beta float32) {
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, a, b, beta, c)
}

// productTA computes c ← aᵀ·b + beta·c.
func productTA(c, a, b blas32.General, beta float32) {
	blas32.Gemm(blas.Trans, blas.NoTrans, 1, a, b, beta, c)
}

// productTB computes c ← a·bᵀ + beta·c.
func productTB(c, a, b blas32.General, beta float32) {
	blas32.Gemm(blas.NoTrans, blas.Trans, 1, a, b, beta, c)
}

// transpose stores the transpose of a matrix, rows×cols, whose rows are a step apart.
func transpose(dst, src []float32, rows, cols, step int) {
	r := 0
	for ; r+4 <= rows; r += 4 { // four at once: a store is of neighbours then
		a, b := src[r*step:][:cols], src[(r+1)*step:][:cols]
		c, d := src[(r+2)*step:][:cols], src[(r+3)*step:][:cols]
		for i, v := range a {
			out := dst[i*rows+r:][:4]
			out[0], out[1], out[2], out[3] = v, b[i], c[i], d[i]
		}
	}
	for ; r < rows; r++ {
		for i, v := range src[r*step:][:cols] {
			dst[i*rows+r] = v
		}
	}
}
