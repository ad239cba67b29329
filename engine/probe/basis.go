package probe

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// wideGap is the ratio σ_k/σ_(k+1) from which a pivoted QR factorization and one subspace iteration give the left singular
// subspace to working precision: the factorization is off by a modest multiple of the inverse of the gap, and the iteration
// multiplies that by its square. Narrower gaps, where the rank is a matter of taste anyway, are left to the singular value
// decomposition with vectors, which takes some ten times as long.
const wideGap = 1e5

// dominant returns an orthonormal basis, p×k, of the span of the left singular vectors of f (p×D) to its k largest singular
// values, 0 < k < p; sigma holds all of them. f is left as it is.
func dominant(f blas64.General, sigma []float64, k int) (blas64.General, error) {
	if sigma[k-1] < wideGap*sigma[k] {
		var svd mat.SVD
		if !svd.Factorize(dense(f), mat.SVDThinU) {
			return blas64.General{}, ErrSVD
		}
		var u mat.Dense
		svd.UTo(&u)
		return mat.DenseCopyOf(u.Slice(0, f.Rows, 0, k)).RawMatrix(), nil
	}
	u := pivoted(f, k)
	// One iteration F(Fᵀu), orthonormalised in between: Fᵀu alone has the condition number of F, the product that of H.
	v := blas64.General{Rows: f.Cols, Cols: k, Stride: k, Data: make([]float64, f.Cols*k)}
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, f, u, 0, v)
	orthonormalise(v)
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, f, v, 0, u)
	orthonormalise(u)
	return u, nil
}

// pivoted returns the first k columns of Q of a QR factorization of f with column pivoting.
func pivoted(f blas64.General, k int) blas64.General {
	a := blas64.General{Rows: f.Rows, Cols: f.Cols, Stride: f.Cols, Data: append([]float64(nil), f.Data...)}
	tau := make([]float64, min(f.Rows, f.Cols))
	pivot := make([]int, f.Cols)
	for i := range pivot {
		pivot[i] = -1 // every column may move
	}
	withWork(func(work []float64, lwork int) { lapack64.Geqp3(a, pivot, tau, work, lwork) })
	u := blas64.General{Rows: a.Rows, Cols: k, Stride: k, Data: make([]float64, a.Rows*k)}
	for i := range a.Rows {
		copy(u.Data[i*k:(i+1)*k], a.Data[i*a.Stride:i*a.Stride+k])
	}
	withWork(func(work []float64, lwork int) { lapack64.Orgqr(u, tau[:k], work, lwork) })
	return u
}

// orthonormalise overwrites a (m×k, m ≥ k, full rank) with Q of a = QR and returns R.
func orthonormalise(a blas64.General) (r blas64.Triangular) {
	k := a.Cols
	tau := make([]float64, k)
	withWork(func(work []float64, lwork int) { lapack64.Geqrf(a, tau, work, lwork) })
	r = blas64.Triangular{Uplo: blas.Upper, Diag: blas.NonUnit, N: k, Stride: k, Data: make([]float64, k*k)}
	for i := range k {
		copy(r.Data[i*k+i:(i+1)*k], a.Data[i*a.Stride+i:i*a.Stride+k])
	}
	withWork(func(work []float64, lwork int) { lapack64.Orgqr(a, tau, work, lwork) })
	return r
}

// withWork calls a LAPACK routine twice: to ask for the length of its workspace, and to run it.
func withWork(call func(work []float64, lwork int)) {
	work := make([]float64, 1)
	call(work, -1)
	work = make([]float64, int(work[0]))
	call(work, len(work))
}

// transposed returns aᵀ.
func transposed(a blas64.General) blas64.General {
	var out mat.Dense
	out.CloneFrom(dense(a).T())
	return out.RawMatrix()
}

// dense returns a, whose rows are contiguous, as a matrix that shares its memory.
func dense(a blas64.General) *mat.Dense { return mat.NewDense(a.Rows, a.Cols, a.Data) }
