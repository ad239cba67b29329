// Package page turns the Markdown of a report, as GitHub understands it, into one HTML page that needs nothing else: figures and data
// stand in it, formulas are MathML, there is no script and nothing is fetched. The page is well-formed XML as well.
//
// Nothing in the Markdown can run or load anything in a reader's browser: HTML tags are shown as text, links lead to http, https and
// mailto or to places beside the report, and pictures from elsewhere become links.
//
// The package builds no report and reads no file.
package page

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"unicode"

	_ "embed"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	ghtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Document is what a page is made from.
type Document struct {
	Markdown []byte
	Marks    []Mark            // in the order of the text, not overlapping
	Files    map[string][]byte // what links and pictures lead to, by their target; SVG files among them are drawn in place
	Base     string            // what other relative links get in front: the way from the page's folder to the report's; "" is none
	Head     string            // HTML for the head, well-formed
}

// Mark is a part of the Markdown with a meaning.
type Mark struct {
	From, To int    // bytes
	Kind     string // figure | table | claim | claims (the table of all) | warnings
	ID       string // of a figure, a table or a claim
	State    string // of a claim: its verdict, for the eye
}

// anchor is the id of a mark's place in the page.
func (m Mark) anchor() string {
	switch m.Kind {
	case "figure":
		return "fig-" + m.ID
	case "table":
		return "tab-" + m.ID
	case "claim":
		return "claim-" + m.ID
	}
	return ""
}

// Warning is something that the page cannot show as it was meant.
type Warning struct {
	Line    int // of the Markdown, from 1
	Message string
}

//go:embed style.css
var style string

// Render writes the page. The same document gives the same bytes.
func Render(d Document) ([]byte, []Warning) {
	r := &pageRenderer{doc: d, anchors: map[string]string{}, told: map[string]bool{}, drawn: map[string]bool{}}
	for _, m := range d.Marks {
		if a := m.anchor(); a != "" && r.anchors[m.ID] == "" {
			r.anchors[m.ID] = a
		}
	}
	md := newMarkdown(r)
	ids := &slugs{used: map[string]bool{"contents": true}, next: map[string]int{}}
	for _, m := range d.Marks {
		ids.used[m.anchor()] = true
		ids.used["verdict-"+m.ID] = true
	}
	root, content := r.parsed(md, ids)
	title := "Report"
	if h := firstHeading(root); h != nil {
		title = plain(h, d.Markdown)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:" />
<meta name="color-scheme" content="light dark" />
%s<title>%s</title>
<style>
%s</style>
</head>
<body>
<main>
`, d.Head, html.EscapeString(title), style)
	const end = "</h1>\n"
	at := bytes.Index(content, []byte(end)) + len(end)
	if at < len(end) {
		at = 0
	}
	out.Write(content[:at])
	out.WriteString(contents(root, d.Markdown))
	out.Write(content[at:])
	out.WriteString("</main>\n</body>\n</html>\n")
	return xmlText(out.Bytes()), r.warnings
}

// parsed parses the document and renders it.
func (r *pageRenderer) parsed(md goldmark.Markdown, ids parser.IDs) (root ast.Node, content []byte) {
	if line, why := unbearable(r.doc.Markdown); line > 0 {
		r.warnings = append(r.warnings, Warning{line, why + ": the text is shown as its source in HTML"})
		return asSource(r.doc.Markdown)
	}
	root = md.Parser().Parse(text.NewReader(r.doc.Markdown), parser.WithContext(parser.NewContext(parser.WithIDs(ids))))
	divide(root, r.doc.Marks)
	var body bytes.Buffer
	if err := md.Renderer().Render(&body, r.doc.Markdown, root); err != nil { // a bytes.Buffer takes everything
		panic("page: " + err.Error())
	}
	return root, body.Bytes()
}

// newMarkdown is GitHub's Markdown with our renderers over goldmark's.
func newMarkdown(r *pageRenderer) goldmark.Markdown {
	return goldmark.New(
		goldmark.WithExtensions(
			extension.Linkify, extension.Strikethrough, extension.TaskList, extension.Footnote,
			extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignStyle)),
		),
		goldmark.WithParserOptions(
			parser.WithAutoHeadingID(),
			parser.WithInlineParsers(util.Prioritized(mathParser{}, 50)),
			parser.WithBlockParsers(util.Prioritized(mathBlockParser{}, 650)),
		),
		goldmark.WithRendererOptions(ghtml.WithXHTML(), renderer.WithNodeRenderers(util.Prioritized(r, 10))),
	)
}

// xmlText replaces what XML cannot hold and what turns text round or hides it: entities of Markdown can name both.
func xmlText(page []byte) []byte {
	return bytes.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
		case unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF || unicode.Is(unicode.Cf, r) && r != '\u200C' && r != '\u200D':
			return '\uFFFD'
		}
		return r
	}, page)
}

// firstHeading is the first heading of the first rank.
func firstHeading(root ast.Node) ast.Node {
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok && h.Level == 1 {
			return n
		}
	}
	return nil
}

// contents lists the sections with links to them.
func contents(root ast.Node, source []byte) string {
	var b strings.Builder
	depth := 1
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok || h.Level < 2 || h.Level > 3 {
			continue
		}
		id, _ := h.AttributeString("id")
		name, _ := id.([]byte)
		level := min(h.Level, depth+1) // none is left out on the way down
		switch {
		case level > depth:
			b.WriteString("<ul>\n<li>")
		case level == depth:
			b.WriteString("</li>\n<li>")
		default:
			b.WriteString("</li>\n</ul>\n</li>\n<li>")
		}
		depth = level
		fmt.Fprintf(&b, `<a href="#%s">%s</a>`, html.EscapeString(string(name)), html.EscapeString(plain(h, source)))
	}
	if depth == 1 {
		return ""
	}
	for ; depth > 1; depth-- {
		b.WriteString("</li>\n</ul>\n")
	}
	return `<nav id="contents" aria-label="Contents">` + "\n" + b.String() + "</nav>\n"
}

// plain is the text of a node and all below it.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			value := n.Segment.Value(source)
			if !n.IsRaw() {
				value = util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(value)))
			}
			b.Write(value)
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.AutoLink:
			b.Write(n.Label(source))
		case *mathNode:
			b.WriteString(n.tex)
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}
