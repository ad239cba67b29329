package ceiling

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

// Bounded returns an invertible extractor θ (D×D) with κ(θ) ≤ c, but for rounding, and as large an RIR as the construction "clipped
// spike" reaches (see the package comment), with the Result of Exact. Its singular values lie between 1/√c and √c, unless it is what
// Optimum returns: that is taken where c allows it and RIR is no larger elsewhere, with a ceiling for every c ≥ √κ(K_P). Where there is
// no ceiling RIR grows with c as far as double precision resolves κ(H_H); c = +Inf gives what Optimum gives, which is less.
//
// It is deterministic. Where double precision tells κ(H_H) for no θ that it tries, it returns the identity. It panics if p and h differ
// in their number of columns, and returns an error if c is below 1 or NaN, ErrNoTask for a zero matrix, and an error if a decomposition
// fails. The cost is that of Exact and of some hundred evaluations of κ(H_H), each one call of spectrum.Workspace.Extremes: 5/3·D³
// operations and a product (D = 784, two cores: 50 ms an evaluation, 5 s in all). It looks at ctx before each place that it tries, and
// returns its error.
func Bounded(ctx context.Context, p, h *spectrum.Factor, c float64) (*mat.Dense, Result, error) {
	if !(c >= 1) {
		return nil, Result{}, fmt.Errorf("ceiling: the bound %v of κ(θ) is not a number from 1", c)
	}
	free, res, err := Optimum(p, h)
	if err != nil {
		return nil, res, err
	}
	_, direction, err := seen(p, h)
	if err != nil {
		return nil, res, err
	}
	allowed := spectrum.ThetaCondition(free) <= c*(1+1e-12)
	if math.IsInf(c, 1) || allowed && !res.Unbounded {
		return free, res, nil
	}
	if c == 1 {
		return identity(free), res, nil
	}
	c = min(c, sensible)
	s := newSearch(p, h, c)
	s.direction = direction
	if err := s.run(ctx); err != nil {
		return nil, res, err
	}
	if math.IsInf(s.best.log, -1) {
		return identity(free), res, nil // double precision tells no κ(H_H)
	}
	if allowed {
		x, err := s.w[0].Extremes(h, free)
		if err != nil {
			return nil, res, err
		}
		if !x.Unresolved() && math.Log(x.Kappa()) >= s.best.log { // κ(H_P) is 1
			return free, res, nil
		}
	}
	// Back from the basis of K_P's eigenvectors, in which the columns stand, to that of the data.
	theta := &mat.Dense{}
	theta.Mul(s.best.theta, s.basis.T())
	theta.Scale(1/math.Sqrt(c), theta)
	return theta, res, nil
}

// sensible is the κ(θ) up to which a search makes sense: κ(H_H) is lost to rounding long before, and c² does not overflow.
const sensible = 0x1p200

// identity returns the identity of the order of a.
func identity(a *mat.Dense) *mat.Dense {
	d, _ := a.Dims()
	out := mat.NewDense(d, d, nil)
	for i := range d {
		out.Set(i, i, 1)
	}
	return out
}

// place is a point of the search: the interval [L, U] that the spectrum of H_P is kept in.
type place struct {
	excess float64 // ln(U/L) less the least that κ(θ) ≤ c allows, the larger of ln(κ(K_P)/c²) and 0
	split  float64 // how much of the distance from the smallest interval U takes rather than L, in [0, 1]; see clip
}

// search holds the memory of a search.
type search struct {
	*family
	direction *mat.VecDense // that of null(K_P) which the harmful task uses most; nil if there is none
	// One for each of the three matrices that a place is measured with: each starts from its own last vectors.
	w    [3]spectrum.Workspace
	best struct {
		log   float64 // ln(κ(H_H)/κ(H_P))
		at    place
		theta *mat.Dense
	}
}

func newSearch(p, h *spectrum.Factor, c float64) *search {
	s := &search{family: newFamily(p, h, c)}
	d, _ := s.theta.Dims()
	s.best.log, s.best.theta = math.Inf(-1), mat.NewDense(d, d, nil)
	return s
}

// The search: a coarse grid, finer where the excess is small, and golden sections about its best point, along the excess and along
// the split in turn.
var (
	coarseExcess = []float64{0, 0.3, 1, 2.5}
	coarseSplit  = []float64{1, 0.75, 0.5, 0.25, 0}
	reach        = place{0.5, 0.2} // of the sections, to both sides
)

