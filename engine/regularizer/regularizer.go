package regularizer

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

const (
	badDst    = "regularizer: destination of wrong shape"
	noVectors = "regularizer: the spectrum holds no vectors"
	badForm   = "regularizer: unknown gradient form"
)

// Well returns R_well(S) = ½σ_1² − ‖S‖_F²/(2D) ≥ 0 (Eq. 3), D the order of S. It is 0 if and only if all D singular values are
// equal, and so for S = 0. It is summed as Σ(σ_1² − σ_i²)/(2D), which does not cancel.
func Well(s *spectrum.Spectrum) float64 {
	if len(s.Sigma) == 0 {
		return 0
	}
	return halfSpread(s.Sigma, s.Sigma[0], s.Size) / float64(s.Size)
}

// halfSpread returns ½Σ(σ_1² − σ_i²) over n values, those not listed being zero.
func halfSpread(sigma []float64, top float64, n int) float64 {
	sum := float64(n-len(sigma)) * top * top
	for _, v := range sigma {
		sum += (top - v) * (top + v)
	}
	return sum / 2
}

// G returns g(S) = ‖S‖_F²/(2k) − ½σ_k² ≥ 0 (Eq. 12), summed as Σ(σ_i² − σ_k²)/(2k) over the k non-zero values. It is exactly 0
// where these are equal to working precision, and for S = 0.
func G(s *spectrum.Spectrum) float64 {
	k := s.Rank
	if k < 2 || s.Flat() {
		return 0
	}
	low, sum := s.Sigma[k-1], 0.0
	for _, v := range s.Sigma[:k] {
		sum += (v - low) * (v + low)
	}
	return sum / float64(2*k)
}

// Ill returns R_ill(S) = 1/g(S) > 0 (Eq. 12), +Inf where g = 0.
func Ill(s *spectrum.Spectrum) float64 {
	if g := G(s); g > 0 {
		return 1 / g
	}
	return math.Inf(1)
}

// LogKappa returns log κ(S) ≥ 0, the natural logarithm of σ_1/σ_k; NaN where κ is undefined (S = 0) or not resolved.
func LogKappa(s *spectrum.Spectrum) float64 { return math.Log(s.RankCondition().Kappa) }

// WellInner stores A = σ_1v_1v_1ᵀ − S/D in dst, so that ∇_θ R_well = 2Kθ·A. dst is empty or of order D; s must hold vectors.
// A is zero for S = 0.
func WellInner(dst *mat.SymDense, s *spectrum.Spectrum) {
	prepare(dst, s)
	if s.Rank == 0 {
		dst.Zero()
		return
	}
	s.Gram(dst)
	dst.ScaleSym(-1/float64(s.Size), dst)
	dst.SymRankOne(dst, s.Sigma[0], s.V.ColView(0))
}

// IllInner stores A = (σ_kv_kv_kᵀ − S/k)/g² in dst, so that ∇_θ R_ill = 2Kθ·A, and returns true. Where g = 0, and where g² or
// its reciprocal is not a double, the gradient is undefined: dst is then zero and the result false. dst is empty or of order D;
// s must hold vectors.
func IllInner(dst *mat.SymDense, s *spectrum.Spectrum) (ok bool) {
	prepare(dst, s)
	g := G(s)
	scale := 1 / (g * g)
	if !(scale > 0) || math.IsInf(scale, 1) {
		dst.Zero()
		return false
	}
	k := s.Rank
	s.Gram(dst)
	dst.ScaleSym(-scale/float64(k), dst)
	dst.SymRankOne(dst, scale*s.Sigma[k-1], s.V.ColView(k-1))
	return true
}

// LogKappaInner stores A = v_1v_1ᵀ/σ_1 − v_kv_kᵀ/σ_k in dst, so that ∇_θ log κ = 2Kθ·A. A is zero where κ = 1 to working
// precision (k = 1 included) and for S = 0. dst is empty or of order D; s must hold vectors.
func LogKappaInner(dst *mat.SymDense, s *spectrum.Spectrum) {
	prepare(dst, s)
	dst.Zero()
	k := s.Rank
	if k < 2 || s.Flat() {
		return
	}
	dst.SymRankOne(dst, 1/s.Sigma[0], s.V.ColView(0))
	dst.SymRankOne(dst, -1/s.Sigma[k-1], s.V.ColView(k-1))
}

func prepare(dst *mat.SymDense, s *spectrum.Spectrum) {
	if s.V == nil {
		panic(noVectors)
	}
	if dst.IsEmpty() {
		dst.ReuseAsSym(s.Size)
	} else if dst.SymmetricDim() != s.Size {
		panic(badDst)
	}
}

// Form is one of three readings of "K⁻¹∇_θ R". They are one where K is invertible, but for Plain, which leaves K⁻¹ out.
type Form int

const (
	// Plain is ∇_θ R = 2Kθ·A, without K⁻¹.
	Plain Form = iota
	// Cancelled is K⁻¹∇_θ R with K cancelled, 2θ·A. On a singular K it also moves θ inside null(K), which its own task does not
	// see and the other task may.
	Cancelled
	// PseudoInverse is K⁺∇_θ R = Π_K·2θ·A, Π_K the projector onto the range of K.
	PseudoInverse
)

// Gradient stores the gradient with respect to θ with inner factor A in dst, in the given form. f is the factor of the task's
// data, θ is D×m, A of order m, dst empty or D×m and not θ. The cost is O(Dm²), and O(D²m) more for the forms with K or Π_K.
func Gradient(dst *mat.Dense, form Form, f *spectrum.Factor, theta *mat.Dense, inner *mat.SymDense) {
	r, c := theta.Dims()
	if dst.IsEmpty() {
		dst.ReuseAs(r, c)
	} else if dr, dc := dst.Dims(); dr != r || dc != c {
		panic(badDst)
	}
	switch form {
	case Plain:
		var step mat.Dense
		step.Mul(theta, inner)
		dst.Mul(f.K(), &step)
	case Cancelled:
		dst.Mul(theta, inner)
	case PseudoInverse:
		dst.Mul(theta, inner)
		f.ProjectRange(dst, dst)
	default:
		panic(badForm)
	}
	dst.Scale(2, dst)
}
