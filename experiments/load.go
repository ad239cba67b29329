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

// MaxBytes is the longest that a spec may be: many times a long one.
const MaxBytes = 1 << 20

const (
	maxNesting = 100 // brackets in brackets: a decoder that recurses into a million of them exhausts the stack
	maxParts   = 32  // of a key, between dots
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
	if len(data) > MaxBytes {
		return fail(1, fmt.Sprintf("%d bytes are too many", len(data)), fmt.Sprintf("a spec has at most %d", MaxBytes))
	}
	if line := tooDeep(string(data), maxNesting); line > 0 {
		return fail(line, "brackets are nested too deeply", fmt.Sprintf("a spec has at most %d levels", maxNesting))
	}
	if line := tooLong(string(data), maxParts); line > 0 {
		return fail(line, "a key has too many parts", fmt.Sprintf("a key has at most %d, with dots between them", maxParts))
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
	l.variants(root["variant"])
	l.overrides(root["override"])
	l.required()
	sound := len(l.problems) == 0
	l.cells(root["cell"])
	model := !slices.ContainsFunc(l.problems, func(p Problem) bool { return strings.Contains(p.Key, modelKey) })
	l.problems = append(l.problems, crossCheck(l.spec, sound, model)...)
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
