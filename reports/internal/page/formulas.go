package page

import (
	"fmt"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"

	"kappa/reports/internal/mathml"
)

// unclosed is what is wrong with a display without an end.
const unclosed = "a display that begins with $$ has no $$ at the end of a later line of its paragraph"

// badFormula says what is wrong with a formula, which a page shows as its source.
func badFormula(tex string, err error) string {
	const most = 60
	if r := []rune(tex); len(r) > most {
		tex = string(r[:most]) + "…"
	}
	return fmt.Sprintf("the formula %s is shown as its source in HTML: %v", strings.Join(strings.Fields(tex), " "), err)
}

// source is the TeX of a formula. In a table Markdown itself takes the backslash from \|.
func (n *mathNode) source() string {
	for p := n.Parent(); p != nil; p = p.Parent() {
		if p.Kind() == extast.KindTableCell {
			return strings.ReplaceAll(n.tex, `\|`, "|")
		}
	}
	return n.tex
}

// Formulas finds the formulas of a text in Markdown that a page shows as their source.
func Formulas(markdown []byte) []Warning {
	if line, why := unbearable(markdown); line > 0 {
		return []Warning{{line, why + ": the text is shown as its source in HTML"}}
	}
	r := &pageRenderer{doc: Document{Markdown: markdown}}
	_ = ast.Walk(parse(markdown), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *mathNode:
			r.try(n.source(), n.display, n.at)
		case *mathBlock:
			if n.closed {
				r.try(strings.TrimSpace(string(n.Lines().Value(markdown))), true, n.at)
			} else {
				r.warn(n.at, "%s", unclosed)
			}
		case *ast.FencedCodeBlock:
			if isMath(n, markdown) {
				r.try(strings.TrimSpace(string(n.Lines().Value(markdown))), true, place(n))
			}
		}
		return ast.WalkContinue, nil
	})
	return r.warnings
}

func (r *pageRenderer) try(tex string, display bool, at int) {
	if _, err := mathml.Convert(tex, display); err != nil {
		r.warn(at, "%s", badFormula(tex, err))
	}
}
