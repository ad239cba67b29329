package audit

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/ceiling"
	"kappa/engine/probe"
	"kappa/engine/spectrum"
)

// The thresholds of Definition 3.1 where the paper writes ≫, ≤ and ≈.
const (
	// MuchWorse is the factor by which κ(H_H) must exceed that of the original for part (a): "≫" is read as one order of magnitude.
	MuchWorse = 10
	// NoWorse is the largest κ(H_P) relative to the original for part (b): 1, with room for rounding.
	NoWorse = 1 + 1e-9
	// AsGood is the largest best loss on D_P relative to the original for part (c): "≈" is read as at most 1 % more.
	AsGood = 1.01
)

// negligibleLoss is the best loss relative to the mean square of the targets below which it is rounding: the fit is perfect.
const negligibleLoss = 1e-20

// Input is what is measured, in one of three settings.
//
//   - A linear extractor: Primary and Harmful are the inputs, with Theta. The original is the identity.
//   - Two models: Primary and Harmful are the features of the immunized model, with BasePrimary and BaseHarmful, the features of the
//     original on the same examples.
//   - One model: Primary and Harmful alone. There is nothing to compare with.
type Input struct {
	Primary, Harmful *spectrum.Factor

	Theta *mat.Dense // D×m, features are Xθ; nil if there is none
	Bias  []float64  // m, added to every row of Xθ; nil if there is none. Needs Theta, XPrimary and XHarmful

	BasePrimary, BaseHarmful *spectrum.Factor // both or none; not with Theta

	// XPrimary and XHarmful are the matrices behind Primary and Harmful. They are needed with Bias, because Xθ + 1bᵀ is not a function
	// of XᵀX, and XPrimary with Y. They are not modified.
	XPrimary, XHarmful *mat.Dense
	// XBasePrimary is the matrix behind BasePrimary: where two models are compared, the loss of the original is measured on it.
	XBasePrimary *mat.Dense
	// Y holds the targets of the primary task, for the loss; nil leaves the loss out.
	Y []float64

	// Original is what NewOriginal made of the same tasks; nil computes it anew.
	Original *Original
	// Fit is the primary task's features under Theta, and Bias, with Y, made ready for attackers, where that is at hand: what
	// Original.PrimaryFit gives under [θ; bᵀ]. nil makes it anew for the loss.
	Fit *probe.Target
	// Known are the condition numbers under Theta where they are known already, from the last point of a training's trace for
	// example; nil computes them.
	Known *Known
}

// Measure measures in. It does not modify its arguments. An error is returned if a setting is incomplete or mixed, if shapes do not
// fit, if Theta, Bias or Y holds a number that is not finite, and if a decomposition fails. What cannot be computed for other reasons
// is NaN in the Report. The cost is a handful of singular value decompositions of order D; with a bias or targets some more,
// O(ND·min(N, D)). Original and Known save what they hold.
func Measure(in Input) (Report, error) {
	if err := in.check(); err != nil {
		return Report{}, fmt.Errorf("audit: %w", err)
	}
	o := in.Original
	if o == nil {
		o = NewOriginal(in)
	}
	r := emptyReport()
	r.hasTheta, r.hasCeiling = in.Theta != nil, in.BasePrimary == nil
	if err := in.conditions(&r, o); err != nil {
		return Report{}, fmt.Errorf("audit: %w", err)
	}
	if in.Theta != nil || in.BasePrimary != nil {
		base, err := o.conditions()
		if err != nil {
			return Report{}, fmt.Errorf("audit: %w", err)
		}
		r.Base = &base
	}
	limits := ceiling.Result{Ceiling: math.NaN(), LogCeiling: math.NaN()}
	if r.hasCeiling {
		c, err := o.ceiling()
		if err != nil {
			return Report{}, fmt.Errorf("audit: %w", err)
		}
		r.Ceiling, r.Unbounded, r.Freedom = c.Ceiling, c.Unbounded, c.Freedom
		if !in.narrows() {
			limits = c
		}
	}
	if in.Y != nil {
		if err := in.losses(&r, o); err != nil {
			return Report{}, fmt.Errorf("audit: %w", err)
		}
	}
	if r.Base != nil {
		r.compare(limits)
	}
	return r, nil
}

