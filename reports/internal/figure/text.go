package figure

import (
	"strings"
	"sync"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"
)

// Extents of Liberation Sans around the baseline, in ems: the height of capitals and digits, and the depth of g and parentheses.
// The line gap leaves room between the two.
const (
	ascent  = 0.73
	descent = 0.21
	leading = 1.18

	scriptSize  = 0.7   // of super- and subscripts, in ems
	superRaise  = 0.36  // baseline of superscripts
	subRaise    = -0.16 // baseline of subscripts
	ellipsis    = "…"
	superDigits = "⁰¹²³⁴⁵⁶⁷⁸⁹"
	subDigits   = "₀₁₂₃₄₅₆₇₈₉"
)

var faces = sync.OnceValue(func() *font.Cache { return font.NewCache(liberation.Collection()) })

// face returns Liberation Sans at a size in points.
func face(size float64) font.Face {
	return faces().Lookup(font.Font{Typeface: "Liberation", Variant: "Sans"}, vg.Length(size))
}

// run is a piece of text on one baseline in one size, both relative to the font size of its label.
type run struct {
	s           string
	size, raise float64 // ems
	width       float64 // ems
}

// label is a laid-out text of one or more lines.
type label struct {
	lines [][]run
	size  float64 // points
	w, h  float64 // extents in points
	top   float64 // by how much superscripts in the first line stand out above capitals
	cut   bool    // not all of the text is there
}

// layout lays out s. Unicode superscripts and subscripts (10⁻³, log₁₀) become small raised or lowered text, since few fonts hold
// them all; so do _{…} and ^{…}. A text wider than maxWidth (0: any width) is broken at spaces, or after one of "-_/→,", into at most maxLines lines;
// what still does not fit ends in an ellipsis.
func layout(s string, size, maxWidth float64, maxLines int) label {
	s = strings.Join(strings.Fields(clean(s)), " ")
	l := label{size: size}
	lines := []string{s}
	if maxWidth > 0 && textWidth(s, size) > maxWidth {
		lines, l.cut = breakLines(s, size, maxWidth, maxLines)
	}
	for _, line := range lines {
		runs := splitRuns(line)
		w := 0.0
		for _, r := range runs {
			w += r.width
		}
		l.lines = append(l.lines, runs)
		l.w = max(l.w, w*size)
	}
	for _, r := range l.lines[0] {
		if r.raise > 0 {
			l.top = size * (superRaise + scriptSize*ascent - ascent)
		}
	}
	l.h = l.top + size*(ascent+descent+leading*float64(len(lines)-1))
	return l
}

// textWidth is the width of s on one line, in points.
func textWidth(s string, size float64) float64 {
	w := 0.0
	for _, r := range splitRuns(s) {
		w += r.width
	}
	return w * size
}

// breakLines breaks s greedily; cut says that an ellipsis stands for some of it.
func breakLines(s string, size, maxWidth float64, maxLines int) (lines []string, cut bool) {
	line := ""
	for _, word := range breakable(s) {
		if line != "" && textWidth(strings.TrimRight(line+word, " "), size) > maxWidth {
			lines = append(lines, strings.TrimRight(line, " "))
			line = ""
		}
		line += word
	}
	lines = append(lines, strings.TrimRight(line, " "))
	if len(lines) > maxLines {
		lines[maxLines-1] = strings.Join(lines[maxLines-1:], " ") // too long: to be shortened below
		lines = lines[:maxLines]
	}
	for i, line := range lines {
		lines[i] = shorten(line, size, maxWidth)
		cut = cut || lines[i] != line
	}
	return lines, cut
}

// shorten cuts s to maxWidth with an ellipsis at its end.
func shorten(s string, size, maxWidth float64) string {
	if textWidth(s, size) <= maxWidth {
		return s
	}
	r := []rune(s)
	for len(r) > 1 && textWidth(string(r)+ellipsis, size) > maxWidth {
		r = r[:len(r)-1]
	}
	return strings.TrimRight(string(r), " ") + ellipsis
}

// breakable cuts s behind every place where a line may end.
func breakable(s string) []string {
	var words []string
	start := 0
	runes := []rune(s)
	for i, r := range runes {
		if strings.ContainsRune(" -_/→,", r) && i+1 < len(runes) && runes[i+1] != '{' && runes[i+1] != ' ' {
			words = append(words, string(runes[start:i+1]))
			start = i + 1
		}
	}
	return append(words, string(runes[start:]))
}

// splitRuns splits s into runs and measures them.
func splitRuns(s string) []run {
	var runs []run
	var b strings.Builder
	last := run{size: 1}
	braced := 0.0 // raise inside _{…} and ^{…}
	flush := func() {
		if b.Len() > 0 {
			last.s = b.String()
			last.width = emWidth(last.s) * last.size
			runs = append(runs, last)
			b.Reset()
		}
	}
	for i, r := range s {
		next, plain := script(r)
		switch {
		case braced != 0 && r == '}':
			braced = 0
			continue
		case braced != 0 && r == '{':
			continue
		case braced != 0:
			next = braced
		case r == '_' && closes(s[i+1:]):
			braced = subRaise
			continue
		case r == '^' && closes(s[i+1:]):
			braced = superRaise
			continue
		}
		if next != last.raise {
			flush()
			last = run{size: 1}
			if next != 0 {
				last = run{size: scriptSize, raise: next}
			}
		}
		b.WriteRune(plain)
	}
	flush()
	return runs
}

// closes says whether s begins with a braced group.
func closes(s string) bool { return strings.HasPrefix(s, "{") && strings.Contains(s, "}") }

// script returns the raise of a super- or subscript with the character it stands for; other characters have no raise.
func script(r rune) (raise float64, plain rune) {
	digit := func(digits string) (rune, bool) {
		i := 0
		for _, d := range digits {
			if d == r {
				return rune('0' + i), true
			}
			i++
		}
		return 0, false
	}
	if d, ok := digit(superDigits); ok {
		return superRaise, d
	}
	if d, ok := digit(subDigits); ok {
		return subRaise, d
	}
	switch r {
	case '⁻':
		return superRaise, '−'
	case '⁺':
		return superRaise, '+'
	case 'ⁿ':
		return superRaise, 'n'
	case '₋':
		return subRaise, '−'
	case '₊':
		return subRaise, '+'
	case 'ₖ':
		return subRaise, 'k'
	}
	return 0, r
}

// emWidth is the width of s in ems.
func emWidth(s string) float64 {
	f := face(1000)
	return float64(f.Width(s)) / 1000
}

// superscript writes an integer in superscript digits.
func superscript(n int) string {
	digits := []rune(superDigits)
	var b strings.Builder
	for _, r := range itoa(n) {
		if r == '-' {
			b.WriteRune('⁻')
			continue
		}
		b.WriteRune(digits[r-'0'])
	}
	return b.String()
}
