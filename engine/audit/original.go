package audit

import (
	"fmt"
	"sync"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/ceiling"
	"kappa/engine/probe"
	"kappa/engine/spectrum"
)

// Original is what the tasks alone determine, whatever the extractor: the condition numbers of the original, the ceiling, the least
// loss on the inputs, and the factors of the inputs with a column of ones. Each is computed when it is first asked for, so that
// measuring many extractors on the same tasks costs them once. It is safe for concurrent use.
type Original struct {
	in                   Input
	conditions           func() (Base, error)
	ceiling              func() (ceiling.Result, error)
	loss                 func() (float64, error)
	fit, fitWithOnes     func() (*probe.Data, error)
	onesPrimary, onesHar func() (*spectrum.Factor, error)
}

// NewOriginal returns what the tasks of in determine. Theta, Bias, Original and Known are not read. The matrices and slices of in
// are kept and must not be changed while the Original is in use. Nothing is computed yet, and nothing checked: Measure does.
func NewOriginal(in Input) *Original {
	o := &Original{in: in}
	o.conditions = sync.OnceValues(o.base)
	o.ceiling = sync.OnceValues(func() (ceiling.Result, error) { return ceiling.Exact(in.Primary, in.Harmful) })
	o.loss = sync.OnceValues(o.baseLoss)
	o.fit = sync.OnceValues(func() (*probe.Data, error) { return probe.NewData(in.Primary, in.XPrimary, in.Y) })
	o.fitWithOnes = sync.OnceValues(func() (*probe.Data, error) {
		f, err := o.PrimaryWithOnes()
		if err != nil {
			return nil, err
		}
		return probe.NewData(f, in.XPrimary, in.Y)
	})
	ones := func(name string, x *mat.Dense) func() (*spectrum.Factor, error) {
		return sync.OnceValues(func() (*spectrum.Factor, error) {
			if x == nil {
				return nil, fmt.Errorf("audit: no inputs of the %s task to put a column of ones beside", name)
			}
			return spectrum.NewFactor(withOnes(x))
		})
	}
	o.onesPrimary, o.onesHar = ones("primary", in.XPrimary), ones("harmful", in.XHarmful)
	return o
}

// PrimaryWithOnes returns the factor of [X 1], X the inputs of the primary task, and an error where these were not given.
func (o *Original) PrimaryWithOnes() (*spectrum.Factor, error) { return o.onesPrimary() }

// HarmfulWithOnes is PrimaryWithOnes for the harmful task.
func (o *Original) HarmfulWithOnes() (*spectrum.Factor, error) { return o.onesHar() }

// of reports whether o was made of the tasks of in.
func (o *Original) of(in Input) bool {
	same := func(a, b []float64) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }
	return o.in.Primary == in.Primary && o.in.Harmful == in.Harmful &&
		o.in.BasePrimary == in.BasePrimary && o.in.BaseHarmful == in.BaseHarmful &&
		(in.XBasePrimary == nil || o.in.XBasePrimary == in.XBasePrimary) &&
		(in.XPrimary == nil || o.in.XPrimary == in.XPrimary) && (in.XHarmful == nil || o.in.XHarmful == in.XHarmful) &&
		(in.Y == nil || same(o.in.Y, in.Y))
}

// base returns the condition numbers of the features of the original, or where these are not given of Xθ with θ = I.
func (o *Original) base() (out Base, err error) {
	primary, harmful := o.in.BasePrimary, o.in.BaseHarmful
	if primary == nil {
		primary, harmful = o.in.Primary, o.in.Harmful
	}
	if out.Primary, err = condition(primary, nil); err != nil {
		return out, fmt.Errorf("original, primary task: %w", err)
	}
	if out.Harmful, err = condition(harmful, nil); err != nil {
		return out, fmt.Errorf("original, harmful task: %w", err)
	}
	return out, nil
}

// Known are figures of an extractor that need not be computed again.
type Known struct {
	Primary, Harmful spectrum.Conditions // κ(H_P), κ(H_H), with the bias where there is one
	KappaTheta       float64
}

// conditions fills in the condition numbers of both tasks and of θ.
func (in Input) conditions(r *Report, o *Original) (err error) {
	if in.Known != nil {
		r.Primary, r.Harmful, r.KappaTheta = in.Known.Primary, in.Known.Harmful, in.Known.KappaTheta
		return nil
	}
	primary, harmful, theta := in.Primary, in.Harmful, in.Theta
	if in.Bias != nil {
		if primary, err = o.PrimaryWithOnes(); err != nil {
			return fmt.Errorf("primary task: %w", err)
		}
		if harmful, err = o.HarmfulWithOnes(); err != nil {
			return fmt.Errorf("harmful task: %w", err)
		}
		theta = Stacked(in.Theta, in.Bias)
	}
	if r.Primary, err = condition(primary, theta); err != nil {
		return fmt.Errorf("primary task: %w", err)
	}
	if r.Harmful, err = condition(harmful, theta); err != nil {
		return fmt.Errorf("harmful task: %w", err)
	}
	if in.Theta != nil {
		r.KappaTheta = spectrum.ThetaCondition(in.Theta)
	}
	return nil
}

func condition(f *spectrum.Factor, theta *mat.Dense) (spectrum.Conditions, error) {
	s, err := f.Spectrum(theta, false)
	if err != nil {
		return spectrum.Conditions{}, err
	}
	return s.Condition(), nil
}
