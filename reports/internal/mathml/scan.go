package mathml

import (
	"unicode"
	"unicode/utf8"
)

// tokenKind is what a token is.
type tokenKind int

const (
	tokenEnd     tokenKind = iota // behind the last one
	tokenChar                     // a letter or sign
	tokenNumber                   // digits, with a decimal point between them
	tokenCommand                  // \name or \sign; text is without the backslash
	tokenOpen                     // {
	tokenClose                    // }
	tokenUp                       // ^
	tokenDown                     // _
	tokenCell                     // &
	tokenLine                     // \\
	tokenPrime                    // one or more '
)

// token is one sign of the source.
type token struct {
	kind  tokenKind
	text  string
	at    int  // where it begins
	end   int  // where it ends
	space bool // white space stands before it
}

// scan cuts a formula into tokens. White space only parts them, but inside \text, which reads the source itself.
func scan(tex string) ([]token, *Error) {
	for i, r := range tex {
		if _, n := utf8.DecodeRuneInString(tex[i:]); r == utf8.RuneError && n == 1 {
			return nil, errorf(i, "it is not UTF-8")
		}
		if !inXML(r) || unicode.IsControl(r) && !unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return nil, errorf(i, "the character %U is not known", r)
		}
	}
	var out []token
	space := false
	for i := 0; i < len(tex); {
		r, n := utf8.DecodeRuneInString(tex[i:])
		if unicode.IsSpace(r) && r != '\u00a0' {
			space = true
			i += n
			continue
		}
		t := token{kind: tokenChar, text: tex[i : i+n], at: i, end: i + n, space: space}
		switch r {
		case '{':
			t.kind = tokenOpen
		case '}':
			t.kind = tokenClose
		case '^':
			t.kind = tokenUp
		case '_':
			t.kind = tokenDown
		case '&':
			t.kind = tokenCell
		case '\'':
			t.kind = tokenPrime
			for t.end < len(tex) && tex[t.end] == '\'' {
				t.end++
			}
		case '\\':
			t.kind = tokenCommand
			t.end = i + 1 + nameLength(tex[i+1:])
			if t.end == i+1 {
				return nil, errorf(i, "it ends with a backslash")
			}
			if tex[i+1] == '\\' {
				t.kind = tokenLine
			}
		case '%', '#', '$', '"', '`':
			return nil, errorf(i, "%s stands for itself only as \\%s", t.text, t.text)
		default:
			if isDigit(tex[i]) {
				t.kind = tokenNumber
				t.end = i + numberLength(tex[i:])
			}
		}
		t.text = tex[t.at:t.end]
		if t.kind == tokenCommand {
			t.text = t.text[1:]
		}
		out = append(out, t)
		space = false
		i = t.end
	}
	return out, nil
}

// nameLength is the length of a command's name: letters, or one sign.
func nameLength(s string) int {
	n := 0
	for n < len(s) && isLetter(s[n]) {
		n++
	}
	if n == 0 {
		_, n = utf8.DecodeRuneInString(s)
	}
	return n
}

// numberLength is the length of digits with at most one decimal point between them.
func numberLength(s string) int {
	n, point := 0, false
	for n < len(s) {
		switch {
		case isDigit(s[n]):
		case s[n] == '.' && !point && n+1 < len(s) && isDigit(s[n+1]):
			point = true
		default:
			return n
		}
		n++
	}
	return n
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// inXML says whether a character may stand in XML.
func inXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
}
