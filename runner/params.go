package runner

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kappa/experiments"
	"kappa/store"
)

// params lists resolved settings as rows, by sorted path.
func params(s experiments.Settings) []store.Param {
	var out []store.Param
	for _, path := range slices.Sorted(maps.Keys(s)) {
		p := store.Param{Path: path}
		switch v := s[path].(type) {
		case int64:
			x := float64(v)
			p.Number = &x
		case float64:
			p.Number = &v
		default:
			text := plainValue(v)
			p.Text = &text
		}
		out = append(out, p)
	}
	return out
}

func plainValue(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = plainValue(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}
