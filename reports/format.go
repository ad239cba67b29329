package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// none stands where there is no value.
const none = "–"

// format is how a number is written.
type format struct {
	kind   string // sig | fixed | pct | int | text; "" is the default of its place
	digits int
}

// parseFormat reads "sig 3", "fixed 2", "pct 1", "int" and "text".
func parseFormat(s string) (format, error) {
	name, rest, spaced := strings.Cut(s, " ")
	switch name {
	case "int", "text":
		if !spaced {
			return format{kind: name}, nil
		}
	case "sig", "fixed", "pct":
		n, err := strconv.Atoi(rest)
		if err == nil && n >= minDigits(name) && n <= maxDigits {
			return format{name, n}, nil
		}
	}
	return format{}, fmt.Errorf(`%q is no format: want "sig 3", "fixed 2", "pct 1", "int" or "text"`, s)
}

// maxDigits is what a float64 can hold.
const maxDigits = 17

func minDigits(name string) int {
	if name == "sig" {
		return 1
	}
	return 0
}

// tableDigits and proseDigits are the significant digits of a number without a format.
const (
	tableDigits = 4
	proseDigits = 6
)

// plainFrom and plainTo bound the magnitudes that significant digits are written plainly in; others get a power of ten.
const (
	plainFrom = 1e-4
	plainTo   = 1e6
)

// number writes x. Infinities are ∞, NaN is "NaN"; minus signs are typographic, so that no line begins with a list's dash.
func (f format) number(x float64) string {
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 1):
		return "∞"
	case math.IsInf(x, -1):
		return "−∞"
	}
	switch f.kind {
	case "sig":
		return significant(x, f.digits)
	case "fixed":
		return minus(strconv.FormatFloat(x, 'f', f.digits, 64))
	case "pct":
		return minus(strconv.FormatFloat(100*x, 'f', f.digits, 64)) + " %"
	case "int":
		return minus(strconv.FormatFloat(math.Round(x), 'f', 0, 64))
	}
	return trimZeros(significant(x, proseDigits))
}

// significant writes x with n significant digits.
func significant(x float64, n int) string {
	if x == 0 {
		return "0"
	}
	s := strconv.FormatFloat(x, 'e', n-1, 64)
	mantissa, power, _ := strings.Cut(s, "e")
	e, _ := strconv.Atoi(power)
	if a := math.Abs(x); a >= plainTo || a < plainFrom {
		return minus(mantissa) + "×10" + superscript(e)
	}
	if rounded, err := strconv.ParseFloat(s, 64); err == nil {
		x = rounded // 12345 with three digits is 12300
	}
	return minus(strconv.FormatFloat(x, 'f', max(0, n-1-e), 64))
}

// trimZeros drops zeros at the end of decimals: 2.50×10³ → 2.5×10³.
func trimZeros(s string) string {
	head, power, scientific := strings.Cut(s, "×")
	if strings.Contains(head, ".") {
		head = strings.TrimRight(strings.TrimRight(head, "0"), ".")
	}
	if scientific {
		return head + "×" + power
	}
	return head
}

func minus(s string) string {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		if strings.Trim(rest, "0.") == "" { // −0.00 is 0.00
			return rest
		}
		return "−" + rest
	}
	return s
}

// superscript writes n in superscript digits.
func superscript(n int) string {
	return strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").
		Replace(strconv.Itoa(n))
}

// value writes what a query gave for Markdown: NULL as –, text escaped.
func (f format) value(v any) string {
	switch v := v.(type) {
	case nil:
		return none
	case int64:
		if f.kind == "" || f.kind == "text" || f.kind == "int" {
			return minus(strconv.FormatInt(v, 10))
		}
		return f.number(float64(v))
	case float64:
		return f.number(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return escape(text(v))
}

// text is a value as plain text, at full precision.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= 1<<53 { // every integer up to there is itself
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case string:
		return v
	case []byte:
		return fmt.Sprintf("%x", v)
	}
	return fmt.Sprint(v)
}

// isNumber says whether a query gave a number.
func isNumber(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}

// number converts a value; ok is false for NULL, text and blobs.
func number(v any) (x float64, ok bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return math.NaN(), false
}

// plural writes "1 run", "2 runs".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
