package spectrum

import (
	"math"

	gonumblas "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"kappa/engine/blas"
)

const (
	// panelWidth is the order of the diagonal blocks of a triangle that are inverted.
	panelWidth = 112
	// leafWidth is the order below which a block is factorised and inverted element by element.
	leafWidth = 14
	// fewRows is the number of rows up to which a product is faster as matrix times vectors.
	fewRows = 8
)

// triangle is a lower triangular matrix L of order n with its diagonal blocks inverted, so that factorising and solving are products
// of blocks. It preconditions an iteration whose result does not depend on it: inverting the blocks costs accuracy where they are
// ill-conditioned (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, section 14.2), and that costs
// iterations alone.
type triangle struct {
	n     int
	l     []float64 // n×n; what is above the diagonal means nothing
	inv   []float64 // n×panelWidth, the inverses of the diagonal blocks one below the other, with zeros above their diagonals
	panel []float64 // n×panelWidth
}

// reset gives t the order n.
func (t *triangle) reset(n int) {
	t.n = n
	t.l = grown(t.l, n*n)
	t.inv = grown(t.inv, n*panelWidth)
	t.panel = grown(t.panel, n*panelWidth)
}

// cholesky stores the Cholesky factor of sign·(g − shift·I) + away·xxᵀ in t, x being left out where away is 0, and reports whether that
// matrix is positive definite to working precision. Only the lower half of g is read. The cost is n³/3 operations.
func (t *triangle) cholesky(g []float64, sign, shift, away float64, x []float64) (ok bool) {
	n := t.n
	for i := range n {
		row, from := t.l[i*n:i*n+i+1], g[i*n:i*n+i+1]
		if sign > 0 {
			copy(row, from)
		} else {
			for j, v := range from {
				row[j] = -v
			}
		}
		row[i] -= sign * shift
		if away != 0 {
			c := away * x[i]
			for j, v := range x[:i+1] {
				row[j] += c * v
			}
		}
	}
	for lo := 0; lo < n; lo += panelWidth {
		hi := min(lo+panelWidth, n)
		if !t.leading(lo, lo, hi) {
			return false
		}
		if hi == n {
			break
		}
		below := t.block(hi, n, lo, hi)
		blas64.Trsm(gonumblas.Right, gonumblas.Trans, 1, blas64.Triangular{
			N: hi - lo, Stride: n, Uplo: gonumblas.Lower, Diag: gonumblas.NonUnit, Data: t.block(lo, hi, lo, hi).Data,
		}, below)
		blas64.Syrk(gonumblas.NoTrans, -1, below, 1, blas64.Symmetric{N: n - hi, Stride: n, Uplo: gonumblas.Lower, Data: t.l[hi*n+hi:]})
	}
	return true
}

// invert forms the inverses of the diagonal blocks of an L that was stored in t.l, and reports whether they are finite.
func (t *triangle) invert() (ok bool) {
	for lo := 0; lo < t.n; lo += panelWidth {
		t.invertLeading(lo, lo, min(lo+panelWidth, t.n))
	}
	for i := range t.n {
		for _, v := range t.inv[i*panelWidth : (i+1)*panelWidth] {
			if v-v != 0 {
				return false
			}
		}
	}
	return true
}

// block is rows a to b, columns c to d of L.
func (t *triangle) block(a, b, c, d int) blas64.General {
	return blas64.General{Rows: b - a, Cols: d - c, Stride: t.n, Data: t.l[a*t.n+c : (b-1)*t.n+d]}
}

// inverse is the part of the inverted diagonal block from base that belongs to rows and columns a to b.
func (t *triangle) inverse(base, a, b int) blas64.General {
	return t.inverseBlock(base, a, b, a, b)
}

func (t *triangle) inverseBlock(base, a, b, c, d int) blas64.General {
	return blas64.General{Rows: b - a, Cols: d - c, Stride: panelWidth, Data: t.inv[a*panelWidth+c-base : (b-1)*panelWidth+d-base]}
}

// leading factorises the diagonal block of rows a to b in place, and inverts it; base is the first row of the whole block.
func (t *triangle) leading(base, a, b int) (ok bool) {
	if b-a <= leafWidth {
		if !t.leaf(a, b) {
			return false
		}
		t.invertLeaf(base, a, b)
		return true
	}
	mid := a + (b-a+1)/2
	if !t.leading(base, a, mid) {
		return false
	}
	below := t.block(mid, b, a, mid)
	kept := blas64.General{Rows: b - mid, Cols: mid - a, Stride: mid - a, Data: t.panel}
	for i := range kept.Rows {
		copy(kept.Data[i*kept.Stride:(i+1)*kept.Stride], below.Data[i*t.n:])
	}
	blas64.Gemm(gonumblas.NoTrans, gonumblas.Trans, 1, kept, t.inverse(base, a, mid), 0, below)
	blas64.Gemm(gonumblas.NoTrans, gonumblas.Trans, -1, below, below, 1, t.block(mid, b, mid, b))
	if !t.leading(base, mid, b) {
		return false
	}
	t.join(base, a, mid, b)
	return true
}

