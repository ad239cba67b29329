package spectrum

import (
	"slices"

	"gonum.org/v1/gonum/blas"
	lapack "gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/mat"
)

// singularValues returns all singular values of a, m×n with finite elements, in descending order, each to a modest multiple of
// max(m, n)·ε of the largest: a is brought to bidiagonal form, whose values the quotient-difference algorithm finds to high relative
// accuracy (B. N. Parlett, O. A. Marques, An implementation of the dqds algorithm, Linear Algebra Appl. 309, 2000, 217–259). The cost
// is 8/3·n³ operations for m = n. ok is false where the iteration does not converge.
func singularValues(a *mat.Dense) (values []float64, ok bool) {
	m, n := a.Dims()
	k, stride := min(m, n), roundUp(n)
	r := reduction{
		m: m, n: n, stride: stride, a: make([]float64, m*stride), d: make([]float64, k), e: make([]float64, k-1),
		tau: make([]float64, k), work: make([]float64, workSize(m, stride)),
	}
	exp := exponent(a)
	for i := range m {
		copyScaled(r.a[i*stride:i*stride+n], a.RawRowView(i), -exp)
	}
	r.run()
	if m < n {
		// The form is lower bidiagonal; read from its last element to its first it is an upper one.
		slices.Reverse(r.d)
		slices.Reverse(r.e)
	}
	ok = lapack.Implementation{}.Dbdsqr(blas.Upper, k, 0, 0, 0, r.d, r.e, nil, 1, nil, 1, nil, 1, make([]float64, 4*k))
	copyScaled(r.d, r.d, exp)
	return r.d, ok
}
