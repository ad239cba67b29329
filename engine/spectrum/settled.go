package spectrum

import (
	"math"

	"gonum.org/v1/gonum/blas/blas64"
)

const (
	// vectorTol is the residual of a vector, relative to the rounding of what it is computed from, at which the iteration ends; n·ε
	// of it is accepted where it comes no further.
	vectorTol = 1e-14
	// repeatedTol is the residual accepted where λ_1 is at least threefold: rounding then decides which vectors of its space, some of
	// them found just now, are the first.
	repeatedTol = 1e-9
	// behindTol is the residual accepted of a pair that has to stay behind but comes no further, one of a cluster.
	behindTol = 1e-6
	// valueTol is the relative error of the second value at which the iteration ends.
	valueTol = 1e-15
)

// third is the index of the pair behind the two that are asked for.
const third = 2

// residuals stores Gx − λx for the wanted Ritz pairs in r, and their norms.
func (e *end) residuals(g *gramian) {
	s, n := &e.sub, g.n
	k := wanted
	if !s.probes() {
		k, e.res[wanted-1] = wanted-1, 0
	}
	r := rows(e.r, n, 0, k)
	if e.top {
		copy(r.Data, s.z)
		e.largest = s.theta[0]
	} else {
		g.backward(r, rows(s.z, s.l, 0, k))
	}
	for i := range k {
		v := blas64.Vector{N: n, Inc: 1, Data: r.Data[i*n:]}
		blas64.Axpy(-s.theta[i], blas64.Vector{N: n, Inc: 1, Data: s.x[i*n:]}, v)
		e.res[i] = blas64.Nrm2(v)
	}
	if e.holds() {
		e.res[0] = min(e.res[0], e.held)
	}
}

// unit is the size whose multiples of ε a backward-stable decomposition leaves in the residual of pair i: ‖G‖ at the top. At the
// bottom it is one of C, with singular values s, and an error of ε·s_1 in C turns a vector by ε·s_1/(s_j − s_i) towards its neighbour,
// for a residual of (s_j² − s_i²) times that.
func (e *end) unit(i int) float64 {
	if e.top {
		return e.largest
	}
	root := func(i int) float64 { return math.Sqrt(math.Abs(e.sub.theta[min(i, wanted-1)])) }
	return math.Sqrt(e.largest) * (root(i) + root(max(i, min(i+1, third)))) / 2
}

func (e *end) tolerance(i int) float64 { return vectorTol * e.unit(i) }

// settled reports whether pair i needs no more work; with loose, whether it is as good as a backward-stable decomposition makes it.
func (e *end) settled(i int, loose bool) bool {
	s := &e.sub
	tol := e.tolerance(i)
	if loose {
		tol = float64(s.n) * eps * e.unit(i)
		if e.threefold() {
			tol = max(tol, repeatedTol*e.unit(i))
		}
		if i >= third {
			tol = max(tol, behindTol*e.unit(i))
		}
	}
	if e.res[i] <= tol {
		return true
	}
	switch i {
	case 1:
		gap := math.Abs(s.theta[1] - s.theta[2])
		return e.res[1] <= 0.3*gap && e.res[1]*e.res[1] <= valueTol*gap*math.Abs(s.theta[1])
	case third:
		return e.res[i] <= max(0.3*math.Abs(s.theta[1]-s.theta[i]), 1e-10*e.unit(i))
	case third + 1:
		return e.res[i] <= max(0.9*math.Abs(s.theta[1]-s.theta[i]), 1e-10*e.unit(i))
	}
	return false
}

// threefold reports whether λ_1 is at least threefold. Where G − μI shows that nothing lies beyond, there is then nothing to probe for.
func (e *end) threefold() bool {
	return e.top && math.Abs(e.sub.theta[0]-e.sub.theta[third]) <= 8*eps*e.largest
}

// blurred reports whether the rounding in G has spoilt a preconditioner made of it.
func (e *end) blurred() bool {
	return !e.top && e.factored && e.shifted && !e.second && !e.stale && e.sub.theta[0] < steep*e.largest
}

// coarse reports whether the rounding in the projected matrix, which goes with its largest element, is felt in the wanted pairs.
func (e *end) coarse() bool {
	s := &e.sub
	return min(e.res[0], e.res[1]) < 16*eps*s.values[s.size-1]
}

// reached reports whether the Ritz values lie beyond every shift that was found to be inside the spectrum.
func (e *end) reached() bool {
	for i, v := range e.beyond {
		if e.top && e.sub.theta[i] < v || !e.top && e.sub.theta[i] > v {
			return false
		}
	}
	return true
}

// done reports whether all pairs are settled.
func (e *end) done(loose bool) bool {
	for i := range wanted {
		if !e.settled(i, loose) {
			return false
		}
	}
	return true
}

// bound bounds the relative error of the first value. An eigenvalue lies within the residual of a Ritz value; within the square of the
// residual divided by the gap, where the rest of the spectrum is a gap away; and the first two lie within the sum of both squares
// divided by their gap to the rest (B. N. Parlett, The Symmetric Eigenvalue Problem, SIAM 1998, chapters 4 and 11). The gaps are
// those to the next Ritz values, less their residuals.
func (e *end) bound() float64 {
	s, res := &e.sub, e.res
	out := res[0]
	if gap := math.Abs(s.theta[1]-s.theta[0]) - res[1]; gap > 0 {
		out = min(out, res[0]*res[0]/gap)
	}
	if gap := math.Abs(s.theta[2]-s.theta[0]) - res[2]; gap > 0 {
		out = min(out, (res[0]*res[0]+res[1]*res[1])/gap)
	}
	return out / math.Abs(s.theta[0])
}
