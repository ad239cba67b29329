// Package figure draws the figures of a report as SVG: one function a kind ([Line], [Scatter], [Bar], [Box], [Histogram],
// [Heatmap]), all in the one style of style.go.
//
// A figure is a pure function of its arguments, to the byte. Every text is measured with the metrics of Liberation Sans, which
// Arial and Helvetica share, before it is placed, and no two texts overlap; what cannot be placed or drawn (a non-finite value, a
// value ≤ 0 on a log axis, a label without room) is left out, counted and returned as a note for the caption. A figure without
// anything to draw says so on its face.
//
// The package draws on gonum/plot's SVG canvas and measures with its fonts; the layout is its own, because direct labels, 1-2-5
// ticks on log axes and non-overlap are not gonum/plot's. It reads no database and knows no experiment.
package figure

// Options are what the kinds have in common. The zero value draws a figure of the default size with linear axes.
type Options struct {
	Title  string // accessible name of the figure; not drawn
	Desc   string // accessible description; not drawn
	XLabel string // axis title, with its unit
	YLabel string
	ZLabel string // title of a heatmap's colour bar

	XLog, YLog bool      // YLog is the scale of the value axis, also where a kind lies on its side
	Diverging  bool      // heatmap: two hues around 0
	ZLog       bool      // heatmap: logarithmic colours; wins over Diverging
	Bins       int       // histogram: number of bins; 0 means Freedman–Diaconis
	Reference  []float64 // values marked by a line across the value axis
	Curves     []Point   // line and scatter: points of reference curves, one curve a Group, drawn dashed in grey
	Groups     []string  // gives each group its look by its place here; groups that are not here take those that follow
	Band       Band      // line and bar: what is drawn around the mean of rows of equal x and group

	Width, Height float64 // centimetres; 0 means the kind's default
}

// Band is the spread drawn around the mean of several rows.
type Band string

// The bands. The mean is geometric, and spread taken of the logarithms, where the value axis is logarithmic.
const (
	NoBand Band = ""
	CI95   Band = "ci95"  // 95 % Student-t interval of the mean
	SD     Band = "sd"    // ± one standard deviation (n−1)
	Range  Band = "range" // least to largest value
)

// Point is one row of a line or scatter figure. Low and High are the ends of its band or error bar, NaN where there is none.
type Point struct {
	X, Y, Low, High float64
	Group           string // the series it belongs to
	Label           string // scatter: text beside the point
}

// Value is one row of a bar or box figure or of a histogram (which has no category). Low and High are as in Point.
type Value struct {
	Category, Group string
	V, Low, High    float64
}

// Cell is one field of a heatmap; a Z of NaN leaves it empty.
type Cell struct {
	X, Y string
	Z    float64
}

// Figure is a drawn figure.
type Figure struct {
	SVG   []byte
	Notes []string // sentences for the caption: what was left out, what bands and boxes mean

	boxes []box   // extents of every text, for the tests
	marks rect    // extent of everything else
	w, h  float64 // canvas in points
}
