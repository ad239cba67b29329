package mathml

import "strings"

// command reads the rest of a command.
func (p *parser) command(t token, depth int) (node, *Error) {
	name := t.text
	if n, ok := symbol(name); ok {
		return n, nil
	}
	if mark, ok := accents[name]; ok {
		return p.accent(t, "mover", mark, ` accent="true"`, ` stretchy="false"`, depth)
	}
	if mark, ok := wideAccents[name]; ok {
		n, err := p.accent(t, "mover", mark, ` accent="true"`, ` stretchy="true"`, depth)
		n.always = name == "overbrace"
		return n, err
	}
	if mark, ok := underAccents[name]; ok {
		n, err := p.accent(t, "munder", mark, ` accentunder="true"`, ` stretchy="true"`, depth)
		n.always = name == "underbrace"
		return n, err
	}
	if other, ok := sameAlphabet[name]; ok {
		name = other
	}
	if a, ok := alphabets[name]; ok {
		row, err := p.argument(t, depth)
		if err != nil {
			return node{}, err
		}
		return a.in(grouped(spaced(row))), nil
	}
	if size, side, ok := sized(name); ok {
		return p.big(t, size, side)
	}
	switch name {
	case "frac", "dfrac", "tfrac", "binom":
		return p.fraction(t, depth)
	case "sqrt":
		return p.root(t, depth)
	case "left":
		return p.fenced(t, depth)
	case "right":
		return node{}, errorf(t.at, `\right without \left`)
	case "middle":
		d, err := p.delimiter(t)
		return leaf("mo", ` fence="true" stretchy="true"`, d, operator), err
	case "mathrm", "mathup", "rm", "operatorname":
		return p.roman(t, depth)
	case "mathit", "mathnormal":
		row, err := p.argument(t, depth)
		return grouped(row), err
	case "text", "textrm", "textnormal", "textup", "mbox", "hbox", "textbf", "textit", "texttt", "textsf":
		return p.text(t)
	case "overset", "stackrel", "underset":
		return p.stacked(t, depth)
	case "phantom":
		row, err := p.argument(t, depth)
		return node{tag: "mphantom", kids: []node{grouped(spaced(row))}}, err
	case "begin":
		return p.matrix(t, depth)
	case "end":
		return node{}, errorf(t.at, `\end without \begin`)
	}
	return node{}, errorf(t.at, `\%s is not known`, t.text)
}

