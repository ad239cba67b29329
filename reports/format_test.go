package reports

import (
	"math"
	"testing"
)

func TestNumberFormats(t *testing.T) {
	for _, tc := range []struct {
		format string
		x      float64
		want   string
	}{
		{"sig 3", 356.2, "356"},
		{"sig 3", 12345, "12300"},
		{"sig 3", 999999, "1000000"},
		{"sig 3", 1e6, "1.00×10⁶"},
		{"sig 3", 0.00012345, "0.000123"},
		{"sig 3", 0.000012345, "1.23×10⁻⁵"},
		{"sig 1", -0.05, "−0.05"},
		{"sig 3", 0, "0"},
		{"sig 3", 9.996, "10.0"},
		{"sig 2", math.Inf(-1), "−∞"},
		{"sig 2", math.Inf(1), "∞"},
		{"sig 2", math.NaN(), "NaN"},
		{"fixed 2", -1.005, "−1.00"},
		{"fixed 0", 2.5, "2"},
		{"fixed 1", -0.01, "0.0"},
		{"pct 1", 0.123, "12.3 %"},
		{"pct 0", -1, "−100 %"},
		{"int", 90, "90"},
		{"int", -2.7, "−3"},
		{"int", 1e15, "1000000000000000"},
	} {
		f, err := parseFormat(tc.format)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.number(tc.x); got != tc.want {
			t.Errorf("%s of %v = %q, want %q", tc.format, tc.x, got, tc.want)
		}
	}
	for _, s := range []string{"", "sig", "sig 0", "sig 18", "sig x", "fixed -1", "int 3", "round 2", "sig  3"} {
		if f, err := parseFormat(s); err == nil {
			t.Errorf("parseFormat(%q) = %v, want an error", s, f)
		}
	}
}

func TestTableValue(t *testing.T) {
	for _, tc := range []struct {
		v    any
		want string
	}{
		{nil, "–"},
		{int64(-1797), "−1797"},
		{1.0, "1"},
		{0.25, "0.25"},
		{2.0 / 3, "0.6667"},
		{1.95e9, "1.950×10⁹"},
		{"one-vs-rest", "one-vs-rest"},
		{"a|b\nc", `a\|b c`},
		{[]byte{0xAB, 1}, "ab01"},
	} {
		if got := (format{}).tableValue(tc.v); got != tc.want {
			t.Errorf("tableValue(%v) = %q, want %q", tc.v, got, tc.want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	for _, tc := range []struct{ what, got, want string }{
		{"list", escape("- a"), `\- a`},
		{"numbered list", escape("12. a.b"), `12\. a.b`},
		{"number", escape("3.14"), `3\.14`},
		{"html", escape("<b>&amp;"), `\<b\>\&amp;`},
		{"heading", escape("# x"), `\# x`},
		{"control", escape("a\x00b"), "a b"},
		{"invalid", escape("a\xffb"), "a�b"},
		{"cell", cell("a | $|x|$ \\| b\nc"), `a \| $\|x\|$ \| b c`},
		{"code", code("a`b"), "``a`b``"},
		{"code at the end", code("`a"), "`` `a ``"},
		{"link", link("my report (1)_files", "fig-a.svg"), "my%20report%20%281%29_files/fig-a.svg"},
		{"link with a colon", link("a:b_files", "x.svg"), "./a:b_files/x.svg"},
		{"plain", plain("**RIR** of `x` with $κ$"), "RIR of x with κ"},
		{"ranges", ranges([]int{0, 1, 2, 5, 7, 8}), "0-2,5,7-8"},
		{"no ranges", ranges(nil), ""},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, want %q", tc.what, tc.got, tc.want)
		}
	}
}

func TestWithoutPaths(t *testing.T) {
	for in, want := range map[string]string{
		"open /home/ada/data/x.csv: no such file":    "open …/x.csv: no such file",
		`read "/tmp/a b": no`:                        `read "…/a b": no`,
		`open C:\Users\ada\x.npy: denied`:            `open …/x.npy: denied`,
		"loss is 3/4 of and/or, see data/x.csv":      "loss is 3/4 of and/or, see data/x.csv",
		"decode images: unexpected end of the file.": "decode images: unexpected end of the file.",
	} {
		if got := withoutPaths(in); got != want {
			t.Errorf("withoutPaths(%q) = %q, want %q", in, got, want)
		}
	}
}
