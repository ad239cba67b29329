package blas

import (
	"math"

	"gonum.org/v1/gonum/blas"
)

// together is the number of multiplications from which a product is shared with a helper; below, telling it costs more.
const together = 100_000

// job is a product with the memory of its parts.
type job[T float] struct {
	product[T]
	byRows  bool // parts are of the rows of C, else of its columns
	scratch []scratch[T]
	task    *task
}

func newJob[T float]() *job[T] {
	j := &job[T]{task: newTask()}
	j.task.part = j.cut
	return j
}

// jobs keeps the memory of finished products.
var (
	jobs64 stack[job[float64]]
	jobs32 stack[job[float32]]
)

// run computes the product.
func (j *job[T]) run() {
	parts := 1
	if work := j.m * j.n * j.k; work >= together {
		parts = min(1+Spare(), work/(together/2))
	}
	// Parts of the columns read different panels of op(B); parts of the rows each pack all of them.
	units := (j.n + j.lanes - 1) / j.lanes
	j.byRows = j.shape == whole && units < maxVectors*parts && j.m > j.n
	if j.byRows {
		units = (j.m + j.rows - 1) / j.rows
	}
	parts = max(1, min(parts, units))
	for len(j.scratch) < parts {
		j.scratch = append(j.scratch, scratch[T]{})
	}
	if parts == 1 {
		j.part(0, j.m, 0, j.n, &j.scratch[0])
		return
	}
	j.task.parts = parts
	team.run(j.task)
}

// cut computes the i-th of so many parts.
func (j *job[T]) cut(i, parts int) {
	s := &j.scratch[i]
	if j.byRows {
		units := (j.m + j.rows - 1) / j.rows
		j.part(i*units/parts*j.rows, min(j.m, (i+1)*units/parts*j.rows), 0, j.n, s)
		return
	}
	j.part(0, j.m, j.border(i, parts), j.border(i+1, parts), s)
}

// border returns the column where the i-th part begins. Of a triangle the parts are nearly equal areas.
func (j *job[T]) border(i, parts int) int {
	share := float64(i) / float64(parts)
	switch j.shape {
	case upper:
		share = math.Sqrt(share)
	case lower:
		share = 1 - math.Sqrt(1-share)
	}
	units := (j.n + j.lanes - 1) / j.lanes
	return min(j.n, int(share*float64(units)+0.5)*j.lanes)
}

// multiply computes C ← α·op(A)·op(B) + β·C on the elements of the shape. The arguments are valid.
func multiply[T float](k *kernels[T], pool *stack[job[T]], shape triangle, ta, tb bool, m, n, depth int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	if m == 0 || n == 0 {
		return
	}
	if beta != 0 && beta != 1 || beta == 0 && (alpha == 0 || depth == 0) {
		scale(shape, m, n, beta, c, ldc)
	}
	if alpha == 0 || depth == 0 {
		return
	}
	j := pool.take(newJob[T])
	j.product = product[T]{
		kernels: k, m: m, n: n, k: depth, alpha: alpha, a: a, b: b, c: c, lda: lda, ldb: ldb, ldc: ldc,
		ta: ta, tb: tb, add: beta != 0, shape: shape,
	}
	j.run()
	j.product = product[T]{}
	pool.give(j)
}

// scale multiplies the elements of the shape by β. β = 0 makes them zero, whatever they are.
func scale[T float](shape triangle, m, n int, beta T, c []T, ldc int) {
	for i := range m {
		from, to := 0, n
		switch shape {
		case upper:
			from = i
		case lower:
			to = i + 1
		}
		row := c[i*ldc+from : i*ldc+to]
		if beta == 0 {
			clear(row)
			continue
		}
		for j := range row {
			row[j] *= beta
		}
	}
}

func transposed(t blas.Transpose) bool { return t != blas.NoTrans }

// Dgemm computes C ← α·op(A)·op(B) + β·C; see gonum's Dgemm for the arguments, whose checks and panics are the same. op(A) is m×k,
// op(B) is k×n. Every element of op(A) and op(B) takes part, also where the other factor is 0: NaN and Inf propagate as IEEE 754
// has it. With α = 0 A and B are not read, with β = 0 C is not.
func (i Implementation) Dgemm(tA, tB blas.Transpose, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	if i.d == nil || !validGemm(tA, tB, m, n, k, len(a), lda, len(b), ldb, len(c), ldc) {
		i.Implementation.Dgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	multiply(i.d, &jobs64, whole, transposed(tA), transposed(tB), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Sgemm is Dgemm in float32.
func (i Implementation) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	if i.s == nil || !validGemm(tA, tB, m, n, k, len(a), lda, len(b), ldb, len(c), ldc) {
		i.Implementation.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	multiply(i.s, &jobs32, whole, transposed(tA), transposed(tB), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

func shapeOf(ul blas.Uplo) triangle {
	if ul == blas.Lower {
		return lower
	}
	return upper
}

// Dsyrk computes C ← α·A·Aᵀ + β·C, or α·Aᵀ·A + β·C, on one triangle of C, n×n, with half of Dgemm's operations.
func (i Implementation) Dsyrk(ul blas.Uplo, tA blas.Transpose, n, k int, alpha float64, a []float64, lda int, beta float64, c []float64, ldc int) {
	if i.d == nil || !validSyrk(ul, tA, n, k, len(a), lda, len(c), ldc) {
		i.Implementation.Dsyrk(ul, tA, n, k, alpha, a, lda, beta, c, ldc)
		return
	}
	t := transposed(tA)
	multiply(i.d, &jobs64, shapeOf(ul), t, !t, n, n, k, alpha, a, lda, a, lda, beta, c, ldc)
}

// Ssyrk is Dsyrk in float32.
func (i Implementation) Ssyrk(ul blas.Uplo, tA blas.Transpose, n, k int, alpha float32, a []float32, lda int, beta float32, c []float32, ldc int) {
	if i.s == nil || !validSyrk(ul, tA, n, k, len(a), lda, len(c), ldc) {
		i.Implementation.Ssyrk(ul, tA, n, k, alpha, a, lda, beta, c, ldc)
		return
	}
	t := transposed(tA)
	multiply(i.s, &jobs32, shapeOf(ul), t, !t, n, n, k, alpha, a, lda, a, lda, beta, c, ldc)
}

// Dsyr2k computes C ← α·A·Bᵀ + α·B·Aᵀ + β·C, or α·Aᵀ·B + α·Bᵀ·A + β·C, on one triangle of C, n×n.
func (i Implementation) Dsyr2k(ul blas.Uplo, tA blas.Transpose, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	if i.d == nil || !validSyrk(ul, tA, n, k, len(a), lda, len(c), ldc) || !validSyrk(ul, tA, n, k, len(b), ldb, len(c), ldc) {
		i.Implementation.Dsyr2k(ul, tA, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	t := transposed(tA)
	multiply(i.d, &jobs64, shapeOf(ul), t, !t, n, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
	multiply(i.d, &jobs64, shapeOf(ul), t, !t, n, n, k, alpha, b, ldb, a, lda, 1, c, ldc)
}
