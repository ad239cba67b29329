package spectrum

import (
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Top returns the largest eigenvalue of a symmetric positive semi-definite matrix s of order n and a unit eigenvector of it, at about
// a quarter of the cost of all of them: s is brought to bidiagonal form, as in Extremes, and nothing but this pair is computed. Its
// error is that of a backward-stable decomposition, a small multiple of n·ε·λ_1. For s = 0 both are zero.
//
// The vector belongs to w and is overwritten by its next use; s is not modified. An error is returned if s has an element that is
// not finite. The cost is 8/3·n³ operations.
func (w *Workspace) Top(s *mat.SymDense) (lambda float64, v []float64, err error) {
	n, scale, err := w.semidefinite(s)
	if err != nil {
		return math.NaN(), nil, err
	}
	if scale == 0 {
		clear(w.first)
		return 0, w.first, nil
	}
	square := w.b.eigenvalue(1)
	if !w.vector(w.first, square, n, n) {
		return w.eigen(s, n-1)
	}
	return math.Sqrt(square) * scale, w.first, nil
}

// Bottom is Top for the smallest eigenvalue. Where s is singular to working precision, λ_n ≤ n·ε·λ_1, which s = 0 is, ok is false
// and there is no vector.
func (w *Workspace) Bottom(s *mat.SymDense) (lambda float64, v []float64, ok bool, err error) {
	n, scale, err := w.semidefinite(s)
	if err != nil || scale == 0 {
		return 0, nil, false, err
	}
	top, square := w.b.eigenvalue(1), w.b.eigenvalue(n)
	if math.Sqrt(square) <= float64(n)*eps*math.Sqrt(top) {
		return 0, nil, false, nil
	}
	if w.vector(w.last, square, n, n) {
		return math.Sqrt(square) * scale, w.last, true, nil
	}
	lambda, v, err = w.eigen(s, 0)
	return lambda, v, err == nil, err
}

// semidefinite brings s to bidiagonal form. The eigenvalues of BᵀB are then the squares of those of s, divided by scale².
func (w *Workspace) semidefinite(s *mat.SymDense) (n int, scale float64, err error) {
	n = s.SymmetricDim()
	w.reserve(n, n)
	raw := s.RawSymmetric()
	for i := range n {
		row := raw.Data[i*raw.Stride+i : i*raw.Stride+n]
		copy(w.feature[i*n+i:], row)
		below := w.feature[i*n+i:]
		for j, v := range row {
			below[j*n] = v
		}
	}
	w.f.SetRawMatrix(blas64.General{Rows: n, Cols: n, Stride: n, Data: w.feature})
	if err := finite(&w.f, "the matrix"); err != nil {
		return n, 0, err
	}
	return n, w.bidiagonalise(n, n), nil
}

// eigen returns the i-th eigenvalue of s in ascending order and its vector from the full decomposition.
func (w *Workspace) eigen(s *mat.SymDense, i int) (lambda float64, v []float64, err error) {
	w.fallbacks++
	var eig mat.EigenSym
	if !eig.Factorize(s, true) {
		return math.NaN(), nil, ErrSVD
	}
	var q mat.Dense
	eig.VectorsTo(&q)
	return eig.Values(nil)[i], mat.Col(w.first, i, &q), nil
}
