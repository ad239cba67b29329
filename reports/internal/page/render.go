package page

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"net/url"
	"path"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"

	"kappa/reports/internal/mathml"
)

// pageRenderer renders what a report's page has otherwise than goldmark.
type pageRenderer struct {
	doc      Document
	anchors  map[string]string // by the id of a figure, a table or a claim
	told     map[string]bool   // claims whose row in the table of claims has its id
	drawn    map[string]bool   // prefixes of pictures' ids
	warnings []Warning
}

// RegisterFuncs implements [renderer.NodeRenderer].
func (r *pageRenderer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindRawHTML, r.rawHTML)
	reg.Register(ast.KindHTMLBlock, r.htmlBlock)
	reg.Register(ast.KindLink, r.link)
	reg.Register(ast.KindAutoLink, r.autoLink)
	reg.Register(ast.KindImage, r.image)
	reg.Register(ast.KindParagraph, r.paragraph)
	reg.Register(ast.KindCodeSpan, r.codeSpan)
	reg.Register(ast.KindFencedCodeBlock, r.fencedCode)
	reg.Register(extast.KindTable, r.table)
	reg.Register(kindMath, r.math)
	reg.Register(kindMathBlock, r.mathBlock)
	reg.Register(kindSection, r.section)
}

func (r *pageRenderer) warn(at int, format string, args ...any) {
	line := 1 + bytes.Count(r.doc.Markdown[:max(at, 0)], []byte("\n"))
	r.warnings = append(r.warnings, Warning{line, fmt.Sprintf(format, args...)})
}

// formula writes a formula, or its source if it is not understood.
func (r *pageRenderer) formula(w util.BufWriter, tex string, display bool, at int) {
	m, err := mathml.Convert(tex, display)
	if err == nil {
		_, _ = w.WriteString(m)
		return
	}
	r.warn(at, "%s", badFormula(tex, err))
	dollars := "$"
	if display {
		dollars = "$$"
	}
	_, _ = fmt.Fprintf(w, `<code class="tex">%s</code>`, html.EscapeString(dollars+tex+dollars))
}

func (r *pageRenderer) math(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		n := node.(*mathNode)
		r.formula(w, n.source(), n.display, n.at)
	}
	return ast.WalkSkipChildren, nil
}

func (r *pageRenderer) mathBlock(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		n := node.(*mathBlock)
		_, _ = w.WriteString("<p>")
		if tex := strings.TrimSpace(string(n.Lines().Value(source))); n.closed {
			r.formula(w, tex, true, n.at)
		} else {
			r.warn(n.at, "%s", unclosed)
			_, _ = fmt.Fprintf(w, `<code class="tex">%s</code>`, html.EscapeString("$$"+tex))
		}
		_, _ = w.WriteString("</p>\n")
	}
	return ast.WalkSkipChildren, nil
}

// fencedCode is code, or a formula where its language is math.
func (r *pageRenderer) fencedCode(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.FencedCodeBlock)
	code := string(n.Lines().Value(source))
	if isMath(n, source) {
		_, _ = w.WriteString("<p>")
		r.formula(w, strings.TrimSpace(code), true, place(n))
		_, _ = w.WriteString("</p>\n")
		return ast.WalkSkipChildren, nil
	}
	_, _ = fmt.Fprintf(w, "<pre><code>%s</code></pre>\n", html.EscapeString(code))
	return ast.WalkSkipChildren, nil
}

func isMath(n *ast.FencedCodeBlock, source []byte) bool { return string(n.Language(source)) == "math" }

// rawHTML shows a tag as text, but for line breaks; comments are for those who write.
func (r *pageRenderer) rawHTML(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	tag := string(node.(*ast.RawHTML).Segments.Value(source))
	switch name := strings.Trim(tag, "</ >"); {
	case strings.EqualFold(name, "br"):
		_, _ = w.WriteString("<br />")
	case strings.HasPrefix(tag, "<!--"):
	default:
		_, _ = w.WriteString(html.EscapeString(tag))
	}
	return ast.WalkSkipChildren, nil
}

