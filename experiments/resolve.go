package experiments

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Combinations returns every combination of the spec's sweep with everything resolved, in the order of the sweep: the first
// axis of [sweep] varies slowest, then come the variants, then each variant's own axes. Each value is, by rising precedence, the
// default of the key, that of the entry (method, attacker, data set, model), what the file states, the sweep, the variant,
// overrides, and the axes of set. An axis of set replaces the value or the swept axis of its path, the last of equal paths
// counting; one with several values and no swept axis varies fastest. Combinations that sweep.distinct excludes are left out,
// keys that the run does not read (Entry.Uses, Key.When) are dropped, also from Swept. What overrides and set change is also
// what Swept holds. Two combinations may have equal settings.
//
// The result is a function of the arguments alone. The error is [Problems] about set: a path the spec does not have, a key
// that no run reads, a class the data set lacks, no run left, too many. Cost: the number of combinations times the number of
// keys.
func (s *Spec) Combinations(set []Axis) ([]Combination, error) {
	r, err := s.resolver(set)
	if err != nil {
		return nil, err
	}
	return r.collect(nil), nil
}

// Samples returns combinations as Combinations does, but of each axis that excludes no combination and whose values make no
// difference to anything else of a run, neither to its other settings nor to those that it reads, the first value alone, unless
// keep holds for its path. They show all that there is to see of the paths for which keep holds, and every set of paths that a run
// has. Ordinals count the samples. Cost: a large sweep of seeds or of learning rates costs no more than one of their values.
func (s *Spec) Samples(set []Axis, keep func(path string) bool) ([]Combination, error) {
	r, err := s.resolver(set)
	if err != nil {
		return nil, err
	}
	idle := make(map[string]bool)
	return r.collect(func(a axis) bool {
		still, known := idle[a.Path]
		if !known {
			still = !keep(a.Path) && r.idle(a)
			idle[a.Path] = still
		}
		return still
	}), nil
}

// EachCombination calls f for those combinations, as Combinations returns them, that belong to one of so many parts of the sweep, part
// from 0, in order. Each belongs to one part: what is done with the combinations of a large sweep can so be done by several at once.
func (s *Spec) EachCombination(set []Axis, part, parts int, f func(Combination)) error {
	r, err := s.resolver(set)
	if err != nil {
		return err
	}
	r.each(nil, part, parts, f)
	return nil
}

// resolver makes the sweep ready to be resolved, or says what is wrong with set.
func (s *Spec) resolver(set []Axis) (*resolver, error) {
	r := newResolver(s, set)
	if len(set) > 0 {
		if problems := r.checkSet(set); len(problems) > 0 {
			return nil, problems.sorted()
		}
	}
	if r.size() > maxCombinations {
		return nil, Problems{{File: s.Path, Message: r.tooMany(), Hint: fmt.Sprintf("a sweep has at most %d", maxCombinations)}}
	}
	return r, nil
}

// resolver turns combinations of axes into settings.
type resolver struct {
	spec   *Spec
	table  *keyTable
	common int     // axes that all groups begin with
	groups []group // one a variant; one in a spec without
}

// group is a product of axes.
type group struct {
	variant int // −1: none
	axes    []axis
	swept   []string // key paths, and the variant's name, in the order of Combination.Swept
}

// axis is an axis that knows where it comes from.
type axis struct {
	Axis
	at  []string // TOML path of its statement
	set bool     // from the command line: stands above overrides
}

// resolved is one combination with its settings.
type resolved struct {
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
	var common []axis
	for _, a := range s.Sweep {
		common = append(common, axis{Axis: a, at: []string{"sweep", a.Path}})
	}
	var rest []Axis // of set: those that replace no common axis
	for _, a := range set {
		if i := slices.IndexFunc(common, func(b axis) bool { return b.Path == a.Path }); i >= 0 {
			common[i] = axis{Axis: a, set: true}
			continue
		}
		common = slices.DeleteFunc(common, func(b axis) bool { return clash(a.Path, b.Path) })
		rest = append(rest, a)
	}
	r.common = len(common)
	if len(s.Variants) == 0 {
		r.groups = []group{newGroup(-1, common, nil, nil, rest)}
	}
	named := variantPaths(s)
	for i, v := range s.Variants {
		var own []axis
		for _, a := range v.Sweep {
			own = append(own, axis{Axis: a, at: []string{"variant", fmt.Sprint(i), "sweep", a.Path}})
		}
		r.groups = append(r.groups, newGroup(i, common, own, named, rest))
	}
	return r
}

