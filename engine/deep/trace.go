package deep

import (
	"context"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/immunize"
	"kappa/engine/nn"
	"kappa/engine/spectrum"
)

// balance sets the weights of the terms: 0 where a balanced one has no gradient on the first batch.
func (d *descent) balance() error {
	for _, v := range []struct {
		s *side
		l immunize.Lambda
	}{{&d.primary, d.o.LambdaPrimary}, {&d.harmful, d.o.LambdaHarmful}} {
		v.s.lambda = v.l.Value
		if v.s.term == nil || !v.l.Balance {
			continue
		}
		v.s.lambda = 0
		norm, err := d.norm(v.s, v.s.first[:d.o.Batch], false)
		if err != nil {
			return err
		}
		if norm > 0 {
			v.s.lambda = d.o.BalanceNorm / norm
		}
	}
	return nil
}

// unbalanced says which weights are 0 because they were to be balanced by nothing, "" if none is.
func (d *descent) unbalanced() string {
	var notes []string
	for _, v := range []struct {
		s *side
		l immunize.Lambda
	}{{&d.primary, d.o.LambdaPrimary}, {&d.harmful, d.o.LambdaHarmful}} {
		if v.s.term != nil && v.l.Balance && v.s.lambda == 0 {
			notes = append(notes, fmt.Sprintf("lambda_%s is 0 throughout, because the %[1]s term has no gradient on the first batch, by which it is balanced", v.s.name))
		}
	}
	return strings.Join(notes, "; ")
}

// norm returns the norm of the gradient of a side's term, or of the loss, in the extractor's parameters; NaN where there is none. Their
// gradients are overwritten.
func (d *descent) norm(s *side, rows []int, loss bool) (float64, error) {
	if err := d.forward(s, rows, loss, false); err != nil {
		return math.NaN(), err
	}
	if !loss && !s.term.add(s.d, 1) {
		return math.NaN(), nil
	}
	d.net.ZeroGrad()
	d.backward(s)
	return nn.GradientNorm(d.extractor), nil
}

// trace measures state t.
func (d *descent) trace(ctx context.Context, t int) error {
	nan := math.NaN()
	point := Point{Step: t, LossPrimary: nan, LossHarmful: nan, GradLoss: nan, GradWell: nan, GradIll: nan}
	var err error
	if d.obj.loss {
		if point.GradLoss, err = d.norm(&d.primary, d.primary.rows, true); err != nil {
			return err
		}
		point.LossPrimary = d.primary.loss
	}
	for _, v := range []struct {
		s    *side
		norm *float64
	}{{&d.primary, &point.GradWell}, {&d.harmful, &point.GradIll}} {
		if v.s.term != nil {
			*v.norm, err = d.norm(v.s, v.s.rows, false)
		} else {
			err = d.forward(v.s, v.s.rows, false, false)
		}
		if err != nil {
			return err
		}
	}
	point.RWell, point.RIll = d.primary.spectrum.Values().Well, d.harmful.spectrum.Values().Ill
	if a, ok := d.obj.harmful.(*adversary); ok {
		point.LossHarmful = a.loss
	}
	for _, v := range []struct {
		s  *side
		to *spectrum.Conditions
	}{{&d.primary, &point.Primary}, {&d.harmful, &point.Harmful}} {
		var f mat.Dense
		if err := Features(ctx, &f, d.net, v.s.images, v.s.first); err != nil {
			return err
		}
		*v.to = ConditionsOf(&f)
	}
	d.res.Trace = append(d.res.Trace, point)
	return nil
}