// symbol is a command that stands for one sign or name.
func symbol(name string) (node, bool) {
	if s, ok := letters[name]; ok {
		return leaf("mi", "", s, ordinary), true
	}
	if s, ok := uprightLetters[name]; ok {
		return leaf("mi", upright, s, ordinary), true
	}
	if s, ok := operators[name]; ok {
		return leaf("mo", "", s, operator), true
	}
	if s, ok := functions[name]; ok {
		return leaf("mi", "", s, function), true
	}
	if s, ok := limitFunctions[name]; ok {
		n := leaf("mo", ` movablelimits="true" lspace="0em" rspace="0em"`, s, function)
		n.limits = true
		return n, true
	}
	if s, ok := largeOperators[name]; ok {
		n := leaf("mo", "", s, operator)
		n.limits = true
		return n, true
	}
	if s, ok := integrals[name]; ok {
		return leaf("mo", "", s, operator), true
	}
	if s, ok := spaces[name]; ok {
		return leaf("mspace", ` width="`+s+`"`, "", spacing), true
	}
	if s, ok := delimiters[`\`+name]; ok {
		return fence(`\`+name, s), true
	}
	return node{}, false
}

// accent puts a mark over or under an argument.
func (p *parser) accent(t token, tag, mark, attributes, markAttributes string, depth int) (node, *Error) {
	row, err := p.argument(t, depth)
	if err != nil {
		return node{}, err
	}
	if bars[t.text] {
		attributes = ""
	}
	return node{tag: tag, attributes: attributes, kids: []node{
		grouped(spaced(row)), leaf("mo", markAttributes, mark, operator),
	}}, nil
}

// stacked reads \overset{above}{base} and its like.
func (p *parser) stacked(t token, depth int) (node, *Error) {
	mark, err := p.argument(t, depth)
	if err != nil {
		return node{}, err
	}
	base, err := p.argument(t, depth)
	if err != nil {
		return node{}, err
	}
	tag := "mover"
	if t.text == "underset" {
		tag = "munder"
	}
	b := grouped(spaced(base))
	return node{tag: tag, kids: []node{b, grouped(spaced(mark))}, class: b.class}, nil
}

func (p *parser) fraction(t token, depth int) (node, *Error) {
	top, err := p.argument(t, depth)
	if err != nil {
		return node{}, err
	}
	bottom, err := p.argument(t, depth)
	if err != nil {
		return node{}, err
	}
	n := node{tag: "mfrac", kids: []node{grouped(spaced(top)), grouped(spaced(bottom))}}
	switch t.text {
	case "binom":
		n.attributes = ` linethickness="0"`
		n = node{tag: "mrow", kids: []node{stretched("(", "prefix", opening), n, stretched(")", "postfix", closing)}}
	case "dfrac":
		n = node{tag: "mstyle", attributes: ` displaystyle="true"`, kids: []node{n}}
	case "tfrac":
		n = node{tag: "mstyle", attributes: ` displaystyle="false"`, kids: []node{n}}
	}
	return n, nil
}

func (p *parser) root(t token, depth int) (node, *Error) {
	var index []node
	if p.is(tokenChar, "[") {
		p.next()
		var err *Error
		if index, err = p.row(depth+1, func(t token) bool { return t.kind == tokenChar && t.text == "]" }); err != nil {
			return node{}, err
		}
		if !p.is(tokenChar, "]") {
			return node{}, errorf(t.at, `the [ after \sqrt is not closed`)
		}
		p.next()
	}
	under, err := p.argument(t, depth)
	if err != nil {
		return node{}, err
	}
	if index != nil {
		return node{tag: "mroot", kids: []node{grouped(spaced(under)), grouped(index)}}, nil
	}
	return node{tag: "msqrt", kids: []node{grouped(spaced(under))}}, nil
}

// roman reads \mathrm and \operatorname.
func (p *parser) roman(t token, depth int) (node, *Error) {
	limits := t.text == "operatorname" && p.is(tokenChar, "*")
	if limits {
		p.next()
	}
	row, err := p.argument(t, depth)
	if err != nil {
		return node{}, err
	}
	n := grouped(romanise(row))
	if t.text == "operatorname" {
		n.class, n.limits = function, limits
	}
	return n, nil
}

// delimiter reads what follows \left and its like; a point stands for nothing.
func (p *parser) delimiter(of token) (string, *Error) {
	t := p.next()
	if d, ok := delimiters[t.shown()]; ok && (t.kind == tokenChar || t.kind == tokenCommand) {
		return d, nil
	}
	if t.kind == tokenEnd {
		return "", errorf(of.at, "a delimiter is missing after %s", of.shown())
	}
	return "", errorf(t.at, "%s is no delimiter that %s knows", t.shown(), of.shown())
}

func stretched(text, form string, c class) node {
	return leaf("mo", ` fence="true" form="`+form+`" stretchy="true"`, text, c)
}

// fenced reads \left( … \right).
func (p *parser) fenced(t token, depth int) (node, *Error) {
	left, err := p.delimiter(t)
	if err != nil {
		return node{}, err
	}
	row, err := p.row(depth+1, func(t token) bool { return t.kind == tokenCommand && t.text == "right" })
	if err != nil {
		return node{}, err
	}
	if !p.is(tokenCommand, "right") {
		return node{}, errorf(t.at, `\left without \right`)
	}
	right, err := p.delimiter(p.next())
	if err != nil {
		return node{}, err
	}
	n := node{tag: "mrow"}
	if left != "" {
		n.kids = append(n.kids, stretched(left, "prefix", opening))
	}
	n.kids = append(n.kids, spaced(row)...)
	if right != "" {
		n.kids = append(n.kids, stretched(right, "postfix", closing))
	}
	return n, nil
}

// sized takes \bigl apart: the height of \big, and the side that the delimiter closes.
func sized(name string) (size, side string, ok bool) {
	stem := strings.TrimRight(name, "lrm")
	size, ok = sizes[stem]
	side = name[len(stem):]
	return size, side, ok && len(side) <= 1
}

func (p *parser) big(t token, size, side string) (node, *Error) {
	d, err := p.delimiter(t)
	if err != nil {
		return node{}, err
	}
	attributes := ` stretchy="true" symmetric="true" minsize="` + size + `" maxsize="` + size + `"`
	switch side {
	case "l":
		return leaf("mo", ` form="prefix"`+attributes, d, opening), nil
	case "r":
		return leaf("mo", ` form="postfix"`+attributes, d, closing), nil
	case "m":
		return leaf("mo", attributes, d, operator), nil
	}
	return leaf("mo", ` lspace="0em" rspace="0em"`+attributes, d, ordinary), nil
}
