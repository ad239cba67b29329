package mathml

import "strings"

// class is what TeX calls the kind of an atom; it decides the space around named functions.
type class int

const (
	ordinary class = iota
	function       // log, max: a thin space to its ordinary neighbours
	operator       // + = ∑: MathML's own dictionary spaces it
	opening
	closing
	spacing
)

// node is an element of MathML.
type node struct {
	tag, attributes string
	text            string // of a leaf
	kids            []node
	class           class
	limits          bool // its scripts stand under and over it (in displays)
	always          bool // its scripts stand under and over it everywhere
}

func leaf(tag, attributes, text string, c class) node {
	return node{tag: tag, attributes: attributes, text: text, class: c}
}

// grouped makes one node of several.
func grouped(row []node) node {
	if len(row) == 1 {
		return row[0]
	}
	return node{tag: "mrow", kids: row}
}

// writer writes nodes.
type writer struct{ strings.Builder }

func (w *writer) open(tag, attributes string) { w.WriteString("<" + tag + attributes + ">") }
func (w *writer) close(tag string)            { w.WriteString("</" + tag + ">") }

func (w *writer) leaf(tag, attributes, text string) {
	w.open(tag, attributes)
	w.WriteString(escape.Replace(text))
	w.close(tag)
}

// escape is for text and for attribute values.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func (w *writer) node(n node) {
	switch {
	case len(n.kids) > 0:
		w.open(n.tag, n.attributes)
		for _, k := range n.kids {
			w.node(k)
		}
		w.close(n.tag)
	case n.text == "": // a space, an empty group
		w.WriteString("<" + n.tag + n.attributes + "/>")
	default:
		w.leaf(n.tag, n.attributes, n.text)
	}
}

// group writes a row as the one child that semantics wants.
func (w *writer) group(row []node) { w.node(node{tag: "mrow", kids: spaced(row)}) }

const thinSpace = "0.1667em"

// spaced parts named functions from ordinary neighbours, as TeX does: log x, but log(x).
func spaced(row []node) []node {
	var out []node
	for i, n := range row {
		if i > 0 {
			before := row[i-1].class
			if n.class == function && (before == ordinary || before == function || before == closing) ||
				before == function && n.class == ordinary {
				out = append(out, leaf("mspace", ` width="`+thinSpace+`"`, "", spacing))
			}
		}
		out = append(out, n)
	}
	return out
}
