package spectrum

import (
	"math"

	"gonum.org/v1/gonum/blas/blas64"
)

const (
	maxPasses  = 60
	maxStalled = 10 // passes in a row that do not halve the residuals
	// patience is the number of passes that cost as much as a factorisation.
	patience = 8
	// staleUse is the number of passes with the preconditioner of the last call before a new one is made: with what they find of the
	// end, the shift can be put closer.
	staleUse = 1
	// probes is the number of passes that a fixed pseudo-random vector takes part in, so that an eigenvector without a component
	// in the other starting vectors is found.
	probes = 2
)

// end finds the two eigenvalues of G at one end of its spectrum, and the vector of the first, by the generalised Davidson method: the
// subspace grows by the residuals of the wanted Ritz pairs, multiplied by (G − μI)⁻¹ with the shift μ just outside the spectrum, or
// (CᵀC)⁻¹ from the triangular factor of C (R. B. Morgan and D. S. Scott, Generalizations of Davidson's method for computing eigenvalues
// of sparse symmetric matrices, SIAM J. Sci. Stat. Comput. 7, 1986, 817–825). It starts with the Ritz vectors of the last call.
// What multiplies the residuals decides how fast it converges, never what it converges to: at the top residuals are formed with G, at
// the bottom with C twice, so that λ_n is found to the accuracy of a decomposition of C.
type end struct {
	sub      subspace
	tri      triangle
	top      bool
	factored bool
	stale    bool    // of an earlier call
	shifted  bool    // by shift; else L is the factor of C
	shift    float64 // μ
	second   bool    // the shift is for the second pair, the first moved out of the way
	held     float64 // the residual of the first pair when the shift went to the second, which measures it no longer
	heldAt   float64 // its Ritz value then
	// beyond is the last shift, for the first and the second pair, that turned out not to be outside the spectrum.
	beyond  [2]float64
	largest float64 // λ_1
	res     [wanted]float64
	r       []float64 // residuals
	lead    []float64 // directions in which the subspace grows, atOnce rows
	probe   []float64
	lq, tau []float64
	work    []float64

	pairs int // how many of them belong to the pairs up to the third; the others probe

	passes, factors int // of the last call
}

// find runs the iteration on g; largest is λ_1, known when the bottom is looked for. It reports whether it converged.
func (e *end) find(g *gramian, top bool, largest float64) (ok bool) {
	length := g.rows
	if top {
		length = g.n
	}
	e.sub.reset(g.n, length, top)
	e.top, e.largest, e.stale = top, largest, e.factored
	if e.sub.size == 0 {
		e.factored = false
	}
	e.passes, e.factors, e.beyond = 0, 0, [2]float64{math.Inf(1), math.Inf(1)}
	if top {
		e.beyond = [2]float64{math.Inf(-1), math.Inf(-1)}
	}
	e.r, e.lead, e.probe = grown(e.r, wanted*g.n), grown(e.lead, atOnce*g.n), grown(e.probe, g.n)
	e.start(g)
	if ok = e.iterate(g); ok {
		e.sub.restart()
	} else {
		e.sub.size = 0
	}
	return ok
}

// start fills the subspace with what the last call left and pseudo-random vectors.
func (e *end) start(g *gramian) {
	s, n := &e.sub, g.n
	kept := s.size
	s.size = 0
	for i := range kept {
		copy(e.probe, s.basis[i*n:(i+1)*n])
		s.add(e.probe)
	}
	seed := uint64(1)
	for s.size < wanted-1 {
		random(e.probe, seed)
		s.add(e.probe)
		seed++
	}
	random(e.probe, 0)
	e.extend(g, 0)
}

// extend computes the images of the basis from row from on.
func (e *end) extend(g *gramian, from int) {
	s := &e.sub
	dst, x := rows(s.image, s.l, from, s.size), rows(s.basis, s.n, from, s.size)
	if e.top {
		g.apply(dst, x)
	} else {
		g.forward(dst, x)
	}
	s.project(from)
}

