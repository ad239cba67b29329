package reports

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"kappa/engine/summary"
	"kappa/experiments"
	"kappa/store"
)

// The verdicts on a claim.
const (
	Reproduced    = "reproduced"
	NotReproduced = "not reproduced"
	Undecided     = "undecided"
)

// equalTolerance is the relative deviation within which op "=" sees a number as equal.
const equalTolerance = 1e-12

// ClaimResult is what the runs say of one claim.
type ClaimResult struct {
	store.Claim // as it is recorded; numbers that there are none of are NaN

	Text       string // the sentence, Markdown
	Line       int    // of the cell in the spec
	Reason     string // why the verdict is undecided; else empty
	Expected   string // the verdict that the spec expects
	Because    string // why, where that is not "reproduced"
	PaperWhere string
	Order      []string // op order: the rows as they came
}

// Mismatch says that the verdict is not the one the spec expects.
func (c ClaimResult) Mismatch() bool { return c.Verdict != c.Expected }

// claimCell evaluates a claim and renders it as a quotation; the table of all claims comes at the end.
func (b *builder) claimCell(out *strings.Builder) {
	rows, err := b.query(b.cell.SQL)
	if err == nil && len(rows.Columns) != 1 {
		err = fmt.Errorf("a claim's query has one column, not %d (%s)", len(rows.Columns), strings.Join(rows.Columns, ", "))
	}
	if err != nil {
		b.problem(1, "sql", err)
		return
	}
	c := evaluate(b.cell, rows, b.standsOn(rows))
	if b.cell.Runs == "" && len(rows.Runs) == 0 && !readsRuns(b.cell.SQL) {
		c.undecided("the query reads no run")
	}
	b.doc.Claims = append(b.doc.Claims, c)
	fmt.Fprintf(out, "> **Claim.** %s\n>\n> Measured: %s. Expected: %s. Verdict: **%s**", oneLine(c.Text), c.sentence(), c.bound(), c.Verdict)
	if c.Reason != "" {
		fmt.Fprintf(out, " – %s", escape(c.Reason))
	}
	out.WriteString(".\n\n")
	if c.Verdict == Undecided {
		b.warn("Claim %s is undecided: %s", code(c.ID), escape(c.Reason))
	}
	i := item{Kind: claimItem, ID: b.cell.ID, Line: b.cell.Line, Value: c.recorded(), Verdict: c.Verdict}
	if c.Expected != Reproduced {
		i.Expected = c.Expected
	}
	b.item(i, c.Runs)
}

// evaluate judges a claim by the rows of its query, which has one column.
func evaluate(cell experiments.Cell, rows *store.Rows, runs []string) ClaimResult {
	o := cell.Claim
	c := ClaimResult{
		Claim: store.Claim{
			ID: cell.ID, Value: math.NaN(), SD: math.NaN(), N: len(rows.Values), Low: math.NaN(), High: math.NaN(),
			Expect: o.Expect, Op: o.Op, Tolerance: math.NaN(), PaperValue: math.NaN(), Runs: runs,
		},
		Text: cell.Text, Line: cell.Line, Expected: Reproduced, Because: o.Because, PaperWhere: o.PaperWhere,
	}
	if o.Known != "" {
		c.Expected = o.Known
	}
	if o.Op == "within" || o.Op == "ratio" {
		c.Tolerance = o.Tolerance
	}
	if o.PaperValue != nil {
		c.PaperValue = *o.PaperValue
	}
	if o.Op == "order" {
		c.judgeOrder(o.Order, rows)
	} else {
		c.judgeNumber(o, rows)
	}
	if len(runs) < o.MinRuns {
		c.undecided("%s behind it, %d wanted", plural(len(runs), "run"), o.MinRuns)
	}
	return c
}

// recorded is what was measured, as the manifest has it.
func (c ClaimResult) recorded() *string {
	switch {
	case c.Op == "order" && len(c.Order) > 0:
		return recordedValue(strings.Join(c.Order, ", "))
	case c.Op == "order" || math.IsNaN(c.Value):
		return nil
	}
	return recordedValue(c.Value)
}

func (c *ClaimResult) undecided(format string, args ...any) {
	c.Verdict, c.Reason = Undecided, fmt.Sprintf(format, args...)
}

func (c *ClaimResult) decide(reproduced bool) {
	c.Verdict = NotReproduced
	if reproduced {
		c.Verdict = Reproduced
	}
}

