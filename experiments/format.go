package experiments

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// formatAssignments writes settings as path = value, …
func formatAssignments(s Settings) string {
	var parts []string
	for _, path := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, path+" = "+formatValue(s[path]))
	}
	return strings.Join(parts, ", ")
}

// formatPairs writes settings as the inside of an inline table.
func formatPairs(s Settings) string {
	var parts []string
	for _, path := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, quoteString(path)+" = "+formatValue(s[path]))
	}
	return strings.Join(parts, ", ")
}

// formatValue writes a value as TOML.
func formatValue(v any) string {
	switch v := v.(type) {
	case string:
		return quoteString(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return formatFloat(v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = formatValue(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "?"
}

// formatFloat writes the shortest decimal that reads back as x, always recognisable as a float.
func formatFloat(x float64) string {
	text := strconv.FormatFloat(x, 'g', -1, 64)
	switch text {
	case "NaN":
		return "nan"
	case "+Inf":
		return "inf"
	case "-Inf":
		return "-inf"
	}
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// formatText writes a string, over several lines if it has several and the literal form can hold it.
func formatText(s string) string {
	literal := strings.Contains(s, "\n") && !strings.Contains(s, "'''") && !strings.HasSuffix(s, "'") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f })
	if literal {
		return "'''\n" + s + "'''"
	}
	return quoteString(s)
}

// quoteString writes a string as a TOML basic string.
func quoteString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
