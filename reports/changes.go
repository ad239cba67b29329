package reports

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Change is one number, cell or claim that a report would tell otherwise now.
type Change struct {
	Kind     string   `json:"kind"`               // number, table, figure, claim
	Item     string   `json:"item,omitempty"`     // id of the table, figure or claim
	Line     int      `json:"line"`               // of the spec
	Where    string   `json:"where,omitempty"`    // row and column of a table's or figure's data; query of a number; what of a claim
	Old      *string  `json:"old"`                // with twelve digits; null: there was none, or it is not known
	New      *string  `json:"new"`                // null: there is none
	Relative *float64 `json:"relative,omitempty"` // (new − old)/|old|, of finite numbers with old ≠ 0
}

// What a claim's change is of.
const (
	ofVerdict = "verdict"
	ofValue   = "value"
)

// Changes lists what the document tells otherwise than the report that lies there did when it was written: the values of the numbers
// in its text, the cells of its tables, the data of its figures, the verdicts and values of its claims, in the order of the document,
// and then what it told and the document does not. The rows of a table are told apart by the columns that name them, where some do.
// Old cells come from the CSV files that lie there; of one that is not as it was written only that it is another is known. None where
// no report of kappa's lies there, and of one that an early kappa wrote only what its files tell.
func (p *Present) Changes(d *Document) []Change {
	if p.manifest.MadeBy == "" {
		return nil
	}
	c := &comparison{p: p, d: d, told: map[string][]manifestItem{}}
	for _, i := range p.manifest.Items {
		c.told[i.name()] = append(c.told[i.name()], i)
	}
	for _, i := range d.manifest.Items {
		old := c.take(i.name())
		switch {
		case i.Kind == numberItem && p.manifest.Format >= firstWithValues:
			c.number(old, i)
		case i.Kind == claimItem && p.manifest.Format >= firstWithValues:
			c.claim(old, i)
		case i.Kind == tableItem, i.Kind == figureItem:
			for _, name := range i.dataFiles() {
				c.data(i, name)
			}
		}
	}
	for _, i := range p.manifest.Items {
		if p.manifest.Format >= firstWithValues && c.take(i.name()) != nil {
			ch := Change{Kind: i.Kind, Item: i.ID, Line: i.Line, Where: i.SQL, Old: i.orNone()}
			if ch.Old == nil {
				ch.Old = new("a " + i.Kind)
			}
			c.add(ch)
		}
	}
	return c.out
}

// firstWithValues is the first format of the manifest that knows what its items said.
const firstWithValues = 3

// comparison gathers changes.
type comparison struct {
	p    *Present
	d    *Document
	told map[string][]manifestItem // of the report that lies there, by name; taken once each
	out  []Change
}

// name tells items apart; numbers by their query, of which there may be several in a report.
func (i item) name() string { return i.Kind + " " + i.ID + i.SQL }

// dataFiles are the names of the files with the data of a table or figure.
func (i item) dataFiles() []string {
	if i.Kind == tableItem {
		return []string{"tab-" + i.ID + ".csv"}
	}
	return []string{"fig-" + i.ID + ".csv", "fig-" + i.ID + referenceEnd}
}

// orNone is the value, or the sign that there is none.
func (i item) orNone() *string {
	if i.Value == nil && (i.Kind == numberItem || i.Kind == claimItem) {
		return new(none)
	}
	return i.Value
}

// take takes the first item of a name.
func (c *comparison) take(name string) *manifestItem {
	list := c.told[name]
	if len(list) == 0 {
		return nil
	}
	c.told[name] = list[1:]
	return &list[0]
}

func (c *comparison) add(ch Change) {
	if ch.Old != nil && ch.New != nil {
		x, errX := strconv.ParseFloat(*ch.Old, 64)
		y, errY := strconv.ParseFloat(*ch.New, 64)
		if r := (y - x) / math.Abs(x); errX == nil && errY == nil && !math.IsNaN(r) && !math.IsInf(r, 0) {
			ch.Relative = &r
		}
	}
	c.out = append(c.out, ch)
}

func (c *comparison) number(old *manifestItem, now manifestItem) {
	ch := Change{Kind: now.Kind, Line: now.Line, Where: now.SQL, New: now.orNone()}
	if old != nil {
		if ch.Old = old.orNone(); *ch.Old == *ch.New {
			return
		}
	}
	c.add(ch)
}

