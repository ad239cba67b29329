package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"kappa/experiments"
	"kappa/reports/internal/figure"
	"kappa/store"
)

// figureCell draws the rows of a query, with its SVG and CSV files.
func (b *builder) figureCell(out *strings.Builder) {
	rows, err := b.query(b.cell.SQL)
	if err != nil {
		b.problem(1, "sql", err)
		return
	}
	if key, err := checkColumns(b.cell.Figure, rows.Columns); err != nil {
		b.problem(0, key, err)
		return
	}
	reference, ok := b.reference()
	if !ok {
		return
	}
	b.figures++
	caption := sentence(oneLine(b.template("caption", b.cell.Caption)))
	o := figureOptions(b.cell.Figure)
	o.Title = fmt.Sprintf("Figure %d", b.figures)
	o.Desc = plain(caption)
	if o.Desc == "" {
		o.Desc = described(b.cell.Figure.Type, o)
	}
	g := &gatherer{rows: rows, o: b.cell.Figure}
	o.Groups = b.groupsOf(g)
	if reference != nil {
		o.Curves = reference.curves()
	}
	f := g.draw(o)
	svg, data := "fig-"+b.cell.ID+".svg", "fig-"+b.cell.ID+".csv"
	folder := filesFolder(b.spec.Name)
	fmt.Fprintf(out, "![%s. %s](%s)\n\n**Figure %d.** ", o.Title, escape(o.Desc), link(folder, svg), b.figures)
	if caption != "" {
		out.WriteString(caption + " ")
	}
	for _, note := range f.Notes {
		out.WriteString(escape(note) + " ")
		for _, what := range []string{"Left out", "Exchanged"} {
			if rest, ok := strings.CutPrefix(note, what+": "); ok {
				b.warn("Figure %s: %s %s", code(b.cell.ID), strings.ToLower(what), escape(strings.TrimSuffix(rest, ".")))
			}
		}
	}
	fmt.Fprintf(out, "([data](%s)", link(folder, data))
	for _, w := range g.warnings() {
		b.warn("Figure %s: %s", code(b.cell.ID), w)
	}
	b.file(svg, f.SVG)
	b.file(data, csvFile(rows))
	runs := b.standsOn(rows)
	if reference != nil {
		runs = union(runs, b.besideReference(out, reference))
	}
	out.WriteString(")\n\n")
	b.item(item{Kind: figureItem, ID: b.cell.ID, Line: b.cell.Line}, runs)
}

// described is what a figure without a caption shows.
func described(kind string, o figure.Options) string {
	switch {
	case kind == "heatmap":
		return fmt.Sprintf("A heatmap of %s over %s and %s.", o.ZLabel, o.XLabel, o.YLabel)
	case kind == "histogram":
		return fmt.Sprintf("A histogram of %s.", o.XLabel)
	case o.XLabel == "":
		return fmt.Sprintf("A %s figure of %s.", kind, o.YLabel)
	}
	return fmt.Sprintf("A %s figure of %s over %s.", kind, o.YLabel, o.XLabel)
}

