package reports

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestTemplateRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		line int
		want string // part of the message
	}{
		"range":            {"a\n{{range 3}}x{{end}}", 2, "range is refused"},
		"define":           {"{{define \"a\"}}x{{end}}", 1, "define and block are refused"},
		"template":         {"\n\n{{template \"a\"}}", 3, "template and block are refused"},
		"block":            {"{{block \"a\" 1}}x{{end}}", 1, "refused"},
		"with":             {"{{with 1}}x{{end}}", 1, "with is refused"},
		"with in else":     {"{{if false}}{{else}}\n{{with 1}}x{{end}}{{end}}", 2, "with is refused"},
		"variable":         {"{{$x := 1}}", 1, "variables are refused"},
		"root variable":    {"{{$}}", 1, "variables are refused"},
		"field":            {"{{.Title}}", 1, "no data"},
		"dot":              {"{{.}}", 1, "no data"},
		"method":           {"{{(sql \"SELECT 1\").Name}}", 1, "refused"},
		"printf":           {"{{printf \"%d\" 3}}", 1, "printf is refused"},
		"html":             {"x\n{{sql \"SELECT 1\" | html}}", 2, "html is refused"},
		"call":             {"{{call 3}}", 1, "call is refused"},
		"len":              {"{{if eq 1 (len \"abc\")}}x{{end}}", 1, "len is refused"},
		"nil":              {"{{eq nil 1}}", 1, "nil is refused"},
		"imaginary":        {"{{eq 1i 1}}", 1, "refused"},
		"computed query":   {"{{sql (sql \"SELECT 1\")}}", 1, "quoted query"},
		"piped query":      {"{{\"SELECT 1\" | sql}}", 1, "quoted query"},
		"sig without":      {"{{sql \"SELECT 1\" | sig}}", 1, "sig wants 2 arguments, not 1"},
		"sig 0":            {"{{sql \"SELECT 1\" | sig 0}}", 1, "from 1 to 17"},
		"sig text":         {"{{sql \"SELECT 1\" | sig \"3\"}}", 1, "from 1 to 17"},
		"fixed 99":         {"{{sql \"SELECT 1\" | fixed 99}}", 1, "from 0 to 17"},
		"lt of one":        {"{{if lt 1}}x{{end}}", 1, "lt wants 2 arguments, not 1"},
		"eq of one":        {"{{if eq 1}}x{{end}}", 1, "at least 2"},
		"value in a pipe":  {"{{1 | 2}}", 1, "non executable"},
		"not a function":   {"{{1 2}}", 1, "no function"},
		"syntax":           {"a\nb {{if}}", 2, "missing value for if"},
		"unclosed":         {"a\n\n{{if true}}", 3, "unexpected EOF"},
		"break":            {"{{break}}", 1, "break"},
		"else break":       {"{{if true}}{{else}}{{continue}}{{end}}", 1, "continue"},
		"undefined":        {"{{median 3}}", 1, "median is refused"},
		"unknown variable": {"{{$y}}", 1, "undefined variable"},
	} {
		t.Run(name, func(t *testing.T) {
			got, faults := parseTemplate(tc.text)
			if got != nil || len(faults) == 0 {
				t.Fatalf("parseTemplate(%q) accepted it", tc.text)
			}
			if f := faults[0]; f.line != tc.line || !strings.Contains(f.msg, tc.want) {
				t.Errorf("parseTemplate(%q) = line %d: %s; want line %d: …%s…", tc.text, f.line, f.msg, tc.line, tc.want)
			}
		})
	}
}

func TestTemplateFindsEveryFault(t *testing.T) {
	_, faults := parseTemplate("{{range 1}}{{end}}\n{{.X}}\n{{printf 1}}")
	if len(faults) != 3 {
		t.Errorf("%d faults, want 3: %v", len(faults), faults)
	}
}

// answers is an asker with answers by query.
type answers map[string]any

func (a answers) ask(sql string, line, _ int) (any, error) {
	v, ok := a[sql]
	if !ok {
		return nil, &lineError{line, fmt.Errorf("unexpected query %s", sql)}
	}
	return v, nil
}

