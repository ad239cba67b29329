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
	panel        *panel    // its memory is used
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
		p := r.panel
		p.start(m, n, a, r.stride)
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
		squares := leftRow(y[i+1:n], v[i+1:n], row[i+1:], sums[i+1:n], tauQ, inverse)
		beta, tauP, inverseP := reflection(v[i+1], squares)
		e[i], tau[i] = beta, tauP
		v[i+1], row[i+1] = 1, 1
		scaled, tail := row[i+2:n], v[i+2:n]
		scaled = scaled[:len(tail)]
		for j, value := range tail {
			value *= inverseP
			scaled[j], tail[j] = value, value
		}
		if i == m-1 {
			break
		}
		left := (i + 1) / lane * lane
		rows, cols := m-1-i, s-left
		sweep(general(rows, cols, a[(i+1)*stride+left:], stride), general(2, rows, column[i+1:2*m], m), inverse, general(2, cols, y[left:2*s], s), tauP, sums[left:], i+1-left)
	}
}

// leftRow stores y = tau·(row + inverse·sums) and v = row − y, and returns the sum of squares of v without its first element.
func leftRow(y, v, row, sums []float64, tau, inverse float64) (squares float64) {
	n := len(v)
	y, row, sums = y[:n], row[:n], sums[:n]
	y[0] = tau * (row[0] + sums[0]*inverse)
	v[0] = row[0] - y[0]
	var s0, s1, s2, s3 float64
	j := 1
	for ; j+4 <= n; j += 4 {
		y4, v4, r4, t4 := y[j:j+4:j+4], v[j:j+4:j+4], row[j:j+4:j+4], sums[j:j+4:j+4]
		y4[0], y4[1], y4[2], y4[3] = tau*(r4[0]+t4[0]*inverse), tau*(r4[1]+t4[1]*inverse), tau*(r4[2]+t4[2]*inverse), tau*(r4[3]+t4[3]*inverse)
		v0, v1, v2, v3 := r4[0]-y4[0], r4[1]-y4[1], r4[2]-y4[2], r4[3]-y4[3]
		v4[0], v4[1], v4[2], v4[3] = v0, v1, v2, v3
		s0, s1, s2, s3 = s0+v0*v0, s1+v1*v1, s2+v2*v2, s3+v3*v3
	}
	for ; j < n; j++ {
		y[j] = tau * (row[j] + sums[j]*inverse)
		v[j] = row[j] - y[j]
		s0 += v[j] * v[j]
	}
	return (s0 + s1) + (s2 + s3)
}
