package reports

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Trace is one table, figure, claim or number of a report with all that it was made from.
type Trace struct {
	Kind    string   `json:"kind"` // number, table, figure, claim
	ID      string   `json:"id,omitempty"`
	Report  string   `json:"report"`            // file and line of the report: "digits.md:57"
	Spec    string   `json:"spec"`              // file and line of the spec
	SQL     string   `json:"sql,omitempty"`     // of a number; that of a cell stands in the spec
	Value   *string  `json:"value,omitempty"`   // of a number or a claim, with twelve digits; none: NULL
	Verdict string   `json:"verdict,omitempty"` // of a claim
	Data    []string `json:"data,omitempty"`    // files with the rows of a table or figure, relative to the spec's folder
	Planned int      `json:"planned"`           // runs of the plan
	Runs    []string `json:"runs"`              // keys of the runs it stands on, in plan order
}

// errNoManifest says that nothing tells what a report was made from.
var errNoManifest = errors.New("there is no manifest that tells what it was made from")

// claimRow begins a row of the table of claims.
var claimRow = regexp.MustCompile("^\\| `([a-z0-9-]+)` \\|")

// Trace tells where something in the report comes from, by its manifest alone. A place is the id of a table, figure or claim; a line of
// the report ("57", "digits.md:57"); or a line of the spec ("digits.toml:12"). It may hold several numbers.
func (p *Present) Trace(place string) ([]Trace, error) {
	if p.manifest.MadeBy == "" {
		return nil, errNoManifest
	}
	if p.manifest.Format < firstWithValues {
		return nil, errors.New("its manifest is an early kappa's, and does not tell; `kappa report` writes a new one")
	}
	keep, err := p.at(place)
	if err != nil {
		return nil, err
	}
	var out []Trace
	for _, i := range p.manifest.Items {
		if keep(i.item) {
			out = append(out, p.trace(i))
		}
	}
	if len(out) == 0 {
		return nil, p.nothingAt(place)
	}
	return out, nil
}

func (p *Present) trace(i manifestItem) Trace {
	t := Trace{
		Kind: i.Kind, ID: i.ID, Report: fmt.Sprintf("%s.md:%d", p.name, i.At), Spec: fmt.Sprintf("%s.toml:%d", p.name, i.Line),
		SQL: plainLine(i.SQL), Value: i.Value, Verdict: i.Verdict, Planned: len(p.manifest.Runs), Runs: i.keys(p.manifest.Runs),
	}
	if t.Runs == nil {
		t.Runs = []string{}
	}
	if t.Value != nil {
		t.Value = new(plainLine(*t.Value))
	}
	if i.Kind == tableItem || i.Kind == figureItem {
		for _, name := range i.dataFiles() {
			if _, ok := p.manifest.file(name); ok {
				t.Data = append(t.Data, filepath.ToSlash(filepath.Join(filesFolder(p.name), name)))
			}
		}
	}
	return t
}

// at says which items stand at a place.
func (p *Present) at(place string) (func(item) bool, error) {
	file, lineText, inFile := strings.Cut(place, ":")
	if !inFile {
		file, lineText = p.name+".md", place
	}
	line, err := strconv.Atoi(lineText)
	file = filepath.Base(file)
	switch {
	case err != nil && !inFile && place != "":
		return func(i item) bool { return i.ID == place }, nil
	case err != nil || line < 1:
		return nil, fmt.Errorf("%q is no line", place)
	case file == p.name+".toml":
		return func(i item) bool { return i.Line == line }, nil
	case file != p.name+".md":
		return nil, fmt.Errorf("%s is neither %s.md nor %s.toml", file, p.name, p.name)
	}
	lines := strings.Split(string(p.text), "\n")
	if line <= len(lines) {
		if m := claimRow.FindStringSubmatch(lines[line-1]); m != nil && p.has(claimItem, m[1]) {
			return func(i item) bool { return i.Kind == claimItem && i.ID == m[1] }, nil
		}
	}
	return func(i item) bool { return i.At <= line && line <= max(i.At, i.To) }, nil
}

func (p *Present) has(kind, id string) bool {
	return slices.ContainsFunc(p.manifest.Items, func(i manifestItem) bool { return i.Kind == kind && i.ID == id })
}

// nothingAt says what there would be.
func (p *Present) nothingAt(place string) error {
	var ids, lines []string
	for _, i := range p.manifest.Items {
		if i.ID != "" {
			ids = append(ids, i.ID)
		}
		if n := strconv.Itoa(i.At); i.Kind == numberItem && !slices.Contains(lines, n) {
			lines = append(lines, n)
		}
	}
	what := "a line"
	if len(ids) > 0 {
		what = few(ids, 8) + ", or a line"
	}
	if len(lines) > 0 {
		what += " such as " + few(lines, 5)
	}
	return fmt.Errorf("nothing of the report that comes from a query stands at %q: %s is accepted", place, what)
}
