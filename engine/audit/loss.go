package audit

import (
	"math"

	"kappa/engine/probe"
)

// PrimaryFit returns the primary task's data and targets as a least-squares problem for any extractor, with a bias or without. XPrimary
// and Y must have been given.
func (o *Original) PrimaryFit(bias bool) (*probe.Data, error) {
	if bias {
		return o.fitWithOnes()
	}
	return o.fit()
}

// losses fills in the least mean squared error of a linear head on the primary task, with the extractor and without. In exact
// arithmetic they are equal for an invertible θ without a bias. Both are measured all the same: of an ill-conditioned θ the features
// that double precision holds may have lost a direction.
func (in Input) losses(r *Report, o *Original) (err error) {
	if r.LossBase, err = o.loss(); err != nil {
		return err
	}
	r.LossPrimary = r.LossBase
	switch {
	case in.BasePrimary != nil:
		data, err := o.PrimaryFit(false)
		if err != nil {
			return err
		}
		r.LossPrimary = meanLoss(data.BestLoss(), in.Y)
		return nil
	case in.Theta == nil:
		return nil
	}
	fit := in.Fit
	if fit == nil {
		data, err := o.PrimaryFit(in.Bias != nil)
		if err != nil {
			return err
		}
		theta := in.Theta
		if in.Bias != nil {
			theta = Stacked(theta, in.Bias)
		}
		if fit, err = data.Under(theta); err != nil {
			return err
		}
	}
	r.LossPrimary = meanLoss(fit.BestLoss(), in.Y)
	return nil
}

// baseLoss returns the least mean squared error on the original's features, NaN where they are not given.
func (o *Original) baseLoss() (float64, error) {
	if o.in.BasePrimary == nil {
		data, err := o.PrimaryFit(false)
		if err != nil {
			return math.NaN(), err
		}
		return meanLoss(data.BestLoss(), o.in.Y), nil
	}
	if o.in.XBasePrimary == nil {
		return math.NaN(), nil
	}
	data, err := probe.NewData(o.in.BasePrimary, o.in.XBasePrimary, o.in.Y)
	if err != nil {
		return math.NaN(), err
	}
	return meanLoss(data.BestLoss(), o.in.Y), nil
}

// meanLoss returns the mean of a loss that is a sum over the targets, 0 where it is rounding.
func meanLoss(sum float64, y []float64) float64 {
	n := float64(len(y))
	loss, square := sum/n, 0.0
	for _, v := range y {
		square += v * v / n
	}
	if loss <= negligibleLoss*square {
		return 0
	}
	return loss
}
