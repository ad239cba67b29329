package blas

import "gonum.org/v1/gonum/blas"

// apart is the number of elements of a matrix from which a product with a vector is shared with a helper, and half of what one part
// has at least. Below, the matrix is in a cache of the caller's core.
const apart = 64 << 10

// short is the number of elements below which gonum's routines are as good.
const short = 64

// rowWork is a matrix times a vector, or a vector added to its rows, in parts.
type rowWork struct {
	*rowKernels
	kind  rowKind
	m, n  int
	alpha float64
	beta  float64
	a     []float64
	lda   int
	x, y  []float64
	task  *task

	xs, ys []float64 // copies of vectors with steps

	vectors, stepX, stepY int // of Gemvs: more than one vector, rows with these steps; else 0
}

type rowKind int

const (
	gemv  rowKind = iota // y ← α·A·x + β·y
	gemvT                // y ← α·Aᵀ·x + β·y
	ger                  // A ← A + α·x·yᵀ
)

func newRowWork() *rowWork {
	w := &rowWork{task: newTask()}
	w.task.part = w.cut
	return w
}

var rowWorks stack[rowWork]

func (w *rowWork) run() {
	parts := 1
	if size := w.m * w.n; size >= apart {
		parts = min(1+Spare(), 2*size/apart)
	}
	units := w.m / fused
	if w.kind == gemvT {
		units = w.n / columnUnit
	}
	parts = max(1, min(parts, units))
	if parts == 1 {
		w.cut(0, 1)
		return
	}
	w.task.parts = parts
	team.run(w.task)
}

// columnUnit is what the borders of parts of the columns are multiples of: a cache line.
const columnUnit = 8

func (w *rowWork) cut(i, parts int) {
	border := func(i, n, unit int) int {
		if i == parts {
			return n
		}
		return i * (n / unit) / parts * unit
	}
	switch {
	case w.kind == gemv && w.vectors > 1:
		w.manyRowsTimes(border(i, w.m, fused), border(i+1, w.m, fused))
	case w.kind == gemvT && w.vectors > 1:
		w.manyColumnsTimes(border(i, w.n, columnUnit), border(i+1, w.n, columnUnit))
	case w.kind == gemv:
		w.rowsTimes(border(i, w.m, fused), border(i+1, w.m, fused))
	case w.kind == gemvT:
		w.columnsTimes(border(i, w.n, columnUnit), border(i+1, w.n, columnUnit))
	case w.kind == ger:
		w.addToRows(border(i, w.m, fused), border(i+1, w.m, fused))
	}
}

// rowsTimes computes y[i0 … i1] of gemv.
func (w *rowWork) rowsTimes(i0, i1 int) {
	var sum [fused]float64
	for i := i0; i < i1; i += fused {
		rows := min(fused, i1-i)
		if rows == fused {
			w.dots(w.n, &w.a[i*w.lda], 8*w.lda, &w.x[0], &sum[0])
		} else {
			for r := range rows {
				w.dot(w.n, &w.a[(i+r)*w.lda], 0, &w.x[0], &sum[r])
			}
		}
		for r := range rows {
			if w.beta == 0 {
				w.y[i+r] = w.alpha * sum[r]
			} else {
				w.y[i+r] = w.beta*w.y[i+r] + w.alpha*sum[r]
			}
		}
	}
}

// columnsTimes computes y[j0 … j1] of gemvT.
func (w *rowWork) columnsTimes(j0, j1 int) {
	y := w.y[j0:j1]
	switch w.beta {
	case 0:
		clear(y)
	case 1:
	default:
		for j := range y {
			y[j] *= w.beta
		}
	}
	var c [fused]float64
	for i := 0; i < w.m; i += fused {
		rows := min(fused, w.m-i)
		for r := range rows {
			c[r] = w.alpha * w.x[i+r]
		}
		if rows == fused {
			w.axpys(len(y), &w.a[i*w.lda+j0], 8*w.lda, &c[0], &y[0])
			continue
		}
		for r := range rows {
			w.axpy(len(y), &w.a[(i+r)*w.lda+j0], 0, &c[r], &y[0])
		}
	}
}

