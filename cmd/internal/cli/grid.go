package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// grid is a listing: named columns and rows of nil, bool, int, int64, float64, string, []byte or time.Time.
type grid struct {
	columns []string
	rows    [][]any
	null    string // how a table shows nil; "" = NULL, as SQL calls it
}

// formats are the forms a grid can be written in.
var formats = []string{"table", "csv", "json", "jsonl", "md"}

func (g *grid) add(values ...any) { g.rows = append(g.rows, values) }

// dropZeros drops those of the named columns that hold nothing but 0.
func (g *grid) dropZeros(names ...string) {
	for _, name := range names {
		i := slices.Index(g.columns, name)
		if i < 0 || slices.ContainsFunc(g.rows, func(row []any) bool { return row[i] != 0 && row[i] != nil }) {
			continue
		}
		g.columns = slices.Delete(slices.Clone(g.columns), i, i+1)
		for r, row := range g.rows {
			g.rows[r] = slices.Delete(slices.Clone(row), i, i+1)
		}
	}
}

// zerosToNull shows nothing where the named column holds 0.
func (g *grid) zerosToNull(name string) {
	if i := slices.Index(g.columns, name); i >= 0 {
		for _, row := range g.rows {
			if row[i] == 0 {
				row[i] = nil
			}
		}
	}
}

// write writes the grid in one of the formats. width is the terminal's, 0 where there is none: a table that is wider is
// written one column a line.
func (g *grid) write(w io.Writer, format string, width int) error {
	switch format {
	case "table":
		return g.table(w, width)
	case "csv":
		return g.csv(w)
	case "json":
		return g.json(w)
	case "jsonl":
		return g.jsonl(w)
	case "md":
		return g.markdown(w)
	case "parquet":
		return g.parquet(w)
	}
	return usagef("", "format %q: %s are accepted", format, strings.Join(formats, ", "))
}

// table aligns the columns, numbers to the right, six significant digits.
func (g *grid) table(w io.Writer, width int) error {
	if len(g.columns) == 0 {
		return nil
	}
	cells := make([][]string, 0, len(g.rows)+1)
	cells = append(cells, g.columns)
	right := make([]bool, len(g.columns))
	for i := range right {
		right[i] = len(g.rows) > 0
	}
	for _, row := range g.rows {
		line := make([]string, len(row))
		for i, v := range row {
			line[i] = tableCell(v)
			if v == nil && g.null != "" {
				line[i] = g.null
			}
			right[i] = right[i] && (isNumber(v) || v == nil)
		}
		cells = append(cells, line)
	}
	widths := make([]int, len(g.columns))
	total := -2
	for i := range g.columns {
		for _, line := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(line[i]))
		}
		total += widths[i] + 2
	}
	if width > 0 && total > width && len(g.rows) > 0 {
		return writeRecords(w, cells)
	}
	out := bufio.NewWriter(w)
	var b []byte
	for _, line := range cells {
		b = b[:0]
		for i, cell := range line {
			if i > 0 {
				b = append(b, "  "...)
			}
			pad := widths[i] - utf8.RuneCountInString(cell)
			if right[i] {
				b = append(appendBlanks(b, pad), cell...)
			} else {
				b = appendBlanks(append(b, cell...), pad)
			}
		}
		if _, err := out.Write(append(bytes.TrimRight(b, " "), '\n')); err != nil {
			return err
		}
	}
	return out.Flush()
}

func appendBlanks(b []byte, n int) []byte {
	for range n {
		b = append(b, ' ')
	}
	return b
}

// writeRecords writes a wide table with one line per column and a blank line between rows.
func writeRecords(w io.Writer, cells [][]string) error {
	name := 0
	for _, c := range cells[0] {
		name = max(name, utf8.RuneCountInString(c))
	}
	for r, line := range cells[1:] {
		if r > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		for i, cell := range line {
			pad := strings.Repeat(" ", name-utf8.RuneCountInString(cells[0][i]))
			if _, err := fmt.Fprintf(w, "%s%s  %s\n", pad, cells[0][i], cell); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *grid) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(g.columns); err != nil {
		return err
	}
	for _, row := range g.rows {
		line := make([]string, len(row))
		for i, v := range row {
			line[i] = exactCell(v)
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (g *grid) json(w io.Writer) error {
	if len(g.rows) == 0 {
		_, err := fmt.Fprintln(w, "[]")
		return err
	}
	names := g.names()
	for i, row := range g.rows {
		line, err := object(names, row)
		if err != nil {
			return err
		}
		before, after := " ", ","
		if i == 0 {
			before = "["
		}
		if i == len(g.rows)-1 {
			after = "]"
		}
		if _, err := fmt.Fprintf(w, "%s%s%s\n", before, line, after); err != nil {
			return err
		}
	}
	return nil
}

func (g *grid) jsonl(w io.Writer) error {
	names := g.names()
	for _, row := range g.rows {
		line, err := object(names, row)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}

// names are the names of the columns; one that comes again gets a number.
func (g *grid) names() []string {
	out := make([]string, len(g.columns))
	seen := make(map[string]bool, len(g.columns))
	for i, name := range g.columns {
		out[i] = name
		for n := 2; seen[out[i]]; n++ {
			out[i] = fmt.Sprintf("%s_%d", name, n)
		}
		seen[out[i]] = true
	}
	return out
}

// object writes a row as a JSON object with its keys in the order of the columns.
func (g *grid) object(row []any) ([]byte, error) { return object(g.names(), row) }

func object(names []string, row []any) ([]byte, error) {
	var b strings.Builder
	for i, v := range row {
		key, err := json.Marshal(names[i])
		if err != nil {
			return nil, err
		}
		value, err := jsonValue(v)
		if err != nil {
			return nil, err
		}
		b.WriteString(map[bool]string{true: "{", false: ", "}[i == 0])
		b.Write(key)
		b.WriteString(": ")
		b.Write(value)
	}
	b.WriteString("}")
	return []byte(b.String()), nil
}

func (g *grid) markdown(w io.Writer) error {
	escape := strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ")
	line := func(cells []string) error {
		for i := range cells {
			cells[i] = escape.Replace(cells[i])
		}
		_, err := fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		return err
	}
	if err := line(append([]string{}, g.columns...)); err != nil {
		return err
	}
	marks := make([]string, len(g.columns))
	for i := range marks {
		marks[i] = "---"
		if len(g.rows) > 0 && isNumber(g.rows[0][i]) {
			marks[i] = "---:"
		}
	}
	if err := line(marks); err != nil {
		return err
	}
	for _, row := range g.rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = tableCell(v)
		}
		if err := line(cells); err != nil {
			return err
		}
	}
	return nil
}