// narrows reports whether θ has fewer columns than rows. Such a θ loses directions, and with them what made a task ill-conditioned: the
// ceiling and its bounds, which are of invertible θ, do not limit it.
func (in Input) narrows() bool {
	if in.Theta == nil {
		return false
	}
	d, m := in.Theta.Dims()
	return m < d
}

// check refuses what is incomplete or does not fit.
func (in Input) check() error {
	if in.Primary == nil || in.Harmful == nil {
		return errors.New("both tasks are needed")
	}
	n, d := in.Primary.Dims()
	nh, dh := in.Harmful.Dims()
	if d != dh {
		return fmt.Errorf("the primary task has %d columns, the harmful task %d", d, dh)
	}
	switch {
	case (in.BasePrimary == nil) != (in.BaseHarmful == nil):
		return errors.New("the original's features are needed for both tasks or for none")
	case in.BasePrimary != nil && in.Theta != nil:
		return errors.New("an extractor is compared with the identity, not with another model: give θ or the original's features")
	case in.Known != nil && in.Theta == nil:
		return errors.New("figures that are known already need the extractor that they are of")
	case in.Original != nil && !in.Original.of(in):
		return errors.New("the original was made of other tasks")
	case in.Bias != nil && in.Theta == nil:
		return errors.New("a bias needs an extractor")
	case in.Bias != nil && (in.XPrimary == nil || in.XHarmful == nil):
		return errors.New("a bias needs the inputs of both tasks")
	case in.Y != nil && in.XPrimary == nil:
		return errors.New("the loss needs the inputs of the primary task")
	case in.Y != nil && len(in.Y) != n:
		return fmt.Errorf("%d targets for %d examples of the primary task", len(in.Y), n)
	}
	if in.Theta != nil {
		rows, cols := in.Theta.Dims()
		if rows != d {
			return fmt.Errorf("θ has %d rows, the inputs have %d columns", rows, d)
		}
		if in.Bias != nil && len(in.Bias) != cols {
			return fmt.Errorf("the bias has %d elements, θ has %d columns", len(in.Bias), cols)
		}
	}
	for _, x := range []struct {
		name string
		x    *mat.Dense
		n    int
	}{{"primary", in.XPrimary, n}, {"harmful", in.XHarmful, nh}} {
		if x.x == nil {
			continue
		}
		if rows, cols := x.x.Dims(); rows != x.n || cols != d {
			return fmt.Errorf("the inputs of the %s task are %d×%d, its factor is of %d×%d", x.name, rows, cols, x.n, d)
		}
	}
	if in.XBasePrimary != nil {
		if in.BasePrimary == nil {
			return errors.New("the original's features are given without their factors")
		}
		rows, cols := in.XBasePrimary.Dims()
		if nb, db := in.BasePrimary.Dims(); rows != nb || cols != db {
			return fmt.Errorf("the original's features of the primary task are %d×%d, their factor is of %d×%d", rows, cols, nb, db)
		}
		if in.Y != nil && rows != n {
			return fmt.Errorf("%d targets for %d examples of the primary task under the original", len(in.Y), rows)
		}
	}
	for i, b := range in.Bias {
		if math.IsNaN(b) || math.IsInf(b, 0) {
			return fmt.Errorf("element %d of the bias is %v", i, b)
		}
	}
	return nil
}

// withOnes returns [X 1].
func withOnes(x *mat.Dense) *mat.Dense {
	n, d := x.Dims()
	out := mat.NewDense(n, d+1, nil)
	for i := range n {
		row := out.RawRowView(i)
		copy(row, x.RawRowView(i))
		row[d] = 1
	}
	return out
}

// Stacked returns [θ; bᵀ], for which [X 1]·[θ; bᵀ] = Xθ + 1bᵀ.
func Stacked(theta *mat.Dense, bias []float64) *mat.Dense {
	d, m := theta.Dims()
	out := mat.NewDense(d+1, m, nil)
	out.Slice(0, d, 0, m).(*mat.Dense).Copy(theta)
	out.SetRow(d, bias)
	return out
}
