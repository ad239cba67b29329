package immunize

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

const (
	// nearlyWhole is the fraction of the printed interval that stands for all of it.
	nearlyWhole = 0.99
	// unit is the rounding of one operation, 2⁻⁵³.
	unit = 0x1p-53
	// printedSlack is what rounding may leave in the quotient of two ends.
	printedSlack = 1e-12
)

// CertifiedStep is the certified step that led to the state Step.
type CertifiedStep struct {
	Step      int
	Well, Ill HalfStep
}

// HalfStep is one of the two half steps of a certified step: a step along the preconditioned gradient of one regularizer alone, which
// is what one part of Theorem 4.3 is about. Before, and Interval, are at the θ it starts from. What does not apply is NaN.
type HalfStep struct {
	Taken    bool
	Interval regularizer.Interval // of η
	Eta      float64              // η, inside (0, Interval.Corrected)
	// Before and After are κ of the half step's own task, Other is κ of the other one after it.
	Before, After, Other float64
	// Predicted is what After is in closed form from the spectrum before, for exact arithmetic.
	Predicted float64
	// Tolerance bounds what rounding leaves in log(After/Before), to first order: the singular value decompositions, the products
	// Rθ and the step itself, with a sum of n terms off by n units.
	Tolerance float64
	// Moved is 1 where κ moved as the theorem says by more than Tolerance, −1 where it moved the other way by more, else 0.
	Moved int
	// PrintedKappa is κ after a step of the same fraction of the printed interval, PrintedWhole after one of 0.99 of it, both in
	// closed form; NaN where that interval is empty or unbounded.
	PrintedKappa, PrintedWhole float64
	// PrintedFails is the smallest η inside the printed interval that does not move κ as the theorem says, as a fraction of its end,
	// in (0, 1), or 0 where that end is infinite; NaN where there is none.
	PrintedFails float64
}

// HalfCounts say what the half steps of one kind did, over all steps.
type HalfCounts struct {
	Taken int
	// Idle counts those not taken: κ is 1, or the extreme value is repeated and the interval empty.
	Idle       int
	Violations int // Moved = −1
	Unmoved    int // Moved = 0
	// OtherWorse counts those that moved κ of the other task against that task's aim by more than rounding. No theorem forbids it.
	OtherWorse int
	// PrintedFailures counts the half steps with a PrintedFails, PrintedEmpty those at which the printed interval was empty.
	PrintedFailures, PrintedEmpty int
}

// half is what takes one of the two half steps.
type half struct {
	on, ill bool
	factor  *spectrum.Factor
	size    float64 // ‖X‖_F
	work    regularizer.Workspace
}

func newHalf(f *spectrum.Factor) half {
	h := half{factor: f}
	for _, s := range f.SingularValues() {
		h.size = math.Hypot(h.size, s)
	}
	return h
}

// gradient stores the gradient in dst; ok is false where it is undefined.
func (h *half) gradient(dst *mat.Dense, form regularizer.Form, theta *mat.Dense, x *spectrum.Extremes) (ok bool) {
	if h.ill {
		return h.work.Ill(dst, form, h.factor, theta, x)
	}
	h.work.Well(dst, form, h.factor, theta, x)
	return true
}

// idle reports whether the theorem allows no half step, and why unless that is since κ is 1 and stays so.
func (h *half) idle(x *spectrum.Extremes) (why string, idle bool) {
	switch {
	case !h.on || x.Rank < 2:
		return "", true
	case h.ill && x.Flat():
		return "all non-zero singular values of H_H are equal: R_ill has no gradient", true
	case !h.ill && x.Flat():
		return "", true
	case !h.ill && x.TopRepeated():
		return "σ_1(H_P) is repeated: no step along the gradient of R_well is known to lower κ(H_P)", true
	}
	return "", false
}

// describe tells out about the intervals at x and what the printed one would do.
func (h *half) describe(out *HalfStep, x *spectrum.Extremes, fraction float64) {
	nan := math.NaN()
	*out = HalfStep{
		Interval: regularizer.Interval{Printed: nan, Corrected: nan}, Eta: nan, Before: nan, After: nan, Other: nan, Predicted: nan, Tolerance: nan,
		PrintedKappa: nan, PrintedWhole: nan, PrintedFails: nan,
	}
	if !h.on {
		return
	}
	v := regularizer.At(x)
	out.Before, out.Interval = x.Kappa(), v.WellInterval
	fails := regularizer.WellFailsAt
	if h.ill {
		out.Interval, fails = v.IllInterval, regularizer.IllFailsAt
	}
	if _, idle := h.idle(x); idle {
		return
	}
	end := out.Interval.Printed
	if !(end > 0) {
		return
	}
	if at := fails(x) / end; at < 1-printedSlack {
		out.PrintedFails = at
	}
	out.PrintedKappa, out.PrintedWhole = h.after(x, fraction*end), h.after(x, nearlyWhole*end)
}

// after returns κ after a half step of length eta from the spectrum x, in closed form.
func (h *half) after(x *spectrum.Extremes, eta float64) float64 {
	if h.ill {
		return regularizer.IllAfter(x, eta)
	}
	return regularizer.WellAfter(x, eta)
}

// measured bounds the relative error of κ at x and ‖θ‖_F = norm.
func (h *half) measured(x *spectrum.Extremes, norm float64) float64 {
	_, d := h.factor.Dims()
	return x.KappaError() + x.Residual + h.spread(x, float64(d)*unit*norm)
}

// spread bounds the relative change of κ where θ changes by a matrix of Frobenius norm e.
func (h *half) spread(x *spectrum.Extremes, e float64) float64 {
	return 2 * h.size * e * (1/math.Sqrt(x.Sigma1) + 1/math.Sqrt(x.SigmaK))
}

// rounding bounds the Frobenius norm of the error of η·2cθ(σvvᵀ − H/n) from the spectrum x it is computed from.
func (h *half) rounding(x *spectrum.Extremes, eta, norm float64) float64 {
	rows, d := h.factor.Dims()
	c, sigma, n := 1.0, x.Sigma1, x.Size
	if h.ill {
		g := regularizer.At(x).G
		c, sigma, n = 1/(g*g), x.SigmaK, x.Rank
	}
	trace := math.Sqrt(float64(x.Rank) * x.Frobenius) // at least ‖F‖_F²
	terms := float64(2*d + min(rows, d))
	return terms * unit * 2 * eta * c * norm * (sigma + trace/float64(n))
}

// judge compares the change of log κ with what the theorem says.
func (h *half) judge(out *HalfStep, change float64) {
	if !h.ill {
		change = -change
	}
	switch {
	case change > out.Tolerance:
		out.Moved = 1
	case -change > out.Tolerance:
		out.Moved = -1
	}
}

// otherWorse reports whether the change of log κ of the other task is against its aim.
func (h *half) otherWorse(change, tolerance float64) bool {
	if !h.ill {
		change = -change // κ(H_H) is to rise
	}
	return change > tolerance
}

// printed counts what the printed interval of a half step would do.
func (n *HalfCounts) printed(out *HalfStep) {
	if out.PrintedFails < 1 {
		n.PrintedFailures++
	}
	if !(out.Interval.Printed > 0) {
		n.PrintedEmpty++
	}
}

// tally counts a half step that was taken.
func (n *HalfCounts) tally(out *HalfStep, otherWorse bool) {
	n.Taken++
	switch out.Moved {
	case -1:
		n.Violations++
	case 0:
		n.Unmoved++
	}
	if otherWorse {
		n.OtherWorse++
	}
}
