package blas

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

const badGemvs = "blas: the vectors do not fit the matrix"

// Gemvs computes y_i ← α·op(A)·x_i + β·y_i for the rows x_i of x and y_i of y, as many Dgemv of what is installed, and the same to
// the last bit; but it reads A once for up to four vectors. As in Dgemv, y stays as it is where A has no elements. It panics where
// shapes do not fit.
func Gemvs(tA blas.Transpose, alpha float64, a, x blas64.General, beta float64, y blas64.General) {
	nx, ny := a.Cols, a.Rows
	if transposed(tA) {
		nx, ny = ny, nx
	}
	if x.Rows != y.Rows || x.Cols != nx || y.Cols != ny ||
		!fits(len(x.Data), x.Rows, nx, x.Stride) || !fits(len(y.Data), y.Rows, ny, y.Stride) {
		panic(badGemvs)
	}
	if nx == 0 || ny == 0 {
		return
	}
	impl, _ := blas64.Implementation().(Implementation)
	for i := 0; i < x.Rows; {
		m := min(fused, x.Rows-i)
		if impl.r == nil || m == 1 || a.Rows*a.Cols < short || alpha == 0 || !validTrans(tA) || !fits(len(a.Data), a.Rows, a.Cols, a.Stride) {
			blas64.Gemv(tA, alpha, a, blas64.Vector{N: nx, Inc: 1, Data: x.Data[i*x.Stride:]}, beta,
				blas64.Vector{N: ny, Inc: 1, Data: y.Data[i*y.Stride:]})
			i++
			continue
		}
		w := rowWorks.take(newRowWork)
		w.rowKernels, w.m, w.n, w.alpha, w.beta, w.a, w.lda = impl.r, a.Rows, a.Cols, alpha, beta, a.Data, a.Stride
		w.kind = gemv
		if transposed(tA) {
			w.kind = gemvT
		}
		w.vectors, w.stepX, w.stepY = m, x.Stride, y.Stride
		w.x, w.y = x.Data[i*x.Stride:], y.Data[i*y.Stride:]
		w.run()
		w.vectors = 0
		w.release()
		i += m
	}
}

// manyRowsTimes computes y[i0 … i1] of gemv for several vectors.
func (w *rowWork) manyRowsTimes(i0, i1 int) {
	var sum [fused * fused]float64
	for i := i0; i < i1; i += fused {
		rows := min(fused, i1-i)
		if rows < fused || !w.dotsBy(w.vectors, w.n, &w.a[i*w.lda], 8*w.lda, &w.x[0], 8*w.stepX, &sum[0]) {
			for v := range w.vectors {
				for r := range rows {
					w.dot(w.n, &w.a[(i+r)*w.lda], 0, &w.x[v*w.stepX], &sum[v*fused+r])
				}
			}
		}
		for v := range w.vectors {
			y := w.y[v*w.stepY+i:]
			for r := range rows {
				if w.beta == 0 {
					y[r] = w.alpha * sum[v*fused+r]
				} else {
					y[r] = w.beta*y[r] + w.alpha*sum[v*fused+r]
				}
			}
		}
	}
}

// manyColumnsTimes computes y[j0 … j1] of gemvT for several vectors.
func (w *rowWork) manyColumnsTimes(j0, j1 int) {
	var c [fused * fused]float64
	n := j1 - j0
	for v := range w.vectors {
		scale(whole, 1, n, w.beta, w.y[v*w.stepY+j0:], n)
	}
	for i := 0; i < w.m; i += fused {
		rows := min(fused, w.m-i)
		for v := range w.vectors {
			for r := range rows {
				c[v*fused+r] = w.alpha * w.x[v*w.stepX+i+r]
			}
		}
		if rows == fused && w.axpysBy(w.vectors, n, &w.a[i*w.lda+j0], 8*w.lda, &c[0], &w.y[j0], 8*w.stepY) {
			continue
		}
		for v := range w.vectors {
			for r := range rows {
				w.axpy(n, &w.a[(i+r)*w.lda+j0], 0, &c[v*fused+r], &w.y[v*w.stepY+j0])
			}
		}
	}
}
