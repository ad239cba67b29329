package reports

import (
	"bytes"
	"fmt"
	"strings"

	"kappa/experiments"
)

// lineOf finds the line of the spec's file on which a line of a text of a cell stands. A text that stands in the file as it is (most do)
// is found; else it is the line of the cell.
func lineOf(spec *experiments.Spec, cell experiments.Cell, key string, line int) int {
	text := textOf(spec, cell, key)
	if line < 1 || text == "" {
		return cell.Line
	}
	from := 0
	for range cell.Line - 1 {
		i := bytes.IndexByte(spec.Bytes[from:], '\n')
		if i < 0 {
			return cell.Line
		}
		from += i + 1
	}
	at := bytes.Index(spec.Bytes[from:], []byte(text))
	if at < 0 {
		return cell.Line
	}
	return cell.Line + bytes.Count(spec.Bytes[from:from+at], []byte("\n")) + line - 1
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
