package reports

import (
	"fmt"
	"slices"
	"strings"

	"kappa/experiments"
	"kappa/reports/internal/figure"
)

// The columns of a query for reference curves.
const (
	referenceX     = "x"
	referenceY     = "y"
	referenceLabel = "label"
)

// referenceEnd ends the name of the file with the data of reference curves; ids have no dot.
const referenceEnd = ".reference.csv"

// reference asks a figure's query for reference curves, nil if it has none; ok is false where there is a problem.
func (b *builder) reference() (g *gatherer, ok bool) {
	sql := b.cell.Figure.ReferenceSQL
	if sql == "" {
		return nil, true
	}
	rows, err := b.query(sql)
	if err == nil {
		err = checkReference(rows.Columns)
	}
	if err != nil {
		b.problem(1, "reference_sql", err)
		return nil, false
	}
	o := experiments.FigureOptions{X: referenceX, Y: referenceY}
	if slices.Contains(rows.Columns, referenceLabel) {
		o.Group = referenceLabel
	}
	return &gatherer{rows: rows, o: o}, true
}

// checkReference checks the columns of a query for reference curves.
func checkReference(columns []string) error {
	want := []string{referenceX, referenceY, referenceLabel}
	for _, name := range want[:2] {
		if !slices.Contains(columns, name) {
			return fmt.Errorf("a query for reference curves has the columns x and y, and label for their names; %w", noColumn(name, columns))
		}
	}
	for i, name := range columns {
		if !slices.Contains(want, name) || slices.Contains(columns[:i], name) {
			return fmt.Errorf("a query for reference curves has the columns x and y, and label for their names, not %s", strings.Join(columns, ", "))
		}
	}
	return nil
}

// curves are the points of reference curves.
func (g *gatherer) curves() []figure.Point {
	g.null, g.texts = map[string]int{}, map[string]int{}
	return g.points()
}

// besideReference writes the data of the reference curves beside the report, and the link to them, and returns the runs that they stand
// on; a cell that says itself which runs it stands on has said so already.
func (b *builder) besideReference(out *strings.Builder, g *gatherer) []string {
	for _, w := range g.warnings() {
		b.warn("Figure %s, reference curves: %s", code(b.cell.ID), w)
	}
	name := "fig-" + b.cell.ID + referenceEnd
	fmt.Fprintf(out, ", [reference curves](%s)", link(filesFolder(b.spec.Name), name))
	b.file(name, csvFile(g.rows))
	if b.cell.Runs != "" {
		return nil
	}
	return b.behind(b.cell.Figure.ReferenceSQL, g.rows)
}

// union is a with what of b is not in it.
func union(a, b []string) []string {
	seen := make(map[string]bool, len(a))
	for _, k := range a {
		seen[k] = true
	}
	out := slices.Clone(a)
	for _, k := range b {
		if !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}
