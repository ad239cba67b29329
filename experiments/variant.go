package experiments

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// variants reads the [[variant]] tables.
func (l *loader) variants(v any) {
	elements, _ := l.elements("variant", v)
	everywhere := map[string]int{} // key path → variants that state it
	names := map[string]bool{}
	for i, m := range elements {
		if m == nil {
			continue
		}
		at := []string{"variant", strconv.Itoa(i)}
		variant := Variant{Set: Settings{}}
		for _, key := range l.ordered(at, m) {
			here := append(at[:len(at):len(at)], key)
			switch key {
			case "name":
				variant.Name = l.variantName(here, m[key], names)
			case "set":
				l.assignments(here, m[key], variant.Set)
			case "sweep":
				if table, ok := m[key].(map[string]any); ok && len(table) > 0 {
					before := l.states()
					variant.Sweep = l.axes(here, table)
					l.stated = before
					continue
				}
				l.report(here, quoteValue(m[key])+" is "+kindOf(m[key]), `want a table of key paths with lists: { "train.seed" = [1, 2, 3] }`)
			default:
				l.report(here, "unknown key", hints("want name, set and sweep", meant(key, []string{"name", "set", "sweep"})))
			}
		}
		if _, ok := m["name"]; !ok {
			l.report(at, "name is missing", `want name = "…"`)
		}
		l.checkVariant(at, variant)
		for _, path := range variant.paths() {
			everywhere[path]++
		}
		l.spec.Variants = append(l.spec.Variants, variant)
	}
	for path, n := range everywhere {
		if n == len(elements) {
			l.stated[path] = true // no run lacks it
		}
	}
	if l.size() > maxCombinations && len(l.spec.Variants) > 0 {
		l.report([]string{"variant", "0"}, newResolver(l.spec, nil).tooMany(), fmt.Sprintf("a sweep has at most %d, over all variants", maxCombinations))
		l.spec.Variants = nil
	}
}

// states returns a copy of what is stated.
func (l *loader) states() map[string]bool {
	out := make(map[string]bool, len(l.stated))
	for path := range l.stated {
		out[path] = true
	}
	return out
}

func (l *loader) variantName(at []string, v any, names map[string]bool) string {
	name, ok := v.(string)
	switch {
	case !ok:
		l.report(at, quoteValue(v)+" is "+kindOf(v), `want name = "…"`)
	case strings.TrimSpace(name) == "":
		l.report(at, "empty", "want the name of the variant")
	case names[name]:
		l.report(at, fmt.Sprintf("%q is the name of another variant", name), "give each a name of its own")
	}
	names[name] = true
	return name
}

// checkVariant reports paths that a variant states and something above it decides, or that it states twice.
func (l *loader) checkVariant(at []string, v Variant) {
	where := func(path string) []string {
		for _, a := range v.Sweep {
			if a.Path == path {
				return append(at[:len(at):len(at)], "sweep", path)
			}
		}
		return append(at[:len(at):len(at)], "set", path)
	}
	for path := range v.Set {
		l.columnFree(where(path), path)
		for _, a := range v.Sweep {
			if clash(a.Path, path) {
				l.report(where(a.Path), fmt.Sprintf("contradicts the setting of %q", path), "set or sweep it, not both")
			}
		}
	}
	for _, path := range v.paths() {
		for _, a := range l.spec.Sweep {
			if clash(a.Path, path) {
				l.report(where(path), fmt.Sprintf("contradicts the sweep of %q", a.Path), "state it in [sweep] or in variants")
			}
		}
	}
}

// Named returns the key paths that the name of a variant stands for: what any variant sets, but for the axes of this one. In a
// spec without variants, and for a name that is none, there are none.
func (s *Spec) Named(variant string) map[string]bool {
	i := slices.IndexFunc(s.Variants, func(v Variant) bool { return v.Name == variant })
	if i < 0 {
		return nil
	}
	out := map[string]bool{}
	for _, path := range variantPaths(s) {
		out[path] = true
	}
	for _, a := range s.Variants[i].Sweep {
		delete(out, a.Path)
	}
	return out
}
