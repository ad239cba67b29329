package mathml

import "strings"

// textStyles are the looks of \text and its like.
var textStyles = map[string]string{
	"textbf": ` style="font-weight:bold"`, "textit": ` style="font-style:italic"`, "texttt": ` style="font-family:monospace"`,
	"textsf": ` style="font-family:sans-serif"`,
}

// text reads \text{…}: words, with the spaces between them.
func (p *parser) text(t token) (node, *Error) {
	open := p.peek()
	if open.kind != tokenOpen {
		return node{}, errorf(t.at, "a { is missing after %s", t.shown())
	}
	p.next()
	var b strings.Builder
	for depth := 1; ; {
		in := p.next()
		if in.kind == tokenEnd {
			return node{}, errorf(open.at, "a { is not closed")
		}
		if in.space {
			b.WriteRune('\u00a0') // an ordinary one would go at either end
		}
		switch in.kind {
		case tokenOpen:
			depth++
		case tokenClose:
			if depth--; depth == 0 {
				return leaf("mtext", textStyles[t.text], b.String(), ordinary), nil
			}
		case tokenPrime:
			b.WriteString(strings.Repeat("’", len(in.text)))
		case tokenCommand:
			switch in.text {
			case "%", "#", "$", "_", "&", "{", "}":
				b.WriteString(in.text)
			case " ", ",":
				b.WriteRune('\u00a0')
			default:
				return node{}, errorf(in.at, `\%s is not known in a text`, in.text)
			}
		case tokenUp, tokenDown, tokenCell, tokenLine:
			return node{}, errorf(in.at, "%s is not known in a text", in.text)
		default:
			if in.text == "~" {
				in.text = "\u00a0"
			}
			b.WriteString(in.text)
		}
	}
}
