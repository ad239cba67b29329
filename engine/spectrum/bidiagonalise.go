package spectrum

import (
	"gonum.org/v1/gonum/blas/blas64"
)

// reduction brings an m×n matrix to bidiagonal form by reflections from the left and from the right in turn,
//
//	d_1 e_1                       d_1
//	    d_2 e_2      for m ≥ n,   e_1 d_2        for m < n.
//	        d_3 …                     e_2 d_3
//
// The i-th reflection from the right has its vector, but for the leading 1, in row i of a, where the form has zeros, and its
// factor in tau. Those from the left are not kept. The elements of a must be near 1 at the largest, and those between n and the
// stride, a multiple of lane, zero.
//
// The passes over the matrix are those of Howell, Demmel, Fulton, Hammarling and Marmolejo (Cache efficient bidiagonalization
// using BLAS 2.5 operators, ACM Trans. Math. Softw. 34, 2008, article 14): the product of the transposed matrix with the vector of
// the next reflection from the left is formed with its column as it stands, and corrected when the norm of that is known.
type reduction struct {
	m, n, stride int
	a            []float64
	d, e         []float64 // min(m, n), and one less of them
	tau          []float64 // min(m, n) factors of the reflections from the right
	work         []float64 // workSize(m, stride) numbers
}

// workSize is the size of the memory for a reduction.
func workSize(m, stride int) int { return 2*m + 3*stride }

// lane is what the borders of long loops are multiples of: a cache line.
const lane = 8

// run reduces the matrix.
func (r *reduction) run() {
	if r.m >= r.n {
		r.upper(r.a, r.m, r.d, r.e, r.tau)
		return
	}
	// A lower form is a reflection of the first row and then an upper form of the rows below it.
	r.firstRow()
	if r.m > 1 {
		r.upper(r.a[r.stride:], r.m-1, r.e, r.d[1:], r.tau[1:])
	}
}

// upper reduces the m rows at a to upper bidiagonal form with the diagonal d and the elements e beside it.
func (r *reduction) upper(a []float64, m int, d, e, tau []float64) {
	n := r.n
	if min(m, n) > panelOrder {
		p := newPanel(m, n, a, r.stride)
		for ; min(m, n) > panelOrder; m, n = m-panelSteps, n-panelSteps {
			p.reduce(d, e, tau)
			d, e, tau = d[panelSteps:], e[panelSteps:], tau[panelSteps:]
		}
		a = p.a
	}
	r.unblocked(a, m, n, d, e, tau)
}

// firstRow reflects the first row of the matrix from the right.
func (r *reduction) firstRow() {
	row := r.a[:r.n]
	beta, tau, inverse := reflection(row[0], inner(row[1:], row[1:]))
	r.d[0], r.tau[0] = beta, tau
	scale(row[1:], inverse)
	if r.m == 1 || tau == 0 {
		return
	}
	row[0] = 1
	x := r.work[:r.m-1]
	rest := general(r.m-1, r.n, r.a[r.stride:], r.stride)
	timesVector(1, rest, row, 0, x)
	blas64.Ger(-tau, vectorOf(x), vectorOf(row), rest)
}

// unblocked is upper for an m×n matrix that stays in a cache. The vectors of a step begin at a multiple of lane, with zeros up to the column they belong to.
func (r *reduction) unblocked(a []float64, m, n int, d, e, tau []float64) {
	stride, s := r.stride, roundUp(n)
	// The matrices with rows column and x, and y and v, as sweep has them.
	column, work := r.work[:2*m], r.work[2*m:]
	y, v, sums := work[:2*s], work[s:2*s], work[2*s:3*s]
	clear(y)
	// sums is the product of the transposed rows below the i-th with the i-th column.
	for i := range m {
		column[i] = a[i*stride]
	}
	clear(sums)
	if m > 1 {
		transposedTimesVector(1, general(m-1, n, a[stride:], stride), column[1:], 0, sums[:n])
	}
	for i := range min(m, n) {
		row := a[i*stride : i*stride+n]
		beta, tauQ, inverse := reflection(row[i], sums[i])
		d[i] = beta
		if i == n-1 {
			break
		}
		// y = τ·Aᵀu, the update of the rows from the left being −u·yᵀ; the i-th row is updated first.
		y[i], v[i] = 0, 0
		right, next, added := v[i+1:n], sums[i+1:n], y[i+1:n]
		next, added = next[:len(right)], added[:len(right)]
		for j, e := range row[i+1 : i+1+len(right)] {
			change := tauQ * (e + next[j]*inverse)
			added[j] = change
			right[j] = e - change
		}
		tail := v[i+2 : n]
		beta, tauP, inverseP := reflection(v[i+1], inner(tail, tail))
		e[i], tau[i] = beta, tauP
		v[i+1] = 1
		scale(tail, inverseP)
		copy(row[i+1:], v[i+1:n])
		if i == m-1 {
			break
		}
		u := column[i+1 : m]
		for j := range u {
			u[j] *= inverse
		}
		left := (i + 1) / lane * lane
		rows, cols := m-1-i, s-left
		sweep(general(rows, cols, a[(i+1)*stride+left:], stride), general(2, rows, column[i+1:2*m], m), general(2, cols, y[left:2*s], s), tauP, sums[left:], i+1-left)
	}
}