// variantPaths lists the key paths that some variant sets, sorted.
func variantPaths(s *Spec) []string {
	paths := map[string]bool{}
	for _, v := range s.Variants {
		for path := range v.Set {
			paths[path] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// newGroup joins the axes of [sweep], of a variant and of the command line.
func newGroup(variant int, common, own []axis, named []string, set []Axis) group {
	g := group{variant: variant, axes: slices.Clone(common)}
	g.axes = append(g.axes, own...)
	for _, a := range set {
		i := slices.IndexFunc(g.axes[len(common):], func(b axis) bool { return b.Path == a.Path })
		if i >= 0 {
			g.axes[len(common)+i] = axis{Axis: a, set: true}
			continue
		}
		g.axes = slices.DeleteFunc(g.axes, func(b axis) bool { return clash(a.Path, b.Path) })
		g.axes = append(g.axes, axis{Axis: a, set: true})
	}
	add := func(path string) {
		if !slices.Contains(g.swept, path) {
			g.swept = append(g.swept, path)
		}
	}
	for _, a := range common {
		add(a.Path)
	}
	if variant >= 0 {
		add(VariantPath)
	}
	for _, path := range named {
		add(path)
	}
	for _, a := range g.axes {
		add(a.Path)
	}
	return g
}

// size returns the number of combinations, or one more than the bound.
func (r *resolver) size() int {
	n := 0
	for _, g := range r.groups {
		product := 1
		for _, a := range g.axes {
			product = min(product*len(a.Values), maxCombinations+1)
		}
		n = min(n+product, maxCombinations+1)
	}
	return n
}

// tooMany says how many combinations there are.
func (r *resolver) tooMany() string {
	n := 0.0
	for _, g := range r.groups {
		product := 1.0
		for _, a := range g.axes {
			product *= float64(len(a.Values))
		}
		n += product
	}
	const exact = 1 << 53
	if n < exact {
		return fmt.Sprintf("too many combinations: %.0f", n)
	}
	return fmt.Sprintf("too many combinations: about %.2g", n)
}

// combinations yields the groups with the indices of their axes' values: the common axes slowest, then the groups, then
// their other axes, the last axis fastest. Axes for which fixed is true keep their first value; nil means none. The slice
// is reused.
func (r *resolver) combinations(fixed func(axis) bool) func(yield func(*group, []int) bool) {
	if fixed == nil {
		fixed = func(axis) bool { return false }
	}
	return func(yield func(*group, []int) bool) {
		shared := r.groups[0].axes[:r.common]
		for outer := range product(shared, fixed) {
			for i := range r.groups {
				g := &r.groups[i]
				index := make([]int, len(g.axes))
				copy(index, outer)
				for inner := range product(g.axes[r.common:], fixed) {
					copy(index[r.common:], inner)
					if !yield(g, index) {
						return
					}
				}
			}
		}
	}
}

// product yields the indices of the axes' values, the last axis fastest; once without axes, never where one has no value.
func product(axes []axis, fixed func(axis) bool) func(yield func([]int) bool) {
	return func(yield func([]int) bool) {
		if slices.ContainsFunc(axes, func(a axis) bool { return len(a.Values) == 0 }) {
			return
		}
		still := make([]bool, len(axes))
		for i, a := range axes {
			still[i] = fixed(a)
		}
		index := make([]int, len(axes))
		for yield(index) {
			i := len(index) - 1
			for ; i >= 0; i-- {
				if still[i] {
					continue
				}
				if index[i]++; index[i] < len(axes[i].Values) {
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
func (r *resolver) resolve(g *group, index []int) resolved {
	c, paths := r.complete(g, index)
	for _, group := range r.spec.Distinct {
		c.distinct = c.distinct && allDistinct(c.settings, group)
	}
	r.drop(c.settings, paths)
	return c
}

// complete computes one combination with the settings that the run does not read, and returns all paths that it can have.
func (r *resolver) complete(g *group, index []int) (c resolved, paths []string) {
	c = resolved{settings: maps.Clone(r.spec.Base), origin: map[string][]string{}, distinct: true}
	if c.settings == nil {
		c.settings = Settings{}
	}
	for path := range c.settings {
		c.origin[path] = strings.Split(path, ".")
	}
	for i, a := range g.axes[:r.common] {
		c.assign(a.Path, a.Values[index[i]], a.at)
	}
	if g.variant >= 0 {
		set := r.spec.Variants[g.variant].Set
		for _, path := range slices.Sorted(maps.Keys(set)) {
			c.assign(path, set[path], []string{"variant", fmt.Sprint(g.variant), "set", path})
		}
	}
	for i, a := range g.axes[r.common:] {
		c.assign(a.Path, a.Values[index[r.common+i]], a.at)
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
	for i, a := range g.axes {
		if a.set {
			c.assign(a.Path, a.Values[index[i]], nil)
		}
	}
	paths = r.table.paths(c.settings)
	r.fill(c.settings, paths)
	return c, paths
}

// assign sets a path and removes what contradicts it.
func (c *resolved) assign(path string, value any, origin []string) {
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
