package experiments

import (
	"slices"
	"strconv"
	"strings"
)

// The key paths that hold a name of the catalog.
const (
	methodKey   = "train.method"
	attackerKey = "attack.method"
	modelKey    = "model.kind"
	seedKey     = "train.seed"
)

// sides are the two tasks of an experiment; each names its data set.
var sides = [...]string{"primary", "harmful"}

// keyTable is the catalog made ready for look-ups.
type keyTable struct {
	cat    Catalog
	keys   []Key          // settings in the order of documentation; the name keys carry the names as Enum
	byPath map[string]int // into keys
	tables []string       // first segments of keys, in the order of documentation
	forms  []string       // data sets that are forms of an inline table, such as csv
	shared map[string]bool
}

// newKeyTable completes the catalog's keys by those that hold names, puts the tables in order and collects who uses what.
func newKeyTable(cat Catalog) *keyTable {
	t := &keyTable{cat: cat, byPath: map[string]int{}, shared: map[string]bool{}}
	given := map[string]Key{}
	for _, k := range cat.Keys {
		given[k.Path] = k
	}
	t.tables = []string{"primary", "harmful", "synthetic", "model", "pretrain", "train", "attack"}
	for _, k := range cat.Keys {
		if name, _, _ := strings.Cut(k.Path, "."); !slices.Contains(t.tables, name) {
			t.tables = append(t.tables, name)
		}
	}
	t.tables = slices.DeleteFunc(t.tables, func(name string) bool {
		return (name == "synthetic" || name == "pretrain") &&
			!slices.ContainsFunc(cat.Keys, func(k Key) bool { return strings.HasPrefix(k.Path, name+".") })
	})

	var datasets []string
	for _, d := range cat.Datasets {
		list := &datasets
		if _, ok := given["primary.dataset."+d.Name]; ok {
			list = &t.forms
		}
		if !slices.Contains(*list, d.Name) {
			*list = append(*list, d.Name)
		}
	}
	named := []Key{
		{Path: "primary.dataset", Enum: datasets, Doc: "Data set of the task the model is made for."},
		{Path: "harmful.dataset", Enum: datasets, Doc: "Data set of the task it is immunized against."},
		{Path: modelKey, Enum: names(cat.Models), Default: "linear", Doc: "The feature extractor."},
		{Path: methodKey, Enum: names(cat.Methods), Doc: "How the extractor is immunized."},
		{Path: attackerKey, Enum: names(cat.Attackers), Doc: "The attacker."},
	}
	for i, k := range named {
		if g, ok := given[k.Path]; ok {
			g.Enum = k.Enum
			named[i] = g
		}
		named[i].Types = []Type{String}
	}
	for _, table := range t.tables {
		for _, k := range slices.Concat(named, cat.Keys) {
			if _, ok := t.byPath[k.Path]; !ok && strings.HasPrefix(k.Path, table+".") {
				t.byPath[k.Path] = len(t.keys)
				t.keys = append(t.keys, k)
			}
		}
	}
	for i, k := range t.keys {
		if k.Default != nil {
			if v, message, _ := k.check(k.Default); message == "" {
				t.keys[i].Default = v
			}
		}
	}
	for _, e := range t.entries() {
		for _, path := range e.Uses {
			t.shared[path] = true
		}
	}
	return t
}

// names lists the names of entries, each once.
func names(entries []Entry) []string {
	var out []string
	for _, e := range entries {
		if !slices.Contains(out, e.Name) {
			out = append(out, e.Name)
		}
	}
	return out
}

// entries returns every entry of the catalog.
func (t *keyTable) entries() []Entry {
	out := slices.Concat(t.cat.Methods, t.cat.Attackers, t.cat.Models)
	for _, d := range t.cat.Datasets {
		out = append(out, d.Entry)
	}
	return out
}

// lookup finds the key of a setting; the index of an attack may be there or not.
func (t *keyTable) lookup(path string) (Key, bool) {
	_, path = splitAttack(path)
	i, ok := t.byPath[path]
	if !ok {
		return Key{}, false
	}
	return t.keys[i], true
}

// under returns the keys that lie in a table, deeper ones included.
func (t *keyTable) under(table string) []Key {
	var out []Key
	for _, k := range t.keys {
		if strings.HasPrefix(k.Path, table+".") {
			out = append(out, k)
		}
	}
	return out
}

// near suggests what an unknown path may have meant: a key of the same table, a key whose whole path is near, or one of
// another table with that very name.
func (t *keyTable) near(path string) string {
	dot := strings.LastIndex(path, ".")
	dir, name := path[:max(dot, 0)], path[dot+1:]
	same := map[string]string{}
	var order []string
	for _, k := range t.keys {
		kdot := strings.LastIndex(k.Path, ".")
		if k.Path[:kdot] == dir {
			same[k.Path[kdot+1:]] = k.Path
			order = append(order, k.Path[kdot+1:])
		}
	}
	if c := nearest(name, order); c != "" {
		return same[c]
	}
	var paths []string
	for _, k := range t.keys {
		paths = append(paths, k.Path)
	}
	if c := nearest(path, paths); c != "" {
		return c
	}
	for _, p := range paths {
		if strings.HasSuffix(p, "."+name) {
			return p
		}
	}
	return ""
}

// splitAttack takes the index out of "attack.3.steps": 3, "attack.steps". Without an index it returns −1 and path.
func splitAttack(path string) (index int, key string) {
	rest, ok := strings.CutPrefix(path, "attack.")
	if !ok {
		return -1, path
	}
	digits, name, ok := strings.Cut(rest, ".")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 || strconv.Itoa(n) != digits {
		return -1, path
	}
	return n, "attack." + name
}

// joinAttack is the reverse of splitAttack.
func joinAttack(index int, key string) string {
	if index < 0 {
		return key
	}
	return "attack." + strconv.Itoa(index) + strings.TrimPrefix(key, "attack")
}

// clash says whether two paths cannot both be set: they are the same, or one is a table around the other.
func clash(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(b, a+".")
}