// groupsOf lists the groups that the figures up to this one have in the column of its groups, in the order in which they came: a group
// keeps its look through the report.
func (b *builder) groupsOf(g *gatherer) []string {
	column := g.o.Group
	if column == "" {
		return nil
	}
	known := b.groups[column]
	for _, r := range g.rows.Values {
		if name := g.name(r, column); !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	if b.groups == nil {
		b.groups = map[string][]string{}
	}
	b.groups[column] = known
	return known
}

// columnOf is the column that a key of a figure names.
func columnOf(o experiments.FigureOptions, key string) string {
	return map[string]string{
		"x": o.X, "y": o.Y, "z": o.Z, "group": o.Group, "low": o.Low, "high": o.High, "label": o.Label,
	}[key]
}

// checkColumns checks that the columns a figure names are there; key is the one at fault.
func checkColumns(o experiments.FigureOptions, columns []string) (key string, err error) {
	kind, ok := kindOf(o.Type)
	if !ok {
		var names []string
		for _, k := range Kinds {
			names = append(names, k.Name)
		}
		return "type", fmt.Errorf("unknown figure type %q, want %s", o.Type, strings.Join(names, ", "))
	}
	for i, key := range kind.Columns {
		switch name := columnOf(o, key); {
		case name == "" && i < kind.Needs:
			return key, fmt.Errorf("%s is missing: a %s needs the name of a column", key, o.Type)
		case name != "" && !slices.Contains(columns, name):
			return key, noColumn(name, columns)
		}
	}
	return "", nil
}

// figureOptions translates a cell's options.
func figureOptions(o experiments.FigureOptions) figure.Options {
	title := func(given, column string) string {
		if given == "" {
			return column
		}
		return given
	}
	out := figure.Options{
		XLabel: title(o.XLabel, o.X), YLabel: title(o.YLabel, o.Y), ZLabel: title(o.ZLabel, o.Z),
		XLog: o.XScale == "log", YLog: o.YScale == "log",
		Diverging: o.ZScale == "diverging", ZLog: o.ZScale == "log",
		Bins: o.Bins, Reference: o.Reference, Band: figure.Band(o.Band), Width: o.Width, Height: o.Height,
	}
	return out
}

// gatherer turns rows into what the figures want, and counts what it has to leave out.
type gatherer struct {
	rows        *store.Rows
	o           experiments.FigureOptions
	null, texts map[string]int // by column
}

// draw draws the figure.
func (g *gatherer) draw(o figure.Options) *figure.Figure {
	g.null, g.texts = map[string]int{}, map[string]int{}
	switch g.o.Type {
	case "line":
		return figure.Line(o, g.points())
	case "scatter":
		return figure.Scatter(o, g.points())
	case "bar":
		return figure.Bar(o, g.values(g.o.Y))
	case "box":
		return figure.Box(o, g.values(g.o.Y))
	case "histogram":
		return figure.Histogram(o, g.values(g.o.X))
	}
	return figure.Heatmap(o, g.cells())
}

// at returns a row's value in a column, nil without a column.
func (g *gatherer) at(row []any, column string) any {
	if i := slices.Index(g.rows.Columns, column); column != "" && i >= 0 {
		return row[i]
	}
	return nil
}

// need returns a number that the figure cannot do without.
func (g *gatherer) need(row []any, column string) (float64, bool) {
	v := g.at(row, column)
	x, ok := number(v)
	switch {
	case v == nil:
		g.null[column]++
	case !ok:
		g.texts[column]++
	}
	return x, ok
}

// maybe returns a number, NaN if there is none.
func (g *gatherer) maybe(row []any, column string) float64 {
	x, _ := number(g.at(row, column))
	return x
}

// name returns the name of a category or series; NULL is –.
func (g *gatherer) name(row []any, column string) string {
	v := g.at(row, column)
	if v == nil && column != "" {
		return none
	}
	return text(v)
}

func (g *gatherer) points() []figure.Point {
	var out []figure.Point
	for _, r := range g.rows.Values {
		x, okX := g.need(r, g.o.X)
		y, okY := g.need(r, g.o.Y)
		if okX && okY {
			out = append(out, figure.Point{
				X: x, Y: y, Low: g.maybe(r, g.o.Low), High: g.maybe(r, g.o.High),
				Group: g.name(r, g.o.Group), Label: text(g.at(r, g.o.Label)),
			})
		}
	}
	return out
}

func (g *gatherer) values(column string) []figure.Value {
	category := g.o.X
	if column == g.o.X {
		category = "" // a histogram
	}
	var out []figure.Value
	for _, r := range g.rows.Values {
		if v, ok := g.need(r, column); ok {
			out = append(out, figure.Value{
				Category: g.name(r, category), Group: g.name(r, g.o.Group),
				V: v, Low: g.maybe(r, g.o.Low), High: g.maybe(r, g.o.High),
			})
		}
	}
	return out
}

func (g *gatherer) cells() []figure.Cell {
	var out []figure.Cell
	for _, r := range g.rows.Values {
		z, ok := g.need(r, g.o.Z)
		if !ok {
			z = math.NaN()
		}
		out = append(out, figure.Cell{X: g.name(r, g.o.X), Y: g.name(r, g.o.Y), Z: z})
	}
	return out
}

// warnings says what was left out before drawing.
func (g *gatherer) warnings() []string {
	if len(g.rows.Values) == 0 {
		return []string{noRows}
	}
	var out []string
	for _, c := range g.rows.Columns {
		if n := g.null[c]; n > 0 {
			out = append(out, fmt.Sprintf("%d of %s without a value (NULL) in column %s", n, plural(len(g.rows.Values), "row"), code(c)))
		}
		if n := g.texts[c]; n > 0 {
			out = append(out, fmt.Sprintf("%d of %s with text instead of a number in column %s", n, plural(len(g.rows.Values), "row"), code(c)))
		}
	}
	return out
}
