package experiments

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// survey is what one pass over a sweep's combinations shows.
type survey struct {
	runs    int             // combinations that distinct leaves; axes that decide nothing count once
	read    map[string]bool // key paths that some run reads
	applied map[int]bool    // overrides that some run matches
	useful  map[string]bool // "override n path", "variant n path": the nth of them states path in a run that reads it
	classes Problems        // classes that a data set does not have
	misfits Problems        // names that do not go with the model
}

// look resolves the combinations of every axis that can decide what is read, which classes meet which data sets, and which
// runs are left. The other axes stay at their first value: their number does not matter here.
func (r *resolver) look() survey {
	v := survey{read: map[string]bool{}, applied: map[int]bool{}, useful: map[string]bool{}}
	deciding := r.deciding()
	patterns := r.patterns()
	for g, index := range r.combinations(func(a axis) bool {
		return !slices.ContainsFunc(deciding, func(path string) bool { return clash(path, a.Path) })
	}) {
		p := patterns.of(g, index)
		if p.excluded(g, index) {
			continue
		}
		v.runs++
		c := p.resolved
		c.settings = p.settingsOf(g, index)
		v.classes = append(v.classes, r.checkClasses(c)...)
		if p.seen { // the rest is the pattern's
			continue
		}
		p.seen = true
		for path := range c.settings {
			v.read[path] = true
		}
		for _, n := range c.applied {
			v.applied[n] = true
			for path := range r.spec.Overrides[n].Set {
				if _, ok := c.settings[path]; ok {
					v.useful[useOf("override", n, path)] = true
				}
			}
		}
		if g.variant >= 0 {
			for _, path := range r.spec.Variants[g.variant].paths() {
				if _, ok := c.settings[path]; ok {
					v.useful[useOf("variant", g.variant, path)] = true
				}
			}
		}
		v.misfits = append(v.misfits, r.checkFamily(c)...)
	}
	v.classes, v.misfits = v.classes.sorted(), v.misfits.sorted()
	return v
}

func useOf(table string, n int, path string) string { return fmt.Sprint(table, " ", n, " ", path) }

// paths lists the key paths that a variant states, sorted.
func (v Variant) paths() []string {
	out := slices.Sorted(maps.Keys(v.Set))
	for _, a := range v.Sweep {
		out = append(out, a.Path)
	}
	slices.Sort(out)
	return out
}

// deciding lists the paths whose values decide more than themselves.
func (r *resolver) deciding() []string {
	out := []string{methodKey, modelKey}
	for _, side := range sides {
		out = append(out, side+".dataset", side+".class")
	}
	for _, group := range r.spec.Distinct {
		out = append(out, group...)
	}
	for _, o := range r.spec.Overrides {
		for path := range o.When {
			out = append(out, path)
		}
	}
	for _, k := range r.table.keys {
		for _, when := range k.When {
			for path := range when {
				out = append(out, path)
			}
		}
	}
	for _, g := range r.groups {
		for _, a := range g.axes {
			index, key := splitAttack(a.Path)
			if key == attackerKey || index >= 0 && slices.Contains(out, key) {
				out = append(out, a.Path)
			}
		}
	}
	return out
}

