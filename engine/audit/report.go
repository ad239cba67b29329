package audit

import (
	"encoding/json"
	"math"
	"slices"

	"kappa/engine/ceiling"
	"kappa/engine/spectrum"
)

// Report is what Measure found. A figure that does not apply to the setting is NaN here and null in JSON.
//
// json.Marshal writes the object that `kappa audit --json` prints. Its numbers are JSON numbers; only "Infinity" and "NaN", which
// JSON cannot say, are strings. The ceiling is null also where there is none.
type Report struct {
	// Primary and Harmful are κ of H_P and H_H: of the Hessian FᵀF of a linear probe on the features F, without the factor 2 (Eq. 9).
	Primary, Harmful spectrum.Conditions
	// Base is the same for the original; nil if there is nothing to compare with.
	Base *Base

	// RatioHarmful and RatioPrimary are κ relative to the original's, (i) and (ii) of Eq. 15, and RIR is their quotient (Eq. 15; Eq. 17
	// with the features of two models). Computed in logarithms.
	RIR, RatioHarmful, RatioPrimary Pair

	// Ceiling is the supremum of RIR (protocol `rank`) over all invertible linear extractors on Primary and Harmful; +Inf if Unbounded.
	// Freedom is the number of directions that the harmful task uses and the primary task never sees. See package ceiling. They do not
	// apply to the features of two models, which no linear extractor relates; Ceiling is then NaN.
	Ceiling   float64
	Unbounded bool
	Freedom   int

	KappaTheta float64 // 2-norm condition number of Theta without the bias; +Inf if singular

	// LossPrimary is the least mean squared error of a linear head on the primary task's features, LossBase on its inputs.
	LossPrimary, LossBase float64

	// Bound is the least upper bound of RIR that is known for extractors with this κ(θ): the least of κ(θ)⁴, κ(θ)²κ(K_P) and Ceiling;
	// see ceiling.Bound. Reached and ReachedBound are ln RIR (protocol `rank`) over ln Ceiling and over ln Bound: 1 at the limit, 0 at
	// RIR = 1, NaN where the limit is infinite, or 1 but for rounding. All three are NaN for a θ with fewer columns than rows, which
	// no such limit binds. None of them covers a bias: the features are then no Xθ.
	Bound, Reached, ReachedBound float64

	// DefA, DefB and DefC are the parts of Definition 3.1 by the constants MuchWorse, NoWorse and AsGood, under the protocol `rank`;
	// DefARidge and DefBRidge are (a) and (b) under the protocol `ridge`, and (c) knows no protocol. They are false where a figure they
	// need is NaN.
	DefA, DefB, DefC     bool
	DefARidge, DefBRidge bool

	hasTheta, hasCeiling bool
}

// Base holds the condition numbers of the original.
type Base struct{ Primary, Harmful spectrum.Conditions }

// Pair is one figure under both protocols.
type Pair struct{ Rank, Ridge float64 }

func emptyReport() Report {
	nan := math.NaN()
	none := Pair{nan, nan}
	return Report{
		RIR: none, RatioHarmful: none, RatioPrimary: none,
		Ceiling: nan, KappaTheta: nan, LossPrimary: nan, LossBase: nan, Bound: nan, Reached: nan, ReachedBound: nan,
	}
}

// RidgeDominated reports whether any of the condition numbers behind the ridge protocol's figures is the ridge and rounding: those
// figures then compare norms, not condition numbers.
func (r Report) RidgeDominated() bool {
	if r.Base != nil && (r.Base.Primary.Ridge.RidgeDominated || r.Base.Harmful.Ridge.RidgeDominated) {
		return true
	}
	return r.Primary.Ridge.RidgeDominated || r.Harmful.Ridge.RidgeDominated
}

// compare fills in the ratios, what was reached of the limits, and Definition 3.1.
func (r *Report) compare(limits ceiling.Result) {
	rank := func(c spectrum.Conditions) spectrum.Condition { return c.Rank }
	ridge := func(c spectrum.Conditions) spectrum.Condition { return c.Ridge }
	figures := func(of func(spectrum.Conditions) spectrum.Condition) (harmful, primary, rir float64) {
		h := of(r.Harmful).Log10() - of(r.Base.Harmful).Log10()
		p := of(r.Primary).Log10() - of(r.Base.Primary).Log10()
		return power(h), power(p), power(h - p)
	}
	r.RatioHarmful.Rank, r.RatioPrimary.Rank, r.RIR.Rank = figures(rank)
	r.RatioHarmful.Ridge, r.RatioPrimary.Ridge, r.RIR.Ridge = figures(ridge)
	logRIR := math.Ln10 * (r.Harmful.Rank.Log10() - r.Base.Harmful.Rank.Log10() - (r.Primary.Rank.Log10() - r.Base.Primary.Rank.Log10()))
	r.Bound = ceiling.Bound(limits, r.KappaTheta)
	r.Reached = ceiling.Reached(logRIR, limits.LogCeiling)
	r.ReachedBound = ceiling.Reached(logRIR, ceiling.LogBound(limits, r.KappaTheta))
	r.DefA, r.DefARidge = r.RatioHarmful.Rank >= MuchWorse, r.RatioHarmful.Ridge >= MuchWorse
	r.DefB, r.DefBRidge = r.RatioPrimary.Rank <= NoWorse, r.RatioPrimary.Ridge <= NoWorse
	r.DefC = r.LossPrimary <= AsGood*r.LossBase
}

// power returns 10^x.
func power(x float64) float64 { return math.Exp(x * math.Ln10) }

