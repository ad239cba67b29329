package reports

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kappa/experiments"
	"kappa/store"
)

// tableCell renders the rows of a query as a table with its CSV file.
func (b *builder) tableCell(out *strings.Builder) {
	rows, err := b.query(b.cell.SQL)
	if err != nil {
		b.problem(1, "sql", err)
		return
	}
	o := b.cell.Table
	headings := b.headings(rows.Columns)
	formats, err := columnFormats(o, rows.Columns)
	if err != nil {
		b.problem(0, "format", err)
		return
	}
	b.tables++
	align := make([]alignment, len(rows.Columns))
	for j := range align {
		align[j] = columnAlignment(rows, j, formats[j])
	}
	shown := rows.Values
	if o.Limit > 0 && len(shown) > o.Limit {
		shown = shown[:o.Limit]
	}
	cells := make([][]string, len(shown))
	for i, r := range shown {
		cells[i] = make([]string, len(r))
		for j, v := range r {
			cells[i][j] = formats[j].tableValue(v)
		}
	}
	name := "tab-" + b.cell.ID + ".csv"
	fmt.Fprintf(out, "**Table %d.** ", b.tables)
	if s := sentence(oneLine(b.template("caption", b.cell.Caption))); s != "" {
		out.WriteString(s + " ")
	}
	if len(shown) < len(rows.Values) {
		fmt.Fprintf(out, "The first %d of %s. ", len(shown), plural(len(rows.Values), "row"))
	}
	fmt.Fprintf(out, "([CSV](%s))\n\n", link(filesFolder(b.spec.Name), name))
	if len(shown) == 0 {
		out.WriteString("*No rows.*\n\n")
		b.warn("Table %s: %s", code(b.cell.ID), noRows)
	} else {
		table(out, headings, align, cells)
		out.WriteByte('\n')
	}
	for j, c := range rows.Columns {
		if n := nulls(rows, j); n > 0 {
			b.warn("Table %s, column %s: %d of %s without a value (NULL)", code(b.cell.ID), code(c), n, plural(len(rows.Values), "row"))
		}
	}
	b.file(name, csvFile(rows))
	b.item(item{Kind: tableItem, ID: b.cell.ID, Line: b.cell.Line}, b.standsOn(rows))
}

// noRows warns of a table or figure with nothing in it: a condition of its query may be misspelt.
const noRows = "the query has no rows"

// headings are the table's headings as Markdown fit for a table.
func (b *builder) headings(columns []string) []string {
	out := make([]string, len(columns))
	for j, c := range columns {
		out[j] = escape(c)
	}
	given := b.cell.Table.Headings
	if len(given) == 0 {
		return out
	}
	if err := headingCount(given, columns); err != nil {
		b.problem(0, "headings", err)
		return out
	}
	for j, h := range given {
		out[j] = cell(b.template("headings", h))
	}
	return out
}

func headingCount(headings, columns []string) error {
	if len(headings) == len(columns) || len(headings) == 0 {
		return nil
	}
	return fmt.Errorf("%s for %s (%s)", plural(len(headings), "heading"), plural(len(columns), "column"), strings.Join(columns, ", "))
}

// columnFormats are the formats of the columns; one for a column that the query does not have is an error.
func columnFormats(o experiments.TableOptions, columns []string) ([]format, error) {
	formats := make([]format, len(columns))
	for name, s := range o.Format {
		f, err := parseFormat(s)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(columns, name) {
			return nil, noColumn(name, columns)
		}
		for j, c := range columns {
			if c == name {
				formats[j] = f
			}
		}
	}
	return formats, nil
}

func noColumn(name string, columns []string) error {
	return fmt.Errorf("the query has no column %q, it has %s", name, strings.Join(columns, ", "))
}

// tableValue is value, with fewer digits where no format is said.
func (f format) tableValue(v any) string {
	if x, ok := v.(float64); ok && f.kind == "" {
		if s := (format{}).number(x); len(s) <= tableDigits+1 { // 0.5, 90
			return s
		}
		return format{"sig", tableDigits}.number(x)
	}
	return f.value(v)
}

// columnAlignment is to the right where all values are numbers.
func columnAlignment(rows *store.Rows, j int, f format) alignment {
	some := false
	for _, r := range rows.Values {
		if r[j] == nil {
			continue
		}
		if !isNumber(r[j]) {
			return leftward
		}
		some = true
	}
	return alignment(some && f.kind != "text")
}

func nulls(rows *store.Rows, j int) int {
	n := 0
	for _, r := range rows.Values {
		if r[j] == nil {
			n++
		}
	}
	return n
}

// csvDigits are the significant digits of numbers in CSV files: enough for every purpose, and few enough that the last bits, in which
// machines differ, do not show.
const csvDigits = 12

// csvValue is a value as CSV files have it.
func csvValue(v any) string {
	if x, ok := v.(float64); ok {
		return strconv.FormatFloat(x, 'g', csvDigits, 64)
	}
	return text(v)
}

// csvFile is all rows as CSV. NULL is an empty field; alone in its row it is quoted, since readers skip a line with nothing in it.
func csvFile(rows *store.Rows) []byte {
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	record := slices.Clone(rows.Columns)
	write := func() {
		if len(record) == 1 && record[0] == "" {
			w.Flush()
			buf.WriteString("\"\"\n")
			return
		}
		if err := w.Write(record); err != nil { // a bytes.Buffer takes everything
			panic("reports: " + err.Error())
		}
	}
	write()
	for _, r := range rows.Values {
		for j, v := range r {
			record[j] = csvValue(v)
		}
		write()
	}
	w.Flush()
	return buf.Bytes()
}
