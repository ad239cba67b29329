package experiments

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxCombinations bounds the combinations of a sweep.
const maxCombinations = 1_000_000

// Column returns the name of the column that a swept key path has in the view results of a report: its dots written as
// underscores.
func Column(path string) string { return strings.ReplaceAll(path, ".", "_") }

// stated is one key path under a table whose keys are key paths, with its value and its place in the file.
type stated struct {
	at    []string
	path  string
	value any
}

// flatten lists the key paths of a table whose keys are key paths, quoted or in parts, in the order of the file.
func (l *loader) flatten(at []string, prefix string, m map[string]any) []stated {
	var out []stated
	for _, name := range l.ordered(at, m) {
		here := append(at[:len(at):len(at)], name)
		if sub, ok := m[name].(map[string]any); ok {
			out = append(out, l.flatten(here, prefix+name+".", sub)...)
			continue
		}
		out = append(out, stated{here, prefix + name, m[name]})
	}
	return out
}

// path finds the key of a path in [sweep] or [[override]], or reports that a run has no such setting.
func (l *loader) path(at []string, path string) (Key, bool) {
	index, _ := splitAttack(path)
	k, ok := l.table.lookup(path)
	switch {
	case !ok:
		l.report(at, "unknown key path", l.suggest(path))
	case index < 0 && strings.HasPrefix(path, "attack."):
		l.report(at, "which attack?", fmt.Sprintf("attacks are counted from 0: %q", joinAttack(0, path)))
		ok = false
	case index >= l.attackN:
		l.report(at, fmt.Sprintf("there is no attack %d", index),
			fmt.Sprintf("the spec has %d [[attack]] tables, counted from 0", l.attackN))
		ok = false
	}
	return k, ok
}

// sweep reads [sweep].
func (l *loader) sweep(v any) {
	m, ok := v.(map[string]any)
	if !ok {
		if v != nil {
			l.report([]string{"sweep"}, quoteValue(v)+" is "+kindOf(v), "want a table [sweep]")
		}
		return
	}
	l.spec.Sweep = l.axes([]string{"sweep"}, m)
	if l.size() > maxCombinations {
		l.report([]string{"sweep"}, newResolver(l.spec, nil).tooMany(), fmt.Sprintf("a sweep has at most %d", maxCombinations))
		l.spec.Sweep = nil
	}
}

// size returns the number of combinations read so far, or one more than the bound.
func (l *loader) size() int { return newResolver(l.spec, nil).size() }

// axes reads the axes of a table; distinct stands in [sweep] alone.
func (l *loader) axes(at []string, m map[string]any) (out []Axis) {
	seen := map[string]string{}
	for _, axis := range l.flatten(at, "", m) {
		if axis.path == "distinct" && len(at) == 1 {
			l.distinct(axis)
			continue
		}
		l.stated[axis.path] = true
		k, ok := l.path(axis.at, axis.path)
		if !ok {
			continue
		}
		if column := Column(axis.path); seen[column] != "" {
			l.report(axis.at, "swept twice", fmt.Sprintf("%q gives results the same column %s", seen[column], column))
			continue
		} else if !l.columnFree(axis.at, axis.path) {
			continue
		}
		seen[Column(axis.path)] = axis.path
		for _, other := range out {
			if clash(other.Path, axis.path) {
				l.report(axis.at, fmt.Sprintf("contradicts the sweep of %q", other.Path), "sweep one of the two")
			}
		}
		values := l.values(axis, k)
		if len(values) > 0 {
			out = append(out, Axis{Path: axis.path, Values: values})
		}
	}
	return out
}

// columnFree reports a swept path whose column would hide one that results has.
func (l *loader) columnFree(at []string, path string) bool {
	column := Column(path)
	if slices.Contains(resultColumns, column) && !slices.Contains(ownColumns, path) {
		l.report(at, "cannot be swept", fmt.Sprintf("its column %s would hide the one that results has", column))
		return false
	}
	return true
}

