package cli

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

func isNumber(v any) bool {
	switch v.(type) {
	case int, int64, float64:
		return true
	}
	return false
}

// tableCell is a value as people read it. NULL stands for nothing recorded.
func tableCell(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case float64:
		return strconv.FormatFloat(v, 'g', 6, 64)
	case []byte:
		return blobCell(v)
	case string:
		return visible(v, "")
	default:
		return exactCell(v)
	}
}

// visible writes text so that a terminal shows it and does nothing else: control characters but those in keep become what Go would
// write for them.
func visible(s, keep string) string {
	control := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(keep, r) }
	if !strings.ContainsFunc(s, control) { // as most: a listing may have 100,000 rows
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !control(r) {
			b.WriteRune(r)
			continue
		}
		q := strconv.QuoteRune(r)
		b.WriteString(q[1 : len(q)-1])
	}
	return b.String()
}

// blobCell shows the first bytes of a blob as SQL would write it, and its length.
func blobCell(v []byte) string {
	const most = 8
	if len(v) <= most {
		return "x'" + hex.EncodeToString(v) + "'"
	}
	return fmt.Sprintf("x'%s…' (%d bytes)", hex.EncodeToString(v[:most]), len(v))
}

// exactCell is a value that loses nothing: numbers round-trip, blobs are hex, NULL is empty.
func exactCell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []byte:
		return hex.EncodeToString(v)
	case string:
		return v
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(time.RFC3339)
	default:
		return fmt.Sprint(v)
	}
}

// jsonValue is a value in JSON; what JSON has no number for is a string.
func jsonValue(v any) ([]byte, error) {
	switch v := v.(type) {
	case float64:
		switch {
		case math.IsNaN(v):
			return []byte(`"NaN"`), nil
		case math.IsInf(v, 1):
			return []byte(`"Infinity"`), nil
		case math.IsInf(v, -1):
			return []byte(`"-Infinity"`), nil
		}
	case []byte:
		return json.Marshal(hex.EncodeToString(v))
	case time.Time:
		if v.IsZero() {
			return []byte("null"), nil
		}
		return json.Marshal(v.UTC().Format(time.RFC3339))
	}
	return json.Marshal(v)
}
