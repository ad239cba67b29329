package experiments

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// checkFamily reports methods, attackers and data sets of a run that do not go with its model.
func (r *resolver) checkFamily(c resolved) Problems {
	model := r.table.nameAt(modelKey, c.settings)
	family := r.table.family(c.settings)
	var out Problems
	misfit := func(kind, path, name string, entries []Entry) {
		known := slices.ContainsFunc(entries, func(e Entry) bool { return e.Name == name })
		if !known || r.table.find(entries, name, family) >= 0 {
			return
		}
		var fit []string
		for _, e := range entries {
			if e.of(family) && !slices.Contains(fit, strconv.Quote(e.Name)) {
				fit = append(fit, strconv.Quote(e.Name))
			}
		}
		origin := c.origin[path]
		if origin == nil {
			origin = []string{path}
		}
		out = append(out, r.problem(origin, fmt.Sprintf("the %s %q is not for %s, such as the model %q", kind, name, family, model),
			"for these want "+strings.Join(fit, ", ")))
	}
	misfit("method", methodKey, r.table.nameAt(methodKey, c.settings), r.table.cat.Methods)
	for i := range c.settings.attacks() {
		path := joinAttack(i, attackerKey)
		misfit("attacker", path, r.table.nameAt(path, c.settings), r.table.cat.Attackers)
	}
	var datasets []Entry
	for _, d := range r.table.cat.Datasets {
		datasets = append(datasets, d.Entry)
	}
	for _, side := range sides {
		path := side + ".dataset"
		if name, ok := c.settings[path].(string); ok {
			misfit("data set", path, name, datasets)
			continue
		}
		for _, form := range r.table.forms {
			if _, ok := c.settings[path+"."+form]; ok {
				misfit("form of data", path+"."+form, form, datasets)
			}
		}
	}
	return out
}