// The JSON form.
type (
	jsonReport struct {
		Primary      jsonTask  `json:"primary"`
		Harmful      jsonTask  `json:"harmful"`
		Base         *jsonBase `json:"base"`
		RIR          *jsonPair `json:"rir"`
		RatioHarmful *jsonPair `json:"ratio_harmful"`
		RatioPrimary *jsonPair `json:"ratio_primary"`
		Ceiling      *number   `json:"ceiling"`
		Unbounded    *bool     `json:"unbounded"`
		Freedom      *int      `json:"freedom"`
		KappaTheta   *number   `json:"kappa_theta"`
		Bound        *number   `json:"bound"`
		Reached      *number   `json:"reached"`
		ReachedBound *number   `json:"reached_bound"`

		Loss       *jsonLoss       `json:"loss"`
		Definition *jsonDefinition `json:"definition"`
	}
	jsonLoss struct {
		Primary *number `json:"primary"`
		Base    *number `json:"base"`
	}
	// null: a figure that the verdict needs is missing.
	jsonDefinition struct {
		A jsonVerdicts `json:"a"`
		B jsonVerdicts `json:"b"`
		C *bool        `json:"c"`
	}
	jsonVerdicts struct {
		Rank  *bool `json:"rank"`
		Ridge *bool `json:"ridge"`
	}
	jsonBase struct {
		Primary jsonTask `json:"primary"`
		Harmful jsonTask `json:"harmful"`
	}
	jsonPair struct {
		Rank  number `json:"rank"`
		Ridge number `json:"ridge"`
	}
	jsonTask struct {
		Rank  jsonRank  `json:"rank"`
		Ridge jsonRidge `json:"ridge"`
	}
	jsonRank struct {
		Kappa    number  `json:"kappa"`
		SigmaMax number  `json:"sigma_max"`
		SigmaMin number  `json:"sigma_min"`
		Rank     int     `json:"rank"`
		Next     *number `json:"next"` // null: there is no further singular value
		Unclear  bool    `json:"unclear"`
	}
	jsonRidge struct {
		Kappa          number `json:"kappa"`
		SigmaMax       number `json:"sigma_max"`
		SigmaMin       number `json:"sigma_min"`
		RidgeDominated bool   `json:"ridge_dominated"`
	}
)

// number is a float64 whose JSON is a number, or a string where JSON has none.
type number float64

// MarshalJSON writes the shortest number that reads back as n, or "NaN", "Infinity", "-Infinity".
func (n number) MarshalJSON() ([]byte, error) {
	switch f := float64(n); {
	case math.IsNaN(f):
		return []byte(`"NaN"`), nil
	case math.IsInf(f, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(f, -1):
		return []byte(`"-Infinity"`), nil
	default:
		return json.Marshal(f)
	}
}

// MarshalJSON writes the report in the form described at Report.
func (r Report) MarshalJSON() ([]byte, error) {
	out := jsonReport{Primary: taskJSON(r.Primary), Harmful: taskJSON(r.Harmful)}
	if r.Base != nil {
		out.Base = &jsonBase{taskJSON(r.Base.Primary), taskJSON(r.Base.Harmful)}
		out.RIR, out.RatioHarmful, out.RatioPrimary = pairJSON(r.RIR), pairJSON(r.RatioHarmful), pairJSON(r.RatioPrimary)
	}
	if r.hasCeiling {
		out.Unbounded, out.Freedom = &r.Unbounded, &r.Freedom
		if !r.Unbounded {
			out.Ceiling = (*number)(&r.Ceiling)
		}
	}
	if r.hasTheta {
		out.KappaTheta = (*number)(&r.KappaTheta)
	}
	out.Bound, out.Reached, out.ReachedBound = orNull(r.Bound), orNull(r.Reached), orNull(r.ReachedBound)
	if !math.IsNaN(r.LossPrimary) {
		out.Loss = &jsonLoss{Primary: orNull(r.LossPrimary)}
		if r.Base != nil {
			out.Loss.Base = orNull(r.LossBase)
		}
	}
	if r.Base != nil {
		out.Definition = &jsonDefinition{
			A: jsonVerdicts{verdict(r.DefA, r.RatioHarmful.Rank), verdict(r.DefARidge, r.RatioHarmful.Ridge)},
			B: jsonVerdicts{verdict(r.DefB, r.RatioPrimary.Rank), verdict(r.DefBRidge, r.RatioPrimary.Ridge)},
			C: verdict(r.DefC, r.LossPrimary, r.LossBase),
		}
	}
	return json.Marshal(out)
}

// verdict is null where one of the figures that it needs is NaN.
func verdict(holds bool, figures ...float64) *bool {
	if slices.ContainsFunc(figures, math.IsNaN) {
		return nil
	}
	return &holds
}

// orNull is null for NaN: the figure does not apply.
func orNull(x float64) *number {
	if math.IsNaN(x) {
		return nil
	}
	return (*number)(&x)
}

func pairJSON(p Pair) *jsonPair { return &jsonPair{number(p.Rank), number(p.Ridge)} }

func taskJSON(c spectrum.Conditions) jsonTask {
	out := jsonTask{
		Rank: jsonRank{
			number(c.Rank.Kappa), number(c.Rank.SigmaMax), number(c.Rank.SigmaMin), c.Rank.Rank, nil, c.Rank.RankUnclear,
		},
		Ridge: jsonRidge{number(c.Ridge.Kappa), number(c.Ridge.SigmaMax), number(c.Ridge.SigmaMin), c.Ridge.RidgeDominated},
	}
	if !math.IsNaN(c.Rank.Next) {
		next := number(c.Rank.Next)
		out.Rank.Next = &next
	}
	return out
}
