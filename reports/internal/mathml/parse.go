package mathml

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// parser makes nodes of tokens by recursive descent.
type parser struct {
	tokens  []token
	i       int
	end     int // bytes of the source
	display bool
}

func (p *parser) peek() token {
	if p.i < len(p.tokens) {
		return p.tokens[p.i]
	}
	return token{kind: tokenEnd, at: p.end, end: p.end}
}

func (p *parser) next() token {
	t := p.peek()
	if t.kind != tokenEnd {
		p.i++
	}
	return t
}

// is says whether the next token is one of a kind and text.
func (p *parser) is(kind tokenKind, text string) bool {
	t := p.peek()
	return t.kind == kind && t.text == text
}

// deeper refuses what is nested too deeply.
func (p *parser) deeper(depth int) *Error {
	if depth > MaxDepth {
		return errorf(p.peek().at, "it is nested more than %d deep", MaxDepth)
	}
	return nil
}

// row reads atoms with their scripts up to the end of its group, or a token that stop knows; both are left there. A closing brace that
// nobody waits for is refused by depth 0.
func (p *parser) row(depth int, stop func(token) bool) ([]node, *Error) {
	if err := p.deeper(depth); err != nil {
		return nil, err
	}
	var out []node
	for {
		t := p.peek()
		if t.kind == tokenEnd || stop(t) {
			return out, nil
		}
		if t.kind == tokenClose {
			if depth == 0 {
				return nil, errorf(t.at, "a } closes nothing")
			}
			return out, nil
		}
		if t.kind == tokenCommand && ignored[t.text] {
			p.next()
			continue
		}
		base := node{tag: "mrow"} // of scripts without one
		if t.kind != tokenUp && t.kind != tokenDown && t.kind != tokenPrime {
			var err *Error
			if base, err = p.atom(depth); err != nil {
				return nil, err
			}
		}
		n, err := p.scripts(base, depth)
		if err != nil {
			return nil, err
		}
		if unary[n.text] && n.tag == "mo" && (len(out) == 0 || out[len(out)-1].class == operator || out[len(out)-1].class == opening) {
			n.attributes, n.class = ` form="prefix"`, ordinary
		}
		out = append(out, n)
	}
}

// unary are the operators that stand before a number as its sign where nothing is to their left.
var unary = map[string]bool{"−": true, "+": true, "±": true, "∓": true}

// group reads {…}.
func (p *parser) group(depth int) ([]node, *Error) {
	open := p.next()
	if open.kind != tokenOpen {
		return nil, errorf(open.at, "a { is missing")
	}
	row, err := p.row(depth+1, func(token) bool { return false })
	if err != nil {
		return nil, err
	}
	if p.next().kind != tokenClose {
		return nil, errorf(open.at, "a { is not closed")
	}
	return row, nil
}

// argument reads what a script or a command applies to: a group, one digit, or one atom.
func (p *parser) argument(of token, depth int) ([]node, *Error) {
	if err := p.deeper(depth + 1); err != nil {
		return nil, err
	}
	switch t := p.peek(); t.kind {
	case tokenOpen:
		return p.group(depth)
	case tokenNumber:
		if len(t.text) > 1 { // the others are not part of it
			p.tokens[p.i].text, p.tokens[p.i].at = t.text[1:], t.at+1
		} else {
			p.next()
		}
		return []node{leaf("mn", "", t.text[:1], ordinary)}, nil
	case tokenChar, tokenCommand:
		n, err := p.atom(depth + 1)
		return []node{n}, err
	}
	return nil, errorf(of.at, "something is missing after %s", of.shown())
}

