package experiments

import "slices"

// tableType is the type of a structural key that is a table itself. No setting has it.
const tableType Type = "table"

// cellKey is one key of [[cell]].
type cellKey struct {
	Key
	Kinds    []CellKind // cells that have it
	Figures  []string   // types of figures that have it; empty: all
	Required bool       // in all of Kinds and Figures
	Optional []string   // types of figures where a Required key may be left out
}

var (
	stringType = []Type{String}
	numberType = []Type{Float}
	intType    = []Type{Int}

	withID   = []CellKind{Figure, Table, Claim}
	onFigure = []CellKind{Figure}
	onTable  = []CellKind{Table}
	onClaim  = []CellKind{Claim}

	figureTypes = []string{"line", "scatter", "bar", "box", "histogram", "heatmap"}
	claimOps    = []string{"<", "<=", ">", ">=", "=", "within", "ratio", "order"}
)

// maxCentimetres bounds the sides of a figure.
const maxCentimetres = 100.0

// topKeys are the keys of a spec outside any table.
func topKeys() []Key {
	return []Key{
		{Path: "title", Types: stringType, Doc: "Heading of the report, a template."},
		{Path: "source", Types: stringType, Doc: "The paper or page the experiment follows."},
	}
}

// sweepKeys are the keys of [sweep], [[override]] and [[variant]] besides key paths.
func sweepKeys() []Key {
	return []Key{
		{Path: "sweep.distinct", Types: []Type{List}, Elem: List, Doc: "Lists of key paths; a run whose paths of one list have two equal values is left out."},
		{Path: "override.when", Types: []Type{tableType}, Doc: "Key paths with the values that a run must have, all of them."},
		{Path: "override.set", Types: []Type{tableType}, Doc: "Key paths with the values that such a run gets."},
		{Path: "variant.name", Types: stringType, Doc: "Name of the variant, the value of the column variant of results; unique in the spec."},
		{Path: "variant.set", Types: []Type{tableType}, Doc: "Key paths with the values that the variant's runs have."},
		{Path: "variant.sweep", Types: []Type{tableType}, Doc: "Axes of the variant alone, as in [sweep]; they vary faster than those."},
	}
}