// values checks the values of an axis one by one and returns those that are right.
func (l *loader) values(axis stated, k Key) []any {
	list, ok := axis.value.([]any)
	if !ok {
		l.report(axis.at, quoteValue(axis.value)+" is "+kindOf(axis.value), "want a list of values, each "+k.accepted())
		return nil
	}
	if len(list) == 0 {
		l.report(axis.at, "no values: a sweep of zero runs", "want a list of values, each "+k.accepted())
	}
	var out []any
	seen := map[any]bool{} // numbers and texts
	for i, e := range list {
		at := append(axis.at[:len(axis.at):len(axis.at)], strconv.Itoa(i))
		v, message, hint := k.check(e)
		switch {
		case message != "":
			l.reportAs(axis.at, at, unknownName(k.Path, e, message), hint)
		case seen[essence(v)] || isList(v) && slices.ContainsFunc(out, func(o any) bool { return equal(o, v) }):
			l.reportAs(axis.at, at, quoteValue(e)+" is listed twice", "")
		default:
			if !isList(v) {
				seen[essence(v)] = true
			}
			out = append(out, v)
		}
	}
	return out
}

// reportAs adds a problem named after the key at path that stands where at does.
func (l *loader) reportAs(path, at []string, message, hint string) {
	l.problems = append(l.problems, Problem{Line: l.at.of(at...), Key: tomlKey(path), Message: message, Hint: hint})
}

// distinct reads sweep.distinct.
func (l *loader) distinct(s stated) {
	const want = `want lists of key paths: [["primary.class", "harmful.class"]]`
	groups, ok := s.value.([]any)
	if !ok {
		l.report(s.at, quoteValue(s.value)+" is "+kindOf(s.value), want)
		return
	}
	for _, g := range groups {
		list, ok := g.([]any)
		if !ok {
			l.report(s.at, quoteValue(g)+" is "+kindOf(g), want)
			continue
		}
		var paths []string
		for _, e := range list {
			path, ok := e.(string)
			if !ok {
				l.report(s.at, quoteValue(e)+" is "+kindOf(e), want)
				continue
			}
			if slices.Contains(paths, path) {
				l.report(s.at, fmt.Sprintf("%q is listed twice", path), "")
				continue
			}
			paths = append(paths, path)
			at := len(l.problems)
			if _, ok := l.path(s.at, path); !ok {
				l.problems[at].Message = fmt.Sprintf("%q: %s", path, l.problems[at].Message)
			}
		}
		if len(list) < 2 {
			l.report(s.at, "nothing to be distinct from", want)
			continue
		}
		l.spec.Distinct = append(l.spec.Distinct, paths)
	}
}

// overrides reads the [[override]] tables.
func (l *loader) overrides(v any) {
	elements, _ := l.elements("override", v)
	for i, m := range elements {
		if m == nil {
			continue
		}
		at := []string{"override", strconv.Itoa(i)}
		o := Override{When: Settings{}, Set: Settings{}}
		parts := map[string]Settings{"when": o.When, "set": o.Set}
		for _, name := range l.ordered(at, m) {
			here := append(at[:len(at):len(at)], name)
			dst, ok := parts[name]
			if !ok {
				l.report(here, "unknown key", hints("want when and set", meant(name, []string{"when", "set"})))
				continue
			}
			l.assignments(here, m[name], dst)
		}
		for _, name := range []string{"when", "set"} {
			if _, ok := m[name]; !ok {
				l.report(at, name+" is missing", "want "+name+` = { "train.method" = "…" }, key paths with their values`)
			}
		}
		l.spec.Overrides = append(l.spec.Overrides, o)
	}
}

// assignments reads a table of key paths with one value each.
func (l *loader) assignments(at []string, v any, dst Settings) {
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		what := quoteValue(v) + " is " + kindOf(v)
		if ok {
			what = "empty"
		}
		l.report(at, what, `want a table of key paths with their values: { "train.method" = "…" }`)
		return
	}
	for _, s := range l.flatten(at, "", m) {
		if _, ok := l.path(s.at, s.path); !ok {
			continue
		}
		twice := false
		for other := range dst {
			twice = twice || clash(other, s.path)
		}
		if twice {
			l.report(s.at, "set twice", "")
			continue
		}
		stated := l.stated[s.path]
		l.set(s.at, s.path, s.value, dst)
		if !stated { // an override is conditional, a variant is one of several: neither stands for the key itself
			delete(l.stated, s.path)
		}
	}
}
