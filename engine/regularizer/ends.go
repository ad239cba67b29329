package regularizer

import (
	"math"

	"kappa/engine/spectrum"
)

// Values holds the figures of one spectrum that a step loop traces, from its ends and its norm alone. They are those of Well, Ill,
// LogKappa and the intervals to rounding, but where κ − 1 is below 10⁻⁶: there the differences of squares cancel.
type Values struct {
	Well, Ill, G, LogKappa    float64
	WellInterval, IllInterval Interval
}

// At returns the figures of a spectrum known by its ends.
func At(x *spectrum.Extremes) Values {
	g := gOf(x)
	v := Values{
		Well: max(0, x.Sigma1*x.Sigma1/2-x.Frobenius/float64(2*x.Size)), Ill: math.Inf(1), G: g, LogKappa: math.Log(x.Kappa()),
		WellInterval: wellInterval(x.Size, x.Rank, x.Sigma1, x.Sigma2, x.SigmaK), IllInterval: illInterval(x.Rank, g, x.SigmaK),
	}
	if g > 0 {
		v.Ill = 1 / g
	}
	return v
}

func gOf(x *spectrum.Extremes) float64 {
	if x.Rank < 2 || x.Flat() {
		return 0
	}
	return max(0, x.Frobenius/float64(2*x.Rank)-x.SigmaK*x.SigmaK/2)
}
