package store

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzValue: a value that a line may hold is written so that it reads back as itself, to the bit.
func FuzzValue(f *testing.F) {
	kinds := []string{"INTEGER", "REAL", "TEXT", "BLOB", "ANY"}
	for _, seed := range []string{
		"null", "0", "-0.0", "5e-324", "1e308", "0.1", "9223372036854775807", `"Infinity"`, `"-Infinity"`, `"a\u0000\ud83e\uddea<&>\u2028"`,
		`{"base64":"/w=="}`, `{"base64":""}`, `{"base64":"YQ=="}`, "[]", "true", `"\ud800"`, "1e400", "1.0", "12345678901234567890",
	} {
		for k := range kinds {
			f.Add(k, []byte(seed))
		}
	}
	read := func(kind string, text []byte) (any, error) {
		var v any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		return readSQL(kind, v)
	}
	f.Fuzz(func(t *testing.T, k int, text []byte) {
		if checkDepth(text) != nil {
			return
		}
		kind := kinds[uint(k)%uint(len(kinds))]
		v, err := read(kind, text)
		if err != nil {
			return
		}
		written := appendSQL(nil, v)
		again, err := read(kind, written)
		if err != nil {
			t.Fatalf("%s %q is written %s, which is refused: %v", kind, text, written, err)
		}
		if x, ok := v.(float64); ok {
			if y, ok := again.(float64); !ok || math.Float64bits(x) != math.Float64bits(y) {
				t.Fatalf("%s %q: %v comes back as %v", kind, text, x, again)
			}
			return
		}
		if d := cmp.Diff(v, again); d != "" {
			t.Fatalf("%s %q (-read +again):\n%s", kind, text, d)
		}
	})
}

// TestValues: what SQLite can hold and JSON has no number or text for.
func TestValues(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, "null"},
		{int64(math.MinInt64), "-9223372036854775808"},
		{5e-324, "5e-324"},
		{math.Copysign(0, -1), "-0.0"},
		{1.0, "1.0"},
		{1e21, "1e+21"},
		{math.Inf(1), `"Infinity"`},
		{math.Inf(-1), `"-Infinity"`},
		{"plain", `"plain"`},
		{"<&>\"\\\n\x00\U0010ffff", "\"<&>\\\"\\\\\\n\\u0000\U0010ffff\""},
		{"\xff", `{"base64":"/w=="}`},
		{[]byte("text"), `"text"`},
		{[]byte{0xff}, `{"base64":"/w=="}`},
	} {
		if got := string(appendSQL(nil, c.v)); got != c.want {
			t.Errorf("%#v is written %s, not %s", c.v, got, c.want)
		}
	}
}
