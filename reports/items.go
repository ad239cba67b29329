package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kappa/experiments"
)

// The kinds of items.
const (
	numberItem = "number"
	tableItem  = "table"
	figureItem = "figure"
	claimItem  = "claim"
)

// item is one table, figure, claim or number in the text.
type item struct {
	Kind string `json:"kind"`
	ID   string `json:"id,omitempty"`
	Line int    `json:"line"`           // of the spec
	At   int    `json:"at"`             // line of the report, the first of a table, figure or claim, those of its caption's numbers too
	To   int    `json:"to,omitempty"`   // its last line; of a table, figure or claim, and of the numbers in a figure's caption
	SQL  string `json:"sql,omitempty"`  // of a number
	Cell string `json:"cell,omitempty"` // of a table, figure or claim: digest of what the spec says of it

	Value    *string `json:"value,omitempty"` // of a number or a claim, with twelve digits; none: NULL
	Verdict  string  `json:"verdict,omitempty"`
	Expected string  `json:"expected,omitempty"` // the verdict that the spec expects, where that is not "reproduced"
}

// manifestItem is an item with the runs it stands on.
type manifestItem struct {
	item
	Count int    `json:"count"`           // number of runs
	Runs  string `json:"runs"`            // their places in runs, from 0: "0-89,180,200-280/10" (every tenth)
	Other string `json:"other,omitempty"` // keys of runs outside the plan, with commas
}

// keys are the keys of the runs behind an item.
func (i manifestItem) keys(runs []string) []string {
	var out []string
	for _, n := range places(i.Runs, len(runs)) {
		out = append(out, runs[n])
	}
	if i.Other != "" {
		out = append(out, strings.Split(i.Other, ",")...)
	}
	return out
}

func (b *builder) item(i item, runs []string) {
	m := manifestItem{item: i, Count: len(runs)}
	if i.Kind != numberItem {
		m.Cell = definition(b.cell)
	}
	var at []int
	var other []string
	for _, k := range runs {
		if n, ok := b.plan.ordinal[k]; ok {
			at = append(at, n)
		} else {
			other = append(other, k)
		}
	}
	slices.Sort(at)
	at = slices.Compact(at)
	slices.Sort(other)
	m.Runs, m.Other = ranges(at), strings.Join(other, ",")
	b.doc.manifest.Items = append(b.doc.manifest.Items, m)
}

// placeItems says on which lines of the report a cell's items stand: those from the first on, of a cell with a text that begins on a
// line. Those of prose know theirs, counted from the beginning of its text. It returns the number of lines of the text.
func (b *builder) placeItems(first, line int, cell string) int {
	items := b.doc.manifest.Items
	for i := first; i < len(items); i++ {
		items[i].At += line
		if items[i].Kind != numberItem || b.cell.Kind == experiments.Figure { // whose caption is its last line
			items[i].To = line + strings.Count(strings.TrimRight(cell, "\n"), "\n")
		}
	}
	return strings.Count(cell, "\n")
}

// shiftItems moves the lines of all items, when it is known how long the head is; those from title on stand in its first line.
func (b *builder) shiftItems(title, head int) {
	items := b.doc.manifest.Items
	for i := range items {
		switch {
		case i >= title:
			items[i].At = 1
			continue
		case items[i].To > 0:
			items[i].To += head
		}
		items[i].At += head
	}
}

// definition is a digest of all that a spec says of a cell, but where it stands.
func definition(c experiments.Cell) string {
	paper := "none"
	if c.Claim.PaperValue != nil {
		paper = strconv.FormatFloat(*c.Claim.PaperValue, 'g', -1, 64)
	}
	c.Line, c.Claim.PaperValue = 0, nil
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v %s", c, paper))
	return hex.EncodeToString(sum[:4])
}

// longValue is the length up to which a value is recorded as it is.
const longValue = 100

// recordedValue is a value as the manifest has it: as in CSV files. NULL is nil.
func recordedValue(v any) *string {
	if v == nil {
		return nil
	}
	s := csvValue(v)
	if len(s) > longValue {
		s = strings.ToValidUTF8(s[:longValue], "") + "… " + digestOf("", []byte(s)).SHA256[:12]
	}
	return &s
}

// ranges writes ascending numbers as ranges: "0-89,180,200-280/10".
func ranges(n []int) string {
	var parts []string
	for i := 0; i < len(n); {
		step := 1
		if i+1 < len(n) {
			step = n[i+1] - n[i]
		}
		j := i
		for step > 0 && j+1 < len(n) && n[j+1]-n[j] == step {
			j++
		}
		switch {
		case j == i || step > 1 && j == i+1: // two numbers are a range only side by side
			parts = append(parts, strconv.Itoa(n[i]))
			i++
			continue
		case step == 1:
			parts = append(parts, fmt.Sprintf("%d-%d", n[i], n[j]))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d/%d", n[i], n[j], step))
		}
		i = j + 1
	}
	return strings.Join(parts, ",")
}

// places reads what ranges wrote; numbers from most on, and what is no range, are left out.
func places(s string, most int) []int {
	var out []int
	for part := range strings.SplitSeq(s, ",") {
		part, stepText, strides := strings.Cut(part, "/")
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, errA := strconv.Atoi(from)
		z, errZ := strconv.Atoi(to)
		step := 1
		if strides {
			step, _ = strconv.Atoi(stepText)
		}
		if errA != nil || errZ != nil || a < 0 || step < 1 {
			continue
		}
		for n := a; n <= min(z, most-1); n += step {
			out = append(out, n)
		}
	}
	return out
}
