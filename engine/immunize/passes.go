package immunize

import (
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/blas"
)

// rowGrain is the number of elements of a matrix that is worth a core of its own in a pass over its rows.
const rowGrain = 1 << 14

// passes goes over the rows of square matrices, each row once, on all cores that are free. Its memory serves one pass after the
// other; the sums do not depend on how the rows are shared out.
type passes struct {
	a, b         blas64.General // b without data where there is no such term
	weight       [2]float64
	u, v         []float64 // u without elements where there is no such term
	sums         []float64 // of one row each
	square, join func(from, to int)
}

func newPasses(d int) *passes {
	p := &passes{sums: make([]float64, d)}
	p.square, p.join = p.squareRows, p.joinRows
	return p
}

func (p *passes) split(rows, cols int, do func(from, to int)) {
	blas.Split(rows, max(1, rowGrain/cols), do)
}

// norm returns ‖a‖_F.
func (p *passes) norm(a *mat.Dense) float64 {
	p.a = a.RawMatrix()
	p.split(p.a.Rows, p.a.Cols, p.square)
	sum := 0.0
	for _, v := range p.sums[:p.a.Rows] {
		sum += v
	}
	if sum < 1/safe || !(sum < safe) { // squares of elements may have been lost, or be infinite
		return mat.Norm(a, 2)
	}
	return math.Sqrt(sum)
}

// safe is a sum of squares below which, and above the reciprocal of which, a norm is computed as it is.
const safe = 1e250

func (p *passes) squareRows(from, to int) {
	for i := from; i < to; i++ {
		row := vector(p.a.Data[i*p.a.Stride : i*p.a.Stride+p.a.Cols])
		p.sums[i] = blas64.Dot(row, row)
	}
}

// combine stores wa·a + wb·b + u·vᵀ in a. A term with weight 0 takes no part, whatever it holds; without u there is no product.
func (p *passes) combine(wa float64, a *mat.Dense, wb float64, b *mat.Dense, u, v []float64) {
	p.a, p.b, p.weight, p.u, p.v = a.RawMatrix(), b.RawMatrix(), [2]float64{wa, wb}, u, v
	p.split(p.a.Rows, p.a.Cols, p.join)
}

func (p *passes) joinRows(from, to int) {
	n := p.a.Cols
	for i := from; i < to; i++ {
		row := p.a.Data[i*p.a.Stride : i*p.a.Stride+n]
		switch w := p.weight[0]; w {
		case 0:
			clear(row)
		case 1:
		default:
			blas64.Scal(w, vector(row))
		}
		if w := p.weight[1]; w != 0 {
			blas64.Axpy(w, vector(p.b.Data[i*p.b.Stride:i*p.b.Stride+n]), vector(row))
		}
		if len(p.u) > 0 {
			blas64.Axpy(p.u[i], vector(p.v), vector(row))
		}
	}
}
