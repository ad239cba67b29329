package experiments

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The markers in a document between which [UpdateReference] keeps the tables of [Reference].
const (
	beginReference = "<!-- key tables: begin (generated) -->\n"
	endReference   = "<!-- key tables: end -->\n"
)

// Reference returns every key and every name of a spec as Markdown tables, from the same key table that the loader checks
// against.
func Reference(cat Catalog) string {
	t := newKeyTable(cat)
	var w strings.Builder
	section(&w, "Top level", "", topKeys())
	tables := t.tables
	if t.sameSides() {
		section(&w, "`[primary]` and `[harmful]`", "primary", t.under("primary"))
		tables = tables[2:]
	}
	for _, name := range tables {
		heading := "`[" + name + "]`"
		if name == "attack" {
			heading = "`[[attack]]`"
		}
		section(&w, heading, name, t.under(name))
	}
	sweep := append([]Key{{Path: "sweep.\"key.path\"", Types: []Type{List}, Elem: Any, Doc: "Values that the setting takes in turn, each as it would stand in its own table. The first axis varies slowest."}}, sweepKeys()[:1]...)
	section(&w, "`[sweep]`", "sweep", sweep)
	section(&w, "`[[override]]`", "override", sweepKeys()[1:3])
	section(&w, "`[[variant]]`", "variant", sweepKeys()[3:])
	cellSection(&w)
	t.nameSections(&w)
	return w.String()
}

// UpdateReference returns the document with the tables of [Reference] between its markers. The error says that a marker is
// missing. A document is up to date if nothing changes.
func UpdateReference(document []byte, cat Catalog) ([]byte, error) {
	before, rest, ok := bytes.Cut(document, []byte(beginReference))
	_, after, okEnd := bytes.Cut(rest, []byte(endReference))
	if !ok || !okEnd {
		return nil, errors.New("experiments: the document lacks the lines " + strings.TrimSpace(beginReference) + " and " + strings.TrimSpace(endReference))
	}
	return slices.Concat(before, []byte(beginReference), []byte("\n"+Reference(cat)), []byte(endReference), after), nil
}

// sameSides says whether [primary] and [harmful] have the same keys but for the words about them.
func (t *keyTable) sameSides() bool {
	strip := func(keys []Key, side string) []string {
		var out []string
		for _, k := range keys {
			out = append(out, fmt.Sprint(strings.TrimPrefix(k.Path, side), k.accepted(), k.Default, k.Unit))
		}
		return out
	}
	return slices.Equal(strip(t.under("primary"), "primary"), strip(t.under("harmful"), "harmful"))
}

// section writes the table of one table's keys.
func section(w *strings.Builder, heading, name string, keys []Key) {
	fmt.Fprintf(w, "### %s\n\n| key | value | default | meaning |\n|---|---|---|---|\n", heading)
	for _, k := range keys {
		row(w, code(strings.TrimPrefix(k.Path, name+".")), k.valueText(), k.defaultText(), k.meaning())
	}
	w.WriteString("\n")
}

// valueText describes the values of a key with their unit; the names of the catalog have tables of their own.
func (k Key) valueText() string {
	switch k.Path {
	case methodKey:
		return "a method, see below"
	case attackerKey:
		return "an attacker, see below"
	case modelKey:
		return "a model, see below"
	case "primary.dataset", "harmful.dataset":
		return "a data set, see below, or a table"
	case "override.when", "override.set", "variant.set":
		return "a table of key paths"
	case "variant.sweep":
		return "a table of key paths with lists"
	case "sweep.distinct":
		return "a list of lists of key paths"
	case `sweep."key.path"`:
		return "a list of values"
	}
	text := k.accepted()
	if k.Unit != "" {
		text += " (" + k.Unit + ")"
	}
	return text
}

func (k Key) defaultText() string {
	switch k.Path {
	case "title", methodKey, attackerKey, "primary.dataset", "harmful.dataset", "override.when", "override.set", "variant.name":
		return "required"
	}
	if k.Default == nil {
		return ""
	}
	if x, ok := k.Default.(float64); ok {
		return code(formatBound(x))
	}
	return code(formatValue(k.Default))
}