// cellKeys are the keys of [[cell]] in the order of documentation.
func cellKeys() []cellKey {
	column := func(path, doc string, required bool, figures ...string) cellKey {
		return cellKey{Key: Key{Path: path, Types: stringType, Doc: doc}, Kinds: onFigure, Figures: figures, Required: required}
	}
	keys := []cellKey{
		{Key: Key{Path: "kind", Types: stringType, Enum: []string{"prose", "figure", "table", "claim"}, Doc: "What the cell is."}, Kinds: []CellKind{Prose, Figure, Table, Claim}, Required: true},
		{Key: Key{Path: "id", Types: stringType, Doc: "Name in files and references: lower-case letters, digits and hyphens, the first no hyphen; unique in the spec."}, Kinds: withID, Required: true},
		{Key: Key{Path: "text", Types: stringType, Doc: "Prose: Markdown, a template. Claim: the sentence that is claimed."}, Kinds: []CellKind{Prose, Claim}, Required: true},
		{Key: Key{Path: "sql", Types: stringType, Doc: "The query behind the cell."}, Kinds: withID, Required: true},
		{Key: Key{Path: "runs", Types: stringType, Doc: "A query for the runs that the cell stands on. Default: those whose numbers sql read."}, Kinds: withID},
		{Key: Key{Path: "caption", Types: stringType, Doc: "Caption, a template."}, Kinds: []CellKind{Figure, Table}},

		{Key: Key{Path: "type", Types: stringType, Enum: figureTypes, Doc: "What is drawn."}, Kinds: onFigure, Required: true},
		column("x", "Column of the x axis; for a histogram the values, for a box the category (one box without it).", true),
		column("y", "Column of the y axis.", true, "line", "scatter", "bar", "box", "heatmap"),
		column("z", "Column of the colour.", true, "heatmap"),
		column("group", "Column that splits the rows into series.", false, "line", "scatter", "bar", "box", "histogram"),
		column("low", "Column with the lower end of a band (line) or an error bar; goes with high.", false, "line", "scatter", "bar"),
		column("high", "Column with the upper end; goes with low.", false, "line", "scatter", "bar"),
		{Key: Key{Path: "band", Types: stringType, Enum: []string{"ci95", "sd", "range"}, Doc: "Band over the rows of equal x and group, around their mean; not with low and high."}, Kinds: onFigure, Figures: []string{"line"}},
		column("label", "Column with labels of the points.", false, "scatter"),
		column("x_label", "Title of the x axis, with its unit. Default: the column's name.", false),
		column("y_label", "Title of the y axis, with its unit. Default: the column's name.", false),
		column("z_label", "Title of the colour bar. Default: the column's name.", false, "heatmap"),
		{Key: Key{Path: "x_scale", Types: stringType, Enum: []string{"linear", "log"}, Default: "linear", Doc: "Scale of the x axis."}, Kinds: onFigure, Figures: []string{"line", "scatter", "histogram"}},
		{Key: Key{Path: "y_scale", Types: stringType, Enum: []string{"linear", "log"}, Default: "linear", Doc: "Scale of the y axis."}, Kinds: onFigure, Figures: []string{"line", "scatter", "bar", "box", "histogram"}},
		{Key: Key{Path: "z_scale", Types: stringType, Enum: []string{"sequential", "log", "diverging"}, Default: "sequential", Doc: "Colours from low to high, the same over the logarithm of values > 0 (others are left out), or to both sides of 0."}, Kinds: onFigure, Figures: []string{"heatmap"}},
		{Key: Key{Path: "bins", Types: intType, Min: new(1.0), Max: new(1000.0), Doc: "Number of bins. Default: Freedman–Diaconis."}, Kinds: onFigure, Figures: []string{"histogram"}},
		{Key: Key{Path: "reference", Types: []Type{List}, Elem: Float, Doc: "Values of y with a horizontal reference line."}, Kinds: onFigure, Figures: []string{"line", "scatter", "bar", "box", "histogram"}},
		{Key: Key{Path: "reference_sql", Types: stringType, Doc: "A query for reference curves, drawn dashed and grey: columns `x` and `y`, and `label` with their names; the axes stay those of the rows, stretched by half at most."}, Kinds: onFigure, Figures: []string{"line", "scatter"}},
		{Key: Key{Path: "width", Types: numberType, Min: new(0.0), Open: true, Max: new(maxCentimetres), Unit: "cm", Doc: "Width. Default: the style's."}, Kinds: onFigure},
		{Key: Key{Path: "height", Types: numberType, Min: new(0.0), Open: true, Max: new(maxCentimetres), Unit: "cm", Doc: "Height. Default: the style's."}, Kinds: onFigure},

		{Key: Key{Path: "headings", Types: []Type{List}, Elem: String, Doc: "Column headings, one a column, templates. Default: the columns' names."}, Kinds: onTable},
		{Key: Key{Path: "format", Types: []Type{tableType}, Doc: "Column name = format: `sig N`, `fixed N`, `pct N`, `int` or `text`."}, Kinds: onTable},
		{Key: Key{Path: "limit", Types: intType, Min: new(1.0), Doc: "Rows shown; the CSV has them all. Default: all."}, Kinds: onTable},

		{Key: Key{Path: "op", Types: stringType, Enum: claimOps, Doc: "How the query's value is compared with expect."}, Kinds: onClaim, Required: true},
		{Key: Key{Path: "expect", Types: []Type{Float, List}, Elem: Any, Doc: "The number compared with; for op = \"order\" the list of the values in order."}, Kinds: onClaim, Required: true},
		{Key: Key{Path: "tolerance", Types: numberType, Min: new(0.0), Open: true, Doc: "Relative tolerance of within and ratio, required for these and only for these."}, Kinds: onClaim},
		{Key: Key{Path: "min_runs", Types: intType, Min: new(1.0), Doc: "The verdict is undecided with fewer runs behind the value."}, Kinds: onClaim},
		{Key: Key{Path: "known", Types: stringType, Enum: []string{"not reproduced"}, Doc: "The verdict that is expected, where the failure is the finding; goes with because."}, Kinds: onClaim},
		{Key: Key{Path: "because", Types: stringType, Doc: "Why the known verdict is the right one; goes with known."}, Kinds: onClaim},
		{Key: Key{Path: "paper", Types: []Type{tableType}, Doc: "What the paper prints: { value = number, where = \"Table 2\" }, listed beside the measured value."}, Kinds: onClaim},
	}
	for i, k := range keys {
		if k.Path == "x" {
			keys[i].Optional = []string{"box"}
		}
	}
	return keys
}

// applies says whether the key belongs to cells of the kind and, for a figure, of the type ("" = unknown type).
func (k cellKey) applies(kind CellKind, figure string) bool {
	if !slices.Contains(k.Kinds, kind) {
		return false
	}
	return kind != Figure || figure == "" || len(k.Figures) == 0 || slices.Contains(k.Figures, figure)
}

// required says whether a cell of the kind and figure type must have the key.
func (k cellKey) required(kind CellKind, figure string) bool {
	if !k.Required || !k.applies(kind, figure) || slices.Contains(k.Optional, figure) {
		return false
	}
	return figure != "" || kind != Figure || len(k.Figures) == 0
}

// resultColumns are the columns of the view results, which a swept key path must not hide.
var resultColumns = []string{
	"run", "experiment", "status", "method", "model", "primary_dataset", "primary_class", "harmful_dataset", "harmful_class",
	"seed", "steps", "rir", "ratio_harmful", "ratio_primary", "rir_ridge", "ratio_harmful_ridge", "ratio_primary_ridge",
	"ridge_dominated", "ceiling", "unbounded", "freedom", "kappa_theta", "loss_primary", "def_a", "def_b", "def_c", "swept",
	"def_a_ridge", "def_b_ridge", "loss_base", "bound", "reached", "reached_bound",
}

// ownColumns are the key paths whose value results has anyway, under the very name the path gets.
var ownColumns = []string{"primary.dataset", "primary.class", "harmful.dataset", "harmful.class"}

// ResultColumns returns the columns that the view results has of itself, in its order. The database is another room's, so that the
// list stands here once more.
func ResultColumns() []string { return slices.Clone(resultColumns) }
