package spectrum

import (
	"math"

	lapack "gonum.org/v1/gonum/lapack/gonum"
)

const (
	// nearest is the smallest distance of the shift from the wanted Ritz value, relative to it.
	nearest = 1e-10
	// noise times ε‖G‖ is more than the rounding in G.
	noise = 64
	// steep is the ratio λ_n/λ_1 of G below which its rounding makes it no use at the bottom, and the factor of C itself takes over.
	steep = 1e-14
)

// rough reports that nothing is known of the end yet.
func (e *end) rough() bool { return e.res[0] > 0.3*math.Abs(e.sub.theta[0]) }

// offset is the distance from Ritz value i at which the shift is put.
func (e *end) offset(i int) float64 {
	return max(2*e.res[i], nearest*math.Abs(e.sub.theta[i]), noise*eps*e.largest)
}

// better reports whether a new preconditioner would be better than the present one, and for which pair.
func (e *end) better() (pair int, ok bool) {
	s := &e.sub
	if !e.settled(0, false) {
		return 0, e.stale || e.shifted && !e.rough() && (e.second || e.offset(0) < 0.1*math.Abs(e.shift-s.theta[0]))
	}
	return 1, e.res[1] < 0.3*math.Abs(s.theta[1]) && e.offset(1) < 0.1*math.Abs(e.shift-s.theta[1])
}

// holds reports whether the shift is for the second pair and the first is still the one that was moved out of the way.
func (e *end) holds() bool {
	return e.second && !e.stale && math.Abs(e.sub.theta[0]-e.heldAt) <= float64(e.sub.n)*eps*e.unit(0)
}

// factor makes a preconditioner for a pair: (G − μI)⁻¹, for the second with the first moved out of the way, which takes G + γxxᵀ at
// the bottom and G − γxxᵀ at the top, or that of C. For the first pair at the top it waits until something is known of the end.
// That G − μI is definite shows that no eigenvalue lies beyond μ; where it is not, one does, and must be found.
func (e *end) factor(g *gramian, pair int) {
	e.factored, e.stale = false, false
	s := &e.sub
	rough, lambda, offset, sign, away := e.rough(), s.theta[pair], e.offset(pair), 1.0, 0.0
	if e.top {
		if rough && e.passes < 6 {
			return
		}
		sign = -1
	}
	e.second = pair == 1
	if e.second {
		rough, away = false, 2*math.Abs(s.theta[1]-s.theta[0])
		e.held, e.heldAt = e.res[0], s.theta[0]
	}
	least := noise * eps * e.largest
	e.tri.reset(g.n)
	e.factored, e.shifted = true, true
	if !e.top && lambda < steep*e.largest {
		e.factorC(g)
		return
	}
	if !e.top && rough {
		offset = lambda + least // no shift
	}
	for range 8 {
		e.shift = lambda - sign*offset
		e.factors++
		if e.tri.cholesky(g.g, sign, e.shift, away, s.x[:s.n]) {
			return
		}
		e.beyond[pair] = e.shift
		if offset *= 32; !e.top {
			if e.shift < 0 {
				break
			}
			offset = min(offset, lambda+least)
		}
	}
	e.factorC(g)
}

// factorC makes L the triangular factor of Cᵀ = LQ.
func (e *end) factorC(g *gramian) {
	e.factored, e.shifted, e.second, e.shift = false, false, false, 0
	if e.top {
		return
	}
	e.factors++
	n, m := g.n, g.rows
	e.lq, e.tau, e.work = grown(e.lq, n*m), grown(e.tau, n), grown(e.work, 32*n)
	for i := range g.b.Rows {
		from := g.b.Data[i*g.b.Stride : i*g.b.Stride+g.b.Cols]
		if g.left {
			for j, v := range from {
				e.lq[i*m+j] = v / g.scale
			}
		} else {
			for j, v := range from {
				e.lq[j*m+i] = v / g.scale
			}
		}
	}
	lapack.Implementation{}.Dgelqf(n, m, e.lq, m, e.tau, e.work, len(e.work))
	for i := range n {
		copy(e.tri.l[i*n:i*n+i+1], e.lq[i*m:])
	}
	e.factored = e.tri.invert()
}