// addToRows updates rows i0 … i1 of ger.
func (w *rowWork) addToRows(i0, i1 int) {
	var c [fused]float64
	for i := i0; i < i1; i += fused {
		rows := min(fused, i1-i)
		for r := range rows {
			c[r] = w.alpha * w.x[i+r]
		}
		if rows == fused {
			w.rankOne(w.n, &w.a[i*w.lda], 8*w.lda, &c[0], &w.y[0])
			continue
		}
		for r := range rows {
			w.axpy(w.n, &w.y[0], 0, &c[r], &w.a[(i+r)*w.lda])
		}
	}
}

// contiguous returns the n elements of x with steps of inc, copied to buf unless inc is 1.
func contiguous(buf *[]float64, n int, x []float64, inc int) []float64 {
	if inc == 1 {
		return x[:n]
	}
	if cap(*buf) < n {
		*buf = make([]float64, n)
	}
	out := (*buf)[:n]
	at := 0
	if inc < 0 {
		at = (1 - n) * inc
	}
	for i := range out {
		out[i] = x[at]
		at += inc
	}
	return out
}

// spread copies v back to x with steps of inc.
func spread(x []float64, inc int, v []float64) {
	at := 0
	if inc < 0 {
		at = (1 - len(v)) * inc
	}
	for _, e := range v {
		x[at] = e
		at += inc
	}
}

// Dgemv computes y ← α·A·x + β·y, or α·Aᵀ·x + β·y, A m×n; see gonum's Dgemv for the arguments, whose checks and panics are the same.
func (i Implementation) Dgemv(tA blas.Transpose, m, n int, alpha float64, a []float64, lda int, x []float64, incX int, beta float64, y []float64, incY int) {
	nx, ny := n, m
	if transposed(tA) {
		nx, ny = m, n
	}
	if i.r == nil || m*n < short && incX > 0 && incY > 0 || alpha == 0 ||
		!validTrans(tA) || !fits(len(a), m, n, lda) || !fitsVector(len(x), nx, incX) || !fitsVector(len(y), ny, incY) {
		i.Implementation.Dgemv(tA, m, n, alpha, a, lda, x, incX, beta, y, incY)
		return
	}
	kind := gemv
	if transposed(tA) {
		kind = gemvT
	}
	if m*n < apart && incX == 1 && incY == 1 { // alone, on the stack
		w := rowWork{rowKernels: i.r, kind: kind, m: m, n: n, alpha: alpha, beta: beta, a: a, lda: lda, x: x, y: y}
		w.cut(0, 1)
		return
	}
	w := rowWorks.take(newRowWork)
	w.rowKernels, w.kind, w.m, w.n, w.alpha, w.beta, w.a, w.lda = i.r, kind, m, n, alpha, beta, a, lda
	w.x, w.y = contiguous(&w.xs, nx, x, incX), contiguous(&w.ys, ny, y, incY)
	w.run()
	if incY != 1 {
		spread(y, incY, w.y)
	}
	w.release()
}

func (w *rowWork) release() {
	w.a, w.x, w.y = nil, nil, nil
	rowWorks.give(w)
}

// Dger computes A ← A + α·x·yᵀ, A m×n.
func (i Implementation) Dger(m, n int, alpha float64, x []float64, incX int, y []float64, incY int, a []float64, lda int) {
	if i.r == nil || m*n < short && incX > 0 && incY > 0 || alpha == 0 ||
		!fits(len(a), m, n, lda) || !fitsVector(len(x), m, incX) || !fitsVector(len(y), n, incY) {
		i.Implementation.Dger(m, n, alpha, x, incX, y, incY, a, lda)
		return
	}
	if m*n < apart && incX == 1 && incY == 1 {
		w := rowWork{rowKernels: i.r, kind: ger, m: m, n: n, alpha: alpha, a: a, lda: lda, x: x, y: y}
		w.cut(0, 1)
		return
	}
	w := rowWorks.take(newRowWork)
	w.rowKernels, w.kind, w.m, w.n, w.alpha, w.a, w.lda = i.r, ger, m, n, alpha, a, lda
	w.x, w.y = contiguous(&w.xs, m, x, incX), contiguous(&w.ys, n, y, incY)
	w.run()
	w.release()
}

// symmetricBlock and vectorBlock are the orders of the diagonal blocks that Dsymv and Dtrsv leave to simple loops.
const (
	symmetricBlock = 16
	vectorBlock    = 64
)

