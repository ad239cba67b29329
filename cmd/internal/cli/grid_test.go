package cli

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGridFormats(t *testing.T) {
	g := &grid{columns: []string{"name", "x", "x", "blob"}}
	g.add("a|b\nc", 1.0/3, nil, []byte{1, 0xfe})
	g.add(`say "hi", you`, int64(7), math.Inf(1), []byte("longer than eight bytes"))
	tests := []struct{ format, want string }{
		{"table", `
name                  x     x  blob
a|b\nc         0.333333  NULL  x'01fe'
say "hi", you         7  +Inf  x'6c6f6e6765722074…' (23 bytes)
`},
		{"csv", `
name,x,x,blob
"a|b
c",0.3333333333333333,,01fe
"say ""hi"", you",7,+Inf,6c6f6e676572207468616e206569676874206279746573
`},
		{"json", `
[{"name": "a|b\nc", "x": 0.3333333333333333, "x_2": null, "blob": "01fe"},
 {"name": "say \"hi\", you", "x": 7, "x_2": "Infinity", "blob": "6c6f6e676572207468616e206569676874206279746573"}]
`},
		{"jsonl", `
{"name": "a|b\nc", "x": 0.3333333333333333, "x_2": null, "blob": "01fe"}
{"name": "say \"hi\", you", "x": 7, "x_2": "Infinity", "blob": "6c6f6e676572207468616e206569676874206279746573"}
`},
		{"md", `
| name | x | x | blob |
| --- | ---: | --- | --- |
| a\|b\nc | 0.333333 | NULL | x'01fe' |
| say "hi", you | 7 | +Inf | x'6c6f6e6765722074…' (23 bytes) |
`},
	}
	for _, tt := range tests {
		t.Run(tt.format, func(t *testing.T) {
			var b strings.Builder
			if err := g.write(&b, tt.format, 0); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), b.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.format, diff)
			}
		})
	}
}

func TestGridWithoutRows(t *testing.T) {
	g := &grid{columns: []string{"a", "b"}}
	for format, want := range map[string]string{
		"table": "a  b\n", "csv": "a,b\n", "json": "[]\n", "jsonl": "", "md": "| a | b |\n| --- | --- |\n",
	} {
		var b strings.Builder
		if err := g.write(&b, format, 0); err != nil || b.String() != want {
			t.Errorf("%s of no rows = %q, %v; want %q", format, b.String(), err, want)
		}
	}
}

func TestWideTableBecomesRecords(t *testing.T) {
	g := &grid{columns: []string{"key", "value"}}
	g.add("a", strings.Repeat("x", 30))
	g.add("b", 2.5)
	var b strings.Builder
	if err := g.write(&b, "table", 20); err != nil {
		t.Fatal(err)
	}
	want := "  key  a\nvalue  " + strings.Repeat("x", 30) + "\n\n  key  b\nvalue  2.5\n"
	if b.String() != want {
		t.Errorf("20 columns: %q, want %q", b.String(), want)
	}
}

func TestGridRefusesUnknownFormat(t *testing.T) {
	err := new(grid).write(&strings.Builder{}, "xml", 0)
	if exitCode(err, -1) != exitUsage {
		t.Errorf("format xml: %v, want a usage error", err)
	}
}

func TestExactCell(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		v    any
		want string
	}{
		{nil, ""},
		{0.1, "0.1"},
		{1e300, "1e+300"},
		{math.Copysign(0, -1), "-0"},
		{int64(-3), "-3"},
		{true, "true"},
		{when, "2026-01-02T03:04:05Z"},
		{time.Time{}, ""},
	} {
		if got := exactCell(tt.v); got != tt.want {
			t.Errorf("exactCell(%v) = %q, want %q", tt.v, got, tt.want)
		}
	}
}

func TestListingsWithoutNoise(t *testing.T) {
	g := &grid{columns: []string{"a", "zero", "b"}, null: "–"}
	g.add("x", 0, nil)
	g.add("y", 0, 3)
	g.dropZeros("zero", "b", "missing")
	var b strings.Builder
	if err := g.write(&b, "table", 0); err != nil {
		t.Fatal(err)
	}
	if want := "a  b\nx  –\ny  3\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
