package spectrum

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Ridge is the multiple of the identity that the ridge protocol adds, 10⁻⁶, as in the paper's released code.
const Ridge = 1e-6

// Conditions holds the condition number of one matrix under both protocols.
type Conditions struct {
	Rank  Condition // σ_1/σ_k over the k non-zero singular values (the paper, Eq. 1)
	Ridge Condition // λ_max/λ_min of S + 10⁻⁶I over the eigenvalues above 10⁻⁶ (the paper's released code)
}

// Condition is a 2-norm condition number and what has to be known to judge it.
type Condition struct {
	// Kappa is SigmaMax/SigmaMin ≥ 1; NaN where it is undefined (a zero matrix) or not resolved.
	Kappa float64
	// SigmaMax and SigmaMin are the extreme values, under the ridge protocol with the ridge included. SigmaMin is NaN where Kappa is.
	SigmaMax, SigmaMin float64
	// Rank is the number of values that count as non-zero.
	Rank int
	// Next is the largest value that counts as zero, σ_(k+1); NaN where there is none.
	Next float64
	// RankUnclear: the singular values of the data do not fall tenfold after the k-th.
	RankUnclear bool
	// RidgeDominated: SigmaMin is the ridge itself plus rounding, so that Kappa is SigmaMax/10⁻⁶ and measures the norm alone.
	RidgeDominated bool
	// Degenerate: σ_1 or σ_k is repeated to working precision, so that its vector, and a gradient made of it, is one of many.
	Degenerate bool
	// Unresolved: σ_k(Xθ) < 8·max(N, D)·ε·σ_1(Xθ), below what double precision can tell from zero; Kappa is NaN.
	Unresolved bool
}

// Log10 returns log₁₀ κ, NaN where κ is.
func (c Condition) Log10() float64 {
	if math.IsInf(c.Kappa, 1) {
		return math.Log10(c.SigmaMax) - math.Log10(c.SigmaMin)
	}
	return math.Log10(c.Kappa)
}

// Condition returns κ under both protocols.
//
// Under `rank`, κ = σ_1/σ_k, computed as the square of the ratio of the singular values of Xθ where those are known.
//
// Under `ridge`, the eigenvalues are those of the matrix S + 10⁻⁶I formed in floating point, as the released code forms it, and
// κ = λ_max/λ_min over the eigenvalues strictly above 10⁻⁶. In exact arithmetic a null eigenvalue of S is exactly 10⁻⁶ and left
// out; in floating point about half of them round to just above it, λ_min is then 10⁻⁶, and κ is λ_max/10⁻⁶ whatever the data.
// RidgeDominated says that this happened: λ_min − 10⁻⁶ is at most n·ε·λ_max. Where by luck no null eigenvalue rounds upwards,
// κ is that of the rank protocol; which of the two happens is decided by rounding.
//
// The cost is a product and the eigenvalues of a matrix of order s.Size, O(n³); in a step loop RankCondition does without.
func (s *Spectrum) Condition() Conditions {
	return Conditions{Rank: s.RankCondition(), Ridge: s.ridgeCondition()}
}

// RankCondition returns κ under the protocol `rank` alone, at no cost.
func (s *Spectrum) RankCondition() Condition {
	k := s.Rank
	c := Condition{Kappa: math.NaN(), SigmaMin: math.NaN(), Next: math.NaN(), Rank: k, RankUnclear: s.unclear}
	if len(s.Sigma) > 0 {
		c.SigmaMax = s.Sigma[0]
	}
	if k < len(s.Sigma) {
		c.Next = s.Sigma[k]
	}
	if k == 0 {
		return c
	}
	c.Degenerate = s.TopRepeated() || s.BottomRepeated()
	if s.roots != nil {
		if s.roots[k-1] < s.resolve*s.roots[0] {
			c.Unresolved = true
			return c
		}
		ratio := s.roots[0] / s.roots[k-1]
		c.Kappa, c.SigmaMin = ratio*ratio, s.Sigma[k-1]
		return c
	}
	c.Kappa, c.SigmaMin = s.Sigma[0]/s.Sigma[k-1], s.Sigma[k-1]
	return c
}

func (s *Spectrum) ridgeCondition() Condition {
	shifted := s.Gram(nil)
	n := s.Size
	for i := range n {
		shifted.SetSym(i, i, shifted.At(i, i)+Ridge)
	}
	c := Condition{Kappa: math.NaN(), SigmaMax: math.NaN(), SigmaMin: math.NaN(), Next: math.NaN()}
	var eig mat.EigenSym
	if finite(shifted, "the matrix") != nil || !eig.Factorize(shifted, false) {
		return c
	}
	values := eig.Values(nil) // ascending
	first := 0
	for first < n && !(values[first] > Ridge) {
		first++
	}
	if first > 0 {
		c.Next = values[first-1]
	}
	c.Rank, c.SigmaMax = n-first, values[n-1]
	if c.Rank == 0 {
		return c
	}
	c.SigmaMin = values[first]
	c.Kappa = c.SigmaMax / c.SigmaMin
	c.RidgeDominated = c.SigmaMin-Ridge <= float64(n)*eps*c.SigmaMax
	gap := resolveFactor * float64(n) * eps * c.SigmaMax
	if c.Rank > 1 {
		c.Degenerate = values[n-1]-values[n-2] <= gap || values[first+1]-values[first] <= gap
	}
	return c
}

// ThetaCondition returns the 2-norm condition number σ_1/σ_n of an extractor θ (m×n, over min(m, n) singular values): +Inf where
// θ is singular to working precision (σ_n ≤ max(m, n)·ε·σ_1), NaN where θ is zero, empty, or has an element that is not finite.
func ThetaCondition(theta mat.Matrix) float64 {
	m, n := theta.Dims()
	if m == 0 || n == 0 || finite(theta, "θ") != nil {
		return math.NaN()
	}
	dense, ok := theta.(*mat.Dense)
	if !ok {
		dense = mat.DenseCopyOf(theta)
	}
	values, ok := singularValues(dense)
	if !ok {
		return math.NaN()
	}
	first, last := values[0], values[len(values)-1]
	switch {
	case first == 0:
		return math.NaN()
	case last <= float64(max(m, n))*eps*first:
		return math.Inf(1)
	}
	return first / last
}
