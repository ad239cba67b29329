package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// TellChanges writes changes for people, a line each, at most so many (0: all), the verdicts of claims first and the data of a figure in
// one line; more is how many lines it left out.
func TellChanges(changes []Change, most int) (lines []string, more int) {
	var verdicts, others []string
	for i := 0; i < len(changes); i++ {
		c := changes[i]
		switch {
		case c.Kind == claimItem && c.Where == ofVerdict:
			verdicts = append(verdicts, c.String())
		case c.Kind == figureItem:
			j := i + 1
			for j < len(changes) && changes[j].Kind == figureItem && changes[j].Item == c.Item {
				j++
			}
			others = append(others, figureLine(changes[i:j]))
			i = j - 1
		default:
			others = append(others, c.String())
		}
	}
	lines = append(verdicts, others...)
	if most > 0 && len(lines) > most {
		lines, more = lines[:most], len(lines)-most
	}
	return lines, more
}

// figureLine tells of the changed data of one figure.
func figureLine(changes []Change) string {
	if len(changes) == 1 {
		return changes[0].String()
	}
	greatest := 0.0
	for _, c := range changes {
		if c.Relative != nil {
			greatest = max(greatest, math.Abs(*c.Relative))
		}
	}
	s := fmt.Sprintf("figure %s: %d values changed", changes[0].Item, len(changes))
	if greatest > 0 {
		s += ", by at most " + share(greatest)
	}
	return s
}

// String is the change for people: "table by-method, immunize: rir 356.2 → 358.1 (+0.53 %)".
func (c Change) String() string {
	s := c.Kind + " " + c.Item
	if c.Kind == numberItem {
		s = fmt.Sprintf("spec line %d", c.Line)
	} else if c.Where != "" && (c.Kind != claimItem || c.Where != ofVerdict) {
		s += ", " + c.Where
	}
	old, now := pair(c.Old, c.New)
	switch {
	case c.Old == nil && c.New == nil:
		s += ": changed"
	case c.Old == nil:
		s += ": new: " + now
	case c.New == nil:
		s += ": no more: " + old
	default:
		s += ": " + old + " → " + now
	}
	if c.Relative != nil {
		s += " (" + signedShare(*c.Relative) + ")"
	}
	if c.Kind == numberItem {
		s += ": " + cut(c.Where, 70)
	}
	return plainLine(s)
}

// signedShare is share with a sign.
func signedShare(x float64) string {
	sign := "+"
	if x < 0 {
		sign = "−"
	}
	s := share(math.Abs(x))
	if rest, ok := strings.CutPrefix(s, relative); ok {
		return relative + sign + rest
	}
	return sign + s
}

// relative begins a difference that per cent are too coarse for.
const relative = "relative "

// share writes a relative difference: in per cent where that is readable.
func share(x float64) string {
	if x >= 1e-5 {
		return trimZeros(significant(100*x, 2)) + " %"
	}
	return relative + trimZeros(significant(x, 1))
}

// pair writes two values with as few digits, from four on, as show the difference.
func pair(old, now *string) (string, string) {
	if old == nil || now == nil {
		return short(old), short(now)
	}
	x, errX := strconv.ParseFloat(*old, 64)
	y, errY := strconv.ParseFloat(*now, 64)
	if errX != nil || errY != nil {
		return short(old), short(now)
	}
	for digits := tableDigits; digits < csvDigits; digits++ {
		a, b := trimZeros(significantOr(x, digits)), trimZeros(significantOr(y, digits))
		if a != b {
			return a, b
		}
	}
	return trimZeros(significantOr(x, csvDigits)), trimZeros(significantOr(y, csvDigits))
}

func significantOr(x float64, digits int) string {
	if x == math.Trunc(x) && math.Abs(x) < plainTo {
		return format{kind: "int"}.number(x)
	}
	return format{"sig", digits}.number(x)
}

func short(v *string) string {
	if v == nil {
		return none
	}
	if x, err := strconv.ParseFloat(*v, 64); err == nil {
		return trimZeros(significantOr(x, proseDigits))
	}
	return cut(*v, 60)
}

// cut shortens a text to so many characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
