package spectrum

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	kernels "kappa/engine/blas"
)

const (
	// panelSteps is the number of steps of a reduction whose updates are applied to the matrix together.
	panelSteps = 32
	// panelOrder is the order from which on that is faster than to apply each at once.
	panelOrder = 200
	// chunkRows is the number of rows that are read twice in succession, the second time from a cache.
	chunkRows = 48
)

// panel is some steps of a reduction of the m×n matrix A to bidiagonal form. What they have done so far to the rest of A is
// A − LᵀR: A itself is left alone until the panel is complete. A step reads A once, by chunks of rows: the product with the vector of
// the reflection from the right gives the next column, whose product with the transposed matrix gives the next reflection from
// the left.
type panel struct {
	m, n, stride int
	a            []float64
	left         []float64 // L: in turn the u of a step, from its row on, and its x
	right        []float64 // R: in turn the y of a step and its v
	columns      []float64 // the first columns of A, one a row
	column, sums []float64 // the next column; the rows below its first element, transposed, times it
	x            []float64 // scratch of the rows
	byU, byY     []float64 // coefficients of the rows of L
	partSums     []float64 // of each chunk
	partBack     []float64
	step         int
	tau          float64
	chunk        func(lo, hi int)
}

// start sets p to the m×n matrix at a and what comes after it, in the memory that it has.
func (p *panel) start(m, n int, a []float64, stride int) {
	chunks := (m + chunkRows - 1) / chunkRows
	p.left, p.right = grown(p.left, 2*panelSteps*m), grown(p.right, 2*panelSteps*stride)
	p.columns, p.column, p.sums = grown(p.columns, (panelSteps+1)*m), grown(p.column, m), grown(p.sums, stride)
	p.x, p.byU, p.byY = grown(p.x, m), grown(p.byU, 2*panelSteps), grown(p.byY, 2*panelSteps)
	p.partSums, p.partBack = grown(p.partSums, chunks*stride), grown(p.partBack, chunks*2*panelSteps)
	if p.chunk == nil {
		p.chunk = p.pass
	}
	p.m, p.n, p.stride, p.a = m, n, stride, a
	for i := range m {
		p.column[i] = a[i*stride]
	}
	transposedTimesVector(1, general(m-1, n, a[stride:], stride), p.column[1:], 0, p.sums[:n])
}

// reduce does panelSteps steps, applies them to the rest of the matrix, and leaves the panel at the rest.
func (p *panel) reduce(d, e, tau []float64) {
	for i := range p.m {
		for j, v := range p.a[i*p.stride : i*p.stride+panelSteps+1] {
			p.columns[j*p.m+i] = v
		}
	}
	for i := range panelSteps {
		p.one(i, d, e, tau)
	}
	const k = panelSteps
	p.m, p.n, p.a = p.m-k, p.n-k, p.a[k*p.stride+k:]
	blas64.Gemm(blas.Trans, blas.NoTrans, -1, general(2*k, p.m, p.left[k:], p.m+k), general(2*k, p.n, p.right[k:], p.stride), 1,
		general(p.m, p.n, p.a, p.stride))
	copy(p.column, p.column[k:])
	copy(p.sums, p.sums[k:])
}

// one does step i of the panel.
func (p *panel) one(i int, d, e, tau []float64) {
	m, n, s := p.m, p.n, p.stride
	tail := p.column[i+1 : m]
	beta, tauQ, inverse := reflection(p.column[i], inner(tail, tail))
	d[i] = beta
	u := p.left[2*i*m : (2*i+1)*m]
	u[i] = 1
	for j, c := range tail {
		u[i+1+j] = c * inverse
	}
	row := p.a[i*s : i*s+n]
	before := general(2*i, n-i-1, p.right[i+1:], s)
	for j := range before.Rows {
		p.byU[j] = p.left[j*m+i]
	}
	transposedTimesVector(-1, before, p.byU[:before.Rows], 1, row[i+1:])
	y, v := p.right[2*i*s:(2*i+1)*s], p.right[(2*i+1)*s:(2*i+2)*s]
	for j := i + 1; j < n; j++ {
		y[j] = tauQ * (row[j] + p.sums[j]*inverse)
		v[j] = row[j] - y[j]
	}
	tail = v[i+2 : n]
	beta, tauP, inverse := reflection(v[i+1], inner(tail, tail))
	e[i], tau[i] = beta, tauP
	v[i+1] = 1
	scale(tail, inverse)
	copy(row[i+1:], v[i+1:])
	from := (i + 1) / lane * lane
	clear(v[from : i+1])

	known := 2*i + 1
	timesVector(1, general(known, n-i-1, p.right[i+1:], s), v[i+1:n], 0, p.byU[:known])
	for j := range known {
		p.byY[j] = p.right[j*s+i+1]
	}
	p.step, p.tau = i, tauP
	first := (i + 1) / chunkRows
	chunks := (m+chunkRows-1)/chunkRows - first
	kernels.Split(chunks, 1, p.chunk)

	sums, back := p.sums[from:n], p.byU[:known+1]
	copy(sums, p.partSums[first*s+from:])
	copy(back, p.partBack[first*2*panelSteps:])
	for q := first + 1; q < first+chunks; q++ {
		add(sums, p.partSums[q*s+from:])
		add(back, p.partBack[q*2*panelSteps:])
	}
	transposedTimesVector(-1, general(known+1, n-i-1, p.right[i+1:], s), back, 1, p.sums[i+1:n])
}

// pass is what a step does with the rows of some chunks, counted from the one that holds its next row.
func (p *panel) pass(lo, hi int) {
	i, m, n, s := p.step, p.m, p.n, p.stride
	known := 2*i + 1
	first := (i + 1) / chunkRows
	from := (i + 1) / lane * lane
	v := p.right[known*s+from : known*s+n]
	for q := lo + first; q < hi+first; q++ {
		r0, r1 := max(q*chunkRows, i+1), min((q+1)*chunkRows, m)
		steps := general(known, r1-r0, p.left[r0:], m)
		x, h, c := p.left[known*m+r0:known*m+r1], p.x[r0:r1], p.column[r0:r1]
		copy(c, p.columns[(i+1)*m+r0:])
		transposedTimesVector(-1, steps, p.byY[:known], 1, c)
		transposedTimesVector(1, steps, p.byU[:known], 0, h)
		timesVector(1, general(r1-r0, n-from, p.a[r0*s+from:], s), v, 0, x)
		for j := range x {
			x[j] = p.tau * (x[j] - h[j])
			c[j] -= x[j]
		}
		sums, back := p.partSums[q*s+from:q*s+n], p.partBack[q*2*panelSteps:][:known+1]
		clear(sums)
		clear(back)
		if r0 == i+1 {
			r0++
		}
		if r0 < r1 {
			transposedTimesVector(1, general(r1-r0, n-from, p.a[r0*s+from:], s), p.column[r0:r1], 0, sums)
			timesVector(1, general(known+1, r1-r0, p.left[r0:], m), p.column[r0:r1], 0, back)
		}
	}
}

// add adds b to a, which is not longer.
func add(a, b []float64) {
	b = b[:len(a)]
	for i := range a {
		a[i] += b[i]
	}
}
