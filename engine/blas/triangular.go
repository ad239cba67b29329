package blas

import "gonum.org/v1/gonum/blas"

// stripe is the order of the triangles at which the recursion of a triangular product or solution ends.
const stripe = 16

// turned is the number of rows of B that are turned at once where A stands on the right.
const turned = 128

// triangular is B ← op(A)⁻¹·B or op(A)·B, A triangular of order n, or the same with A on the right, in parts that see different
// columns, or rows, of B. Triangles are halved until they are small, so that nearly all is products of general matrices.
type triangular struct {
	impl  Implementation
	solve bool
	right bool
	lower bool // op(A) is lower triangular
	trans bool
	unit  bool
	order int
	a     []float64
	lda   int
	b     []float64
	ldb   int
	m, n  int
	task  *task

	scratch []triangularScratch
}

type triangularScratch struct {
	scratch[float64]
	strip []float64 // columns of B turned to rows
}

func newTriangular() *triangular {
	t := &triangular{task: newTask()}
	t.task.part = t.cut
	return t
}

var triangulars stack[triangular]

func (t *triangular) run() {
	parts, free := 1, t.n
	if t.right {
		free = t.m
	}
	if work := t.order * t.order * free / 2; work >= together {
		parts = max(1, min(1+Spare(), work/(together/2), free/columnUnit))
	}
	for len(t.scratch) < parts {
		t.scratch = append(t.scratch, triangularScratch{})
	}
	if parts == 1 {
		t.cut(0, 1)
		return
	}
	t.task.parts = parts
	team.run(t.task)
}

func (t *triangular) cut(i, parts int) {
	free := t.n
	if t.right {
		free = t.m
	}
	from, to := i*(free/columnUnit)/parts*columnUnit, free
	if i+1 < parts {
		to = (i + 1) * (free / columnUnit) / parts * columnUnit
	}
	t.halve(0, t.order, from, to, &t.scratch[i])
}

// halve treats the triangle of rows and columns lo … hi of op(A), on columns (rows, where A is on the right) from … to of B.
func (t *triangular) halve(lo, hi, from, to int, s *triangularScratch) {
	if hi-lo <= stripe {
		t.base(lo, hi, from, to, s)
		return
	}
	mid := lo + roundUp((hi-lo)/2, stripe) // < hi
	// The first half goes first in a solution with a lower triangle on the left or an upper one on the right, and in a product with
	// the others.
	first := (t.lower != t.right) == t.solve
	if first {
		t.halve(lo, mid, from, to, s)
		t.couple(lo, mid, hi, first, from, to, s)
		t.halve(mid, hi, from, to, s)
		return
	}
	t.halve(mid, hi, from, to, s)
	t.couple(lo, mid, hi, first, from, to, s)
	t.halve(lo, mid, from, to, s)
}

// couple adds the product with the square between the halves lo … mid and mid … hi, to the second half where the first is solved (or
// the second not multiplied) yet, and else to the first.
func (t *triangular) couple(lo, mid, hi int, first bool, from, to int, s *triangularScratch) {
	p := product[float64]{kernels: t.impl.d, alpha: 1, add: true}
	if t.solve {
		p.alpha = -1
	}
	// x is the half that is read, y the half that is changed.
	x0, x1, y0, y1 := lo, mid, mid, hi
	if first != t.solve {
		x0, x1, y0, y1 = mid, hi, lo, mid
	}
	p.k = x1 - x0
	if t.right { // B[:, y] += B[:, x]·op(A)[x, y]
		p.m, p.n = to-from, y1-y0
		p.a, p.lda = t.b[from*t.ldb+x0:], t.ldb
		p.b, p.ldb, p.tb = t.square(x0, y0), t.lda, t.trans
		p.c, p.ldc = t.b[from*t.ldb+y0:], t.ldb
	} else { // B[y, :] += op(A)[y, x]·B[x, :]
		p.m, p.n = y1-y0, to-from
		p.a, p.lda, p.ta = t.square(y0, x0), t.lda, t.trans
		p.b, p.ldb = t.b[x0*t.ldb+from:], t.ldb
		p.c, p.ldc = t.b[y0*t.ldb+from:], t.ldb
	}
	if p.m > 0 && p.n > 0 {
		p.part(0, p.m, 0, p.n, &s.scratch)
	}
}

// square returns op(A) from row i, column j on.
func (t *triangular) square(i, j int) []float64 {
	if t.trans {
		return t.a[j*t.lda+i:]
	}
	return t.a[i*t.lda+j:]
}

// base treats a small triangle.
func (t *triangular) base(lo, hi, from, to int, s *triangularScratch) {
	if !t.right {
		t.strips(lo, hi, t.b[lo*t.ldb+from:], t.ldb, to-from)
		return
	}
	if s.strip == nil {
		s.strip = make([]float64, stripe*turned)
	}
	n := hi - lo
	for i := from; i < to; i += turned {
		rows := min(turned, to-i)
		block := t.b[i*t.ldb+lo:]
		t.turn(s.strip, turned, block, t.ldb, rows, n)
		t.strips(lo, hi, s.strip, turned, rows)
		t.turn(block, t.ldb, s.strip, turned, n, rows)
	}
}

// turn stores the transpose of src, rows×cols, in dst.
func (t *triangular) turn(dst []float64, ldd int, src []float64, lds, rows, cols int) {
	k := t.impl.d
	whole := cols / k.turns * k.turns
	i := 0
	for ; i+k.turns <= rows && whole > 0; i += k.turns {
		k.turn(whole/k.turns, &src[i*lds], 8*lds, &dst[i], 8*ldd)
		for r := i; r < i+k.turns; r++ {
			for j := whole; j < cols; j++ {
				dst[j*ldd+r] = src[r*lds+j]
			}
		}
	}
	for ; i < rows; i++ {
		for j, v := range src[i*lds:][:cols] {
			dst[j*ldd+i] = v
		}
	}
}