func (r *pageRenderer) htmlBlock(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.HTMLBlock)
	code := string(n.Lines().Value(source))
	if n.HasClosure() {
		code += string(n.ClosureLine.Value(source))
	}
	if n.HTMLBlockType == ast.HTMLBlockType2 { // a comment
		return ast.WalkSkipChildren, nil
	}
	_, _ = fmt.Fprintf(w, "<pre>%s</pre>\n", html.EscapeString(code))
	return ast.WalkSkipChildren, nil
}

// file finds what a link leads to among the document's files.
func (r *pageRenderer) file(target []byte) (name string, data []byte, ok bool) {
	name, err := url.PathUnescape(string(target))
	if err != nil {
		return "", nil, false
	}
	name = strings.TrimPrefix(name, "./")
	data, ok = r.doc.Files[name]
	return name, data, ok
}

// href is where a link may lead; "" is nowhere.
func (r *pageRenderer) href(target []byte) string {
	escaped := string(util.URLEscape(target, true))
	u, err := url.Parse(escaped)
	if err != nil {
		return ""
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https", "mailto":
		return escaped
	case "":
	default:
		return ""
	}
	if u.Host != "" || strings.HasPrefix(escaped, "//") { // another machine
		return ""
	}
	if strings.HasPrefix(escaped, "#") || strings.HasPrefix(escaped, "/") || r.doc.Base == "" {
		return escaped
	}
	return r.doc.Base + "/" + strings.TrimPrefix(escaped, "./")
}

func (r *pageRenderer) link(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.Link)
	if !entering {
		_, _ = w.WriteString("</a>")
		return ast.WalkContinue, nil
	}
	if name, data, ok := r.file(n.Destination); ok {
		_, _ = fmt.Fprintf(w, `<a download="%s" href="data:%s;base64,%s">`,
			html.EscapeString(path.Base(name)), mediaType(name), base64.StdEncoding.EncodeToString(data))
		return ast.WalkContinue, nil
	}
	_, _ = w.WriteString("<a")
	if to := r.href(n.Destination); to != "" {
		_, _ = fmt.Fprintf(w, ` href="%s"`, html.EscapeString(to))
	}
	if len(n.Title) > 0 {
		_, _ = fmt.Fprintf(w, ` title="%s"`, html.EscapeString(string(util.UnescapePunctuations(n.Title))))
	}
	_, _ = w.WriteString(">")
	return ast.WalkContinue, nil
}

func mediaType(name string) string {
	switch path.Ext(name) {
	case ".csv":
		return "text/csv;charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "text/plain;charset=utf-8"
}

func (r *pageRenderer) autoLink(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.AutoLink)
	target := n.URL(source)
	if n.AutoLinkType == ast.AutoLinkEmail && !bytes.HasPrefix(bytes.ToLower(target), []byte("mailto:")) {
		target = append([]byte("mailto:"), target...)
	}
	label := html.EscapeString(string(n.Label(source)))
	if to := r.href(target); to != "" {
		_, _ = fmt.Fprintf(w, `<a href="%s">%s</a>`, html.EscapeString(to), label)
	} else {
		_, _ = w.WriteString(label)
	}
	return ast.WalkContinue, nil
}

// prefix is what the ids of a picture begin with: the name of its figure, or a number where it is none, or is there again.
func (r *pageRenderer) prefix(n ast.Node) string {
	m, _ := inside(n)
	name := m.anchor()
	if name == "" || r.drawn[name] {
		name = fmt.Sprintf("picture-%d", len(r.drawn))
	}
	r.drawn[name] = true
	return name + "."
}

// image draws a figure of the report in its place; of any other picture it gives the link.
func (r *pageRenderer) image(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.Image)
	if name, data, ok := r.file(n.Destination); ok && path.Ext(name) == ".svg" {
		_, _ = w.Write(append(inlineSVG(data, r.prefix(n)), '\n'))
		return ast.WalkSkipChildren, nil
	}
	alt := html.EscapeString(plain(n, source))
	r.warn(max(place(n.Parent()), 0), "the picture %q is none of the report's: its page shows a link to it", n.Destination)
	if to := r.href(n.Destination); to != "" {
		_, _ = fmt.Fprintf(w, `<a href="%s">%s</a>`, html.EscapeString(to), alt)
	} else {
		_, _ = w.WriteString(alt)
	}
	return ast.WalkSkipChildren, nil
}

