package blas

const badSweep = "blas: a sweep's vectors do not fit its matrix"

// sweepUnit divides the length of the rows of Sweep.
const sweepUnit = 8

// sweeping is what Sweep computes with: there is no interface of gonum that it could be installed behind.
var sweeping = best()

// Sweep is the inner loop of a reduction to bidiagonal form (Howell, Demmel, Fulton, Hammarling, Marmolejo, Cache efficient
// bidiagonalization using BLAS 2.5 operators, ACM Trans. Math. Softw. 34, 2008): one pass over the m×n matrix A at a, rows lda apart,
// by the kernels of this processor. It replaces A by
//
//	A − u·yᵀ − x·vᵀ,   x = tau·(A − u·yᵀ)·v,
//
// c is u divided by scale on entry and column first of the result on return, and the rows of the result after the first,
// transposed, times c are stored in t. u and c have m elements, y, v and t n. It does 8·m·n operations on one core, for matrices
// that fit a cache. Sweep panics where a slice is too short or n no multiple of 8.
func Sweep(m, n int, a []float64, lda int, c []float64, scale float64, y, v []float64, tau float64, t []float64, first int) {
	empty := m == 0 || n == 0
	if m < 0 || n < 0 || lda < n || len(c) < m || len(y) < n || len(v) < n || len(t) < n ||
		!empty && (first < 0 || first >= n || n%sweepUnit != 0 || len(a) < (m-1)*lda+n) {
		panic(badSweep)
	}
	clear(t[:n])
	if empty {
		return
	}
	k := sweeping.r
	if k == nil {
		sweepRows(m, n, a, lda, c, scale, y, v, tau, t, first)
		return
	}
	var yv float64
	k.dot(n, &y[0], 0, &v[0], &yv)
	var q [2 * fused]float64
	skip, i := 1, 0
	for ; i+2*fused <= m; i += 2 * fused {
		if !k.sweep8(n, &a[i*lda], 8*lda, &y[0], &v[0], &c[i], &q[0], &t[0], 8*first, skip, scale, -tau, yv) {
			break
		}
		skip = 0
	}
	for ; i+fused <= m; i += fused {
		k.sweeps(n, &a[i*lda], 8*lda, &y[0], &v[0], &c[i], &q[0], &t[0], 8*first, skip, scale, -tau, yv)
		skip = 0
	}
	for ; i < m; i++ {
		k.sweep(n, &a[i*lda], 8*lda, &y[0], &v[0], &c[i], &q[0], &t[0], 8*first, skip, scale, -tau, yv)
		skip = 0
	}
}

// sweepRows is Sweep where there are no kernels.
func sweepRows(m, n int, a []float64, lda int, c []float64, scale float64, y, v []float64, tau float64, t []float64, first int) {
	y, v, t = y[:n], v[:n], t[:n]
	yv := 0.0
	for j, e := range y {
		yv += e * v[j]
	}
	for i := range m {
		row := a[i*lda:][:n]
		s := 0.0
		for j, e := range row {
			s += e * v[j]
		}
		u := c[i] * scale
		x := tau * (s - u*yv)
		for j := range row {
			row[j] -= u*y[j] + x*v[j]
		}
		c[i] = row[first]
		if i > 0 {
			for j, e := range row {
				t[j] += row[first] * e
			}
		}
	}
}
