package page

import (
	"bytes"
	"fmt"
	"html"

	"github.com/yuin/goldmark/ast"
)

// Bounds of Markdown: how deep quotations and lists may be nested on a line, and how many links may begin, or be defined, between two
// empty lines. A parser takes time in the square of these; no text for people comes near.
const (
	maxNested = 50
	maxLinks  = 10_000
)

// unbearable finds the first line that is beyond the bounds, from 1; 0 if there is none.
func unbearable(markdown []byte) (line int, why string) {
	links := 0
	for text := range bytes.Lines(markdown) {
		line++
		if len(bytes.TrimSpace(text)) == 0 {
			links = 0
		}
		if nested(text) > maxNested {
			return line, fmt.Sprintf("quotations or lists are nested more than %d deep", maxNested)
		}
		if links += bytes.Count(text, []byte("](")) + bytes.Count(text, []byte("]:")); links > maxLinks {
			return line, fmt.Sprintf("a paragraph has more than %d links", maxLinks)
		}
	}
	return 0, ""
}

// nested counts the signs of quotations and lists with which a line begins.
func nested(line []byte) int {
	for n := 0; ; n++ {
		line = bytes.TrimLeft(line, " \t")
		digits := len(line) - len(bytes.TrimLeft(line, "0123456789"))
		rest := line[digits:]
		switch {
		case digits == 0 && len(rest) > 0 && rest[0] == '>':
			line = rest[1:]
		case len(rest) > 1 && (rest[1] == ' ' || rest[1] == '\t') && bytes.IndexByte(marks(digits > 0), rest[0]) >= 0:
			line = rest[1:]
		default:
			return n
		}
	}
}

// marks are what follows the number of a list, or stands in its place.
func marks(numbered bool) []byte {
	if numbered {
		return []byte(".)")
	}
	return []byte("-+*")
}

// asSource is a page's content where its Markdown is not parsed.
func asSource(markdown []byte) (ast.Node, []byte) {
	return ast.NewDocument(), fmt.Appendf(nil, "<pre>%s</pre>\n", html.EscapeString(string(markdown)))
}