// paragraph is the caption where it is the text of a figure or table.
func (r *pageRenderer) paragraph(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	tag := "p"
	if s, ok := node.Parent().(*section); ok && (s.mark.Kind == "figure" || s.mark.Kind == "table") {
		switch {
		case r.isFigure(node):
			tag = ""
		case captionOf(r, s) == node:
			tag = "figcaption"
		}
	}
	if tag == "" {
		return ast.WalkContinue, nil
	}
	if entering {
		_, _ = w.WriteString("<" + tag + ">")
		return ast.WalkContinue, nil
	}
	if s, ok := quotedClaim(node); ok {
		_, _ = fmt.Fprintf(w, ` <a class="back" href="#verdict-%s" aria-label="in the table of claims">↓</a>`, s.mark.ID)
	}
	_, _ = w.WriteString("</" + tag + ">\n")
	return ast.WalkContinue, nil
}

// isFigure says whether a paragraph is nothing but a figure of the report.
func (r *pageRenderer) isFigure(p ast.Node) bool {
	n, ok := p.FirstChild().(*ast.Image)
	if !ok || n.NextSibling() != nil {
		return false
	}
	name, _, ok := r.file(n.Destination)
	return ok && path.Ext(name) == ".svg"
}

// captionOf is the first paragraph of text of a figure or table.
func captionOf(r *pageRenderer, s *section) ast.Node {
	for c := s.FirstChild(); c != nil; c = c.NextSibling() {
		if c.Kind() == ast.KindParagraph && !r.isFigure(c) {
			return c
		}
	}
	return nil
}

// quotedClaim says whether a paragraph is the last one of a claim, which has a row in the table of claims.
func quotedClaim(p ast.Node) (*section, bool) {
	if p.NextSibling() != nil || p.Parent().Kind() != ast.KindBlockquote {
		return nil, false
	}
	s, ok := p.Parent().Parent().(*section)
	return s, ok && s.mark.Kind == "claim"
}

// codeSpan is code; in the lists at the end the id of a claim, a figure or a table leads there.
func (r *pageRenderer) codeSpan(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	var b strings.Builder
	for c := node.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.WriteString(strings.ReplaceAll(string(t.Segment.Value(source)), "\n", " "))
		}
	}
	code := html.EscapeString(b.String())
	m, _ := inside(node)
	to := r.anchors[b.String()]
	if to == "" || m.Kind != "claims" && m.Kind != "warnings" {
		_, _ = w.WriteString("<code>" + code + "</code>")
		return ast.WalkSkipChildren, nil
	}
	id := ""
	if m.Kind == "claims" && !r.told[code] {
		r.told[code] = true
		id = ` id="verdict-` + code + `"`
	}
	_, _ = fmt.Fprintf(w, `<a%s href="#%s"><code>%s</code></a>`, id, html.EscapeString(to), code)
	return ast.WalkSkipChildren, nil
}

// table may be wider than the page.
func (r *pageRenderer) table(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString(`<div class="wide" tabindex="0">` + "\n<table>\n")
	} else {
		_, _ = w.WriteString("</table>\n</div>\n")
	}
	return ast.WalkContinue, nil
}

func (r *pageRenderer) section(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	m := node.(*section).mark
	tag := "section"
	if m.Kind == "figure" || m.Kind == "table" {
		tag = "figure"
	}
	class, id := m.Kind, ""
	if m.State != "" {
		class += " " + strings.ReplaceAll(m.State, " ", "-")
	}
	if m.anchor() != "" {
		id = ` id="` + html.EscapeString(m.anchor()) + `"`
	}
	if entering {
		_, _ = fmt.Fprintf(w, "<%s class=\"%s\"%s>\n", tag, html.EscapeString(class), id)
	} else {
		_, _ = w.WriteString("</" + tag + ">\n")
	}
	return ast.WalkContinue, nil
}
