package experiments

// Settings are the parameters of one run or of a spec's common part: key path ("train.learning_rate",
// "primary.dataset.csv", "attack.0.method") → value. A value is a string, bool, int64, float64 or a []any of these.
// A TOML table becomes longer paths, so Settings never nest.
type Settings map[string]any

// Spec is one experiment file, checked and with nothing of its meaning left to other files.
type Spec struct {
	Name   string // file name without ".toml"
	Path   string // as it was given, for messages
	Bytes  []byte // the file's exact bytes
	Hash   string // SHA-256 of Bytes, 64 hex digits
	Title  string
	Source string // the paper or page the experiment follows; may be empty

	Base      Settings   // what the file states outside sweep, override and cell
	Sweep     []Axis     // in the order of the file
	Distinct  [][]string // key paths that must differ from each other in a run
	Variants  []Variant  // in the order of the file; none: the settings and the sweep are all there is
	Overrides []Override // in the order of the file; later ones win
	Cells     []Cell     // in the order of the file

	lines map[string]int // dotted path → line of the file, 1-based
	table *keyTable      // nil in a Spec that was not parsed: then nothing has defaults and nothing is dropped
}

// Line returns the line, 1-based, on which the file states a key: "train.steps", "sweep.train.steps", "cell.2.caption",
// "override.0.set.train.steps"; 0 if it does not.
func (s *Spec) Line(path string) int { return s.lines[path] }

// Axis is one swept key path with its values.
type Axis struct {
	Path   string
	Values []any
}

// Variant is a named group of runs: those of the spec's sweep, with settings and axes of its own.
type Variant struct {
	Name  string
	Set   Settings
	Sweep []Axis // in the order of the file
}

// Override sets values in the runs whose settings equal When.
type Override struct {
	When Settings
	Set  Settings
}

// Combination is one combination of a spec's sweep with everything resolved: defaults, base, sweep, variant, overrides and -S
// (each wins over the one before).
type Combination struct {
	Ordinal  int // 0-based position in the sweep's order: the first axis varies slowest, variants inside of [sweep]
	Variant  int // index into Spec.Variants; −1 in a spec without variants
	Settings Settings
	// Swept holds the swept key paths with this combination's values: those of [sweep] in the order of the file, the variant's name
	// under [VariantPath], the key paths that any variant sets, sorted, and the variant's own axes.
	Swept []Assignment
}

// VariantPath is the name under which Combination.Swept holds the variant, which is no setting.
const VariantPath = "variant"

// Assignment is one key path with one value.
type Assignment struct {
	Path  string
	Value any
}

// CellKind says what a cell renders as.
type CellKind string

// The kinds of cells.
const (
	Prose  CellKind = "prose"
	Figure CellKind = "figure"
	Table  CellKind = "table"
	Claim  CellKind = "claim"
)

// Cell is one block of the report. Which fields apply depends on Kind; experiments/README.md lists them.
type Cell struct {
	Kind    CellKind
	ID      string // [a-z0-9][a-z0-9-]*, unique in the spec; empty for prose
	Line    int    // line of the cell's header, 1-based
	Text    string // prose: Markdown template; claim: the sentence
	SQL     string
	Runs    string // optional query for the runs the cell stands on
	Caption string // figure, table: template

	Figure FigureOptions
	Table  TableOptions
	Claim  ClaimOptions
}

// FigureOptions are the keys of a figure cell besides the common ones.
type FigureOptions struct {
	Type           string    // line | scatter | bar | box | histogram | heatmap
	X, Y, Z        string    // column names
	Group          string    // column that splits the rows into series
	Low, High      string    // columns of a band (line) or of error bars (scatter, bar)
	Label          string    // column with point labels (scatter)
	XLabel, YLabel string    // axis titles with units; default: the column's name
	ZLabel         string    // colour bar title (heatmap)
	XScale, YScale string    // "linear" (default) | "log"
	ZScale         string    // heatmap: "sequential" (default) | "log" | "diverging" around 0
	Bins           int       // histogram; 0 = Freedman–Diaconis
	Reference      []float64 // horizontal reference lines (y values)
	ReferenceSQL   string    // line, scatter: query for reference curves, with columns x, y and, if it likes, label
	Band           string    // line: "" | "ci95" | "sd" | "range": band over rows of equal x and group
	Width, Height  float64   // centimetres; 0 = the style's
}

// TableOptions are the keys of a table cell besides the common ones.
type TableOptions struct {
	Headings []string          // one per column; default: the column names
	Format   map[string]string // column → "sig 3" | "fixed 2" | "pct 1" | "int" | "text"
	Limit    int               // rows shown; the CSV has them all; 0 = all
}

// ClaimOptions are the keys of a claim cell besides the common ones.
type ClaimOptions struct {
	Op         string  // < <= > >= = within ratio order
	Expect     float64 // not for order
	Order      []any   // expect of op = "order"
	Tolerance  float64 // within, ratio
	MinRuns    int
	Known      string // "" | "not reproduced"
	Because    string
	PaperValue *float64
	PaperWhere string
}
