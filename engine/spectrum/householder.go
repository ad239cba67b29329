package spectrum

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// reflection returns the elementary reflection H = I − τuuᵀ, u = (1, tail·inverse), that maps (alpha, tail) to (beta, 0), from the
// sum of squares of the tail. Where that sum is below least the tail counts as zero and H is the identity: the elements are
// scaled so that the largest is near 1.
func reflection(alpha, squares float64) (beta, tau, inverse float64) {
	const least = 0x1p-800
	if squares < least {
		return alpha, 0, 0
	}
	beta = -math.Copysign(math.Sqrt(alpha*alpha+squares), alpha)
	return beta, (beta - alpha) / beta, 1 / (alpha - beta)
}

// general is the m×n matrix at a with rows stride apart.
func general(m, n int, a []float64, stride int) blas64.General {
	return blas64.General{Rows: m, Cols: n, Stride: stride, Data: a}
}

func vectorOf(v []float64) blas64.Vector { return blas64.Vector{N: len(v), Inc: 1, Data: v} }

// timesVector stores alpha·A·x + beta·y in y.
func timesVector(alpha float64, a blas64.General, x []float64, beta float64, y []float64) {
	if a.Rows > 0 && a.Cols > 0 {
		blas64.Gemv(blas.NoTrans, alpha, a, vectorOf(x), beta, vectorOf(y))
	}
}

// transposedTimesVector stores alpha·Aᵀ·x + beta·y in y.
func transposedTimesVector(alpha float64, a blas64.General, x []float64, beta float64, y []float64) {
	if a.Rows > 0 && a.Cols > 0 {
		blas64.Gemv(blas.Trans, alpha, a, vectorOf(x), beta, vectorOf(y))
	}
}

// scale multiplies v by c.
func scale(v []float64, c float64) {
	for i := range v {
		v[i] *= c
	}
}

// inner returns the scalar product of a and b, which have the same length.
func inner(a, b []float64) float64 {
	if len(a) == 0 {
		return 0
	}
	return blas64.Dot(vectorOf(a), vectorOf(b))
}
