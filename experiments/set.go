package experiments

import (
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// ParseSet reads "key=value" or "key=value,value,…" from a command line into an axis, each value typed by the key. A string
// needs quotes only if it holds a comma or looks like a value of another type that the key takes; lists are written
// [1, 2]. The error is a [Problem] without file: an unknown key, no value, a value that the key does not take. Whether the
// spec has the attack that the path names is checked by [Spec.Combinations].
func ParseSet(text string, cat Catalog) (Axis, error) {
	path, rest, ok := strings.Cut(text, "=")
	path = strings.TrimSpace(path)
	if !ok || path == "" {
		return Axis{}, Problem{Message: fmt.Sprintf("%q is no setting", text), Hint: "want key=value, such as train.steps=200"}
	}
	t := newKeyTable(cat)
	k, ok := t.lookup(path)
	if !ok {
		hint := ""
		if near := t.near(pathOf(path)); near != "" {
			index, _ := splitAttack(path)
			hint = fmt.Sprintf("did you mean %q?", joinAttackOf(index, near))
		}
		return Axis{}, Problem{Key: path, Message: "unknown key path", Hint: hint}
	}
	if index, _ := splitAttack(path); index < 0 && strings.HasPrefix(path, "attack.") {
		return Axis{}, Problem{Key: path, Message: "which attack?", Hint: fmt.Sprintf("attacks are counted from 0: %q", joinAttack(0, path))}
	}
	axis := Axis{Path: path}
	for _, piece := range splitList(rest) {
		v, message, hint := parseValue(k, strings.TrimSpace(piece))
		if message != "" {
			return Axis{}, Problem{Key: path, Message: unknownName(k.Path, v, message), Hint: hint}
		}
		if slices.ContainsFunc(axis.Values, func(o any) bool { return equal(o, v) }) {
			return Axis{}, Problem{Key: path, Message: quoteValue(v) + " is listed twice"}
		}
		axis.Values = append(axis.Values, v)
	}
	return axis, nil
}

// parseValue reads one value: as TOML if the key takes what that gives, else as a string without quotes. With a message, the
// value is what was understood.
func parseValue(k Key, text string) (value any, message, hint string) {
	if text == "" {
		return nil, "no value", "want " + k.accepted()
	}
	var parsed struct{ V any }
	if !strings.ContainsAny(text, "\n\r") && toml.Unmarshal([]byte("V = "+text), &parsed) == nil {
		value, message, hint = k.check(parsed.V)
		if message == "" {
			return value, "", ""
		}
	} else {
		parsed.V = text
	}
	if s, ok := parsed.V.(string); ok {
		text = s
	}
	if k.accepts(String) {
		if v, m, h := k.check(text); m == "" || message == "" || !isNumber(parsed.V) {
			if m != "" {
				v = text
			}
			return v, m, h
		}
	}
	if message == "" {
		_, message, hint = k.check(text)
	}
	return parsed.V, message, hint
}

func isNumber(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}

// splitList cuts a text at the commas outside quotes and brackets.
func splitList(text string) []string {
	var out []string
	depth, start := 0, 0
	var quote byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == ',' && depth <= 0:
			out = append(out, text[start:i])
			start = i + 1
		}
	}
	return append(out, text[start:])
}