const (
	large  = 128 // order from which on an evaluation is dear, and the sections are few
	few    = 5
	many   = 14
	rounds = 2 // of sections below that order
	golden = 0.6180339887498949
	again  = 0.05 // a second spike gains little: it is tried where the first comes that close to the best
)

// Evaluations returns about how many evaluations of κ(H_H) Bounded makes for D columns, where c does not allow what Optimum returns.
func Evaluations(d int) float64 {
	const perPlace = 3.7 // the two clips, a spike, and now and then a second one
	grid := float64(len(coarseExcess) * len(coarseSplit))
	if d >= large {
		return perPlace * (grid + 2*few)
	}
	return perPlace * (grid + rounds*2*many)
}

// run searches.
func (s *search) run(ctx context.Context) error {
	for i, e := range coarseExcess {
		for _, split := range coarseSplit {
			if _, err := s.try(ctx, place{e, split}); err != nil {
				return err
			}
			if i == 0 && s.slack() == 0 {
				break // there is nothing to split
			}
		}
	}
	n, times := many, rounds
	if d := len(s.z); d >= large {
		n, times = few, 1
	}
	for range times {
		centre := s.best.at
		err := s.section(ctx, n, func(x float64) place { return place{max(0, centre.excess+x*reach.excess), centre.split} })
		if err != nil {
			return err
		}
		centre = s.best.at
		err = s.section(ctx, n, func(x float64) place { return place{centre.excess, min(max(centre.split+x*reach.split, 0), 1)} })
		if err != nil {
			return err
		}
	}
	if s.direction != nil {
		return s.tryAlong(s.direction)
	}
	return nil
}

// section tries n points of a line, at(−1) to at(1), by golden section.
func (s *search) section(ctx context.Context, n int, at func(x float64) place) (err error) {
	lo, hi := -1.0, 1.0
	value := func(x float64) float64 {
		if err != nil {
			return math.NaN()
		}
		var v float64
		v, err = s.try(ctx, at(x))
		return v
	}
	a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
	fa, fb := value(a), value(b)
	for range n - 2 {
		if fa > fb {
			hi, b, fb = b, a, fa
			a = hi - golden*(hi-lo)
			fa = value(a)
		} else {
			lo, a, fa = a, b, fb
			b = lo + golden*(hi-lo)
			fb = value(b)
		}
	}
	return err
}

// try evaluates the construction at one place and returns its ln(κ(H_H)/κ(H_P)), −Inf where that is not resolved. The two clips give
// the directions of the spike, and the spike gives them once more.
func (s *search) try(ctx context.Context, at place) (float64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.clip(s.slack()+at.excess, at.split)
	s.flat(s.high)
	found, err := s.measure(0, at)
	if err != nil {
		return 0, err
	}
	copy(s.top, s.first)
	s.flat(s.low)
	value, err := s.measure(1, at)
	if err != nil {
		return 0, err
	}
	found = max(found, value)
	copy(s.bottom, s.second)
	for range 2 {
		s.spike()
		if value, err = s.measure(2, at); err != nil {
			return 0, err
		}
		found = max(found, value)
		if found < s.best.log-again {
			break
		}
		copy(s.top, s.first)
		copy(s.bottom, s.second)
	}
	return found, nil
}

// tryAlong is try at the best place with another spike to begin with, along n.
func (s *search) tryAlong(n *mat.VecDense) error {
	at := s.best.at
	s.clip(s.slack()+at.excess, at.split)
	s.along(n)
	for range 3 {
		if _, err := s.measure(2, at); err != nil {
			return err
		}
		copy(s.top, s.first)
		copy(s.bottom, s.second)
		s.spike()
	}
	return nil
}

// measure returns ln(κ(H_H)/κ(H_P)) of the M that is set, −Inf where it is not resolved, and remembers the extractor if it is the best
// so far.
func (s *search) measure(workspace int, at place) (float64, error) {
	x, err := s.w[workspace].Extremes(s.harmful, s.extractor())
	if err != nil {
		return 0, err
	}
	value := math.Inf(-1)
	if x.Rank > 0 && !x.Unresolved() {
		value = math.Log(x.Sigma1) - math.Log(x.SigmaK) - s.logKappaPrimary()
	}
	if value > s.best.log {
		s.best.log, s.best.at = value, at
		s.best.theta.Copy(s.theta)
	}
	s.ends(x)
	return value, nil
}