func (c *comparison) claim(old *manifestItem, now manifestItem) {
	ch := Change{Kind: now.Kind, Item: now.ID, Line: now.Line}
	if old == nil {
		ch.Where, ch.New = ofVerdict, &now.Verdict
		c.add(ch)
		return
	}
	if old.Verdict != now.Verdict {
		ch.Where, ch.Old, ch.New = ofVerdict, &old.Verdict, &now.Verdict
		c.add(ch)
	}
	if ch.Where, ch.Old, ch.New = ofValue, old.orNone(), now.orNone(); *ch.Old != *ch.New {
		c.add(ch)
	}
}

// data compares a file with the data of a table or figure.
func (c *comparison) data(i manifestItem, name string) {
	was, had := c.p.manifest.file(name)
	now, has := c.d.manifest.file(name)
	if !had && !has || had && has && was.SHA256 == now.SHA256 {
		return
	}
	ch := Change{Kind: i.Kind, Item: i.ID, Line: i.Line}
	if strings.HasSuffix(name, referenceEnd) {
		ch.Where = "reference curves"
	}
	old := c.p.files[name]
	if !had || !has || digestOf("", old).SHA256 != was.SHA256 { // new, gone, or the old data is not there
		switch {
		case !had:
			ch.New = new("a " + i.Kind)
		case !has:
			ch.Old = new("a " + i.Kind)
		default:
			ch.Old, ch.New = new("sha256 "+was.SHA256[:min(12, len(was.SHA256))]), new("sha256 "+now.SHA256[:12])
		}
		c.out = append(c.out, ch)
		return
	}
	for _, cell := range compareRows(old, c.d.file(name)) {
		cell.Kind, cell.Item, cell.Line = ch.Kind, ch.Item, ch.Line
		if ch.Where != "" {
			cell.Where = ch.Where + ", " + cell.Where
		}
		c.add(cell)
	}
}

// file is the content of a file of the document; nil if there is none.
func (d *Document) file(name string) []byte {
	for _, f := range d.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

// compareRows compares the cells of two CSV files.
func compareRows(old, now []byte) []Change {
	a, errA := csv.NewReader(bytes.NewReader(old)).ReadAll()
	b, errB := csv.NewReader(bytes.NewReader(now)).ReadAll()
	if errA != nil || errB != nil || len(a) == 0 || len(b) == 0 {
		return []Change{{Where: "data"}}
	}
	if !slices.Equal(a[0], b[0]) {
		return []Change{{Where: "columns", Old: new(strings.Join(a[0], ", ")), New: new(strings.Join(b[0], ", "))}}
	}
	columns := a[0]
	n := naming(a[1:], b[1:], len(columns))
	rowName := func(i int, row []string) string {
		if n == 0 {
			return fmt.Sprintf("row %d", i+1)
		}
		return rowKey(row[:n])
	}
	tell := func(name string) string { return strings.ReplaceAll(name, keySeparator, ", ") }
	was := map[string][]string{}
	for i, row := range a[1:] {
		was[rowName(i, row)] = row
	}
	var out []Change
	for i, row := range b[1:] {
		name := rowName(i, row)
		before, ok := was[name]
		if !ok {
			out = append(out, Change{Where: tell(name), New: new("a row")})
			continue
		}
		delete(was, name)
		for j := range row {
			if row[j] != before[j] {
				out = append(out, Change{Where: tell(name) + ": " + columns[j], Old: cellText(before[j]), New: cellText(row[j])})
			}
		}
	}
	for i, row := range a[1:] {
		if name := rowName(i, row); was[name] != nil {
			out = append(out, Change{Where: tell(name), Old: new("a row")})
		}
	}
	if len(out) == 0 {
		out = append(out, Change{Where: "order of rows"})
	}
	return out
}

// cellText is a field of a CSV file; an empty one is NULL.
func cellText(s string) *string {
	if s == "" {
		s = none
	}
	return &s
}

// keySeparator stands between the fields by which a row is told apart; unlike a comma it is in none of them.
const keySeparator = "\x00"

// rowKey tells a row apart by its first fields.
func rowKey(fields []string) string { return strings.Join(fields, keySeparator) }

// naming is the number of first columns by which rows can be told apart in both tables and which mostly say the same in both; 0: rows
// are told apart by their places.
func naming(a, b [][]string, columns int) int {
	for n := 1; n < columns; n++ {
		seen := map[string]bool{}
		unique := true
		for _, row := range a {
			name := rowKey(row[:n])
			unique = unique && !seen[name]
			seen[name] = true
		}
		both, other := 0, map[string]bool{}
		for _, row := range b {
			name := rowKey(row[:n])
			unique = unique && !other[name]
			other[name] = true
			if seen[name] {
				both++
			}
		}
		if unique && 2*both >= min(len(a), len(b)) {
			return n
		}
	}
	return 0
}
