package reports

import (
	"fmt"
	"slices"
	"strings"

	"kappa/experiments"
)

// judgeSpec says what of the spec is another.
func (p *Present) judgeSpec(s *Standing, f Facts) {
	if p.manifest.Spec.SHA256 == f.Spec.Hash {
		return
	}
	file := f.Spec.Name + ".toml"
	what := ": its prose, layout or comments"
	switch cells := p.changedCells(f.Spec); {
	case f.Plan != nil && !slices.Equal(f.Plan, p.manifest.Runs):
		what = ": its settings or its sweep"
		if cells != "" {
			what += ", and " + cells
		}
	case cells != "" && f.Plan == nil:
		what = ": " + cells
	case cells != "":
		what = ": " + cells + "; the runs are the same"
	case f.Plan != nil:
		what += "; the runs are the same"
	}
	s.add(Reason{Kind: BecauseSpec, File: file, Text: file + " has changed" + what})
}

// changedCells names the tables, figures and claims of which the spec says something else now; "" for none, and where the manifest
// does not tell.
func (p *Present) changedCells(spec *experiments.Spec) string {
	if p.manifest.Format < firstWithValues {
		return ""
	}
	was := map[string]string{}
	for _, i := range p.manifest.Items {
		if i.Kind != numberItem {
			was[i.ID] = i.Cell
		}
	}
	var changed, added, removed []string
	for _, c := range spec.Cells {
		if c.ID == "" {
			continue
		}
		switch def, ok := was[c.ID]; {
		case !ok:
			added = append(added, c.ID)
		case def != definition(c):
			changed = append(changed, c.ID)
		}
		delete(was, c.ID)
	}
	for _, i := range p.manifest.Items {
		if _, ok := was[i.ID]; ok && i.Kind != numberItem {
			removed = append(removed, i.ID)
		}
	}
	var parts []string
	for _, n := range []struct {
		ids  []string
		what string
	}{{changed, "changed"}, {added, "added"}, {removed, "removed"}} {
		if len(n.ids) > 0 {
			parts = append(parts, few(n.ids, 6)+" "+n.what)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "cells " + strings.Join(parts, ", ")
}

// few lists the first of many names.
func few(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// judgePlan says which runs the plan has gained and lost.
func (p *Present) judgePlan(s *Standing, f Facts) {
	if f.Plan == nil || slices.Equal(f.Plan, p.manifest.Runs) {
		return
	}
	added, removed := without(f.Plan, p.manifest.Runs), without(p.manifest.Runs, f.Plan)
	r := Reason{Kind: BecausePlan, Runs: append(slices.Clone(added), removed...)}
	switch same := p.manifest.Spec.SHA256 == f.Spec.Hash; {
	case len(added)+len(removed) == 0:
		r.Text = "the runs of the plan are in another order"
	case same && len(removed) == len(p.manifest.Runs):
		r.Text = fmt.Sprintf("all %d runs of the plan have other keys, though the spec is the same: the engine's version or the data have changed", len(p.manifest.Runs))
	case same:
		r.Text = fmt.Sprintf("%d of %d runs of the plan have other keys, though the spec is the same: data have changed", len(removed), len(p.manifest.Runs))
	default:
		r.Text = fmt.Sprintf("the plan has %s: %d added, %d removed", plural(len(f.Plan), "run"), len(added), len(removed))
	}
	s.add(r)
}

// without is what of a is not in b.
func without(a, b []string) []string {
	in := make(map[string]bool, len(b))
	for _, k := range b {
		in[k] = true
	}
	var out []string
	for _, k := range a {
		if !in[k] {
			out = append(out, k)
		}
	}
	return out
}
