package deep

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/nn"
	"kappa/engine/spectrum"
	"kappa/engine/summary"
)

// Groups are the training images of each task on which condition numbers are measured, some rows each.
type Groups struct{ Primary, Harmful [][]int }

// DrawGroups draws groups of size images of each task, each group without repetition and by itself. The error says which task has
// too few images.
func DrawGroups(primary, harmful Images, groups, size int, rng *rand.Rand) (Groups, error) {
	if groups < 1 || size < 2 {
		return Groups{}, fmt.Errorf("%d groups of %d images: at least 1 of 2 is needed", groups, size)
	}
	var g Groups
	for _, t := range []struct {
		name   string
		images Images
		to     *[][]int
	}{{"primary", primary, &g.Primary}, {"harmful", harmful, &g.Harmful}} {
		n := t.images.Len()
		if n < size {
			return Groups{}, fmt.Errorf("groups of %d images: the %s task has %d to train on; give a smaller group_size", size, t.name, n)
		}
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		for range groups {
			for i := range size {
				j := i + rng.IntN(n-i)
				order[i], order[j] = order[j], order[i]
			}
			*t.to = append(*t.to, append([]int(nil), order[:size]...))
		}
	}
	return g, nil
}

// Measured are the condition numbers of a net's feature Gram matrices H̃ = FᵀF, one for each group.
type Measured struct{ Primary, Harmful []spectrum.Conditions }

// Measure measures a net on all groups. Features are those of the evaluation mode; under the protocol `rank` a group's rank is that of
// features computed in float32 ([spectrum.Float32Tol]), under `ridge` H̃ + 10⁻⁶I is as for linear extractors. Where a net gives
// features that are NaN or infinite, or all zero, the condition numbers are NaN.
//
// The error is that of reading the images, or ctx.Err(). The cost is a forward pass of all groups, and an SVD of size×Width numbers
// and the eigenvalues of a matrix of order Width each.
func Measure(ctx context.Context, net *nn.Net, primary, harmful Images, g Groups) (Measured, error) {
	var m Measured
	for _, t := range []struct {
		name   string
		images Images
		groups [][]int
		to     *[]spectrum.Conditions
	}{{"primary", primary, g.Primary, &m.Primary}, {"harmful", harmful, g.Harmful, &m.Harmful}} {
		if err := fits(net, t.images, t.name); err != nil {
			return Measured{}, err
		}
		for i, rows := range t.groups {
			var f mat.Dense
			if err := Features(ctx, &f, net, t.images, rows); err != nil {
				if ctx.Err() != nil {
					return Measured{}, ctx.Err()
				}
				return Measured{}, fmt.Errorf("features of group %d of the %s task: %w", i+1, t.name, err)
			}
			*t.to = append(*t.to, ConditionsOf(&f))
		}
	}
	return m, nil
}

// ConditionsOf returns κ(FᵀF) of features that were computed in float32, under both protocols. κ is NaN where F is zero or has an
// element that is not finite.
func ConditionsOf(f *mat.Dense) spectrum.Conditions {
	nan := spectrum.Condition{Kappa: math.NaN(), SigmaMax: math.NaN(), SigmaMin: math.NaN(), Next: math.NaN()}
	undefined := spectrum.Conditions{Rank: nan, Ridge: nan}
	factor, err := spectrum.NewFactorTol(f, spectrum.Float32Tol(f.Dims()))
	if err != nil {
		return undefined
	}
	s, err := factor.Spectrum(nil, false)
	if err != nil {
		return undefined
	}
	return s.Condition()
}

// Ratios are what immunization did to the condition numbers under one protocol, group by group: κ(H̃(θ))/κ(H̃(θ_0)) of each task, and
// their quotient (i)/(ii), RIR_θ0 (Eq. 17). A ratio is NaN where a κ is.
type Ratios struct {
	RIR, Harmful, Primary []float64 // one for each group
}

// RIR compares a net θ with θ_0, measured on the same groups. It panics if those are not as many.
func RIR(before, after Measured) (rank, ridge Ratios) {
	if len(before.Primary) != len(after.Primary) || len(before.Harmful) != len(after.Harmful) || len(before.Primary) != len(before.Harmful) {
		panic(badGroups)
	}
	of := func(pick func(spectrum.Conditions) spectrum.Condition) Ratios {
		var r Ratios
		change := func(a, b spectrum.Conditions) float64 { return math.Ln10 * (pick(b).Log10() - pick(a).Log10()) }
		for i := range before.Primary {
			p, h := change(before.Primary[i], after.Primary[i]), change(before.Harmful[i], after.Harmful[i])
			r.Primary, r.Harmful = append(r.Primary, math.Exp(p)), append(r.Harmful, math.Exp(h))
			r.RIR = append(r.RIR, math.Exp(h-p))
		}
		return r
	}
	return of(func(c spectrum.Conditions) spectrum.Condition { return c.Rank }), of(func(c spectrum.Conditions) spectrum.Condition { return c.Ridge })
}

const badGroups = "deep: nets measured on different numbers of groups"

// Summaries describe the ratios over the groups; Mean and SD are the numbers of the paper's Table 3.
func (r Ratios) Summaries() (rir, harmful, primary summary.Summary) {
	return summary.Summarize(r.RIR), summary.Summarize(r.Harmful), summary.Summarize(r.Primary)
}
