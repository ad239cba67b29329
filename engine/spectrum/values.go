package spectrum

import (
	"slices"

	"gonum.org/v1/gonum/blas"
	lapack "gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/mat"

	kernels "kappa/engine/blas"
)

// reductionOf returns a divided by 2^exp, which has finite elements, in bidiagonal form.
func reductionOf(a *mat.Dense) (r *reduction, exp int) {
	m, n := a.Dims()
	k, stride := min(m, n), roundUp(n)
	r = &reduction{
		m: m, n: n, stride: stride, a: make([]float64, m*stride), d: make([]float64, k), e: make([]float64, k-1),
		tau: make([]float64, k), work: make([]float64, workSize(m, stride)), panel: &panel{},
	}
	exp = exponent(a)
	for i := range m {
		copyScaled(r.a[i*stride:i*stride+n], a.RawRowView(i), -exp)
	}
	r.run()
	if m < n {
		// The form is lower bidiagonal; read from its last element to its first it is an upper one.
		slices.Reverse(r.d)
		slices.Reverse(r.e)
	}
	return r, exp
}

// singularValues returns all singular values of a, m×n with finite elements, in descending order, each to a modest multiple of
// max(m, n)·ε of the largest: a is brought to bidiagonal form, whose values the quotient-difference algorithm finds to high relative
// accuracy (B. N. Parlett, O. A. Marques, An implementation of the dqds algorithm, Linear Algebra Appl. 309, 2000, 217–259). The cost
// is 8/3·n³ operations for m = n. ok is false where the iteration does not converge.
func singularValues(a *mat.Dense) (values []float64, ok bool) {
	r, exp := reductionOf(a)
	k := len(r.d)
	ok = lapack.Implementation{}.Dbdsqr(blas.Upper, k, 0, 0, 0, r.d, r.e, nil, 1, nil, 1, nil, 1, make([]float64, 4*k))
	copyScaled(r.d, r.d, exp)
	return r.d, ok
}

// rightVectors is singularValues with the right singular vectors as the columns of v, n×min(m, n), by the implicit QR algorithm. They
// are orthonormal to working precision, whatever the values. The cost is about 8·n³ operations for m = n, most of them rotations.
func rightVectors(a *mat.Dense) (values []float64, v *mat.Dense, ok bool) {
	r, exp := reductionOf(a)
	n, k := r.n, len(r.d)
	vt := r.turned()
	// The rotations meet each column of Vᵀ by itself: both halves repeat the iteration that finds them, and apply them to their own.
	const halves = 2
	var good [halves]bool
	var d [halves][]float64
	kernels.Split(halves, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			d[i] = slices.Clone(r.d)
			from, to := i*n/halves, (i+1)*n/halves
			good[i] = lapack.Implementation{}.Dbdsqr(blas.Upper, k, to-from, 0, 0, d[i], slices.Clone(r.e), vt[from:], n, nil, 1, nil, 1, make([]float64, 4*k))
		}
	})
	v = mat.NewDense(n, k, nil)
	raw := v.RawMatrix()
	for i := range k {
		for j, e := range vt[i*n : (i+1)*n] {
			raw.Data[j*k+i] = e
		}
	}
	copyScaled(d[0], d[halves-1], exp)
	return d[0], v, good[0] && good[halves-1]
}

// turned returns the transposed product of the reflections from the right, the first min(m, n) rows of it, in the order of the upper form.
func (r *reduction) turned() []float64 {
	n, k := r.n, len(r.d)
	vt := make([]float64, k*n)
	first := 0 // rows and columns that no reflection meets
	if r.m >= n {
		first = 1
		vt[0] = 1
	}
	rows := k - first
	if rows > 0 {
		q := r.a[first:]
		work := make([]float64, rows*32)
		lapack.Implementation{}.Dorglq(rows, n-first, rows, q, r.stride, r.tau, work, len(work))
		for i := range rows {
			copy(vt[(i+first)*n+first:(i+first+1)*n], q[i*r.stride:])
		}
	}
	if r.m < n {
		for i, j := 0, k-1; i < j; i, j = i+1, j-1 {
			for c := range n {
				vt[i*n+c], vt[j*n+c] = vt[j*n+c], vt[i*n+c]
			}
		}
	}
	return vt
}