// Dsymv computes y ← α·A·x + β·y, of A symmetric of order n one triangle.
func (i Implementation) Dsymv(ul blas.Uplo, n int, alpha float64, a []float64, lda int, x []float64, incX int, beta float64, y []float64, incY int) {
	if i.r == nil || n <= symmetricBlock || alpha == 0 || incY != 1 ||
		!validUplo(ul) || !fits(len(a), n, n, lda) || !fitsVector(len(x), n, incX) || !fitsVector(len(y), n, incY) {
		i.Implementation.Dsymv(ul, n, alpha, a, lda, x, incX, beta, y, incY)
		return
	}
	if incX != 1 { // a column of a matrix, as in the reduction to tridiagonal form
		w := rowWorks.take(newRowWork)
		defer w.release()
		x = contiguous(&w.xs, n, x, incX)
	}
	for j := 0; j < n; j += symmetricBlock {
		size := min(symmetricBlock, n-j)
		i.Implementation.Dsymv(ul, size, alpha, a[j*lda+j:], lda, x[j:], 1, beta, y[j:], 1)
	}
	for j := 0; j < n; j += symmetricBlock {
		size := min(symmetricBlock, n-j)
		if ul == blas.Upper {
			if after := j + size; after < n {
				block := a[j*lda+after:]
				i.Dgemv(blas.NoTrans, size, n-after, alpha, block, lda, x[after:], 1, 1, y[j:], 1)
				i.Dgemv(blas.Trans, size, n-after, alpha, block, lda, x[j:], 1, 1, y[after:], 1)
			}
		} else if j > 0 {
			block := a[j*lda:]
			i.Dgemv(blas.NoTrans, size, j, alpha, block, lda, x, 1, 1, y[j:], 1)
			i.Dgemv(blas.Trans, size, j, alpha, block, lda, x[j:], 1, 1, y, 1)
		}
	}
}

// Dtrsv solves op(A)·x = b, A triangular of order n; b is overwritten with x.
func (i Implementation) Dtrsv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n int, a []float64, lda int, x []float64, incX int) {
	if i.r == nil || n <= vectorBlock || incX != 1 || !validUplo(ul) || !validTrans(tA) || !validDiag(d) ||
		!fits(len(a), n, n, lda) || !fitsVector(len(x), n, incX) {
		i.Implementation.Dtrsv(ul, tA, d, n, a, lda, x, incX)
		return
	}
	t := transposed(tA)
	forward := (ul == blas.Lower) != t
	for step := 0; step < n; step += vectorBlock {
		// Rows j … j+size are solved; the rows solved before are behind, those to come ahead.
		size := min(vectorBlock, n-step)
		j := step
		if !forward {
			j = n - step - size
		}
		if !t && step > 0 {
			behind := x[:j]
			block := a[j*lda:]
			if !forward {
				behind = x[j+size:]
				block = a[j*lda+j+size:]
			}
			i.Dgemv(blas.NoTrans, size, len(behind[:step]), -1, block, lda, behind, 1, 1, x[j:], 1)
		}
		i.Implementation.Dtrsv(ul, tA, d, size, a[j*lda+j:], lda, x[j:], 1)
		if ahead := n - step - size; t && ahead > 0 {
			block, to := a[j*lda:], x
			if forward {
				block, to = a[j*lda+j+size:], x[j+size:]
			}
			i.Dgemv(blas.Trans, size, ahead, -1, block, lda, x[j:], 1, 1, to, 1)
		}
	}
}

// Ddot returns xᵀy.
func (i Implementation) Ddot(n int, x []float64, incX int, y []float64, incY int) float64 {
	if i.r == nil || n < short || incX != 1 || incY != 1 || len(x) < n || len(y) < n {
		return i.Implementation.Ddot(n, x, incX, y, incY)
	}
	var out float64
	i.r.dot(n, &x[0], 0, &y[0], &out)
	return out
}

// Daxpy computes y ← α·x + y.
func (i Implementation) Daxpy(n int, alpha float64, x []float64, incX int, y []float64, incY int) {
	if i.r == nil || n < short || alpha == 0 || incX != 1 || incY != 1 || len(x) < n || len(y) < n {
		i.Implementation.Daxpy(n, alpha, x, incX, y, incY)
		return
	}
	i.r.axpy(n, &x[0], 0, &alpha, &y[0])
}
