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
