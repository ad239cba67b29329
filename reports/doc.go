// Package reports tells: it turns the recorded runs of one experiment into a Markdown report with tables, figures, sentences and
// verdicts on claims, in which every number comes from a query.
//
// [Check] finds what is wrong with a spec's templates and queries before anything has run; [Build] asks the queries and returns the
// whole report as a [Document], a pure function of the spec and the database; [Write] puts a document beside its spec, and
// [Compare] says whether what lies there is still what the database tells.
//
// [Document.HTML] writes the same report as one self-contained page and [Document.Notebook] as a Jupyter notebook; [WriteExport] puts
// them into a file, which carries the digest of its own text, and [Formulas] finds what of a spec's TeX a page cannot show.
//
// [Look] reads what lies beside a spec, and what was found there is [Present]: Judge says whether it stands, with every reason why not;
// Changes which numbers a document tells otherwise than it; Trace where something in it comes from. All three are pure, and go by the
// manifest that [Write] puts beside each report.
//
// What differs between two computations of the same plan (times, machines, commits, attempts) stands in the report's last section,
// Provenance, and nowhere else: not in the rest of the text, the figures or the CSV files, and in the manifest only in the part on
// what was written: digests of the whole text and of its lines, by which [Guard] and Judge tell whether somebody has edited it, and of
// each run's final figures.
//
// The package runs no experiment, writes nothing to the database and knows no method by name.
package reports

import (
	"context"

	"kappa/store"
)

// Source is the recorded runs of one plan, as queries see them; *[store.Report] is one.
type Source interface {
	// Query answers one statement; Rows.Runs are the keys of the runs whose figures it read.
	Query(ctx context.Context, query string, args ...any) (*store.Rows, error)
	// NonFinite lists the figures of the plan's runs that are no ordinary numbers, in plan order.
	NonFinite(ctx context.Context) ([]store.NonFinite, error)
	// Figures has, for each run of the plan in its order, a digest of what the run ended with; "" where it has not ended.
	Figures(ctx context.Context) ([]string, error)
}

var _ Source = (*store.Report)(nil)

// Kind is a kind of cell or figure that a spec may ask for.
type Kind struct {
	Name string
	Doc  string
	// Columns are the keys of the cell that name columns its query must have, the required ones first; Needs is their number.
	Columns []string
	Needs   int
}

// CellKinds are the kinds of cells.
var CellKinds = []Kind{
	{Name: "prose", Doc: "Markdown text with numbers from queries."},
	{Name: "figure", Doc: "A figure drawn from the rows of a query."},
	{Name: "table", Doc: "The rows of a query as a table."},
	{Name: "claim", Doc: "A sentence that the value of a query decides."},
}

// Kinds are the kinds of figures.
var Kinds = []Kind{
	{Name: "line", Doc: "Series over numeric x, with bands.", Columns: []string{"x", "y", "group", "low", "high"}, Needs: 2},
	{Name: "scatter", Doc: "A marker a row, with error bars and labels.", Columns: []string{"x", "y", "group", "low", "high", "label"}, Needs: 2},
	{Name: "bar", Doc: "A bar a category and group, with error bars.", Columns: []string{"x", "y", "group", "low", "high"}, Needs: 2},
	{Name: "box", Doc: "Quartiles, whiskers and outliers a category and group.", Columns: []string{"y", "x", "group"}, Needs: 1},
	{Name: "histogram", Doc: "Numbers of values a bin.", Columns: []string{"x", "group"}, Needs: 1},
	{Name: "heatmap", Doc: "A coloured field a pair of categories.", Columns: []string{"x", "y", "z"}, Needs: 3},
}

// kindOf returns the figure kind of a name.
func kindOf(name string) (Kind, bool) {
	for _, k := range Kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}