// checkClasses reports a class that the data set of its side does not have.
func (r *resolver) checkClasses(c resolved) Problems {
	var out Problems
	for _, side := range sides {
		path := side + ".class"
		d, ok := r.table.dataset(side, c.settings)
		v, has := c.settings[path]
		if !ok || !has || len(d.Classes) == 0 {
			continue
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, class := range list {
			if slices.ContainsFunc(d.Classes, func(known int64) bool { return equal(known, class) }) {
				continue
			}
			origin := c.origin[path]
			if origin == nil {
				origin = []string{path}
			}
			out = append(out, r.problem(origin, fmt.Sprintf("the data set %q has no class %s", d.Name, quoteValue(class)),
				"it has "+listClasses(d.Classes)))
		}
	}
	return out
}

// problem places a problem at the statement with the given TOML path; a path that the file does not state is taken to come
// from the command line.
func (r *resolver) problem(at []string, message, hint string) Problem {
	p := Problem{Key: tomlKey(at), Message: message, Hint: hint}
	if len(at) == 1 {
		p.Key = at[0]
		return p
	}
	p.File, p.Line = r.spec.Path, r.spec.Line(strings.Join(at, "."))
	return p
}

// listClasses writes classes in a sentence, the middle of a long list left out.
func listClasses(classes []int64) string {
	var parts []string
	for i, c := range classes {
		if len(classes) > 12 && i == 3 {
			parts = append(parts, "…", fmt.Sprint(classes[len(classes)-1]))
			break
		}
		parts = append(parts, fmt.Sprint(c))
	}
	return strings.Join(parts, ", ")
}

// crossCheck reports what only the spec as a whole shows. Unless sound, parts with problems of their own are missing from
// it, so that nothing can be said about what is absent; nor, unless model, about what goes with a model that is not known.
func crossCheck(s *Spec, sound, model bool) Problems {
	r := newResolver(s, nil)
	out := r.checkForms()
	if r.size() > maxCombinations {
		return out
	}
	v := r.look()
	out = append(out, v.classes...)
	if model {
		out = append(out, v.misfits...)
	}
	if !sound || len(v.misfits) > 0 { // what such a run reads is not known
		return out
	}
	if v.runs == 0 {
		return append(out, r.problem([]string{"sweep", "distinct"}, "excludes every combination: a sweep of zero runs",
			"sweep values that differ"))
	}
	for path := range s.Base {
		if !v.read[path] {
			out = append(out, r.unread(strings.Split(path, "."), path))
		}
	}
	for _, a := range s.Sweep {
		if !v.read[a.Path] {
			out = append(out, r.unread([]string{"sweep", a.Path}, a.Path))
		}
	}
	for n, o := range s.Overrides {
		at := []string{"override", fmt.Sprint(n)}
		if !v.applied[n] {
			out = append(out, r.problem(append(at, "when"), "matches no run of the spec",
				"want values that the settings or the sweep give"))
			continue
		}
		for path := range o.Set {
			if !v.useful[useOf("override", n, path)] {
				out = append(out, r.unread(append(at, "set", path), path))
			}
		}
	}
	for n, variant := range s.Variants {
		for path := range variant.Set {
			if !v.useful[useOf("variant", n, path)] {
				out = append(out, r.unread([]string{"variant", fmt.Sprint(n), "set", path}, path))
			}
		}
		for _, a := range variant.Sweep {
			if !v.useful[useOf("variant", n, a.Path)] {
				out = append(out, r.unread([]string{"variant", fmt.Sprint(n), "sweep", a.Path}, a.Path))
			}
		}
	}
	return out
}

// checkForms reports inline tables of data that do not say which form they are.
func (r *resolver) checkForms() Problems {
	var out Problems
	for _, side := range sides {
		named, given := false, 0
		for _, path := range r.table.paths(r.spec.Base) {
			rest, ok := strings.CutPrefix(path, side+".dataset.")
			if !ok || len(r.table.forms) == 0 {
				continue
			}
			_, base := r.spec.Base[path]
			swept := slices.ContainsFunc(r.groups[0].axes[:r.common], func(a axis) bool { return a.Path == path })
			named = named || base
			if slices.Contains(r.table.forms, rest) && (base || swept) {
				given++
			}
		}
		if named && given != 1 {
			out = append(out, r.problem([]string{side, "dataset"}, "unclear where the data come from",
				"want exactly one of "+strings.Join(r.table.forms, ", ")))
		}
	}
	return out
}

// unread words that no run to which the statement applies reads the key.
func (r *resolver) unread(at []string, path string) Problem {
	k, _ := r.table.lookup(path)
	hint := ""
	if readers := r.table.readers(k.Path); len(readers) > 0 {
		hint = "read by " + strings.Join(readers, ", ")
	}
	var conditions []string
	for _, when := range k.When {
		conditions = append(conditions, formatAssignments(when))
	}
	if len(conditions) > 0 {
		hint = hints(hint, "only with "+strings.Join(conditions, " or "))
	}
	if hint == "" {
		hint = "leave it out"
	}
	return r.problem(at, "no run of the spec reads it", hint)
}

// checkSet reports what is wrong with axes from the command line.
func (r *resolver) checkSet(set []Axis) Problems {
	var out Problems
	refuse := func(path, message, hint string) {
		out = append(out, Problem{Key: path, Message: message, Hint: hint})
	}
	for i, a := range set {
		index, _ := splitAttack(a.Path)
		k, ok := r.table.lookup(a.Path)
		n := r.spec.Base.attacks()
		switch {
		case r.spec.table == nil: // no catalog to check against
		case !ok:
			refuse(a.Path, "unknown key path", meant(a.Path, r.table.paths(r.spec.Base)))
		case index < 0 && strings.HasPrefix(a.Path, "attack."):
			refuse(a.Path, "which attack?", fmt.Sprintf("attacks are counted from 0: %q", joinAttack(0, a.Path)))
		case index >= n:
			refuse(a.Path, fmt.Sprintf("there is no attack %d", index), fmt.Sprintf("the spec has %d, counted from 0", n))
		}
		if len(a.Values) == 0 {
			refuse(a.Path, "no values", "want "+k.accepted())
		}
		for _, b := range set[i+1:] {
			if a.Path != b.Path && clash(a.Path, b.Path) {
				refuse(a.Path, fmt.Sprintf("contradicts %q", b.Path), "set one of the two")
			}
		}
		for _, v := range a.Values {
			if _, message, hint := k.check(v); ok && message != "" {
				refuse(a.Path, unknownName(k.Path, v, message), hint)
			}
		}
	}
	if len(out) > 0 || r.spec.table == nil || r.size() > maxCombinations {
		return out
	}
	v := r.look()
	out = append(append(out, v.classes...), v.misfits...)
	if len(v.misfits) > 0 {
		return out
	}
	if v.runs == 0 {
		refuse("", "no run is left", "sweep.distinct excludes every combination")
		return out
	}
	for _, a := range set {
		if !v.read[a.Path] {
			p := r.unread([]string{a.Path}, a.Path)
			out = append(out, p)
		}
	}
	return out
}
