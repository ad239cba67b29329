package spectrum

import (
	"math"

	"gonum.org/v1/gonum/blas/blas64"
)

const (
	// lowest is the ratio of a wanted eigenvalue of H to σ_1 below which the iteration is not relied on.
	lowest = 1e-22
	// lowestSecond is the same for σ_2, which is looked for with H formed.
	lowestSecond = 1e-9
)

// iterate fills the figures of x from F, which is of full rank and has the magnitude largest > 0, by iteration at both ends, and
// reports whether every figure is good.
func (w *Workspace) iterate(x *Extremes, largest float64) (ok bool) {
	if _, exp := math.Frexp(largest); exp < -400 || exp > 400 {
		return false
	}
	g := &w.gram
	g.form(w.f.RawMatrix(), largest)
	x.formed = true
	up, low := &w.upper, &w.lower
	if !up.find(g, true, math.NaN()) {
		return false
	}
	if !low.find(g, false, up.sub.theta[0]) {
		return false
	}
	square := g.scale * g.scale
	first, second := up.figures(g, x.V1, 0), up.figures(g, nil, 1)
	last, before := low.figures(g, x.VK, 0), low.figures(g, nil, 1)
	if !(second >= lowestSecond*first) || !(last >= lowest*first) {
		return false
	}
	x.Sigma1, x.Sigma2 = first*square, min(first, second)*square
	x.SigmaK, x.SigmaBefore = last*square, max(last, before)*square
	x.Frobenius = g.frobenius() * square * square
	x.Residual = up.bound() + low.bound()
	return x.Residual <= max(1e-9, eps*math.Sqrt(first/last))
}

// figures returns ‖Cx‖² for the i-th Ritz vector x, and stores its right singular vector of F in v unless that is nil.
func (e *end) figures(g *gramian, v []float64, i int) float64 {
	s := &e.sub
	x := rows(s.x, s.n, i, i+1)
	norm := blas64.Nrm2(blas64.Vector{N: s.n, Inc: 1, Data: x.Data})
	z := blas64.General{Rows: 1, Cols: g.rows, Stride: g.rows, Data: e.room(g.rows)}
	g.forward(z, x)
	root := blas64.Nrm2(blas64.Vector{N: g.rows, Inc: 1, Data: z.Data})
	if v != nil {
		from, length := x.Data, norm
		if g.left {
			from, length = z.Data, root
		}
		for j, u := range from {
			v[j] = u / length
		}
	}
	root /= norm
	return root * root
}

func (e *end) room(n int) []float64 {
	e.work = grown(e.work, n)
	return e.work
}