func (k Key) meaning() string {
	var when []string
	for _, w := range k.When {
		when = append(when, code(formatAssignments(w)))
	}
	if len(when) > 0 {
		return k.Doc + " Read only with " + strings.Join(when, " or ") + "."
	}
	return k.Doc
}

// cellSection writes the keys of [[cell]] with the cells that have them.
func cellSection(w *strings.Builder) {
	w.WriteString("### `[[cell]]`\n\n| key | in | value | default | meaning |\n|---|---|---|---|---|\n")
	for _, k := range cellKeys() {
		var in []string
		for _, kind := range k.Kinds {
			in = append(in, string(kind))
		}
		if len(k.Figures) > 0 {
			in = k.Figures
		}
		where := strings.Join(in, ", ")
		if len(k.Kinds) == 4 {
			where = "every cell"
		}
		def := k.defaultText()
		if k.Required {
			def = "required"
		}
		if len(k.Optional) > 0 {
			def += " (not in " + strings.Join(k.Optional, ", ") + ")"
		}
		row(w, code(k.Path), where, k.valueText(), def, k.Doc)
	}
	w.WriteString("\n")
}

// nameSections writes the names of the catalog.
func (t *keyTable) nameSections(w *strings.Builder) {
	byFamily := func(heading, prefix string, list []Entry, needs map[string]string) {
		var families []string
		for _, m := range t.cat.Models {
			if !slices.Contains(families, m.Family) {
				families = append(families, m.Family)
			}
		}
		for i, family := range families {
			of := slices.DeleteFunc(slices.Clone(list), func(e Entry) bool {
				return e.Family != family && (e.Family != "" || i > 0)
			})
			title := heading
			if i > 0 {
				title += " of " + family
			}
			entries(w, title, prefix, of, needs)
		}
	}
	byFamily("Methods", "train.", t.cat.Methods, nil)
	byFamily("Attackers", "attack.", t.cat.Attackers, nil)
	entries(w, "Models", "model.", t.cat.Models, nil)
	var list []Entry
	needs := map[string]string{}
	for _, d := range t.cat.Datasets {
		e := d.Entry
		if len(d.Classes) > 0 {
			e.Doc += " Classes: " + listClasses(d.Classes) + "."
		}
		list = append(list, e)
		needs[d.Name] = d.Needs
	}
	byFamily("Data sets", "primary.", list, needs)
}

// entries writes one table of names. needs adds a sentence to some.
func entries(w *strings.Builder, heading, prefix string, list []Entry, needs map[string]string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "### %s\n\n| name | meaning | reads | own defaults |\n|---|---|---|---|\n", heading)
	for _, e := range list {
		var reads, defaults []string
		for _, path := range e.Uses {
			if prefix == "primary." && strings.HasPrefix(path, "harmful.") || path == attackerKey || path == modelKey {
				continue
			}
			reads = append(reads, code(strings.TrimPrefix(path, prefix)))
		}
		for _, path := range slices.Sorted(maps.Keys(e.Defaults)) {
			if prefix == "primary." && strings.HasPrefix(path, "harmful.") {
				continue
			}
			k := Key{Default: e.Defaults[path]}
			if n, ok := k.Default.(int); ok {
				k.Default = int64(n)
			}
			defaults = append(defaults, code(strings.TrimPrefix(path, prefix))+" "+k.defaultText())
		}
		doc := e.Doc
		if needs[e.Name] != "" {
			doc += " " + needs[e.Name]
		}
		if e.Random {
			doc += " Draws random numbers."
		}
		row(w, code(e.Name), doc, strings.Join(reads, ", "), strings.Join(defaults, ", "))
	}
	w.WriteString("\n")
}

// row writes a row of a table; a vertical bar in a cell is escaped.
func row(w *strings.Builder, cells ...string) {
	w.WriteString("|")
	for _, c := range cells {
		w.WriteString(" " + strings.ReplaceAll(c, "|", `\|`) + " |")
	}
	w.WriteString("\n")
}

func code(s string) string { return "`" + s + "`" }
