package experiments

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Variants returns every combination of the spec's sweep with everything resolved, in the order of the sweep: the first
// axis varies slowest. Each value is, by rising precedence, the default of the key, that of the entry (method, attacker,
// data set, model), what the file states, sweeps, overrides, and the axes of set. An axis of set replaces the value or the
// swept axis of its path, the last of equal paths counting; one with several values and no swept axis varies fastest.
// Combinations that sweep.distinct excludes are left out, keys that the run does not read (Entry.Uses, Key.When) are dropped,
// also from Swept. What overrides and set change is also what Swept holds. Two variants may have equal settings.
//
// The result is a function of the arguments alone. The error is [Problems] about set: a path the spec does not have, a key
// that no run reads, a class the data set lacks, no run left, too many. Cost: the number of combinations times the number of
// keys.
func (s *Spec) Variants(set []Axis) ([]Variant, error) {
	r := newResolver(s, set)
	if len(set) > 0 {
		if problems := r.checkSet(set); len(problems) > 0 {
			return nil, problems.sorted()
		}
	}
	if r.size() > maxVariants {
		return nil, Problems{{File: s.Path, Message: "too many combinations", Hint: fmt.Sprintf("a sweep has at most %d", maxVariants)}}
	}
	var out []Variant
	for index := range r.combinations(nil) {
		c := r.resolve(index)
		if !c.distinct {
			continue
		}
		v := Variant{Ordinal: len(out), Settings: c.settings}
		for _, a := range r.axes {
			if value, ok := c.settings[a.Path]; ok {
				v.Swept = append(v.Swept, Assignment{a.Path, value})
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// resolver turns combinations of axes into settings.
type resolver struct {
	spec  *Spec
	table *keyTable
	axes  []axis
}

// axis is an axis that knows where it comes from.
type axis struct {
	Axis
	set bool // from the command line: stands above overrides
}

// combination is one resolved combination.
type combination struct {
	settings Settings
	origin   map[string][]string // key path → TOML path of the statement that decided it; none: a default or the command line
	applied  []int               // overrides that matched
	distinct bool                // not excluded by sweep.distinct
}

func newResolver(s *Spec, set []Axis) *resolver {
	r := &resolver{spec: s, table: s.table}
	if r.table == nil {
		r.table = newKeyTable(Catalog{})
	}
	for _, a := range s.Sweep {
		r.axes = append(r.axes, axis{Axis: a})
	}
	for _, a := range set {
		i := slices.IndexFunc(r.axes, func(b axis) bool { return b.Path == a.Path })
		if i >= 0 {
			r.axes[i] = axis{a, true}
			continue
		}
		r.axes = slices.DeleteFunc(r.axes, func(b axis) bool { return clash(a.Path, b.Path) })
		r.axes = append(r.axes, axis{a, true})
	}
	return r
}

// size returns the number of combinations, or one more than the bound.
func (r *resolver) size() int {
	n := 1
	for _, a := range r.axes {
		n = min(n*len(a.Values), maxVariants+1)
	}
	return n
}

// combinations yields the indices of the axes' values, the last axis fastest. Axes for which fixed is true keep their first
// value; nil means none. The slice is reused.
func (r *resolver) combinations(fixed func(axis) bool) func(yield func([]int) bool) {
	return func(yield func([]int) bool) {
		index := make([]int, len(r.axes))
		for _, a := range r.axes {
			if len(a.Values) == 0 {
				return
			}
		}
		for yield(index) {
			i := len(index) - 1
			for ; i >= 0; i-- {
				if fixed != nil && fixed(r.axes[i]) {
					continue
				}
				if index[i]++; index[i] < len(r.axes[i].Values) {
					break
				}
				index[i] = 0
			}
			if i < 0 {
				return
			}
		}
	}
}

// resolve computes one combination.
func (r *resolver) resolve(index []int) combination {
	c := combination{settings: maps.Clone(r.spec.Base), origin: map[string][]string{}, distinct: true}
	if c.settings == nil {
		c.settings = Settings{}
	}
	for path := range c.settings {
		c.origin[path] = strings.Split(path, ".")
	}
	for i, a := range r.axes {
		origin := []string{"sweep", a.Path}
		if a.set {
			origin = nil
		}
		c.assign(a.Path, a.Values[index[i]], origin)
	}
	for n, o := range r.spec.Overrides {
		if !r.matches(c.settings, o.When) {
			continue
		}
		c.applied = append(c.applied, n)
		for _, path := range slices.Sorted(maps.Keys(o.Set)) {
			c.assign(path, o.Set[path], []string{"override", fmt.Sprint(n), "set", path})
		}
	}
	for i, a := range r.axes {
		if a.set {
			c.assign(a.Path, a.Values[index[i]], nil)
		}
	}
	paths := r.table.paths(c.settings)
	r.fill(c.settings, paths)
	for _, group := range r.spec.Distinct {
		c.distinct = c.distinct && allDistinct(c.settings, group)
	}
	r.drop(c.settings, paths)
	return c
}

// assign sets a path and removes what contradicts it.
func (c *combination) assign(path string, value any, origin []string) {
	for other := range c.settings {
		if other != path && clash(other, path) {
			delete(c.settings, other)
			delete(c.origin, other)
		}
	}
	c.settings[path] = value
	c.origin[path] = origin
}

// matches says whether a run has all the settings of when; defaults count.
func (r *resolver) matches(s, when Settings) bool {
	for path, want := range when {
		got, ok := s[path]
		if !ok {
			if got = r.table.defaultOf(path, s); got == nil {
				return false
			}
		}
		if !equal(got, want) {
			return false
		}
	}
	return true
}

// allDistinct says whether no two of the paths that are set have equal values.
func allDistinct(s Settings, paths []string) bool {
	for i, a := range paths {
		for _, b := range paths[:i] {
			x, okX := s[a]
			y, okY := s[b]
			if okX && okY && equal(x, y) {
				return false
			}
		}
	}
	return true
}

// fill adds the defaults of the keys that are not set.
func (r *resolver) fill(s Settings, paths []string) {
	for _, path := range paths {
		if _, ok := s[path]; ok {
			continue
		}
		if v := r.table.defaultOf(path, s); v != nil {
			s[path] = v
		}
	}
}

// drop removes the settings that a run does not read.
func (r *resolver) drop(s Settings, paths []string) {
	for _, path := range paths {
		if _, ok := s[path]; ok && !r.table.reads(path, s) {
			delete(s, path)
		}
	}
}