// judgeOrder compares the rows with a list.
func (c *ClaimResult) judgeOrder(want []any, rows *store.Rows) {
	names := make([]string, len(want))
	for i, v := range want {
		names[i] = text(v)
	}
	j, err := json.Marshal(names)
	if err != nil { // strings always can be encoded
		panic("reports: " + err.Error())
	}
	c.Expect = string(j)
	same := len(want) == len(rows.Values)
	for i, r := range rows.Values {
		if r[0] == nil {
			c.undecided("row %d has no value (NULL)", i+1)
			return
		}
		c.Order = append(c.Order, text(r[0]))
		if same {
			o, err := order(r[0], want[i])
			same = err == nil && o == 0
		}
	}
	if len(rows.Values) == 0 {
		c.undecided("the query has no rows")
		return
	}
	c.decide(same)
}

// judgeNumber compares a value, or the mean of several, with the region that the operator accepts. A sample decides only with its
// whole interval.
func (c *ClaimResult) judgeNumber(o experiments.ClaimOptions, rows *store.Rows) {
	values := make([]float64, len(rows.Values))
	for i, r := range rows.Values {
		x, ok := number(r[0])
		switch {
		case r[0] == nil:
			c.undecided("no value (NULL)")
			if len(rows.Values) > 1 {
				c.undecided("row %d has no value (NULL)", i+1)
			}
			return
		case !ok:
			c.undecided("row %d is text, not a number: %q", i+1, text(r[0]))
			return
		}
		values[i] = x
	}
	accepts := regionOf(o)
	switch len(values) {
	case 0:
		c.undecided("the query has no rows")
	case 1:
		c.Value = values[0]
		c.decide(accepts.holds(c.Value))
	default:
		s := summary.Summarize(values)
		if s.Excluded > 0 {
			c.undecided("%d of %d values not finite", s.Excluded, c.N)
			return
		}
		c.Value, c.SD, c.Low, c.High = s.Mean, s.SD, s.Low, s.High
		switch {
		case accepts.holds(c.Low) && accepts.holds(c.High):
			c.decide(true)
		case accepts.misses(c.Low, c.High):
			c.decide(false)
		default:
			c.undecided("the 95 %% interval of the mean crosses the bound")
		}
	}
}

// region is the interval of values that an operator accepts.
type region struct {
	low, high         float64
	openLow, openHigh bool // the end itself is refused
}

func regionOf(o experiments.ClaimOptions) region {
	e := o.Expect
	all := region{low: math.Inf(-1), high: math.Inf(1)}
	around := func(d float64) region { return region{low: e - d, high: e + d} }
	switch o.Op {
	case "<":
		all.high, all.openHigh = e, true
	case "<=":
		all.high = e
	case ">":
		all.low, all.openLow = e, true
	case ">=":
		all.low = e
	case "=":
		return around(equalTolerance * math.Abs(e))
	case "within":
		return around(o.Tolerance * math.Abs(e))
	case "ratio":
		// value/expect between 1/(1+tolerance) and 1+tolerance; a negative expect turns the ends round.
		a, b := e/(1+o.Tolerance), e*(1+o.Tolerance)
		return region{low: min(a, b), high: max(a, b)}
	}
	return all
}

func (r region) holds(x float64) bool {
	return (x > r.low || x == r.low && !r.openLow) && (x < r.high || x == r.high && !r.openHigh)
}

// misses says that no number from low to high is accepted.
func (r region) misses(low, high float64) bool {
	return high < r.low || high == r.low && r.openLow || low > r.high || low == r.high && r.openHigh
}

// measured writes the value, with its interval where it is the mean of a sample.
func (c ClaimResult) measured() string {
	switch {
	case c.Op == "order" && len(c.Order) > 0:
		return escape(strings.Join(c.Order, ", "))
	case c.Op == "order" || math.IsNaN(c.Value):
		return none
	case c.N == 1:
		return claimNumber(c.Value, c.digits())
	}
	f := format{"sig", c.digits()}
	return fmt.Sprintf("%s, 95 %% interval %s to %s", claimNumber(c.Value, c.digits()), f.number(c.Low), f.number(c.High))
}

// digits is how many digits the measured value is written with: those of tables, or as many as show whether it is within a smaller
// tolerance.
func (c ClaimResult) digits() int {
	if c.Op != "within" && c.Op != "ratio" || !(c.Tolerance > 0) {
		return tableDigits
	}
	return max(tableDigits, min(1+int(math.Ceil(-math.Log10(c.Tolerance))), 12))
}

