package experiments

import (
	"maps"
	"slices"
)

// Most axes of a sweep, such as seeds and learning rates, decide nothing but their own value. What a combination is beyond these
// values is worked out once: its pattern. A sweep of 100,000 runs has a handful of them.

// pattern is what the combinations of a group have in common whose values are alike on every axis.
type pattern struct {
	resolved         // of the first such combination
	filled   []int   // axes whose value the settings hold, at the axis's path
	swept    []place // what Combination.Swept holds
	distinct [][]place
	seen     bool // by a survey
}

// place is a path whose value is an axis's, or the same in all combinations of a pattern.
type place struct {
	path  string
	axis  int // −1: value
	value any
}

func (p place) of(g *group, index []int) any {
	if p.axis < 0 {
		return p.value
	}
	return g.axes[p.axis].Values[index[p.axis]]
}

// sorts are the kinds of values of an axis: alike are values that no condition tells apart.
type sorts struct {
	of    []int // by index of the value
	count int
}

// named says whether the value at a path is a name on which it depends what a run reads.
func named(path string) bool {
	_, key := splitAttack(path)
	switch key {
	case methodKey, modelKey, attackerKey, "primary.dataset", "harmful.dataset":
		return true
	}
	return false
}

// conditions lists the values that overrides and the table of keys compare the value at a path with.
func (r *resolver) conditions(path string) []any {
	_, key := splitAttack(path)
	var out []any
	add := func(when Settings) {
		for p, v := range when {
			if _, k := splitAttack(p); k == key {
				out = append(out, v)
			}
		}
	}
	for _, o := range r.spec.Overrides {
		add(o.When)
	}
	for _, k := range r.table.keys {
		for _, when := range k.When {
			add(when)
		}
	}
	return out
}

// sort finds which values of an axis are alike.
func (r *resolver) sort(a axis) sorts {
	s := sorts{of: make([]int, len(a.Values))}
	if named(a.Path) {
		for i := range a.Values {
			s.of[i] = i
		}
		s.count = len(a.Values)
		return s
	}
	conditions := r.conditions(a.Path)
	number := make(map[int]int) // by index of the first condition that holds, −1: none
	for i, v := range a.Values {
		first := -1
		if len(conditions) > 0 {
			first = slices.IndexFunc(conditions, func(want any) bool { return equal(v, want) })
		}
		if _, ok := number[first]; !ok {
			number[first] = len(number)
		}
		s.of[i] = number[first]
	}
	s.count = len(number)
	return s
}

// idle says whether an axis's values decide neither what a run is beyond them nor whether there is such a run.
func (r *resolver) idle(a axis) bool {
	for _, group := range r.spec.Distinct {
		if slices.ContainsFunc(group, func(path string) bool { return clash(path, a.Path) }) {
			return false
		}
	}
	return r.sort(a).count <= 1
}

// patterns finds the pattern of each combination.
type patterns struct {
	*resolver
	sorts map[*group][]sorts
	known map[*group]map[int]*pattern
}

func (r *resolver) patterns() *patterns {
	p := &patterns{resolver: r, sorts: make(map[*group][]sorts), known: make(map[*group]map[int]*pattern)}
	for i := range r.groups {
		g := &r.groups[i]
		p.known[g] = make(map[int]*pattern)
		for _, a := range g.axes {
			p.sorts[g] = append(p.sorts[g], r.sort(a))
		}
	}
	return p
}

// of returns the pattern of a combination.
func (p *patterns) of(g *group, index []int) *pattern {
	id := 0 // below the number of combinations, as the kinds of values are at most as many as the values
	for i, s := range p.sorts[g] {
		id = id*s.count + s.of[index[i]]
	}
	known := p.known[g]
	found := known[id]
	if found == nil {
		found = p.pattern(g, index)
		known[id] = found
	}
	return found
}

// pattern works a combination out as the first of its pattern.
func (r *resolver) pattern(g *group, index []int) *pattern {
	c, paths := r.complete(g, index)
	p := &pattern{resolved: c}
	decided := func(path string) int { // the axis whose value stands at path
		return slices.IndexFunc(g.axes, func(a axis) bool {
			_, ok := c.settings[path]
			if !ok || a.Path != path {
				return false
			}
			at := c.origin[path]
			return a.set || len(at) > 0 && len(a.at) > 0 && &at[0] == &a.at[0]
		})
	}
	for _, group := range r.spec.Distinct {
		var places []place
		for _, path := range group {
			if v, ok := c.settings[path]; ok {
				places = append(places, place{path, decided(path), v})
			}
		}
		p.distinct = append(p.distinct, places)
	}
	r.drop(c.settings, paths)
	p.settings = compact(c.settings)
	for _, a := range g.axes {
		if i := decided(a.Path); i >= 0 && !slices.Contains(p.filled, i) {
			p.filled = append(p.filled, i)
		}
	}
	for _, path := range g.swept {
		if path == VariantPath {
			p.swept = append(p.swept, place{path, -1, r.spec.Variants[g.variant].Name})
		} else if value, ok := c.settings[path]; ok {
			p.swept = append(p.swept, place{path, decided(path), value})
		}
	}
	return p
}

// excluded says whether sweep.distinct leaves a combination out.
func (p *pattern) excluded(g *group, index []int) bool {
	for _, places := range p.distinct {
		for i, x := range places {
			for _, y := range places[:i] {
				if equal(x.of(g, index), y.of(g, index)) {
					return true
				}
			}
		}
	}
	return false
}

// compact copies settings into a map of about their size: every combination of a pattern gets a copy, and the copy of a map
// keeps the room of what was dropped from it.
func compact(s Settings) Settings {
	const more = 4 // that a caller may add, such as defaults that depend on other settings
	out := make(Settings, len(s)+more)
	maps.Copy(out, s)
	return out
}

// settingsOf are the settings of a combination.
func (p *pattern) settingsOf(g *group, index []int) Settings {
	s := maps.Clone(p.settings)
	for _, i := range p.filled {
		s[g.axes[i].Path] = g.axes[i].Values[index[i]]
	}
	return s
}

// collect resolves every combination; axes for which fixed is true keep their first value.
func (r *resolver) collect(fixed func(axis) bool) []Combination {
	var out []Combination
	r.each(fixed, 0, 1, func(c Combination) { out = append(out, c) })
	return out
}

// block is the number of combinations, one after the other, that belong to the same part of a sweep.
const block = 256

// each resolves the combinations of one of so many parts of a sweep.
func (r *resolver) each(fixed func(axis) bool, part, parts int, f func(Combination)) {
	patterns := r.patterns()
	var room []Assignment // for many combinations at once
	ordinal := -1
	for g, index := range r.combinations(fixed) {
		p := patterns.of(g, index)
		if p.excluded(g, index) {
			continue
		}
		if ordinal++; ordinal/block%parts != part {
			continue
		}
		if len(room) < len(p.swept) {
			room = make([]Assignment, max(256, len(p.swept)))
		}
		v := Combination{Ordinal: ordinal, Variant: g.variant, Settings: p.settingsOf(g, index)}
		if n := len(p.swept); n > 0 {
			v.Swept, room = room[:n:n], room[n:]
		}
		for i, place := range p.swept {
			v.Swept[i] = Assignment{place.path, place.of(g, index)}
		}
		f(v)
	}
}
