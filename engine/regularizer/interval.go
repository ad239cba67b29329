package regularizer

import (
	"math"

	"kappa/engine/spectrum"
)

// Interval holds the upper ends of the interval (0, end) of step lengths η for which one step with a single regularizer moves κ
// the right way. An end is +Inf where every step does (k = 1: κ = 1 whatever happens) and at most 0 where the interval is empty.
type Interval struct {
	Printed   float64 // as the paper states it; not safe
	Corrected float64 // as proved here
}

// WellInterval returns the ends for θ' = θ − η·K⁻¹∇_θR_well(H), which is to lower κ(H) where σ_1 is simple (Theorem 4.3(1)).
// The singular values after the step are
//
//	σ_1' = σ_1(1 − 2ησ_1(1−1/D))²,  σ_i' = σ_i(1 + 2ησ_i/D)².
//
// Printed is min{1/((1−1/D)σ_1), D(√(σ_1σ_2)−σ_2)/(2σ_2²)}; its first bound lets σ_1 fall below σ_k, even to 0: diag(4, 1, 1) and
// η = 0.18375 take κ from 4 to 787. Corrected here: the first bound is (1−√(σ_k/σ_1))/(2(1−1/D)σ_1), where σ_1' reaches σ_k; the
// second, where σ_2' reaches σ_1, stands.
func WellInterval(s *spectrum.Spectrum) Interval {
	if s.Rank < 2 {
		return wellInterval(s.Size, s.Rank, 0, 0, 0)
	}
	return wellInterval(s.Size, s.Rank, s.Sigma[0], s.Sigma[1], s.Sigma[s.Rank-1])
}

func wellInterval(size, rank int, top, second, low float64) Interval {
	if rank < 2 {
		return Interval{math.Inf(1), math.Inf(1)}
	}
	d := float64(size)
	overtake := d * (math.Sqrt(top/second) - 1) / (2 * second) // D(√(σ_1σ_2)−σ_2)/(2σ_2²)
	shrink := (1 - 1/d) * top
	return Interval{
		Printed:   min(1/shrink, overtake),
		Corrected: min((1-math.Sqrt(low/top))/(2*shrink), overtake),
	}
}

// IllInterval returns the ends for θ' = θ − η·K⁻¹∇_θR_ill(H), which is to raise κ(H) where σ_k is simple (Theorem 4.3(2)). The
// singular values after the step are
//
//	σ_k' = σ_k(1 − 2ησ_k(1−1/k)/g²)²,  σ_i' = σ_i(1 + 2ησ_i/(kg²))².
//
// Printed is g²/(1−2σ_k/k), which is not homogeneous in σ and is negative, hence empty, for σ_k > k/2: nine fives and a four with
// η = 5.71 go from κ = 1.25 to 1.001. Corrected here: g²/(2(1−1/k)σ_k), where σ_k' reaches 0. Both are 0 where g = 0 and k > 1.
func IllInterval(s *spectrum.Spectrum) Interval {
	if s.Rank < 2 {
		return illInterval(s.Rank, 0, 0)
	}
	return illInterval(s.Rank, G(s), s.Sigma[s.Rank-1])
}

func illInterval(rank int, g, low float64) Interval {
	if rank < 2 {
		return Interval{math.Inf(1), math.Inf(1)}
	}
	k := float64(rank)
	return Interval{
		Printed:   g * g / (1 - 2*low/k),
		Corrected: g * g / (2 * (1 - 1/k) * low),
	}
}

// IllMatrixInterval returns the end k/(k−1)·g² of the interval of η for which S' = S − η∇R_ill(S) raises κ(S) (Theorem 4.1(4),
// as printed); +Inf for k < 2.
func IllMatrixInterval(s *spectrum.Spectrum) float64 {
	if s.Rank < 2 {
		return math.Inf(1)
	}
	k, g := float64(s.Rank), G(s)
	return k / (k - 1) * g * g
}
