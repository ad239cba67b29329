// Package notebook writes Jupyter notebooks (nbformat 4.5) with their outputs in them, in the very bytes in which Jupyter would save
// them: keys in order, one blank of indentation, text as lists of lines. The same cells give the same bytes.
//
// The package executes nothing and knows nothing of reports.
package notebook

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"strings"
)

// The version of the format that is written.
const (
	Format      = 4
	FormatMinor = 5
)

// maxID is the length that the format allows an id.
const maxID = 64

// Cell is one cell of a notebook.
type Cell struct {
	ID      string // letters, digits, - and _; of no other cell
	Code    bool   // Python; else Markdown
	Source  string
	Hidden  bool // the source is folded away
	Outputs []Output
}

// Output is what a code cell has given: data by media type.
type Output struct {
	Result bool // the value of the cell's last line; else something that it showed on the way
	Data   map[string]string
}

// Encode writes a notebook; metadata goes beside the language of its code. It fails for an id that the format refuses.
func Encode(cells []Cell, metadata map[string]any) ([]byte, error) {
	meta := map[string]any{
		"kernelspec":    map[string]any{"display_name": "Python 3", "language": "python", "name": "python3"},
		"language_info": map[string]any{"name": "python"},
	}
	for k, v := range metadata {
		meta[k] = v
	}
	seen := map[string]bool{}
	list := make([]any, len(cells))
	for i, c := range cells {
		if seen[c.ID] || !validID(c.ID) {
			return nil, fmt.Errorf("%q is no id for a cell, or another one's", c.ID)
		}
		seen[c.ID] = true
		list[i] = c.encoded()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(map[string]any{"cells": list, "metadata": meta, "nbformat": Format, "nbformat_minor": FormatMinor})
	return b.Bytes(), err
}

func (c Cell) encoded() map[string]any {
	meta := map[string]any{}
	if c.Hidden {
		meta["jupyter"] = map[string]any{"source_hidden": true}
	}
	m := map[string]any{"cell_type": "markdown", "id": c.ID, "metadata": meta, "source": lines(c.Source)}
	if !c.Code {
		return m
	}
	outputs := make([]any, len(c.Outputs))
	for i, o := range c.Outputs {
		data := map[string]any{}
		for kind, text := range o.Data {
			data[kind] = lines(text)
		}
		out := map[string]any{"data": data, "metadata": map[string]any{}, "output_type": "display_data"}
		if o.Result {
			out["output_type"], out["execution_count"] = "execute_result", nil
		}
		outputs[i] = out
	}
	m["cell_type"], m["execution_count"], m["outputs"] = "code", nil, outputs
	return m
}

func validID(id string) bool {
	return id != "" && len(id) <= maxID && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// lines cuts a text behind its line ends.
func lines(s string) []string {
	if s == "" {
		return []string{}
	}
	out := strings.SplitAfter(s, "\n")
	if out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// Literal writes a string as Python: over several lines where it has them and nothing in it stands against that.
func Literal(s string) string {
	if strings.Contains(s, "\n") && !strings.ContainsAny(s, "\\\r") && !strings.Contains(s, `"""`) && !strings.HasSuffix(s, `"`) {
		return `"""` + s + `"""`
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b) // what JSON writes in quotes, Python reads
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil { // a string always can be encoded
		panic("notebook: " + err.Error())
	}
	return strings.TrimSpace(b.String())
}

// Figure shows an SVG file, and says where else it is: as itself, and as a picture in HTML, which viewers show of a notebook that
// nobody has trusted yet.
func Figure(name string, svg []byte) Output {
	return Output{Data: map[string]string{
		"image/svg+xml": string(svg),
		"text/html":     `<img alt="` + html.EscapeString(name) + `" src="data:image/svg+xml;base64,` + base64.StdEncoding.EncodeToString(svg) + `">`,
		"text/plain":    name,
	}}
}

// shownRows and endRows are what pandas shows of a long table: all of so many rows, else so many of either end.
const (
	shownRows = 60
	endRows   = 5
)

// Table shows the rows of a CSV file, as pandas would a frame of them.
func Table(data []byte) (Output, error) {
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(records) == 0 {
		return Output{}, fmt.Errorf("read the data of a table: %w", err)
	}
	var b strings.Builder
	b.WriteString("<table border=\"1\" class=\"dataframe\">\n  <thead>\n    <tr style=\"text-align: right;\">\n      <th></th>\n")
	for _, c := range records[0] {
		b.WriteString("      <th>" + html.EscapeString(c) + "</th>\n")
	}
	b.WriteString("    </tr>\n  </thead>\n  <tbody>\n")
	rows := records[1:]
	for i := 0; i < len(rows); i++ {
		head, cells := fmt.Sprint(i), rows[i]
		if len(rows) > shownRows && i == endRows {
			head, cells = "...", make([]string, len(records[0]))
			for j := range cells {
				cells[j] = "..."
			}
			i = len(rows) - endRows - 1
		}
		b.WriteString("    <tr>\n      <th>" + head + "</th>\n")
		for _, v := range cells {
			b.WriteString("      <td>" + html.EscapeString(v) + "</td>\n")
		}
		b.WriteString("    </tr>\n")
	}
	size := fmt.Sprintf("%d rows × %d columns", len(rows), len(records[0]))
	b.WriteString("  </tbody>\n</table>\n<p>" + size + "</p>")
	return Output{Result: true, Data: map[string]string{"text/html": b.String(), "text/plain": size}}, nil
}
