package regularizer

import (
	"math"

	"kappa/engine/spectrum"
)

// A step θ' = θ − η·K⁻¹∇R(H) of one regularizer leaves the eigenvectors of H where they are, so that κ after it is known in closed
// form from the ends of the spectrum: among the values that the step raises the order stays, and the one that it lowers is σ_1
// (R_well) or σ_k (R_ill), wherever it lands.

// WellAfter returns κ(H) after a step of length eta ≥ 0 along the preconditioned gradient of R_well; see WellInterval for the
// formula. It is +Inf where the step sends σ_1 to 0, 1 for k = 1, and NaN for k = 0 and where eta is not finite.
func WellAfter(x *spectrum.Extremes, eta float64) float64 {
	if x.Rank < 2 || math.IsInf(eta, 0) {
		return flatKappa(x.Rank, eta)
	}
	d := float64(x.Size)
	first := moved(x.Sigma1, -2*eta*x.Sigma1*(1-1/d))
	second, last := moved(x.Sigma2, 2*eta*x.Sigma2/d), moved(x.SigmaK, 2*eta*x.SigmaK/d)
	return max(first, second) / min(first, last)
}

// IllAfter returns κ(H) after a step of length eta ≥ 0 along the preconditioned gradient of R_ill; see IllInterval for the
// formula. It is +Inf where the step sends σ_k to 0, 1 for k = 1, and NaN for k = 0, where g = 0 and k > 1, and where eta is not
// finite.
func IllAfter(x *spectrum.Extremes, eta float64) float64 {
	g := gOf(x)
	if x.Rank < 2 || math.IsInf(eta, 0) {
		return flatKappa(x.Rank, eta)
	}
	y, k := 2*eta/(g*g), float64(x.Rank)
	if g == 0 || math.IsInf(y, 0) {
		return math.NaN()
	}
	last := moved(x.SigmaK, -y*x.SigmaK*(1-1/k))
	first, before := moved(x.Sigma1, y*x.Sigma1/k), moved(x.SigmaBefore, y*x.SigmaBefore/k)
	return max(first, last) / min(before, last)
}

// moved returns σ(1 + a)².
func moved(sigma, a float64) float64 { return sigma * (1 + a) * (1 + a) }

// flatKappa is κ after any step where the rank is below 2.
func flatKappa(rank int, eta float64) float64 {
	if rank == 1 && eta-eta == 0 {
		return 1
	}
	return math.NaN()
}

// WellFailsAt returns the smallest η > 0 for which a step along the preconditioned gradient of R_well does not lower κ(H): every
// shorter one does. It is 0 where σ_1 is repeated, and +Inf for k < 2. The corrected end of WellInterval is never above it.
func WellFailsAt(x *spectrum.Extremes) float64 {
	if x.Rank < 2 {
		return math.Inf(1)
	}
	// κ' is the largest of the three ratios below; in x = 2η each reaches κ where a linear equation between roots holds.
	d := float64(x.Size)
	fall := x.Sigma1 * (1 - 1/d)
	r1, r2, rk := math.Sqrt(x.Sigma1), math.Sqrt(x.Sigma2), math.Sqrt(x.SigmaK)
	at := 2 / (fall - x.SigmaK/d) // σ_1'/σ_k', past the η where σ_1' = 0
	if !(at > 0) {
		at = math.Inf(1)
	}
	if rate := r2*x.Sigma2 - r1*x.SigmaK; rate > 0 { // σ_2'/σ_k'
		at = min(at, d*(r1-r2)/rate)
	}
	top := r1 * r1 / rk                             // √(κσ_1)
	at = min(at, (top-r2)/(top*fall+r2*x.Sigma2/d)) // σ_2'/σ_1', before that η
	return max(0, at) / 2
}

// IllFailsAt returns the smallest η > 0 for which a step along the preconditioned gradient of R_ill does not raise κ(H): every shorter
// one does, and so may longer ones. It is +Inf where every step does, one for which σ_k' = 0 left aside, as for κ(H) ≥ k−1 and for
// k = 2; +Inf for k < 2, and NaN where g = 0 and k > 1. The corrected end of IllInterval, where σ_k' = 0, is never above it.
func IllFailsAt(x *spectrum.Extremes) float64 {
	g, k := gOf(x), float64(x.Rank)
	switch {
	case x.Rank < 2:
		return math.Inf(1)
	case g == 0:
		return math.NaN()
	}
	// κ' is the largest of three ratios, which must all be at most κ. In y = 2η/g², past the one where σ_k' = 0:
	fall, rise := x.SigmaK*(1-1/k), x.Sigma1/k
	if !(fall > rise) { // σ_1'/σ_k' stays above κ
		return math.Inf(1)
	}
	from, to := 2/(fall-rise), math.Inf(1)
	r1, rb, rk := math.Sqrt(x.Sigma1), math.Sqrt(x.SigmaBefore), math.Sqrt(x.SigmaK)
	top := r1 * rb / rk                                    // √(κσ_(k−1))
	if rate := r1*x.Sigma1 - top*x.SigmaBefore; rate > 0 { // σ_1'/σ_(k−1)' ≤ κ up to
		to = min(to, k*(top-r1)/rate)
	}
	if rate := rk*fall - top*x.SigmaBefore/k; rate > 0 { // σ_k'/σ_(k−1)' ≤ κ up to
		to = min(to, (top+rk)/rate)
	}
	if from > to {
		return math.Inf(1)
	}
	return from / 2 * g * g
}
