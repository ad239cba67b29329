// Package mathml writes the part of TeX that reports use as presentation MathML: letters and Greek, scripts, fractions, roots,
// fences, accents, braces, alphabets, text, named functions, large operators, spaces and matrices, as the tables in symbols.go list
// them. The source goes along as an annotation. What is not in the tables is an [Error] that names its place, never a guess: the
// caller then shows the source.
//
// The package defines no macros, numbers no equations and knows nothing of Markdown: where a formula begins and ends is the caller's
// business.
package mathml

import "fmt"

// Bounds of a formula: bytes of its source, and how deep its groups may be nested. What is beyond them is refused, so that neither
// time (linear in the source) nor stack nor output can be made large.
const (
	MaxBytes = 8192
	MaxDepth = 32
)

// Error says what of a formula is not understood.
type Error struct {
	Offset int    // in bytes, from 0, where what is not understood begins
	Reason string // for people: "\\foo is not known"
}

func (e *Error) Error() string { return e.Reason }

func errorf(offset int, format string, args ...any) *Error {
	return &Error{offset, fmt.Sprintf(format, args...)}
}

// Convert writes a formula as a math element that is well-formed XML, without a namespace of its own: inline, or as a display on a line
// of its own. The error is an *[Error]; the text is then empty. An empty formula is one.
func Convert(tex string, display bool) (string, error) {
	if len(tex) > MaxBytes {
		return "", errorf(MaxBytes, "it has %d bytes, of which at most %d are converted", len(tex), MaxBytes)
	}
	tokens, err := scan(tex)
	if err != nil {
		return "", err
	}
	p := &parser{tokens: tokens, end: len(tex), display: display}
	row, err := p.row(0, func(token) bool { return false })
	if err != nil {
		return "", err
	}
	if len(row) == 0 {
		return "", errorf(0, "there is nothing in it")
	}
	w := &writer{}
	if display {
		w.open("math", ` display="block"`)
	} else {
		w.open("math", "")
	}
	w.open("semantics", "")
	w.group(row)
	w.leaf("annotation", ` encoding="application/x-tex"`, tex)
	w.close("semantics")
	w.close("math")
	return w.String(), nil
}
