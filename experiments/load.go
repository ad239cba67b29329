package experiments

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

const (
	maxBytes   = 1 << 20 // of a spec: many times a long one
	maxNesting = 100     // brackets in brackets: a decoder that recurses into a million of them exhausts the stack
)

// Load reads and checks the spec at name in fsys. The error is what [Parse] reports, or says that the file cannot be read.
func Load(fsys fs.FS, name string, cat Catalog) (*Spec, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		if at, ok := errors.AsType[*fs.PathError](err); ok {
			err = at.Err // its path is the name once more
		}
		return nil, fmt.Errorf("load spec %s: %w", name, err)
	}
	return Parse(name, data, cat)
}

// Parse checks a spec and returns it, or every problem it has as [Problems]. name is the file's path: it is repeated in
// messages, and its last element without ".toml" is the spec's name. Parse is pure. Its cost is linear in the file besides
// the combinations of the sweep that decide which keys are read, of which it looks at each.
func Parse(name string, data []byte, cat Catalog) (*Spec, error) {
	fail := func(line int, message, hint string) (*Spec, error) {
		return nil, Problems{{File: name, Line: line, Message: message, Hint: hint}}
	}
	if len(data) > maxBytes {
		return fail(1, fmt.Sprintf("%d bytes are too many", len(data)), fmt.Sprintf("a spec has at most %d", maxBytes))
	}
	if line := tooDeep(string(data), maxNesting); line > 0 {
		return fail(line, "brackets are nested too deeply", fmt.Sprintf("a spec has at most %d levels", maxNesting))
	}
	var root map[string]any
	if err := toml.Unmarshal(data, &root); err != nil {
		if parse, ok := errors.AsType[toml.ParseError](err); ok {
			return fail(max(1, parse.Position.Line), "not valid TOML: "+firstLine(parse.Message), "")
		}
		return fail(1, "not valid TOML: "+firstLine(err.Error()), "")
	}
	sum := sha256.Sum256(data)
	l := loader{
		table: newKeyTable(cat), at: scan(string(data)), stated: map[string]bool{},
		spec: &Spec{
			Name: strings.TrimSuffix(path.Base(strings.ReplaceAll(name, `\`, "/")), ".toml"), Path: name,
			Bytes: slices.Clone(data), Hash: hex.EncodeToString(sum[:]),
			Base: Settings{}, lines: map[string]int{},
		},
	}
	l.spec.table = l.table
	for joined, line := range l.at.line {
		key := strings.ReplaceAll(joined, "\x00", ".")
		l.spec.lines[key] = max(line, l.spec.lines[key])
	}
	l.lost(root)
	l.top(root)
	l.base(root)
	l.attacks(root["attack"])
	l.sweep(root["sweep"])
	l.overrides(root["override"])
	l.required()
	sound := len(l.problems) == 0
	l.cells(root["cell"])
	l.problems = append(l.problems, crossCheck(l.spec, sound)...)
	if len(l.problems) > 0 {
		for i := range l.problems {
			l.problems[i].File = name
		}
		return nil, l.problems.sorted()
	}
	return l.spec, nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// loader carries a spec through its checks.
type loader struct {
	table    *keyTable
	at       positions
	spec     *Spec
	problems Problems
	attackN  int             // [[attack]] tables
	stated   map[string]bool // key paths that the file names, in [sweep] too, whether or not their values are right
}

// report adds a problem of the key at path.
func (l *loader) report(path []string, message, hint string) {
	l.problems = append(l.problems, Problem{Line: l.at.of(path...), Key: tomlKey(path), Message: message, Hint: hint})
}

// tomlKey writes a path as TOML does, quoting what needs it.
func tomlKey(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = p
		if p == "" || strings.ContainsFunc(p, func(r rune) bool { return r > 127 || !bareKeyByte(byte(r)) }) {
			parts[i] = quoteString(p)
		}
	}
	return strings.Join(parts, ".")
}

// ordered returns the keys of the table at path in the order of the file.
func (l *loader) ordered(path []string, m map[string]any) []string {
	place := func(key string) int {
		if n, ok := l.at.order[join(append(path[:len(path):len(path)], key))]; ok {
			return n
		}
		return len(l.at.keys)
	}
	places := make(map[string]int, len(m))
	for key := range m {
		places[key] = place(key)
	}
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(places[a], places[b]), cmp.Compare(a, b))
	})
}

// lost reports keys that the decoder has let a later key replace: it takes a.b = 1 followed by a = 2.
func (l *loader) lost(root map[string]any) {
	for _, path := range l.at.keys {
		var at any = root
		for i, part := range path {
			at = child(at, part)
			if at == nil {
				l.report(path, tomlKey(path[:i])+" is set twice", "keep one of the two")
				break
			}
		}
	}
}

// child returns the element of a decoded table or list, nil if there is none.
func child(of any, name string) any {
	index, err := strconv.Atoi(name)
	switch of := of.(type) {
	case map[string]any:
		return of[name]
	case []map[string]any:
		if err == nil && index >= 0 && index < len(of) {
			return of[index]
		}
	case []any:
		if err == nil && index >= 0 && index < len(of) {
			return of[index]
		}
	}
	return nil
}

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
	known = slices.Concat(known, l.table.tables, []string{"sweep", "override", "cell"})
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

// elements returns the tables of an array of tables; an element that is none is reported and nil.
func (l *loader) elements(name string, v any) ([]map[string]any, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case []map[string]any:
		return v, true
	case []any:
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
