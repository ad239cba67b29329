package store

import (
	"encoding/json"
	"math"
	"time"
)

// The kinds of a figure. SQLite has no NaN (it stores NULL) and drops the sign of −0, so the kind is stored beside the
// value, and the value is NULL unless it is finite.
const (
	kindFinite     = "finite"
	kindPlusInf    = "+inf"
	kindMinusInf   = "-inf"
	kindNaN        = "nan"
	kindMinusZero  = "-0"
	kindUnresolved = "unresolved"
)

// encode splits x into what the columns value and kind hold; the kind of a finite number is NULL.
func encode(x float64) (value, kind any) {
	switch {
	case math.IsNaN(x):
		return nil, kindNaN
	case math.IsInf(x, 1):
		return nil, kindPlusInf
	case math.IsInf(x, -1):
		return nil, kindMinusInf
	case x == 0 && math.Signbit(x):
		return 0.0, kindMinusZero
	}
	return x, nil
}

// decode is the inverse of encode. An unresolved figure, and one that was never there, is NaN.
func decode(value *float64, kind string) float64 {
	switch kind {
	case kindPlusInf:
		return math.Inf(1)
	case kindMinusInf:
		return math.Inf(-1)
	case kindMinusZero:
		return math.Copysign(0, -1)
	}
	if value == nil {
		return math.NaN()
	}
	return *value
}

// kinds gathers the kinds of a row's figures that are not finite, by column.
type kinds map[string]string

// put encodes x for column, and remembers its kind.
func (k *kinds) put(column string, x float64) (value any) {
	value, kind := encode(x)
	if s, ok := kind.(string); ok {
		if *k == nil {
			*k = kinds{}
		}
		(*k)[column] = s
	}
	return value
}

// text is what the column kinds holds: a JSON object, or NULL for none.
func (k kinds) text() any {
	if len(k) == 0 {
		return nil
	}
	return mustJSON(k)
}

// mustJSON encodes maps and slices of strings, which always can be.
func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("store: " + err.Error())
	}
	return string(b)
}

// orNull is s, or NULL for "".
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// orNaN is NULL for NaN: a figure that does not apply.
func orNaN(x float64) any {
	if math.IsNaN(x) {
		return nil
	}
	return x
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// timeFormat is how times are stored: UTC, to the millisecond, in an order that is the order of time.
const timeFormat = "2006-01-02T15:04:05.000Z"

func formatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// parseTime is the zero time for "".
func parseTime(s string) time.Time {
	t, err := time.Parse(timeFormat, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
