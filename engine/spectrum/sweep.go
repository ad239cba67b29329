package spectrum

import (
	"gonum.org/v1/gonum/blas/blas64"

	"kappa/engine/blas"
)

// sweep is blas.Sweep with c, and y and v, as the rows of matrices.
func sweep(a, left blas64.General, scale float64, right blas64.General, tau float64, sums []float64, first int) {
	blas.Sweep(a.Rows, a.Cols, a.Data, a.Stride, left.Data, scale, right.Data, right.Data[right.Stride:], tau, sums, first)
}
