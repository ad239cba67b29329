package runner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kappa/engine"
	"kappa/experiments"
)

// Dependency is a run that another one needs to have finished.
type Dependency struct {
	Key  string
	What string // what it gives: Theta0 or BaseLine
}

// What a run may need of another one.
const (
	Theta0   = "θ_0"
	BaseLine = "base line" // the attacks' accuracies on θ_0, which RFD compares with
)

// pretraining is the run that trains the θ_0 of a net's run: it has the settings that decide θ_0, and no others, so that all runs
// that start from the same θ_0 share it.
func pretraining(s experiments.Settings, swept []experiments.Assignment, primary string) Planned {
	p := Planned{Settings: experiments.Settings{"train.method": pretrainMethod}, Data: []string{primary}}
	for path, v := range s {
		if path == "model.kind" || strings.HasPrefix(path, "primary.") || strings.HasPrefix(path, "pretrain.") {
			p.Settings[path] = v
		}
	}
	p.Swept = sweptOf(swept, p.Settings)
	p.TrainKey, p.Key = makeKeys(p.Settings, p.Data, engine.Version)
	return p
}

// baseLine is the run on θ_0 that a net's run compares its attacks with.
func baseLine(run Planned) Planned {
	m, _ := netMethodNamed("identity")
	p := Planned{Settings: experiments.Settings{}, Data: run.Data, Depends: run.Depends}
	for path, v := range run.Settings {
		if !strings.HasPrefix(path, "train.") || slices.Contains(m.Uses, path) {
			p.Settings[path] = v
		}
	}
	p.Settings["train.method"] = m.Name
	p.Swept = sweptOf(run.Swept, p.Settings)
	p.TrainKey, p.Key = makeKeys(p.Settings, p.Data, engine.Version)
	return p
}

// sweptOf keeps what the settings have, with their values.
func sweptOf(swept []experiments.Assignment, s experiments.Settings) []experiments.Assignment {
	var out []experiments.Assignment
	for _, a := range swept {
		if v, ok := s[a.Path]; ok {
			out = append(out, experiments.Assignment{Path: a.Path, Value: v})
		}
	}
	return out
}

// attacked says which runs are attacked alike: what is the same in all of them is all that decides the attacks on θ_0.
func attacked(run Planned) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q\n", run.Data)
	for _, path := range slices.Sorted(maps.Keys(run.Settings)) {
		if strings.HasPrefix(path, "train.") && path != "train.seed" {
			continue
		}
		fmt.Fprintf(&b, "%s=%s\n", path, canonicalValue(run.Settings[path]))
	}
	return b.String()
}

// withBaseLines gives each run on a net that is attacked the run on θ_0 that is attacked alike: one of the plan, or else one more,
// before it. Ordinals are set anew.
func withBaseLines(runs []Planned) []Planned {
	if !slices.ContainsFunc(runs, func(run Planned) bool { return reader{run.Settings}.net() }) {
		for i := range runs {
			runs[i].Ordinal = i
		}
		return runs
	}
	base := make(map[string]string) // attacked → key
	for _, run := range runs {
		if run.Method() == "identity" && (reader{run.Settings}).net() {
			if id := attacked(run); base[id] == "" {
				base[id] = run.Key
			}
		}
	}
	var out []Planned
	for _, run := range runs {
		r := reader{run.Settings}
		if r.net() && len(r.attacks()) > 0 && run.Method() != "identity" {
			id := attacked(run)
			if base[id] == "" {
				b := baseLine(run)
				base[id] = b.Key
				out = append(out, b)
			}
			run.Depends = append(run.Depends[:len(run.Depends):len(run.Depends)], Dependency{base[id], BaseLine})
		}
		out = append(out, run)
	}
	for i := range out {
		out[i].Ordinal = i
	}
	return out
}

// Select marks the decisions that keep refuses as left out, but for those whose runs others need that are kept.
func Select(decisions []Decision, keep func(Decision) bool) []Decision {
	out := slices.Clone(decisions)
	at := make(map[string]int, len(out))
	for i, d := range out {
		at[d.Run.Key] = i
	}
	kept := make([]bool, len(out))
	var need func(i int)
	need = func(i int) {
		if kept[i] || !out[i].Execute {
			return
		}
		kept[i] = true
		for _, dep := range out[i].Run.Depends {
			j, ok := at[dep.Key]
			if ok && !(out[j].Reason == ReasonForced && out[j].State.Status.Finished()) { // one that is there need not be repeated
				need(j)
			}
		}
	}
	for i, d := range out {
		if keep == nil || keep(d) {
			need(i)
		}
	}
	for i := range out {
		if out[i].Execute && !kept[i] {
			out[i].Execute, out[i].Reason = false, ReasonFilter
		}
	}
	return out
}
