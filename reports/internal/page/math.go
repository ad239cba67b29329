package page

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// mathNode is a formula inside a line.
type mathNode struct {
	ast.BaseInline
	tex     string
	display bool
	at      int // where it begins in the Markdown
}

var kindMath = ast.NewNodeKind("Math")

func (n *mathNode) Kind() ast.NodeKind { return kindMath }
func (n *mathNode) Dump(source []byte, level int) {
	ast.DumpHelper(n, source, level, map[string]string{"tex": n.tex}, nil)
}

// mathParser finds $…$, $`…`$ and $$…$$ as GitHub does: no letter, digit or dollar touches the dollars from outside, no space from
// inside, and neither a code span nor an escaped dollar is part of one.
type mathParser struct{}

func (mathParser) Trigger() []byte { return []byte{'$'} }

func (mathParser) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	if before := block.PrecendingCharacter(); before == '$' || before == '\\' || isWord(before) {
		return nil
	}
	line, segment := block.PeekLine()
	row, at := block.Position()
	n := &mathNode{at: segment.Start}
	open, shut := "$", "$"
	switch {
	case bytes.HasPrefix(line, []byte("$$$")):
		return nil
	case bytes.HasPrefix(line, []byte("$$")):
		open, shut, n.display = "$$", "$$", true
	case bytes.HasPrefix(line, []byte("$`")):
		open, shut = "$`", "`$"
	}
	block.Advance(len(open))
	tex, ok := until(block, shut)
	switch {
	case !ok, strings.TrimSpace(tex) == "", shut == "$" && (isSpace(tex[0]) || isSpace(tex[len(tex)-1])),
		followed(block, shut):
		block.SetPosition(row, at)
		return nil
	}
	n.tex = strings.TrimSpace(tex)
	return n
}

// until reads on to the end of a formula, over the lines of its paragraph.
func until(block text.Reader, shut string) (string, bool) {
	var b strings.Builder
	for {
		line, _ := block.PeekLine()
		if line == nil {
			return "", false
		}
		for i := 0; i < len(line); i++ {
			switch {
			case bytes.HasPrefix(line[i:], []byte(shut)):
				b.Write(line[:i])
				block.Advance(i + len(shut))
				return b.String(), true
			case line[i] == '\\' && i+1 < len(line) && line[i+1] != '\n':
				i++
			case line[i] == '`':
				return "", false
			}
		}
		b.Write(line)
		block.AdvanceLine()
	}
}

// followed says whether a dollar follows, or, after a formula in a line, a letter or digit.
func followed(block text.Reader, shut string) bool {
	line, _ := block.PeekLine()
	r, _ := utf8.DecodeRune(line)
	return r == '$' || shut != "$$" && isWord(r)
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' }

// mathBlock is a display over several lines, which begins with a line $$.
type mathBlock struct {
	ast.BaseBlock
	at     int
	closed bool
}

var kindMathBlock = ast.NewNodeKind("MathBlock")

func (n *mathBlock) Kind() ast.NodeKind            { return kindMathBlock }
func (n *mathBlock) IsRaw() bool                   { return true }
func (n *mathBlock) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// mathBlockParser finds them. A display on one line is left to [mathParser].
type mathBlockParser struct{}

func (mathBlockParser) Trigger() []byte                             { return []byte{'$'} }
func (mathBlockParser) CanInterruptParagraph() bool                 { return true }
func (mathBlockParser) CanAcceptIndentedLine() bool                 { return false }
func (mathBlockParser) Close(ast.Node, text.Reader, parser.Context) {}

func (mathBlockParser) Open(_ ast.Node, reader text.Reader, _ parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	trimmed := bytes.TrimLeft(line, " ")
	if !bytes.HasPrefix(trimmed, []byte("$$")) || bytes.Contains(trimmed[2:], []byte("$$")) {
		return nil, parser.NoChildren
	}
	skip := len(line) - len(trimmed) + 2
	n := &mathBlock{at: segment.Start}
	n.Lines().Append(text.NewSegment(segment.Start+skip-segment.Padding, segment.Stop))
	reader.AdvanceToEOL()
	return n, parser.NoChildren
}

func (mathBlockParser) Continue(node ast.Node, reader text.Reader, _ parser.Context) parser.State {
	n := node.(*mathBlock)
	line, segment := reader.PeekLine()
	if n.closed || len(bytes.TrimSpace(line)) == 0 {
		return parser.Close
	}
	if i := bytes.Index(line, []byte("$$")); i >= 0 {
		if rest := bytes.TrimSpace(line[i+2:]); len(rest) > 0 {
			return parser.Close
		}
		n.closed = true
		segment = text.NewSegment(segment.Start, segment.Start+i-segment.Padding)
	}
	n.Lines().Append(segment)
	reader.AdvanceToEOL()
	return parser.Continue | parser.NoChildren
}
