package spectrum

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// gramian is G = CᵀC for C = B or C = Bᵀ, whichever has the fewer columns, with B scaled by a power of two to elements near 1. The
// non-zero eigenvalues of G are those of BᵀB.
type gramian struct {
	b     blas64.General
	left  bool    // C = Bᵀ
	scale float64 // what B is divided by
	n     int     // order of G, the columns of C
	rows  int     // rows of C
	g     []float64
}

// form sets the matrix, whose largest element is near largest > 0, and forms G, both its halves. The cost is n²·rows operations.
func (c *gramian) form(b blas64.General, largest float64) {
	_, exp := math.Frexp(largest)
	c.b, c.scale, c.left = b, math.Ldexp(1, exp), b.Rows < b.Cols
	c.n, c.rows = b.Cols, b.Rows
	trans := blas.Trans
	if c.left {
		c.n, c.rows, trans = b.Rows, b.Cols, blas.NoTrans
	}
	c.g = grown(c.g, c.n*c.n)
	blas64.Syrk(trans, math.Ldexp(1, -2*exp), b, 0, blas64.Symmetric{N: c.n, Stride: c.n, Uplo: blas.Lower, Data: c.g})
	mirror(c.g, c.n)
}

// mirror copies the lower half of a square matrix of order n to the upper one, tile by tile.
func mirror(a []float64, n int) {
	const tile = 32
	for i0 := 0; i0 < n; i0 += tile {
		for j0 := 0; j0 <= i0; j0 += tile {
			for j := j0; j < min(j0+tile, n); j++ {
				for i := max(i0, j+1); i < min(i0+tile, n); i++ {
					a[j*n+i] = a[i*n+j]
				}
			}
		}
	}
}

// apply stores Gx in dst for each row x.
func (c *gramian) apply(dst, x blas64.General) {
	rowsTimes(blas.NoTrans, 1, x, blas64.General{Rows: c.n, Cols: c.n, Stride: c.n, Data: c.g}, 0, dst)
}

// forward stores Cx in dst for each row x.
func (c *gramian) forward(dst, x blas64.General) {
	trans := blas.Trans
	if c.left {
		trans = blas.NoTrans
	}
	rowsTimes(trans, 1/c.scale, x, c.b, 0, dst)
}

// backward stores Cᵀz in dst for each row z.
func (c *gramian) backward(dst, z blas64.General) {
	trans := blas.NoTrans
	if c.left {
		trans = blas.Trans
	}
	rowsTimes(trans, 1/c.scale, z, c.b, 0, dst)
}

// frobenius returns ‖G‖_F².
func (c *gramian) frobenius() float64 {
	v := blas64.Vector{N: len(c.g), Inc: 1, Data: c.g}
	return blas64.Dot(v, v)
}