func (t *triangle) invertLeading(base, a, b int) {
	if b-a <= leafWidth {
		t.invertLeaf(base, a, b)
		return
	}
	mid := a + (b-a+1)/2
	t.invertLeading(base, a, mid)
	t.invertLeading(base, mid, b)
	t.join(base, a, mid, b)
}

// join completes the inverse of [A 0; B C] from those of A and C: below A⁻¹ stands −C⁻¹BA⁻¹.
func (t *triangle) join(base, a, mid, b int) {
	product := blas64.General{Rows: b - mid, Cols: mid - a, Stride: mid - a, Data: t.panel}
	blas64.Gemm(gonumblas.NoTrans, gonumblas.NoTrans, 1, t.block(mid, b, a, mid), t.inverse(base, a, mid), 0, product)
	blas64.Gemm(gonumblas.NoTrans, gonumblas.NoTrans, -1, t.inverse(base, mid, b), product, 0, t.inverseBlock(base, mid, b, a, mid))
	for i := a; i < mid; i++ {
		clear(t.inv[i*panelWidth+mid-base : i*panelWidth+b-base])
	}
}

// leaf factorises the block of rows a to b, column by column.
func (t *triangle) leaf(a, b int) (ok bool) {
	n := t.n
	var column [leafWidth]float64
	for j := a; j < b; j++ {
		pivot := t.l[j*n+j]
		if !(pivot > 0) || pivot > math.MaxFloat64 {
			return false
		}
		root := math.Sqrt(pivot)
		t.l[j*n+j] = root
		c := column[:b-j-1]
		for i := range c {
			c[i] = t.l[(j+1+i)*n+j] / root
			t.l[(j+1+i)*n+j] = c[i]
		}
		for i, v := range c {
			row := t.l[(j+1+i)*n+j+1:][:i+1]
			for k, u := range c[:i+1] {
				row[k] -= v * u
			}
		}
	}
	return true
}

// invertLeaf inverts the block of rows a to b, row by row: row i of the inverse is (e_i − Σ_j L_ij·row_j)/L_ii.
func (t *triangle) invertLeaf(base, a, b int) {
	n := t.n
	for i := a; i < b; i++ {
		row := t.inv[i*panelWidth+a-base : i*panelWidth+b-base]
		clear(row)
		scale := 1 / t.l[i*n+i]
		for j := a; j < i; j++ {
			c := -t.l[i*n+j] * scale
			for k, v := range t.inv[j*panelWidth+a-base : j*panelWidth+j+1-base] {
				row[k] += c * v
			}
		}
		row[i-a] = scale
	}
}

// solve overwrites each row x of rows with (LLᵀ)⁻¹x.
func (t *triangle) solve(rows blas64.General) {
	n, c := t.n, rows.Rows
	part := func(lo, hi int) blas64.General {
		return blas64.General{Rows: c, Cols: hi - lo, Stride: rows.Stride, Data: rows.Data[lo : (c-1)*rows.Stride+hi]}
	}
	times := func(trans gonumblas.Transpose, lo, hi int) {
		kept := blas64.General{Rows: c, Cols: hi - lo, Stride: hi - lo, Data: t.panel}
		for i := range c {
			copy(kept.Data[i*kept.Stride:(i+1)*kept.Stride], rows.Data[i*rows.Stride+lo:])
		}
		rowsTimes(trans, 1, kept, t.inverse(lo, lo, hi), 0, part(lo, hi))
	}
	last := (n - 1) / panelWidth * panelWidth
	for lo := 0; lo < n; lo += panelWidth {
		hi := min(lo+panelWidth, n)
		if lo > 0 {
			rowsTimes(gonumblas.Trans, -1, part(0, lo), t.block(lo, hi, 0, lo), 1, part(lo, hi))
		}
		times(gonumblas.Trans, lo, hi)
	}
	for lo := last; lo >= 0; lo -= panelWidth {
		hi := min(lo+panelWidth, n)
		if hi < n {
			rowsTimes(gonumblas.NoTrans, -1, part(hi, n), t.block(hi, n, lo, hi), 1, part(lo, hi))
		}
		times(gonumblas.NoTrans, lo, hi)
	}
}

// rowsTimes stores α·x·op(a) + β·y in y, for an x of few rows: up to fewRows of them go as vectors, since a general product would
// rearrange a first.
func rowsTimes(trans gonumblas.Transpose, alpha float64, x, a blas64.General, beta float64, y blas64.General) {
	if x.Rows > fewRows {
		blas64.Gemm(gonumblas.NoTrans, trans, alpha, x, a, beta, y)
		return
	}
	other := gonumblas.Trans
	if trans == gonumblas.Trans {
		other = gonumblas.NoTrans
	}
	blas.Gemvs(other, alpha, a, x, beta, y)
}

// dot returns Σx_i·y_i over the elements of x.
func dot(x, y []float64) float64 {
	return blas64.Dot(blas64.Vector{N: len(x), Inc: 1, Data: x}, blas64.Vector{N: len(x), Inc: 1, Data: y})
}

// grown returns v with length n, its contents kept where it has room.
func grown(v []float64, n int) []float64 {
	if cap(v) < n {
		return make([]float64, n)
	}
	return v[:n]
}