func TestTemplateRender(t *testing.T) {
	data := answers{
		"null": nil, "n": int64(90), "rir": 356.2049, "tiny": 2.5e-7, "neg": -3.25, "share": 0.1234, "text": "a*b|c_d $x$",
		"key": strings.Repeat("ab", 32), "big": 1.95e9, "zero": 0.0,
	}
	for _, tc := range []struct{ text, want string }{
		{"no action: $\\kappa^{2}$ | x", "no action: $\\kappa^{2}$ | x"},
		{"", ""},
		{"{{/* a comment */}}x", "x"},
		{`{{sql "n"}}`, "90"},
		{`{{sql "rir"}}`, "356.205"},
		{`{{sql "rir" | sig 3}}`, "356"},
		{`{{sig 2 (sql "rir")}}`, "360"},
		{`{{sql "rir" | fixed 1}}`, "356.2"},
		{`{{sql "share" | pct 1}}`, "12.3 %"},
		{`{{sql "tiny" | sig 2}}`, "2.5×10⁻⁷"},
		{`{{sql "big"}}`, "1.95×10⁹"},
		{`{{sql "neg"}}`, "−3.25"},
		{`{{sql "null"}}`, "–"},
		{`{{sql "null" | sig 3}}`, "–"},
		{`{{sql "text"}}`, `a\*b\|c\_d \$x\$`},
		{`{{sql "key" | run}}`, "`abababababab`"},
		{`{{if gt (sql "rir") 1}}above{{else}}below{{end}}`, "above"}, // a real against an integer
		{`{{if lt (sql "n") 90.5}}yes{{end}}`, "yes"},
		{`{{if eq (sql "n") 1 90}}yes{{end}}`, "yes"},
		{`{{if ne (sql "n") 90}}yes{{end}}`, ""},
		{`{{if eq (sql "text") "x"}}yes{{else if ge (sql "n") 90}}also{{end}}`, "also"},
		{`{{if lt (sql "null") 1}}yes{{else}}no{{end}}`, "no"},
		{`{{if ne (sql "null") 1}}yes{{end}}`, "yes"},
		{`{{if sql "zero"}}yes{{else}}no{{end}}`, "no"},
		{`{{if and true (not false) (or false (le 1 1))}}yes{{end}}`, "yes"},
		{`{{if or true (sql "never asked")}}yes{{end}}`, "yes"},
		{`{{if and false (sql "never asked")}}{{else}}yes{{end}}`, "yes"},
		{`{{if false}}{{sql "never asked"}}{{end}}x`, "x"},
		{"a  {{- 3 -}}  b", "a3b"},
		{`{{"*"}}{{true}}{{1.5}}`, `\*true1.5`},
	} {
		parsed, faults := parseTemplate(tc.text)
		if faults != nil {
			t.Errorf("parseTemplate(%q): %v", tc.text, faults)
			continue
		}
		got, err := parsed.render(data)
		if err != nil || got != tc.want {
			t.Errorf("render(%q) = %q, %v; want %q", tc.text, got, err, tc.want)
		}
	}
}

func TestTemplateRenderErrors(t *testing.T) {
	data := answers{"text": "abc", "n": int64(1)}
	for _, tc := range []struct {
		text string
		line int
		want string
	}{
		{"\n{{sql \"text\" | sig 3}}", 2, `sig wants a number, not "abc"`},
		{"{{if lt (sql \"text\") 1}}x{{end}}", 1, "cannot be compared"},
		{"{{sql \"n\" | run}}", 1, "run wants the key"},
		{"\n\n{{sql \"other\"}}", 3, "unexpected query"},
		{"{{if eq true 1}}x{{end}}", 1, "cannot be compared"},
	} {
		parsed, faults := parseTemplate(tc.text)
		if faults != nil {
			t.Fatal(faults)
		}
		_, err := parsed.render(data)
		e, ok := errors.AsType[*lineError](err)
		if !ok || e.line != tc.line || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("render(%q): %v; want line %d: …%s…", tc.text, err, tc.line, tc.want)
		}
	}
}

func TestTemplateQueries(t *testing.T) {
	parsed, faults := parseTemplate("{{sql \"a\"}}\n{{if eq 1 (sql \"b\" | sig 2)}}\n{{sql \"c\"}}{{end}}")
	if faults != nil {
		t.Fatal(faults)
	}
	want := []inline{{"a", 1}, {"b", 2}, {"c", 3}}
	if fmt.Sprint(parsed.queries) != fmt.Sprint(want) {
		t.Errorf("queries = %v, want %v", parsed.queries, want)
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{`{{sql "a" | sig 3}}`, `{{if lt 1 2}}x{{else}}y{{end}}`, `{{range 1}}{{end}}`, `{{define "x"}}{{end}}`, "{{/*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parsed, faults := parseTemplate(s)
		if (parsed == nil) != (len(faults) > 0) {
			t.Fatalf("parseTemplate(%q) = %v, %v", s, parsed, faults)
		}
		if parsed != nil { // what is accepted renders or fails, and does not panic
			_, _ = parsed.render(answers{"a": 1.5})
		}
	})
}
