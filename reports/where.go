package reports

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"kappa/experiments"
)

// lineOf finds the line of the spec's file on which a line of a text of a cell stands. A text that stands in the file as it is (most do)
// is found; else it is the line of its key, or of the cell.
func lineOf(spec *experiments.Spec, cell experiments.Cell, key string, line int) int {
	begin := keyLine(spec, cell, key)
	text := textOf(spec, cell, key)
	if line < 1 || text == "" {
		return begin
	}
	from := 0
	for range begin - 1 {
		i := bytes.IndexByte(spec.Bytes[from:], '\n')
		if i < 0 {
			return begin
		}
		from += i + 1
	}
	at := bytes.Index(spec.Bytes[from:], []byte(text))
	if at < 0 {
		return begin
	}
	return begin + bytes.Count(spec.Bytes[from:from+at], []byte("\n")) + line - 1
}

// keyLine is the line on which the file states a key of a cell, or the spec's title; else that of the cell.
func keyLine(spec *experiments.Spec, cell experiments.Cell, key string) int {
	path := key
	if i := slices.IndexFunc(spec.Cells, func(c experiments.Cell) bool { return c.Line == cell.Line }); i >= 0 {
		path = fmt.Sprintf("cell.%d.%s", i, key)
	}
	return max(cell.Line, spec.Line(path))
}

// textOf is the text of a cell's key, or of the spec's.
func textOf(spec *experiments.Spec, cell experiments.Cell, key string) string {
	switch key {
	case "title":
		return spec.Title
	case "text":
		return cell.Text
	case "sql":
		return cell.SQL
	case "reference_sql":
		return cell.Figure.ReferenceSQL
	case "runs":
		return cell.Runs
	case "caption":
		return cell.Caption
	}
	return ""
}

// problemAt is an error at a place in the spec.
func problemAt(spec *experiments.Spec, cell experiments.Cell, index int, key string, line int, err error) experiments.Problem {
	p := experiments.Problem{File: spec.Path, Line: lineOf(spec, cell, key, line), Key: key, Message: strings.TrimSuffix(err.Error(), ".")}
	if index >= 0 {
		p.Key = fmt.Sprintf("cell.%d.%s", index, key)
	}
	return p
}
