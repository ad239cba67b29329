package ceiling

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

// ErrNoTask is returned by Optimum when K_P or K_H is zero: RIR is then undefined for every extractor.
var ErrNoTask = errors.New("ceiling: a task has no data but zeros")

// Optimum returns an invertible, symmetric extractor θ (D×D) in closed form, with the Result of Exact.
//
// With a ceiling it attains it: θ = (K_P⁺)^½ + c·P_null, where P_null is the projector on null(K_P) and c = 1/√λ_max(K_P).
//
// Without one it is θ = (K_P⁺)^½ + c·(P_null − nnᵀ) + h·nnᵀ with n the direction of null(K_P) that the harmful task uses most and
// h = 1/√λ_min(K_P), λ_min the smallest non-zero eigenvalue. Any larger h would raise RIR further, but up to this one h costs nothing:
// κ(θ) = √κ(K_P) all the same. The choice does not depend on the scale of the data.
//
// In both cases κ(H_P(θ)) = 1. It panics if p and h differ in their number of columns, and returns ErrNoTask for a zero matrix and
// an error if a decomposition fails. The cost is that of Exact and one product, O(D³).
func Optimum(p, h *spectrum.Factor) (*mat.Dense, Result, error) {
	res, top, err := exact(p, h)
	if err != nil {
		return nil, Result{}, err
	}
	k := p.Rank()
	if k == 0 || h.Rank() == 0 {
		return nil, res, ErrNoTask
	}
	d, _ := p.V().Dims()
	sigma := p.SingularValues()
	largest, smallest := 1/sigma[k-1], 1/sigma[0] // singular values of θ

	// Written as c·I + V(Σ⁻¹ − c)Vᵀ, the part on null(K_P) needs no basis of it.
	vk := p.V().Slice(0, d, 0, k)
	scaled := mat.DenseCopyOf(vk)
	for i := range d {
		row := scaled.RawRowView(i)
		for j := range row {
			row[j] *= 1/sigma[j] - smallest
		}
	}
	theta := &mat.Dense{}
	theta.Mul(scaled, vk.T())
	for i := range d {
		theta.Set(i, i, theta.At(i, i)+smallest)
	}
	if res.Unbounded {
		theta.RankOne(theta, largest-smallest, top, top)
	}
	return theta, res, nil
}

// Bound returns an upper bound of RIR over all extractors with condition number at most kappaTheta ≥ 1: the least of c⁴, c²·κ(K_P) and
// the ceiling, c = kappaTheta. The first two hold for rank-deficient tasks as well, and c = 1 gives 1: an orthogonal θ changes no
// condition number. It is NaN if kappaTheta is NaN or below 1, or the ceiling is NaN.
func Bound(r Result, kappaTheta float64) float64 {
	if !(kappaTheta >= 1) || math.IsNaN(r.Ceiling) {
		return math.NaN()
	}
	c2 := kappaTheta * kappaTheta
	return min(c2*c2, c2*r.KappaPrimary, r.Ceiling)
}

// LogBound returns the natural logarithm of Bound, which is finite also where Bound overflows.
func LogBound(r Result, kappaTheta float64) float64 {
	if !(kappaTheta >= 1) || math.IsNaN(r.Ceiling) {
		return math.NaN()
	}
	c := math.Log(kappaTheta)
	return min(4*c, 2*c+math.Log(r.KappaPrimary), r.LogCeiling)
}

// nothing is the logarithm of a limit of RIR below which there is nothing to reach: RIR itself has errors of 1e-10 and more.
const nothing = 1e-6

// Reached returns how far an RIR went towards a limit of it, in logarithms: 1 at the limit, 0 at RIR = 1, negative below. It is NaN
// if either is NaN, if there is no limit (+Inf), and if the limit is 1 but for rounding.
func Reached(logRIR, logLimit float64) float64 {
	if !(logLimit > nothing) || math.IsInf(logLimit, 1) {
		return math.NaN()
	}
	return logRIR / logLimit
}
