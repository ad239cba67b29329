package experiments

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Canonical returns the spec as TOML with everything in a fixed place and form: two files that mean the same have the same
// canonical form, whatever their layout, comments and spelling of values. Parsing it with the same catalog gives an equal
// spec (but for Bytes, Hash and lines), and the canonical form of that is the same text. Defaults are not written out.
func (s *Spec) Canonical() []byte {
	var w canonicalWriter
	w.pair("title", s.Title)
	w.text("source", s.Source)
	w.settings(s.Base)
	w.sweep(s)
	for _, v := range s.Variants {
		w.variant(v)
	}
	for _, o := range s.Overrides {
		w.printf("\n[[override]]\nwhen = { %s }\nset = { %s }\n", formatPairs(o.When), formatPairs(o.Set))
	}
	for _, c := range s.Cells {
		w.cell(c)
	}
	return w.Bytes()
}

type canonicalWriter struct{ bytes.Buffer }

func (w *canonicalWriter) printf(format string, args ...any) { fmt.Fprintf(w, format, args...) }

// pair writes key = value.
func (w *canonicalWriter) pair(key string, value any) { w.printf("%s = %s\n", key, formatValue(value)) }

// text writes a string unless it is empty.
func (w *canonicalWriter) text(key, value string) {
	if value != "" {
		w.printf("%s = %s\n", key, formatText(value))
	}
}

// number writes a number unless it is 0.
func (w *canonicalWriter) number(key string, value float64) {
	if value != 0 {
		w.pair(key, value)
	}
}

// integer writes an integer unless it is 0.
func (w *canonicalWriter) integer(key string, value int) {
	if value != 0 {
		w.pair(key, int64(value))
	}
}

// settings writes the tables of settings: primary, harmful, model and train first, then the others by name, attacks last.
func (w *canonicalWriter) settings(s Settings) {
	byTable := map[string][]string{}
	for _, path := range slices.Sorted(maps.Keys(s)) {
		if index, _ := splitAttack(path); index < 0 {
			name, _, _ := strings.Cut(path, ".")
			byTable[name] = append(byTable[name], path)
		}
	}
	order := []string{"primary", "harmful", "model", "train"}
	for _, name := range slices.Sorted(maps.Keys(byTable)) {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	for _, name := range order {
		if len(byTable[name]) == 0 {
			continue
		}
		w.printf("\n[%s]\n", name)
		for _, path := range byTable[name] {
			w.pair(strings.TrimPrefix(path, name+"."), s[path])
		}
	}
	for i := range s.attacks() {
		w.printf("\n[[attack]]\n")
		prefix := fmt.Sprintf("attack.%d.", i)
		for _, path := range slices.Sorted(maps.Keys(s)) {
			if key, ok := strings.CutPrefix(path, prefix); ok {
				w.pair(key, s[path])
			}
		}
	}
}

func (w *canonicalWriter) sweep(s *Spec) {
	if len(s.Sweep)+len(s.Distinct) == 0 {
		return
	}
	w.printf("\n[sweep]\n")
	for _, a := range s.Sweep {
		w.pair(quoteString(a.Path), a.Values)
	}
	if len(s.Distinct) == 0 {
		return
	}
	var groups []any
	for _, g := range s.Distinct {
		groups = append(groups, stringList(g))
	}
	w.pair("distinct", groups)
}

func (w *canonicalWriter) variant(v Variant) {
	w.printf("\n[[variant]]\n")
	w.pair("name", v.Name)
	if len(v.Set) > 0 {
		w.printf("set = { %s }\n", formatPairs(v.Set))
	}
	if len(v.Sweep) == 0 {
		return
	}
	w.printf("\n[variant.sweep]\n")
	for _, a := range v.Sweep {
		w.pair(quoteString(a.Path), a.Values)
	}
}

func stringList(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func (w *canonicalWriter) cell(c Cell) {
	w.printf("\n[[cell]]\n")
	w.text("kind", string(c.Kind))
	w.text("id", c.ID)
	f, t, k := c.Figure, c.Table, c.Claim
	w.text("type", f.Type)
	w.text("text", c.Text)
	w.text("sql", c.SQL)
	w.text("runs", c.Runs)
	for _, p := range []struct{ key, value string }{
		{"x", f.X},
		{"y", f.Y},
		{"z", f.Z},
		{"group", f.Group},
		{"low", f.Low},
		{"high", f.High},
		{"band", f.Band},
		{"label", f.Label},
		{"x_label", f.XLabel},
		{"y_label", f.YLabel},
		{"z_label", f.ZLabel},
		{"x_scale", f.XScale},
		{"y_scale", f.YScale},
		{"z_scale", f.ZScale},
	} {
		w.text(p.key, p.value)
	}
	w.integer("bins", f.Bins)
	if len(f.Reference) > 0 {
		var list []any
		for _, x := range f.Reference {
			list = append(list, x)
		}
		w.pair("reference", list)
	}
	w.text("reference_sql", f.ReferenceSQL)
	w.number("width", f.Width)
	w.number("height", f.Height)
	if len(t.Headings) > 0 {
		w.pair("headings", stringList(t.Headings))
	}
	w.integer("limit", t.Limit)
	if c.Kind == Claim {
		w.text("op", k.Op)
		if k.Op == "order" {
			w.pair("expect", k.Order)
		} else {
			w.pair("expect", k.Expect)
		}
		w.number("tolerance", k.Tolerance)
		w.integer("min_runs", k.MinRuns)
		w.text("known", k.Known)
		w.text("because", k.Because)
		if k.PaperValue != nil {
			w.pair("paper.value", *k.PaperValue)
			w.text("paper.where", k.PaperWhere)
		}
	}
	w.text("caption", c.Caption)
	for _, column := range slices.Sorted(maps.Keys(t.Format)) {
		w.pair("format."+quoteString(column), t.Format[column])
	}
}
