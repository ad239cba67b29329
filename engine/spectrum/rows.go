package spectrum

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Float32Tol is the relative tolerance for the rank of an n×d matrix of features that were computed in float32: singular values
// above max(n, d)·2⁻²⁴ times the largest count as non-zero.
func Float32Tol(n, d int) float64 { return float64(max(n, d)) * 0x1p-24 }

// ExtremesOf returns both ends of the spectrum of FᵀF, F = f n×d, of the rank k = #{σ_i(F) > tol·σ_1(F)}, which is found on every
// matrix. No Gram matrix is formed: F is brought to bidiagonal form, the eigenvalues above tol² are counted on that, and the ends are
// found as in [Workspace.Extremes]. For features that were computed in float32 tol is [Float32Tol].
//
// The result belongs to w and is overwritten by its next use; its F is a copy of f. An error is returned if f is empty or has an
// element that is not finite, or tol is not in [0, 1). For n = d the cost is 8/3·d³ operations.
func (w *Workspace) ExtremesOf(f *mat.Dense, tol float64) (*Extremes, error) {
	if math.IsNaN(tol) || tol < 0 || tol >= 1 {
		return nil, fmt.Errorf("spectrum: rank tolerance %v is not in [0, 1)", tol)
	}
	if f == nil || f.IsEmpty() {
		return nil, errors.New("spectrum: empty matrix of features")
	}
	if err := finite(f, "the features"); err != nil {
		return nil, err
	}
	n, d := f.Dims()
	w.reserve(n, d)
	for i := range n {
		copy(w.feature[i*d:(i+1)*d], f.RawRowView(i))
	}
	w.f.SetRawMatrix(blas64.General{Rows: n, Cols: d, Stride: d, Data: w.feature})
	x := &w.extremes
	*x = Extremes{Size: d, F: &w.f, V1: w.first, VK: w.last, resolve: resolveFactor * float64(max(n, d)) * eps, w: w}
	w.hessian.known = false
	scale := w.bidiagonalise(n, d)
	if scale == 0 {
		clear(w.first)
		clear(w.last)
		return x, nil
	}
	top := w.b.eigenvalue(1)
	at := max(tol*tol*top, negligible)
	x.Rank = w.b.above(&[sections]float64{at, at, at, at})[0]
	if !w.ends(x, n, d, scale) {
		return x, w.decompose(x)
	}
	return x, nil
}
