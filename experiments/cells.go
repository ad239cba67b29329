package experiments

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	idPattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	formatPattern = regexp.MustCompile(`^(sig [1-9][0-9]?|(fixed|pct) [0-9][0-9]?|int|text)$`)
)

// cells reads the [[cell]] tables.
func (l *loader) cells(v any) {
	elements, _ := l.elements("cell", v)
	lineOf := map[string]int{}
	for i, m := range elements {
		if m == nil {
			continue
		}
		at := []string{"cell", strconv.Itoa(i)}
		c, ok := l.cell(at, m)
		if !ok {
			continue
		}
		if first, ok := lineOf[c.ID]; ok && c.ID != "" {
			l.report(append(at, "id"), fmt.Sprintf("%q is also the id of the cell at line %d", c.ID, first), "ids are unique in a spec")
		} else {
			lineOf[c.ID] = c.Line
		}
		l.spec.Cells = append(l.spec.Cells, c)
	}
}

// cell reads one cell; ok is false if its kind is unknown.
func (l *loader) cell(at []string, m map[string]any) (c Cell, ok bool) {
	keys := cellKeys()
	kindKey := keys[0]
	v, stated := m["kind"]
	if !stated {
		l.report(at, "kind is missing", "want "+kindKey.accepted())
		return c, false
	}
	kind, message, hint := kindKey.check(v)
	if message != "" {
		l.report(append(at[:2:2], "kind"), message, hint)
		return c, false
	}
	c = Cell{Kind: CellKind(kind.(string)), Line: l.at.of(at...)}
	figure := ""
	if s, ok := m["type"].(string); ok && c.Kind == Figure && slices.Contains(figureTypes, s) {
		figure = s
	}
	got := cellValues{}
	for _, name := range l.ordered(at, m) {
		l.cellKey(append(at[:2:2], name), c.Kind, figure, name, m[name], keys, got)
	}
	for _, k := range keys {
		if _, stated := m[k.Path]; !stated && k.required(c.Kind, figure) {
			l.report(at, k.Path+" is missing", "want "+k.accepted())
		}
	}
	got.fill(&c)
	switch c.Kind {
	case Figure:
		l.checkFigure(at, c.Figure)
	case Claim:
		l.checkClaim(at, m, c.Claim)
	}
	return c, true
}

// cellKey checks one key of a cell and notes its value in got.
func (l *loader) cellKey(at []string, kind CellKind, figure, name string, v any, keys []cellKey, got cellValues) {
	what := string(kind)
	if figure != "" {
		what = figure
	}
	var known []string
	for _, k := range keys {
		if k.applies(kind, figure) {
			known = append(known, k.Path)
		}
	}
	i := slices.IndexFunc(keys, func(k cellKey) bool { return k.Path == name })
	if i < 0 {
		l.report(at, "unknown key", meant(name, known))
		return
	}
	k := keys[i]
	switch {
	case !slices.Contains(k.Kinds, kind):
		kinds := make([]string, len(k.Kinds))
		for i, kk := range k.Kinds {
			kinds[i] = string(kk)
		}
		l.report(at, fmt.Sprintf("a %s has no %s", kind, name), hints("it belongs to "+strings.Join(kinds, ", "), meant(name, known)))
		return
	case !k.applies(kind, figure):
		l.report(at, fmt.Sprintf("a %s has no %s", what, name), hints("it belongs to "+strings.Join(k.Figures, ", "), meant(name, known)))
		return
	}
	if slices.Contains(k.Types, tableType) {
		sub, ok := v.(map[string]any)
		switch {
		case !ok:
			l.report(at, quoteValue(v)+" is "+kindOf(v), "want a table")
		case name == "paper":
			l.paper(at, sub, got)
		default:
			l.format(at, sub, got)
		}
		return
	}
	value, message, hint := k.check(v)
	if message != "" {
		l.report(at, message, hint)
		return
	}
	if s, ok := value.(string); ok {
		if strings.TrimSpace(s) == "" {
			l.report(at, "empty", "leave it out, or want "+k.accepted())
			return
		}
		if name == "id" && !idPattern.MatchString(s) {
			l.report(at, fmt.Sprintf("%q is no id", s), "want lower-case letters, digits and hyphens, the first no hyphen: rir-heatmap")
			return
		}
	}
	got[name] = value
}

// paper reads { value = …, where = "…" }.
func (l *loader) paper(at []string, m map[string]any, got cellValues) {
	keys := []Key{{Path: "value", Types: numberType}, {Path: "where", Types: stringType}}
	for _, name := range l.ordered(at, m) {
		here := append(at[:len(at):len(at)], name)
		i := slices.IndexFunc(keys, func(k Key) bool { return k.Path == name })
		if i < 0 {
			l.report(here, "unknown key", hints("want value and where", meant(name, []string{"value", "where"})))
			continue
		}
		value, message, hint := keys[i].check(m[name])
		if message != "" {
			l.report(here, message, hint)
			continue
		}
		got["paper."+name] = value
	}
	if _, ok := m["value"]; !ok {
		l.report(at, "value is missing", `want { value = number, where = "Table 2" }`)
	}
}

