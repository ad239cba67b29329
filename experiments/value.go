package experiments

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check returns v as the key stores it (an integer as float64 where only Float is accepted), or says what is wrong with it
// and what would be accepted.
func (k Key) check(v any) (value any, message, hint string) {
	switch v := v.(type) {
	case int: // in a catalog, never from a file
		return k.check(int64(v))
	case string:
		if !k.accepts(String) {
			break
		}
		if len(k.Enum) > 0 && !slices.Contains(k.Enum, v) {
			return nil, fmt.Sprintf("unknown value %q", v), hints("want "+k.accepted(), meant(v, k.Enum))
		}
		return v, "", ""
	case bool:
		if k.accepts(Bool) {
			return v, "", ""
		}
	case int64:
		if !k.accepts(Int) && !k.accepts(Float) {
			break
		}
		if !k.inRange(float64(v)) {
			return nil, fmt.Sprintf("%d is out of range", v), "want " + k.accepted()
		}
		if !k.accepts(Int) {
			return float64(v), "", ""
		}
		return v, "", ""
	case float64:
		if !k.accepts(Float) {
			break
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, formatFloat(v) + " is not a finite number", "want " + k.accepted()
		}
		if !k.inRange(v) {
			return nil, formatFloat(v) + " is out of range", "want " + k.accepted()
		}
		return v, "", ""
	case []any:
		if slices.Contains(k.Types, List) {
			return k.checkList(v)
		}
	}
	return nil, quoteValue(v) + " is " + kindOf(v), "want " + k.accepted()
}

func (k Key) checkList(list []any) (value any, message, hint string) {
	elem := k
	elem.Types = []Type{k.Elem}
	out := make([]any, len(list))
	for i, e := range list {
		v, message, hint := elem.check(e)
		if message != "" {
			return nil, fmt.Sprintf("element %d: %s", i+1, message), hint
		}
		out[i] = v
	}
	return out, "", ""
}

func (k Key) accepts(t Type) bool {
	return slices.Contains(k.Types, t) || slices.Contains(k.Types, Any)
}

func (k Key) inRange(x float64) bool {
	if k.Min != nil && (x < *k.Min || k.Open && x == *k.Min) {
		return false
	}
	return k.Max == nil || x <= *k.Max
}

// accepted describes the values of the key: `"log", "all", "none" or an integer ≥ 1`.
func (k Key) accepted() string {
	var parts []string
	for _, t := range k.Types {
		switch t {
		case String:
			if len(k.Enum) == 0 {
				parts = append(parts, "a string")
			}
			for _, e := range k.Enum {
				parts = append(parts, strconv.Quote(e))
			}
		case Bool:
			parts = append(parts, "true", "false")
		case Int:
			parts = append(parts, spaced("an integer", k.rangeText()))
		case Float:
			parts = append(parts, spaced("a number", k.rangeText()))
		case List:
			parts = append(parts, k.acceptedList())
		case Any:
			parts = append(parts, "a string", "a number", "true", "false")
		case tableType:
			parts = append(parts, "a table")
		}
	}
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + " or " + parts[n-1]
	}
	return strings.Join(parts, "")
}

// acceptedList describes the lists of the key.
func (k Key) acceptedList() string {
	switch {
	case k.Elem == Any:
		return "a list of values"
	case k.Elem == String && len(k.Enum) == 0:
		return "a list of strings"
	case k.Elem == Int:
		return spaced("a list of integers", k.rangeText())
	case k.Elem == Float:
		return spaced("a list of numbers", k.rangeText())
	}
	elem := k
	elem.Types = []Type{k.Elem}
	return "a list with each element " + elem.accepted()
}

// rangeText describes the bounds of a number: "> 0 and ≤ 1"; "" without bounds.
func (k Key) rangeText() string {
	var parts []string
	if k.Min != nil {
		sign := "≥ "
		if k.Open {
			sign = "> "
		}
		parts = append(parts, sign+formatBound(*k.Min))
	}
	if k.Max != nil {
		parts = append(parts, "≤ "+formatBound(*k.Max))
	}
	return strings.Join(parts, " and ")
}

// formatBound writes a number as people do: 0, 0.5, 1e7.
func formatBound(x float64) string {
	return strings.NewReplacer("e+0", "e", "e+", "e", "e-0", "e-").Replace(strconv.FormatFloat(x, 'g', -1, 64))
}

func spaced(a, b string) string { return strings.TrimSpace(a + " " + b) }

// kindOf names the type of a decoded TOML value, with its article.
func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	case time.Time:
		return "a date"
	}
	return "no value"
}

// longestQuoted bounds how much of a wrong value a message repeats.
const longestQuoted = 60

// quoteValue writes a decoded value as a file would, cut if it is long.
func quoteValue(v any) string {
	text := "this"
	switch v := v.(type) {
	case time.Time:
		text = v.Format(time.RFC3339)
	case string, bool, int64, float64, []any:
		text = formatValue(v)
	}
	if r := []rune(text); len(r) > longestQuoted {
		text = string(r[:longestQuoted]) + "…"
	}
	return text
}

// equal says whether two checked values are the same; a whole number equals itself with a decimal point.
func equal(a, b any) bool {
	switch a := a.(type) {
	case int64:
		if b, ok := b.(float64); ok {
			return float64(a) == b
		}
	case float64:
		if b, ok := b.(int64); ok {
			return a == float64(b)
		}
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	}
	if _, ok := b.([]any); ok {
		return false
	}
	return a == b
}

// essence is what equal values that are no lists have in common, and others have not.
func essence(v any) any {
	switch v := v.(type) {
	case int64:
		if f := float64(v); int64(f) == v {
			return f
		}
	case []any:
		return nil
	}
	return v
}

func isList(v any) bool {
	_, ok := v.([]any)
	return ok
}