// claimNumber writes a whole number in full and any other to so many digits.
func claimNumber(x float64, digits int) string {
	if x == math.Trunc(x) && math.Abs(x) < plainTo {
		return format{kind: "int"}.number(x)
	}
	return format{"sig", digits}.number(x)
}

// spread writes the standard deviation of a sample; a single value has none.
func (c ClaimResult) spread() string {
	if c.N < 2 || math.IsNaN(c.SD) {
		return none
	}
	return format{"sig", 2}.number(c.SD)
}

// basis writes what the value rests on.
func (c ClaimResult) basis() string {
	if c.Op == "order" || c.N == 1 {
		return plural(len(c.Runs), "run")
	}
	return fmt.Sprintf("n = %d, %s", c.N, plural(len(c.Runs), "run"))
}

// sentence writes value, spread and basis for a reader of prose.
func (c ClaimResult) sentence() string {
	s := c.measured()
	if sd := c.spread(); sd != none {
		s += ", sd " + sd
	}
	return s + " (" + c.basis() + ")"
}

// Sentence writes what was measured, with its spread and what it rests on, as plain text: "3.040, 95 % interval 2.898 to 3.182, sd 0.11
// (n = 5, 5 runs)".
func (c ClaimResult) Sentence() string { return plain(c.sentence()) }

// Bound writes what the claim accepts, as plain text: "> 1", "356.2 ± 5 %", "the order a, b".
func (c ClaimResult) Bound() string { return plain(c.bound()) }

// bound writes what the claim accepts.
func (c ClaimResult) bound() string {
	// The bound is somebody's word, not a measurement: it is written in full.
	full := func(x float64) string { return trimZeros(significant(x, 12)) }
	e, _ := c.Expect.(float64)
	switch c.Op {
	case "order":
		var names []string
		if s, ok := c.Expect.(string); ok {
			if err := json.Unmarshal([]byte(s), &names); err != nil {
				return escape(s)
			}
		}
		return "the order " + escape(strings.Join(names, ", "))
	case "within":
		return full(e) + " ± " + full(100*c.Tolerance) + " %"
	case "ratio":
		return full(e) + " up to a factor of " + full(1+c.Tolerance)
	}
	op := strings.NewReplacer("<=", "≤", ">=", "≥", "<", `\<`, ">", `\>`).Replace(c.Op)
	return op + " " + full(e)
}

// difference writes how far the value is from the paper's.
func (c ClaimResult) difference() string {
	switch d := c.Value - c.PaperValue; {
	case math.IsNaN(d):
		return none
	case c.PaperValue == 0 || math.IsInf(d, 0):
		return signed(d, format{"sig", 3})
	default:
		return signed(d, format{"sig", 3}) + " (" + signed(100*d/math.Abs(c.PaperValue), format{"sig", 3}) + " %)"
	}
}

func signed(x float64, f format) string {
	s := f.number(x)
	if x > 0 {
		return "+" + s
	}
	return s
}

// paper writes the paper's value with its place.
func (c ClaimResult) paper() string {
	if math.IsNaN(c.PaperValue) {
		return none
	}
	s := format{}.number(c.PaperValue)
	if c.PaperWhere != "" {
		s += " (" + oneLine(c.PaperWhere) + ")"
	}
	return s
}

// claimsSection is the table of the paper's values against the measured ones.
func claimsSection(claims []ClaimResult) string {
	if len(claims) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## Claims\n\n")
	var rows [][]string
	var notes []string
	for _, c := range claims {
		verdict := c.Verdict
		switch {
		case c.Mismatch():
			verdict = "**" + verdict + "**"
			notes = append(notes, fmt.Sprintf("%s: expected to be %s, but %s%s.", code(c.ID), c.Expected, c.Verdict, because(escape(c.Reason))))
		case c.Because != "":
			verdict += ", as known"
			notes = append(notes, fmt.Sprintf("%s: %s, as known%s.", code(c.ID), c.Verdict, because(strings.TrimSuffix(oneLine(c.Because), "."))))
		}
		rows = append(rows, []string{code(c.ID), cell(c.paper()), cell(c.measured()), c.spread(), c.basis(), c.difference(), cell(c.bound()), verdict})
	}
	table(&b, []string{"Claim", "Paper", "Measured (mean)", "sd", "From", "Difference", "Expected", "Verdict"},
		[]alignment{leftward, leftward, leftward, rightward, leftward, rightward, leftward, leftward}, rows)
	b.WriteByte('\n')
	for _, n := range notes {
		b.WriteString("- " + n + "\n")
	}
	if len(notes) > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

func because(s string) string {
	if s == "" {
		return ""
	}
	return " – " + s
}