// shown is a token for messages.
func (t token) shown() string {
	if t.kind == tokenCommand {
		return `\` + t.text
	}
	return t.text
}

// scripts reads the primes, exponents and indices of an atom.
func (p *parser) scripts(base node, depth int) (node, *Error) {
	var sup, sub []node
	var hasSup, hasSub bool
	for {
		t := p.peek()
		var err *Error
		switch {
		case t.kind == tokenCommand && (t.text == "limits" || t.text == "nolimits"):
			p.next()
			base.limits, base.always = false, t.text == "limits"
			if base.tag == "mo" && base.always && !strings.Contains(base.attributes, "movablelimits") {
				base.attributes += ` movablelimits="false"`
			} else if base.tag == "mo" {
				base.attributes = strings.Replace(base.attributes, `movablelimits="true"`, `movablelimits="false"`, 1)
			}
			continue
		case t.kind == tokenPrime && !hasSup:
			p.next()
			hasSup = true
			sup = []node{leaf("mo", "", primes(len(t.text)), ordinary)}
			if p.peek().kind == tokenUp {
				up := p.next()
				more, err := p.argument(up, depth)
				if err != nil {
					return node{}, err
				}
				sup = append(sup, more...)
			}
			continue
		case t.kind == tokenUp && !hasSup:
			p.next()
			hasSup = true
			sup, err = p.argument(t, depth)
		case t.kind == tokenDown && !hasSub:
			p.next()
			hasSub = true
			sub, err = p.argument(t, depth)
		case t.kind == tokenUp || t.kind == tokenDown || t.kind == tokenPrime:
			return node{}, errorf(t.at, "a second %s follows the first", t.text[:1])
		case !hasSup && !hasSub:
			return base, nil
		default:
			return scripted(base, sub, sup, hasSub, hasSup), nil
		}
		if err != nil {
			return node{}, err
		}
	}
}

func primes(n int) string {
	s := ""
	for range min(n, 4) {
		s += "′"
	}
	return s
}

// scripted puts scripts to an atom: beside it, or under and over it.
func scripted(base node, sub, sup []node, hasSub, hasSup bool) node {
	under, over, both := "msub", "msup", "msubsup"
	if base.limits || base.always {
		under, over, both = "munder", "mover", "munderover"
	}
	n := node{class: base.class, kids: []node{base}}
	below, above := grouped(spaced(sub)), grouped(spaced(sup))
	switch {
	case hasSub && hasSup:
		n.tag, n.kids = both, append(n.kids, below, above)
	case hasSub:
		n.tag, n.kids = under, append(n.kids, below)
	default:
		n.tag, n.kids = over, append(n.kids, above)
	}
	return n
}

// atom reads one thing without its scripts.
func (p *parser) atom(depth int) (node, *Error) {
	t := p.next()
	switch t.kind {
	case tokenNumber:
		return leaf("mn", "", t.text, ordinary), nil
	case tokenOpen:
		p.i--
		row, err := p.group(depth)
		return grouped(spaced(row)), err
	case tokenCommand:
		return p.command(t, depth)
	case tokenChar:
		return char(t)
	case tokenCell, tokenLine:
		return node{}, errorf(t.at, "%s stands outside of a matrix", t.text)
	case tokenClose:
		return node{}, errorf(t.at, "a } closes nothing")
	}
	return node{}, errorf(t.at, "something is missing")
}

// char is a character that is no command.
func char(t token) (node, *Error) {
	if s, ok := signs[t.text]; ok {
		switch s {
		case "/", ".":
			return leaf("mo", ` lspace="0em" rspace="0em"`, s, operator), nil
		case ",", ";":
			return leaf("mo", ` separator="true"`, s, operator), nil
		case "!":
			return leaf("mo", "", s, closing), nil
		}
		return leaf("mo", "", s, operator), nil
	}
	if d, ok := delimiters[t.text]; ok {
		return fence(t.text, d), nil
	}
	r, _ := utf8.DecodeRuneInString(t.text)
	switch {
	case t.text == "~" || r == '\u00a0':
		return leaf("mspace", ` width="`+spaces[" "]+`"`, "", spacing), nil
	case unicode.IsLetter(r):
		return leaf("mi", "", t.text, ordinary), nil
	case unicode.IsNumber(r):
		return leaf("mn", "", t.text, ordinary), nil
	case unicode.IsSymbol(r) && !unicode.Is(unicode.Sm, r):
		return leaf("mi", upright, t.text, ordinary), nil
	case unicode.Is(unicode.Sm, r), unicode.IsPunct(r):
		return leaf("mo", "", t.text, operator), nil
	}
	return node{}, errorf(t.at, "the character %U is not known", r)
}

// fence is a delimiter of the size of a line.
func fence(name, text string) node {
	switch {
	case openers[name]:
		return leaf("mo", ` form="prefix" stretchy="false"`, text, opening)
	case closers[name]:
		return leaf("mo", ` form="postfix" stretchy="false"`, text, closing)
	}
	return leaf("mo", ` lspace="0em" rspace="0em" stretchy="false"`, text, ordinary)
}
