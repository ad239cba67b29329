package cli

import (
	"fmt"
	"math"
	"strings"

	"kappa/store"
)

// namedFigure is a number of a run under the name that people compare it by.
type namedFigure struct {
	name  string
	value float64
	none  bool // it is not there
	flag  bool
}

func find(list []namedFigure, name string) *namedFigure {
	for i := range list {
		if list[i].name == name {
			return &list[i]
		}
	}
	return nil
}

// figuresOf lists every figure of a run that another run may have too: the columns of results, and the condition numbers, metrics and
// attacks at their last step.
func figuresOf(d store.Dossier) []namedFigure {
	out := resultFigures(d.Outcome.Result)
	last := make(map[string]int) // in out, by name
	step := make(map[string]int)
	put := func(name string, at int, value float64) {
		i, ok := last[name]
		switch {
		case !ok:
			last[name], step[name] = len(out), at
			out = append(out, namedFigure{name: name, value: value})
		case at >= step[name]:
			step[name], out[i].value = at, value
		}
	}
	for _, c := range d.Outcome.Conditions {
		what := c.Task + " " + c.Protocol
		put("κ "+what, c.Step, c.Kappa)
		put("σ_max "+what, c.Step, c.SigmaMax)
		put("σ_min "+what, c.Step, c.SigmaMin)
		put("rank "+what, c.Step, float64(c.Rank))
	}
	for _, m := range d.Outcome.Metrics {
		put("metric "+m.Name, m.Step, m.Value)
	}
	for _, p := range d.Outcome.Attacks {
		what := p.Attacker + " " + p.Task
		put(what+" steps", p.Step, float64(p.Step))
		for _, f := range []struct {
			name  string
			value float64
		}{{"loss", p.Loss}, {"excess", p.Excess}, {"norm ratio", p.NormRatio}, {"accuracy", p.Accuracy}} {
			if !math.IsNaN(f.value) { // else it does not apply
				put(what+" "+f.name, p.Step, f.value)
			}
		}
	}
	return out
}

// resultFigures are the numeric columns of results; a figure that is NULL there is not among them, unless it should have been one.
func resultFigures(r *store.Result) []namedFigure {
	if r == nil {
		return nil
	}
	var out []namedFigure
	add := func(name string, value float64, applies bool) {
		if applies {
			out = append(out, namedFigure{name: name, value: value})
		}
	}
	flag := func(name string, on, applies bool) {
		if applies {
			out = append(out, namedFigure{name: name, value: map[bool]float64{true: 1}[on], flag: true})
		}
	}
	some := func(x float64) bool { return !math.IsNaN(x) }
	add("rir", r.RIR, true)
	add("ratio_harmful", r.RatioHarmful, true)
	add("ratio_primary", r.RatioPrimary, true)
	add("rir_ridge", r.RIRRidge, !r.Deep || some(r.RIRRidge))
	add("ratio_harmful_ridge", r.RatioHarmfulRidge, !r.Deep || some(r.RatioHarmfulRidge))
	add("ratio_primary_ridge", r.RatioPrimaryRidge, !r.Deep || some(r.RatioPrimaryRidge))
	flag("ridge_dominated", r.RidgeDominated, true)
	add("ceiling", r.Ceiling, !r.Unbounded && !r.Deep)
	flag("unbounded", r.Unbounded, !r.Deep)
	add("freedom", float64(r.Freedom), !r.Deep)
	add("kappa_theta", r.KappaTheta, !r.Deep)
	add("loss_primary", r.LossPrimary, !r.Deep || some(r.LossPrimary))
	add("loss_base", r.LossBase, some(r.LossBase))
	add("bound", r.Bound, some(r.Bound))
	add("reached", r.Reached, some(r.Reached))
	add("reached_bound", r.ReachedBound, some(r.ReachedBound))
	flag("def_a", r.DefA, finite(r.RatioHarmful))
	flag("def_b", r.DefB, finite(r.RatioPrimary))
	flag("def_c", r.DefC, finite(r.LossPrimary) && !r.Deep)
	flag("def_a_ridge", r.DefARidge, finite(r.RatioHarmfulRidge))
	flag("def_b_ridge", r.DefBRidge, finite(r.RatioPrimaryRidge))
	add("steps", float64(r.Steps), true)
	return out
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// changed pairs a figure of the first run with that of the second, which may have none.
func changed(a namedFigure, b *namedFigure) changedFigure {
	f := changedFigure{name: a.name, flag: a.flag}
	if !a.none {
		f.a = &a.value
	}
	if b != nil && !b.none {
		f.b = &b.value
		f.flag = f.flag || b.flag
	}
	f.size = f.measure()
	return f
}

// measure is the size of a change: |b − a| over the smaller of |a| and |b|, infinite from or to 0, 0 where nothing has changed. What is
// not finite or not there on one side alone, and a flag, is larger than any number.
func (f changedFigure) measure() float64 {
	a, b := f.a, f.b
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil || b == nil:
		return math.Inf(1)
	case *a == *b || math.IsNaN(*a) && math.IsNaN(*b):
		return 0
	case !finite(*a) || !finite(*b) || f.flag:
		return math.Inf(1)
	}
	least := min(math.Abs(*a), math.Abs(*b))
	if size := math.Abs(*b/least - *a/least); !math.IsNaN(size) {
		return size
	}
	return math.Inf(1)
}

// rounding is the size of changes that the order of additions makes, as between two kernels.
const rounding = 1e-9

// by is the change as a difference and as a share of |a|, where both are finite numbers: the share is infinite from 0.
func (f changedFigure) by() (change, relative float64, ok bool) {
	if f.a == nil || f.b == nil || !finite(*f.a) || !finite(*f.b) {
		return 0, 0, false
	}
	change = *f.b - *f.a
	if change == 0 {
		return 0, 0, true
	}
	return change, change / math.Abs(*f.a), true
}

// told is one side's value for people.
func (f changedFigure) told(x *float64) any {
	switch {
	case x == nil:
		return nil
	case f.flag && *x == 0:
		return "no"
	case f.flag:
		return "yes"
	}
	return *x
}

// change is the difference for people, or in words what a difference cannot say.
func (f changedFigure) change() string {
	switch {
	case f.size == 0:
		return "–"
	case f.a == nil:
		return "only B has it"
	case f.b == nil:
		return "only A has it"
	case f.flag:
		return ""
	}
	if change, _, ok := f.by(); ok {
		return signed(change, 4)
	}
	return fmt.Sprintf("%s, was %s", kindText(*f.b), kindText(*f.a))
}

// relative is the change as a share for people: per cent, or a factor where it is large.
func (f changedFigure) relative() string {
	_, relative, ok := f.by()
	const large = 10
	switch {
	case !ok || f.flag || f.size == 0:
		return ""
	case *f.a == 0:
		return "from 0"
	case *f.b == 0:
		return "to 0"
	case math.IsInf(relative, 0): // no number holds it
		return ""
	case *f.a**f.b > 0 && f.size >= large:
		return strings.ReplaceAll(fmt.Sprintf("×%.3g", *f.b / *f.a), "-", "−")
	}
	return signed(100*relative, 3) + " %"
}

func signed(x float64, digits int) string {
	s := fmt.Sprintf("%+.*g", digits, x)
	return strings.ReplaceAll(s, "-", "−")
}

// kindText names what kind of number x is.
func kindText(x float64) string {
	switch {
	case math.IsNaN(x):
		return "no number"
	case math.IsInf(x, 1):
		return "+∞"
	case math.IsInf(x, -1):
		return "−∞"
	}
	return "finite"
}