func (e *end) iterate(g *gramian) (ok bool) {
	s := &e.sub
	distance, best := math.Inf(1), math.Inf(1)
	since, steps, stalled, fine, still := 0, 0, 0, false, false
	for ; e.passes < maxPasses; e.passes++ {
		if fine {
			s.polish()
		}
		if !s.ritz() {
			return false
		}
		e.residuals(g)
		if e.passes == 0 {
			// The vectors of the last call are still exact: the same θ, or one that left them alone, and perhaps moved an eigenvalue
			// past the second that has no part in any of them. That none is there is then shown, as it always is for the first.
			still = e.settled(0, false) && e.settled(1, false)
		}
		if !e.factored || e.stale && (e.rough() || e.passes >= staleUse) || e.blurred() {
			e.factor(g, 0)
			since = 0
		}
		probing := e.factored && !e.stale && (steps < probes || !e.reached())
		count := e.directions(probing)
		before := distance
		distance = e.res[0] / e.tolerance(0)
		if !e.settled(1, false) {
			distance = max(distance, e.res[1]/e.tolerance(1))
		}
		stalled++
		if distance < before/2 {
			stalled = 0
		}
		best = min(best, distance)
		if e.reached() && (steps >= probes && e.done(stalled >= 2 || distance > 2*best) || !e.stale && e.factored && e.threefold() && e.done(false)) {
			if !still || e.second || e.threefold() {
				return true
			}
			still, since, steps, probing = false, 0, 0, true
			e.factor(g, 1)
			count = e.directions(probing)
		}
		if stalled >= maxStalled {
			return false
		}
		if since >= 2 && math.Log(distance) > -patience*math.Log(distance/before) {
			if pair, ok := e.better(); ok {
				e.factor(g, pair)
				since = 0
				count = e.directions(probing)
			}
		}
		since++
		coarse := !fine && !e.top && (e.coarse() || stalled >= 2)
		if fine = fine || coarse; coarse || s.size+count > basisSize || fine && s.size > 2*basisKept {
			s.restart()
			e.extend(g, 0)
		}
		from := s.size
		for i := range count {
			if !s.add(e.lead[i*s.n : (i+1)*s.n]) {
				continue
			}
			s.probing[s.size-1] = i >= e.pairs
			if probing && i == count-1 {
				copy(e.probe, s.basis[(s.size-1)*s.n:])
			}
		}
		if probing {
			steps++
		}
		if s.size == from && steps >= probes {
			if fine || e.top {
				return e.reached() && e.done(true)
			}
			fine = true
			s.restart()
			e.extend(g, 0)
			continue
		}
		e.extend(g, from)
	}
	return false
}

// directions stores the preconditioned residuals of the pairs that are not settled in lead, and with probing the preconditioned
// probe behind them, and returns their number. At the bottom it replaces the sizes of the residuals by what matters of them: where κ
// is large the rounding of a vector alone leaves a residual of εκ·λ_n in directions far from the end, which count for nothing in
// the vector.
func (e *end) directions(probing bool) (count int) {
	s, n := &e.sub, e.sub.n
	var of [wanted]int
	for i := range wanted {
		if !e.settled(i, false) {
			copy(e.lead[count*n:(count+1)*n], e.r[i*n:])
			of[count] = i
			count++
		}
		if i == third {
			e.pairs = count
		}
	}
	pairs := count
	if probing {
		copy(e.lead[count*n:(count+1)*n], e.probe)
		count++
	}
	if !e.factored || count == 0 {
		return count
	}
	e.tri.solve(rows(e.lead, n, 0, count))
	if !e.top {
		for j := range pairs {
			i := of[j]
			t := blas64.Nrm2(blas64.Vector{N: n, Inc: 1, Data: e.lead[j*n:]})
			next := min(i+1, third)
			if e.second {
				next = third
			}
			if i > third {
				next = i
			}
			e.res[i] = min(e.res[i], t*math.Abs(s.theta[next]-e.shift))
		}
	}
	return count
}