// format reads column = "format" pairs.
func (l *loader) format(at []string, m map[string]any, got cellValues) {
	formats := map[string]string{}
	for _, column := range l.ordered(at, m) {
		here := append(at[:len(at):len(at)], column)
		s, ok := m[column].(string)
		if !ok || !formatPattern.MatchString(s) {
			l.report(here, quoteValue(m[column])+" is no format", `want "sig 3", "fixed 2", "pct 1", "int" or "text"`)
			continue
		}
		formats[column] = s
	}
	if len(formats) > 0 {
		got["format"] = formats
	}
}

// cellValues are the checked values of a cell's keys.
type cellValues map[string]any

func (v cellValues) text(key string) string { s, _ := v[key].(string); return s }

func (v cellValues) number(key string) float64 { x, _ := v[key].(float64); return x }

func (v cellValues) integer(key string) int { n, _ := v[key].(int64); return int(n) }

// fill puts the values into the fields of the cell.
func (v cellValues) fill(c *Cell) {
	c.ID, c.Text, c.SQL, c.Runs, c.Caption = v.text("id"), v.text("text"), v.text("sql"), v.text("runs"), v.text("caption")
	c.Figure = FigureOptions{
		Type: v.text("type"), X: v.text("x"), Y: v.text("y"), Z: v.text("z"),
		Group: v.text("group"), Low: v.text("low"), High: v.text("high"), Label: v.text("label"), Band: v.text("band"),
		XLabel: v.text("x_label"), YLabel: v.text("y_label"), ZLabel: v.text("z_label"),
		XScale: v.text("x_scale"), YScale: v.text("y_scale"), ZScale: v.text("z_scale"),
		Bins: v.integer("bins"), ReferenceSQL: v.text("reference_sql"), Width: v.number("width"), Height: v.number("height"),
	}
	if list, ok := v["reference"].([]any); ok {
		for _, x := range list {
			c.Figure.Reference = append(c.Figure.Reference, x.(float64))
		}
	}
	c.Table.Limit = v.integer("limit")
	if list, ok := v["headings"].([]any); ok {
		for _, h := range list {
			c.Table.Headings = append(c.Table.Headings, h.(string))
		}
	}
	if formats, ok := v["format"].(map[string]string); ok {
		c.Table.Format = formats
	}
	c.Claim = ClaimOptions{
		Op: v.text("op"), Expect: v.number("expect"), Tolerance: v.number("tolerance"), MinRuns: v.integer("min_runs"),
		Known: v.text("known"), Because: v.text("because"), PaperWhere: v.text("paper.where"),
	}
	if list, ok := v["expect"].([]any); ok {
		c.Claim.Order = list
	}
	if x, ok := v["paper.value"].(float64); ok {
		c.Claim.PaperValue = &x
	}
}

// checkFigure reports keys of a figure that contradict each other.
func (l *loader) checkFigure(at []string, f FigureOptions) {
	switch {
	case f.Low != "" && f.High == "":
		l.report(append(at[:2:2], "low"), "there is no high", "want both ends")
	case f.High != "" && f.Low == "":
		l.report(append(at[:2:2], "high"), "there is no low", "want both ends")
	case f.Low != "" && f.Band != "":
		l.report(append(at[:2:2], "band"), "low and high already say what the band is", "leave out one")
	}
}

// checkClaim reports keys of a claim that do not fit its op.
func (l *loader) checkClaim(at []string, m map[string]any, c ClaimOptions) {
	key := func(name string) []string { return append(at[:2:2], name) }
	relative := c.Op == "within" || c.Op == "ratio"
	if _, stated := m["tolerance"]; c.Op != "" && stated != relative {
		if stated {
			l.report(key("tolerance"), fmt.Sprintf("op %q has no tolerance", c.Op), "it goes with within and ratio")
		} else {
			l.report(at, "tolerance is missing", fmt.Sprintf("op %q wants a relative one, a number > 0", c.Op))
		}
	}
	if v, stated := m["expect"]; stated && c.Op != "" {
		_, list := v.([]any)
		switch {
		case c.Op == "order" && !list:
			l.report(key("expect"), quoteValue(v)+" is "+kindOf(v), "op \"order\" wants a list of the values in order")
		case c.Op == "order" && len(c.Order) < 2 && len(v.([]any)) < 2:
			l.report(key("expect"), "fewer than two values have no order", "want a list of the values in order")
		case c.Op != "order" && list:
			l.report(key("expect"), quoteValue(v)+" is a list", fmt.Sprintf("op %q wants a number", c.Op))
		case relative && equal(v, 0.0):
			l.report(key("expect"), "a relative tolerance around 0 accepts nothing else", "use < or > with a bound")
		}
	}
	if c.Known != "" && c.Because == "" {
		l.report(key("known"), "there is no because", "want because = \"…\", a sentence saying why the claim fails")
	}
	if c.Because != "" && c.Known == "" {
		if _, stated := m["known"]; !stated {
			l.report(key("because"), "there is no known", "want known = \"not reproduced\"")
		}
	}
}
