package spectrum

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

const (
	// qrColumns is the number of reflections that are applied together.
	qrColumns = 32
	// qrRows is the number of rows of the data that are taken up at once: they and the triangle stay in a cache.
	qrRows = 784
)

// orthogonalFactor is the triangular factor R of the rows taken up so far, and the memory to take up more.
type orthogonalFactor struct {
	d    int
	r    []float64 // d×d
	rows []float64 // rows that are taken up, m×d
	m    int

	vectors []float64 // the reflections' vectors below their leading 1s, which lie in R, one a row
	t       []float64 // Q = I − V·T·Vᵀ
	gram    []float64 // VᵀV
	w       []float64 // two matrices of qrColumns×d
}

// triangular returns the triangular factor R, d×d, of the QR decomposition of x, n×d with n > d, whose elements are finite. It is
// backward stable: XᵀX is never formed.
//
// The rows are taken up in blocks, as in the update of a QR decomposition (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th
// ed., section 6.5.3; J. Demmel, L. Grigori, M. Hoemmen, J. Langou, Communication-optimal parallel and sequential QR and LU
// factorizations, SIAM J. Sci. Comput. 34, 2012, A206–A239): R and a block below it are brought to triangular form by reflections that
// meet one row of R and the block each, in the compact form of Schreiber and Van Loan, so that nearly all is matrix products. The
// cost is 2nd² operations.
func triangular(x *mat.Dense) *mat.Dense {
	n, d := x.Dims()
	exp := exponent(x)
	f := orthogonalFactor{
		d: d, r: make([]float64, d*d), rows: make([]float64, min(n, qrRows)*d), vectors: make([]float64, qrColumns*min(n, qrRows)),
		t: make([]float64, qrColumns*qrColumns), gram: make([]float64, qrColumns*qrColumns), w: make([]float64, 2*qrColumns*d),
	}
	blocks := (n + qrRows - 1) / qrRows
	for i := range blocks {
		from, to := i*n/blocks, (i+1)*n/blocks
		f.m = to - from
		for row := from; row < to; row++ {
			copyScaled(f.rows[(row-from)*d:(row-from+1)*d], x.RawRowView(row), -exp)
		}
		f.take()
	}
	copyScaled(f.r, f.r, exp)
	return mat.NewDense(d, d, f.r)
}

// take takes up the m rows.
func (f *orthogonalFactor) take() {
	d, m := f.d, f.m
	for j := 0; j < d; j += qrColumns {
		k := min(qrColumns, d-j)
		f.panel(j, k)
		rest := d - j - k
		if rest == 0 {
			break
		}
		top, below := general(k, rest, f.r[j*d+j+k:], d), general(m, rest, f.rows[j+k:], d)
		v, w := general(k, m, f.vectors, m), general(k, rest, f.w, rest)
		tw := general(k, rest, f.w[qrColumns*d:], rest)
		for i := range k {
			copy(w.Data[i*rest:(i+1)*rest], top.Data[i*d:])
		}
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, v, below, 1, w)
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, general(k, k, f.t, qrColumns), w, 0, tw)
		for i := range k {
			row := top.Data[i*d : i*d+rest]
			for l, e := range tw.Data[i*rest : (i+1)*rest] {
				row[l] -= e
			}
		}
		blas64.Gemm(blas.Trans, blas.NoTrans, -1, v, tw, 1, below)
	}
}

// panel reflects columns j … j+k of R and of the rows, and sets vectors and t. The columns of the rows are left as they are.
func (f *orthogonalFactor) panel(j, k int) {
	d, m := f.d, f.m
	for i := range m {
		for l, v := range f.rows[i*d+j : i*d+j+k] {
			f.vectors[l*m+i] = v
		}
	}
	var tau, products [qrColumns]float64
	for i := range k {
		row := f.r[(j+i)*d+j : (j+i)*d+j+k]
		u := f.vectors[i*m : (i+1)*m]
		beta, factor, inverse := reflection(row[i], inner(u, u))
		row[i], tau[i] = beta, factor
		scale(u, inverse)
		rest := k - i - 1
		if rest == 0 {
			break
		}
		others, w := general(rest, m, f.vectors[(i+1)*m:], m), products[:rest]
		timesVector(1, others, u, 0, w)
		for l := range w {
			w[l] = factor * (w[l] + row[i+1+l])
			row[i+1+l] -= w[l]
		}
		blas64.Ger(-1, vectorOf(w), vectorOf(u), others)
	}
	// T is upper triangular, column by column: T_i = −τ_i·T·(VᵀV)_i above the diagonal τ_i.
	const q = qrColumns
	v, g := general(k, m, f.vectors, m), general(k, k, f.gram, q)
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, v, v, 0, g)
	clear(f.t)
	for i := range k {
		f.t[i*q+i] = tau[i]
		for l := range i {
			sum := 0.0
			for c := l; c < i; c++ {
				sum += f.t[l*q+c] * f.gram[c*q+i]
			}
			f.t[l*q+i] = -tau[i] * sum
		}
	}
}
