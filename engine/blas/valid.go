package blas

import "gonum.org/v1/gonum/blas"

// The functions here say whether arguments are as gonum's routines want them. Where they are not the routine of gonum is called,
// which panics with its own words.

// fits reports whether a slice of length n holds rows rows of cols numbers, ld apart.
func fits(n, rows, cols, ld int) bool {
	if rows < 0 || cols < 0 || ld < max(1, cols) {
		return false
	}
	return rows == 0 || cols == 0 || n >= (rows-1)*ld+cols
}

func validTrans(t blas.Transpose) bool {
	return t == blas.NoTrans || t == blas.Trans || t == blas.ConjTrans
}

func validUplo(ul blas.Uplo) bool { return ul == blas.Upper || ul == blas.Lower }

func validGemm(tA, tB blas.Transpose, m, n, k, a, lda, b, ldb, c, ldc int) bool {
	if !validTrans(tA) || !validTrans(tB) {
		return false
	}
	ar, ac, br, bc := m, k, k, n
	if transposed(tA) {
		ar, ac = k, m
	}
	if transposed(tB) {
		br, bc = n, k
	}
	return fits(a, ar, ac, lda) && fits(b, br, bc, ldb) && fits(c, m, n, ldc)
}

func validSyrk(ul blas.Uplo, tA blas.Transpose, n, k, a, lda, c, ldc int) bool {
	if !validUplo(ul) || !validTrans(tA) {
		return false
	}
	r, s := n, k
	if transposed(tA) {
		r, s = k, n
	}
	return fits(a, r, s, lda) && fits(c, n, n, ldc)
}

func validDiag(d blas.Diag) bool { return d == blas.Unit || d == blas.NonUnit }

func validSide(s blas.Side) bool { return s == blas.Left || s == blas.Right }

// fitsVector reports whether a slice of length len holds n numbers in steps of inc.
func fitsVector(length, n, inc int) bool {
	if inc < 0 {
		inc = -inc
	}
	return inc != 0 && n > 0 && length > (n-1)*inc
}

// validTriangle says it for a triangular or symmetric matrix A beside an m×n matrix B.
func validTriangle(s blas.Side, ul blas.Uplo, m, n, a, lda, b, ldb int) bool {
	if !validSide(s) || !validUplo(ul) {
		return false
	}
	order := m
	if s == blas.Right {
		order = n
	}
	return fits(a, order, order, lda) && fits(b, m, n, ldb)
}
