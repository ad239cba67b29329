package spectrum

import (
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	lapack "gonum.org/v1/gonum/lapack/gonum"
)

const (
	maxPasses  = 60
	maxStalled = 10 // passes in a row that do not halve the residuals
	// patience is the number of passes that cost as much as a factorisation.
	patience = 8
	// vectorTol is the residual of a vector, relative to the rounding of what it is computed from, at which the iteration ends; n·ε
	// of it is accepted where it comes no further.
	vectorTol = 1e-14
	// repeatedTol is the residual accepted where λ_1 is at least threefold: rounding then decides which vectors of its space, some of
	// them found just now, are the first.
	repeatedTol = 1e-9
	// valueTol is the relative error of the second value at which the iteration ends.
	valueTol = 1e-15
	// staleUse is the number of passes with the preconditioner of the last call before a new one is made: with what they find of the
	// end, the shift can be put closer.
	staleUse = 1
	// probes is the number of passes that a fixed pseudo-random vector takes part in, so that an eigenvector without a component
	// in the other starting vectors is found.
	probes = 3
	// nearest is the smallest distance of the shift from the wanted Ritz value, relative to it.
	nearest = 1e-7
	// noise times ε‖G‖ is more than the rounding in G.
	noise = 64
	// steep is the ratio λ_n/λ_1 of G below which its rounding makes it no use at the bottom, and the factor of C itself takes over.
	steep = 1e-12
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
	// beyond is the last shift, for the first and the second pair, that turned out not to be outside the spectrum.
	beyond  [2]float64
	warm    bool
	largest float64 // λ_1
	res     [wanted]float64
	r       []float64 // residuals
	lead    []float64 // directions in which the subspace grows, atOnce rows
	probe   []float64
	lq, tau []float64
	work    []float64

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
	ok = e.start(g) && e.iterate(g)
	if ok {
		e.sub.restart()
	} else {
		e.sub.size = 0
	}
	return ok
}

// start fills the subspace with what the last call left and pseudo-random vectors.
func (e *end) start(g *gramian) (ok bool) {
	s, n := &e.sub, g.n
	kept := s.size
	s.size = 0
	for i := range kept {
		copy(e.probe, s.basis[i*n:(i+1)*n])
		s.add(e.probe)
	}
	e.warm = kept > 0
	seed := uint64(1)
	for s.size < wanted {
		random(e.probe, seed)
		s.add(e.probe)
		seed++
	}
	random(e.probe, 0)
	e.extend(g, 0)
	return true
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
	distance, since, steps, stalled, fine := math.Inf(1), 0, 0, 0, false
	for ; e.passes < maxPasses; e.passes++ {
		if fine {
			s.polish()
		}
		if !s.ritz() {
			return false
		}
		e.residuals(g)
		if !e.factored || e.stale && (e.rough() || e.passes >= staleUse) || e.blurred() {
			e.factor(g, 0)
			since = 0
		}
		probing := e.factored && !e.stale && (steps < probes || !e.reached())
		count := e.directions(probing)
		before := distance
		distance = max(e.res[0]/e.tolerance(0), e.res[1]/e.tolerance(1))
		stalled++
		if distance < before/2 {
			stalled = 0
		}
		if steps >= probes && e.reached() && e.done(stalled >= 2) {
			return true
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
		coarse := !fine && !e.top && (e.coarse(distance) || stalled >= 2)
		if fine = fine || coarse; coarse || s.size+count > basisSize || fine && s.size > 2*basisKept {
			s.restart()
			e.extend(g, 0)
		}
		from := s.size
		for i := range count {
			added := s.add(e.lead[i*s.n : (i+1)*s.n])
			if added && probing && i == count-1 {
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

// blurred reports whether the rounding in G has spoilt a preconditioner made of it.
func (e *end) blurred() bool {
	return !e.top && e.factored && e.shifted && !e.second && !e.stale && e.sub.theta[0] < steep*e.largest
}

// coarse reports whether the rounding in the projected matrix, which goes with its largest element, is felt in the wanted pairs.
func (e *end) coarse(distance float64) bool {
	s := &e.sub
	return distance*e.tolerance(0) < 16*eps*s.values[s.size-1]
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
	return e.settled(0, loose) && e.settled(1, loose) && e.settled(2, loose)
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
			next := min(i+1, wanted-1)
			if e.second {
				next = wanted - 1
			}
			e.res[i] = min(e.res[i], t*math.Abs(s.theta[next]-e.shift))
		}
	}
	return count
}

// residuals stores Gx − λx for the wanted Ritz pairs in r, and their norms.
func (e *end) residuals(g *gramian) {
	s, n := &e.sub, g.n
	r := rows(e.r, n, 0, wanted)
	if e.top {
		copy(r.Data, s.z)
		e.largest = s.theta[0]
	} else {
		g.backward(r, rows(s.z, s.l, 0, wanted))
	}
	for i := range wanted {
		v := blas64.Vector{N: n, Inc: 1, Data: r.Data[i*n:]}
		blas64.Axpy(-s.theta[i], blas64.Vector{N: n, Inc: 1, Data: s.x[i*n:]}, v)
		e.res[i] = blas64.Nrm2(v)
	}
}

// unit is the size whose multiples of ε rounding leaves in the residual of pair i.
func (e *end) unit(i int) float64 {
	if e.top {
		return e.largest
	}
	return math.Sqrt(e.largest) * math.Sqrt(math.Abs(e.sub.theta[i]))
}

func (e *end) tolerance(i int) float64 { return vectorTol * e.unit(i) }

// settled reports whether pair i needs no more work; with loose, whether it is as good as a backward-stable decomposition makes it.
func (e *end) settled(i int, loose bool) bool {
	s := &e.sub
	tol := e.tolerance(i)
	if loose {
		tol = max(tol, float64(s.n)*eps/4*e.unit(i))
		if e.top && math.Abs(s.theta[0]-s.theta[2]) <= 8*eps*e.largest {
			tol = max(tol, repeatedTol*e.unit(i))
		}
	}
	if e.res[i] <= tol {
		return true
	}
	switch i {
	case 1:
		gap := math.Abs(s.theta[1] - s.theta[2])
		return e.res[1] <= 0.3*gap && e.res[1]*e.res[1] <= valueTol*gap*math.Abs(s.theta[1])
	case 2:
		return e.res[2] <= max(0.3*math.Abs(s.theta[1]-s.theta[2]), 1e-10*e.unit(2))
	}
	return false
}

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
	}
	e.tri.reset(g.n)
	e.factored, e.shifted = true, true
	if !e.top && lambda < steep*e.largest {
		e.factorC(g)
		return
	}
	if !e.top && rough {
		offset = lambda + noise*eps*e.largest // no shift
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
			offset = min(offset, lambda+noise*eps*e.largest)
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

// random fills v with numbers in [-1, 1) that depend on the seed alone (G. L. Steele, D. Lea and C. H. Flood, Fast splittable
// pseudorandom number generators, OOPSLA 2014).
func random(v []float64, seed uint64) {
	state := seed * 0xd1342543de82ef95
	for i := range v {
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		v[i] = float64(int64(z)>>10) * 0x1p-53
	}
}
