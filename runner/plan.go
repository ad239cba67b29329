package runner

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"kappa/experiments"
)

// Plan is a spec with every run it consists of, in order.
type Plan struct {
	Spec *experiments.Spec
	Runs []Planned
	// Swept are the key paths that the combinations sweep, sorted, even those that no run reads.
	Swept []string
	// Merged counts the combinations of the sweep that compute what another one computes, such as a second seed of a method
	// that draws no random number.
	Merged int
}

// Planned is one run of a plan.
type Planned struct {
	Ordinal  int    // 0-based position in the plan
	Key      string // 64 hex digits: everything that decides the run's figures
	TrainKey string // 64 hex digits: everything that decides θ
	Settings experiments.Settings
	Swept    []experiments.Assignment
	// Data are digests of what the run reads: the primary data, the harmful data (a pre-training has none), and θ₀ where it is a
	// file; where it is another run's, that run's key.
	Data    []string
	Depends []Dependency // runs of the plan that must have finished before
}

// Method returns the name of the run's method.
func (p Planned) Method() string { return reader{p.Settings}.str("train.method") }

// Keys returns the runs' keys in plan order.
func (p *Plan) Keys() []string {
	out := make([]string, len(p.Runs))
	for i, r := range p.Runs {
		out[i] = r.Key
	}
	return out
}

// NewPlan resolves a spec's sweep into runs, in its order, and adds those that they depend on and the sweep lacks, each before the
// first that needs it: the pre-trainings of nets, and the attacks on a net as it was pre-trained. It is pure: digests holds the SHA-256 of every data set the spec reads, by its
// reference (see [References]); set holds the axes given on the command line and may be nil. The error holds every
// combination of settings that cannot be run, as [experiments.Problems], or names the data sets whose digests are missing.
func NewPlan(spec *experiments.Spec, set []experiments.Axis, digests map[string]string) (*Plan, error) {
	found, err := candidates(spec, set, digests)
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", spec.Name, err)
	}
	plan := &Plan{Spec: spec, Runs: make([]Planned, 0, len(found))}
	paths, missed := make(map[string]bool), make(map[string]bool)
	seen := make(map[string]int, len(found)) // key → variant
	said := make(map[experiments.Problem]bool)
	var missing []error
	var problems experiments.Problems
	for _, c := range found {
		for _, a := range c.swept {
			paths[a.Path] = true
		}
		for _, p := range c.problems {
			if !said[p] {
				said[p] = true
				problems = append(problems, p)
			}
		}
		for _, ref := range c.missing {
			if !missed[ref] {
				missed[ref] = true
				missing = append(missing, fmt.Errorf("plan %s: no digest of the data %s", spec.Name, ref))
			}
		}
		if len(missing) > 0 {
			continue
		}
		if c.theta0 != nil {
			if _, known := seen[c.theta0.Key]; !known {
				seen[c.theta0.Key] = c.variant
				plan.Runs = append(plan.Runs, *c.theta0)
			}
		}
		if first, known := seen[c.run.Key]; known {
			if first != c.variant {
				problems = append(problems, sameVariant(spec, first, c.variant))
				seen[c.run.Key] = c.variant // once is enough
			}
			plan.Merged++
			continue
		}
		seen[c.run.Key] = c.variant
		plan.Runs = append(plan.Runs, c.run)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	plan.Runs = withBaseLines(plan.Runs)
	plan.Swept = slices.Sorted(maps.Keys(paths))
	return plan, errors.Join(missing...)
}

// sameVariant says that two variants compute the same: a run belongs to one of them only.
func sameVariant(spec *experiments.Spec, first, second int) experiments.Problem {
	at := fmt.Sprintf("variant.%d", second)
	return experiments.Problem{
		File: spec.Path, Line: spec.Line(at), Key: at,
		Message: fmt.Sprintf("%q computes runs that %q computes too", spec.Variants[second].Name, spec.Variants[first].Name),
		Hint:    "want variants that differ in a setting their runs read",
	}
}

// rotateKey is a key whose value false is the same as none.
const rotateKey = "train.rotate"

// resolve fills in the defaults that depend on other settings and drops what the run does not read, in s itself, which it returns.
func resolve(s experiments.Settings) experiments.Settings {
	r := reader{s}
	if r.net() {
		return s // nothing more: all classes, and random numbers everywhere
	}
	for _, side := range []string{"primary.", "harmful."} {
		if r.str(side+"dataset") == "synthetic" {
			s[side+"task"] = "regression"
		}
		if !r.has(side + "task") {
			s[side+"task"] = "regression"
			if r.has(side + "class") {
				s[side+"task"] = "one-class"
			}
		}
	}
	if r.usesKey("train.loss") && !r.has("train.loss") {
		s["train.loss"] = "logistic"
		if r.str("primary.task") == "regression" {
			s["train.loss"] = "squared"
		}
	}
	if r.usesKey("train.supervised") && !r.has("train.supervised") {
		s["train.supervised"] = r.str("train.step") == "fixed"
	}
	if fraction, ok := stepFractions[r.str("train.step")]; ok && r.usesKey("train.step_fraction") && !r.has("train.step_fraction") {
		s["train.step_fraction"] = fraction
	}
	if r.has("train.supervised") && !r.boolean("train.supervised") {
		delete(s, "train.loss")
	}
	if m, ok := methodNamed(r.str("train.method")); ok && !m.readsInit() {
		delete(s, "model.init")
	}
	for _, name := range []string{"primary", "harmful"} {
		if r.has("synthetic.spectrum_" + name) {
			delete(s, "synthetic.condition_"+name)
		}
	}
	if r.has("train.epochs") && r.integer("train.batch") > 0 {
		delete(s, "train.steps")
	}
	if !r.boolean(rotateKey) {
		delete(s, rotateKey) // a run without is the same run as before there was the key
	}
	if !draws(r) {
		delete(s, "train.seed")
	}
	return s
}

// stepFractions holds the default of train.step_fraction under each step rule that reads it.
var stepFractions = map[string]float64{"normalized": 0.02, "certified": 0.5}

// draws says whether any random number is drawn on the way to θ.
func draws(r reader) bool {
	m, ok := methodNamed(r.str("train.method"))
	return ok && m.Random || r.integer("train.batch") > 0 || r.str("model.init") == "torch-linear" || r.boolean(rotateKey)
}
