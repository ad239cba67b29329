package page

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// parse parses Markdown without any document around it.
func parse(markdown []byte) ast.Node {
	return newMarkdown(&pageRenderer{doc: Document{Markdown: markdown}}).Parser().Parse(text.NewReader(markdown))
}

// SafeLinks says whether all links of a text lead where a page would let them. A text that a page would show as its source is not safe.
func SafeLinks(markdown []byte) bool {
	if line, _ := unbearable(markdown); line > 0 {
		return false
	}
	r, safe := &pageRenderer{}, true
	_ = ast.Walk(parse(markdown), func(n ast.Node, _ bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Link:
			safe = safe && (len(n.Destination) == 0 || r.href(n.Destination) != "")
		case *ast.Image:
			safe = safe && (len(n.Destination) == 0 || r.href(n.Destination) != "")
		case *ast.AutoLink:
			safe = safe && (n.AutoLinkType == ast.AutoLinkEmail || r.href(n.URL(markdown)) != "")
		}
		return ast.WalkContinue, nil
	})
	return safe
}

// WithoutHTML makes the HTML in a Markdown text stand for itself; one that is not [SafeLinks] it may leave as it is.
func WithoutHTML(markdown []byte) []byte {
	if line, _ := unbearable(markdown); line > 0 {
		return markdown
	}
	tags := make([]bool, len(markdown)) // where a < begins a tag
	mark := func(s text.Segment) {
		for i := s.Start; i < s.Stop && i < len(markdown); i++ {
			tags[i] = markdown[i] == '<'
		}
	}
	_ = ast.Walk(parse(markdown), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.RawHTML:
			for i := range n.Segments.Len() {
				mark(n.Segments.At(i))
			}
		case *ast.HTMLBlock:
			for i := range n.Lines().Len() {
				mark(n.Lines().At(i))
			}
			if n.HasClosure() {
				mark(n.ClosureLine)
			}
		}
		return ast.WalkContinue, nil
	})
	var b bytes.Buffer
	for i, c := range markdown {
		if tags[i] {
			b.WriteString("&lt;")
		} else {
			b.WriteByte(c)
		}
	}
	return b.Bytes()
}
