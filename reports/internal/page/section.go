package page

import "github.com/yuin/goldmark/ast"

// section is the blocks of one mark.
type section struct {
	ast.BaseBlock
	mark Mark
}

var kindSection = ast.NewNodeKind("Section")

func (n *section) Kind() ast.NodeKind            { return kindSection }
func (n *section) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// divide gathers the blocks of each mark. A block that reaches over its end, because somebody's Markdown is not closed, stays outside.
func divide(root ast.Node, marks []Mark) {
	var open *section
	i := 0
	for n := root.FirstChild(); n != nil; {
		next := n.NextSibling()
		at := place(n)
		for i < len(marks) && at >= marks[i].To {
			i++
			open = nil
		}
		if i < len(marks) && at >= marks[i].From {
			if _, heading := n.(*ast.Heading); heading { // stays where contents finds it
				n = next
				continue
			}
			if open == nil {
				open = &section{mark: marks[i]}
				root.InsertBefore(root, n, open)
			}
			open.AppendChild(open, n) // which takes it from root
		}
		n = next
	}
}

// place is where a block begins in the Markdown, as far as its text tells; −1 if it has none.
func place(n ast.Node) int {
	if n.Type() == ast.TypeInline {
		return -1
	}
	if m, ok := n.(*mathBlock); ok {
		return m.at
	}
	if lines := n.Lines(); lines != nil && lines.Len() > 0 {
		return lines.At(0).Start
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if at := place(c); at >= 0 {
			return at
		}
	}
	return n.Pos()
}

// inside is the mark whose section a node stands in.
func inside(n ast.Node) (Mark, bool) {
	for ; n != nil; n = n.Parent() {
		if s, ok := n.(*section); ok {
			return s.mark, true
		}
	}
	return Mark{}, false
}