// strips treats the triangle lo … hi on the rows of x, n columns, ld apart: those of B where A is on the left; where it is on the
// right they are columns of B, and the matrix is op(A)ᵀ.
func (t *triangular) strips(lo, hi int, x []float64, ld, n int) {
	size := hi - lo
	below := t.lower != t.right // the matrix is lower triangular
	var c [stripe]float64
	for step := range size {
		// In a solution row i needs those solved already; in a product those that are not yet replaced.
		i := step
		if below != t.solve {
			i = size - 1 - step
		}
		l0, l1 := 0, i
		if !below {
			l0, l1 = i+1, size
		}
		row := x[i*ld : i*ld+n]
		diagonal := t.element(lo+i, lo+i)
		if !t.solve && !t.unit {
			times(row, diagonal)
		}
		for l := l0; l < l1; l++ {
			c[l] = t.element(lo+i, lo+l)
			if t.solve {
				c[l] = -c[l]
			}
		}
		for l := l0; l < l1; {
			if l+fused <= l1 {
				t.impl.r.axpys(n, &x[l*ld], 8*ld, &c[l], &row[0])
				l += fused
				continue
			}
			t.impl.r.axpy(n, &x[l*ld], 0, &c[l], &row[0])
			l++
		}
		if t.solve && !t.unit {
			times(row, 1/diagonal)
		}
	}
}

// element returns element (i, j) of the matrix that strips sees.
func (t *triangular) element(i, j int) float64 {
	if t.trans != t.right {
		i, j = j, i
	}
	return t.a[i*t.lda+j]
}

func times(x []float64, c float64) {
	for i := range x {
		x[i] *= c
	}
}

func (i Implementation) triangle(solve bool, s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha float64, a []float64, lda int, b []float64, ldb int) {
	if m == 0 || n == 0 {
		return
	}
	if alpha != 1 {
		scale(whole, m, n, alpha, b, ldb)
		if alpha == 0 {
			return
		}
	}
	t := triangulars.take(newTriangular)
	t.impl, t.solve, t.right, t.unit, t.trans = i, solve, s == blas.Right, d == blas.Unit, transposed(tA)
	t.lower = (ul == blas.Lower) != t.trans
	t.a, t.lda, t.b, t.ldb, t.m, t.n = a, lda, b, ldb, m, n
	t.order = m
	if t.right {
		t.order = n
	}
	t.run()
	t.a, t.b = nil, nil
	triangulars.give(t)
}

// Dtrsm solves op(A)·X = α·B or X·op(A) = α·B, A triangular; B, m×n, is overwritten with X. A zero on the diagonal gives Inf or NaN.
func (i Implementation) Dtrsm(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha float64, a []float64, lda int, b []float64, ldb int) {
	if i.d == nil || m*n < short || !validTrans(tA) || !validDiag(d) || !validTriangle(s, ul, m, n, len(a), lda, len(b), ldb) {
		i.Implementation.Dtrsm(s, ul, tA, d, m, n, alpha, a, lda, b, ldb)
		return
	}
	i.triangle(true, s, ul, tA, d, m, n, alpha, a, lda, b, ldb)
}

// Dtrmm computes B ← α·op(A)·B or α·B·op(A), A triangular, B m×n.
func (i Implementation) Dtrmm(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha float64, a []float64, lda int, b []float64, ldb int) {
	if i.d == nil || m*n < short || !validTrans(tA) || !validDiag(d) || !validTriangle(s, ul, m, n, len(a), lda, len(b), ldb) {
		i.Implementation.Dtrmm(s, ul, tA, d, m, n, alpha, a, lda, b, ldb)
		return
	}
	i.triangle(false, s, ul, tA, d, m, n, alpha, a, lda, b, ldb)
}

// symmetric is the memory for a symmetric matrix written out.
type symmetric struct{ full []float64 }

var symmetrics stack[symmetric]

// Dsymm computes C ← α·A·B + β·C or α·B·A + β·C, of A symmetric one triangle, C m×n. A is written out in memory of its own.
func (i Implementation) Dsymm(s blas.Side, ul blas.Uplo, m, n int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	if i.d == nil || m == 0 || n == 0 || alpha == 0 ||
		!validTriangle(s, ul, m, n, len(a), lda, len(b), ldb) || !fits(len(c), m, n, ldc) {
		i.Implementation.Dsymm(s, ul, m, n, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	order := m
	if s == blas.Right {
		order = n
	}
	w := symmetrics.take(func() *symmetric { return &symmetric{} })
	if cap(w.full) < order*order {
		w.full = make([]float64, order*order)
	}
	full := w.full[:order*order]
	for r := range order {
		from, to := r, order
		if ul == blas.Lower {
			from, to = 0, r+1
		}
		copy(full[r*order+from:r*order+to], a[r*lda+from:r*lda+to])
		for j := from; j < to; j++ {
			full[j*order+r] = a[r*lda+j]
		}
	}
	if s == blas.Left {
		multiply(i.d, &jobs64, whole, false, false, m, n, m, alpha, full, m, b, ldb, beta, c, ldc)
	} else {
		multiply(i.d, &jobs64, whole, false, false, m, n, n, alpha, b, ldb, full, n, beta, c, ldc)
	}
	symmetrics.give(w)
}
