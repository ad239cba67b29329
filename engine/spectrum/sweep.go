package spectrum

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// sweep updates A to A − u·yᵀ − x·vᵀ with x = tau·(A − u·yᵀ)·v, y and v the rows of right. The first row of left is u/scale on entry and column
// first of the result on return; its second row is lost. The rows of the result after the first, transposed, times that column are
// stored in sums.
func sweep(a, left blas64.General, scale float64, right blas64.General, tau float64, sums []float64, first int) {
	c, x := left.Data[:a.Rows], left.Data[left.Stride:][:a.Rows]
	y, v := right.Data[:a.Cols], right.Data[right.Stride:][:a.Cols]
	timesVector(1, a, v, 0, x)
	yv := inner(y, v)
	for i := range c {
		c[i] *= scale
		x[i] = tau * (x[i] - c[i]*yv)
	}
	blas64.Gemm(blas.Trans, blas.NoTrans, -1, left, right, 1, a)
	for i := range c {
		c[i] = a.Data[i*a.Stride+first]
	}
	clear(sums)
	transposedTimesVector(1, general(a.Rows-1, a.Cols, a.Data[min(a.Stride, len(a.Data)):], a.Stride), c[1:], 0, sums)
}
