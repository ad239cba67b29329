package reports

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
	"text/template/parse"

	"kappa/experiments"
	"kappa/reports/internal/page"
)

// Formulas finds the formulas of a spec that an HTML page shows as their source, because they use what is not converted. They are no
// faults: GitHub renders more than a page does. They come in the order of the spec.
func Formulas(spec *experiments.Spec) experiments.Problems {
	f := &formulas{spec: spec}
	f.text(experiments.Cell{Line: 1}, -1, "title", spec.Title)
	for i, c := range spec.Cells {
		f.text(c, i, "text", c.Text)
		f.text(c, i, "caption", c.Caption)
		for _, h := range c.Table.Headings {
			f.text(c, i, "headings", h)
		}
		f.text(c, i, "because", c.Claim.Because)
		f.text(c, i, "paper", c.Claim.PaperWhere)
	}
	return f.found
}

type formulas struct {
	spec  *experiments.Spec
	found experiments.Problems
}

func (f *formulas) text(c experiments.Cell, index int, key, text string) {
	for _, w := range page.Formulas(withoutActions(text)) {
		f.found = append(f.found, problemAt(f.spec, c, index, key, w.Line, errors.New(w.Message)))
	}
}

// withoutActions is a template's text with a digit in place of each value, which has no formula in it but may stand inside of one.
// Lines stay where they are, and both branches of a condition are there. A text that is no template is returned as it is.
func withoutActions(text string) []byte {
	t, _ := parseTemplate(text)
	if t == nil || len(t.nodes) == 0 || !strings.Contains(text, "{{") {
		return []byte(text)
	}
	var texts []*parse.TextNode
	var values []int // where actions stand that give a value
	var gather func([]parse.Node)
	gather = func(nodes []parse.Node) {
		for _, n := range nodes {
			switch n := n.(type) {
			case *parse.TextNode:
				texts = append(texts, n)
			case *parse.ActionNode:
				values = append(values, int(n.Pos))
			case *parse.IfNode:
				gather(n.List.Nodes)
				if n.ElseList != nil {
					gather(n.ElseList.Nodes)
				}
			}
		}
	}
	gather(t.nodes)
	slices.SortFunc(texts, func(a, b *parse.TextNode) int { return cmp.Compare(a.Pos, b.Pos) })
	var out bytes.Buffer
	end := 0
	gap := func(to int) {
		if slices.ContainsFunc(values, func(at int) bool { return at >= end && at < to }) {
			out.WriteByte('0')
		}
		out.WriteString(strings.Repeat("\n", strings.Count(text[end:max(to, end)], "\n")))
	}
	for _, n := range texts {
		gap(int(n.Pos))
		out.Write(n.Text)
		end = int(n.Pos) + len(n.Text)
	}
	gap(len(text))
	return out.Bytes()
}
