package experiments

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// top checks the keys outside tables and the names of tables.
func (l *loader) top(root map[string]any) {
	var known []string
	for _, k := range topKeys() {
		known = append(known, k.Path)
		v, ok := root[k.Path]
		if !ok {
			continue
		}
		value, message, hint := k.check(v)
		if message != "" {
			l.report([]string{k.Path}, message, hint)
			continue
		}
		if k.Path == "title" {
			l.spec.Title = value.(string)
		} else {
			l.spec.Source = value.(string)
		}
	}
	if title, ok := root["title"]; !ok {
		l.report([]string{"title"}, "missing", `want title = "…", the heading of the report`)
	} else if s, ok := title.(string); ok && strings.TrimSpace(s) == "" {
		l.report([]string{"title"}, "empty", "want the heading of the report")
	}
	known = slices.Concat(known, l.table.tables, []string{"sweep", "variant", "override", "cell"})
	for _, key := range l.ordered(nil, root) {
		if slices.Contains(known, key) {
			continue
		}
		what, hint := "unknown key", meant(key, known)
		if _, ok := root[key].(map[string]any); ok {
			what = "unknown table"
		} else if near := l.table.near(key); hint == "" && near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		l.report([]string{key}, what, hints(hint))
	}
}

// base reads the tables of settings.
func (l *loader) base(root map[string]any) {
	for _, name := range l.table.tables {
		v, ok := root[name]
		if !ok || name == "attack" {
			continue
		}
		if m, ok := v.(map[string]any); ok {
			l.settings([]string{name}, name, m, l.spec.Base)
			continue
		}
		l.report([]string{name}, quoteValue(v)+" is "+kindOf(v), "want a table ["+name+"]")
	}
}

// settings reads the table at the TOML path into dst, under the key path prefix.
func (l *loader) settings(at []string, prefix string, m map[string]any, dst Settings) {
	for _, name := range l.ordered(at, m) {
		here := append(at[:len(at):len(at)], name)
		path := prefix + "." + name
		if strings.Contains(name, ".") {
			l.report(here, "unknown key", "write the parts of a nested key without quotes")
			continue
		}
		if sub, ok := m[name].(map[string]any); ok && len(l.table.under(pathOf(path))) > 0 {
			l.settings(here, path, sub, dst)
			continue
		}
		l.set(here, path, m[name], dst)
	}
}

// pathOf returns the path as the key table has it.
func pathOf(path string) string {
	_, key := splitAttack(path)
	return key
}

// set checks one value and stores it in dst.
func (l *loader) set(at []string, path string, v any, dst Settings) {
	l.stated[path] = true
	k, ok := l.table.lookup(path)
	if !ok {
		l.report(at, "unknown key", l.suggest(path))
		return
	}
	value, message, hint := k.check(v)
	if message != "" {
		if _, isName := v.(string); isName && strings.HasSuffix(k.Path, ".dataset") && len(l.table.forms) > 0 {
			hint = hints("want "+k.accepted()+fmt.Sprintf(", or your own data as a table: { %s = \"…\" }", l.table.forms[0]),
				meant(v.(string), k.Enum))
		}
		l.report(at, unknownName(k.Path, v, message), hint)
		return
	}
	dst[path] = value
}

// suggest returns a hint for a path that does not exist.
func (l *loader) suggest(path string) string {
	index, key := splitAttack(path)
	near := l.table.near(key)
	if near == "" {
		return ""
	}
	if strings.HasPrefix(near, "attack.") {
		near = joinAttack(index, near)
	}
	return fmt.Sprintf("did you mean %q?", near)
}

// unknownName words the refusal of a name of the catalog.
func unknownName(path string, v any, message string) string {
	if s, ok := v.(string); ok {
		switch path {
		case methodKey:
			return fmt.Sprintf("unknown method %q", s)
		case attackerKey:
			return fmt.Sprintf("unknown attacker %q", s)
		case modelKey:
			return fmt.Sprintf("unknown model %q", s)
		case "primary.dataset", "harmful.dataset":
			return fmt.Sprintf("unknown data set %q", s)
		}
	}
	return message
}

// attacks reads the [[attack]] tables.
func (l *loader) attacks(v any) {
	elements, ok := l.elements("attack", v)
	if !ok {
		return
	}
	l.attackN = len(elements)
	for i, m := range elements {
		at := []string{"attack", strconv.Itoa(i)}
		if m == nil {
			continue
		}
		l.settings(at, "attack."+at[1], m, l.spec.Base)
	}
}

// mostTables bounds an array of tables: many times what a person writes, and what every run of a sweep can carry.
func mostTables(name string) int {
	switch name {
	case "attack":
		return 100
	case "cell":
		return 1000
	}
	return 2000 // of variants and overrides, which programs write too
}

// elements returns the tables of an array of tables; an element that is none is reported and nil, and so is an array of too many.
func (l *loader) elements(name string, v any) ([]map[string]any, bool) {
	few := func(n int) bool {
		most := mostTables(name)
		if n <= most {
			return true
		}
		l.report([]string{name, strconv.Itoa(most)}, fmt.Sprintf("%d tables [[%s]] are too many", n, name), fmt.Sprintf("a spec has at most %d", most))
		return false
	}
	switch v := v.(type) {
	case nil:
		return nil, true
	case []map[string]any:
		if !few(len(v)) {
			return nil, false
		}
		return v, true
	case []any:
		if !few(len(v)) {
			return nil, false
		}
		out := make([]map[string]any, len(v))
		for i, e := range v {
			m, ok := e.(map[string]any)
			if !ok {
				l.report([]string{name, strconv.Itoa(i)}, quoteValue(e)+" is "+kindOf(e), "want a table [["+name+"]]")
			}
			out[i] = m
		}
		return out, true
	}
	l.report([]string{name}, quoteValue(v)+" is "+kindOf(v), "want tables [["+name+"]], with two brackets")
	return nil, false
}

// required reports what every experiment must say.
func (l *loader) required() {
	need := func(at []string, path string) {
		for stated := range l.stated {
			if clash(stated, path) {
				return
			}
		}
		k, _ := l.table.lookup(path)
		message := "missing"
		if _, ok := l.at.order[join(at)]; ok {
			message = path[strings.LastIndex(path, ".")+1:] + " is missing"
		} else {
			at = strings.Split(path, ".")
		}
		l.report(at, message, "want "+k.accepted())
	}
	for _, side := range sides {
		need([]string{side}, side+".dataset")
	}
	need([]string{"train"}, methodKey)
	for i := range l.attackN {
		need([]string{"attack", strconv.Itoa(i)}, joinAttack(i, attackerKey))
	}
}
