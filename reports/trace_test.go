package reports

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTrace(t *testing.T) {
	b := newBench(t)
	p, err := Look(b.dir, "small")
	must(t, err)
	for _, tc := range []struct{ place, want string }{
		{"8", ""},
		{"6", "number small.md:6 small.toml:10 356.2049 3 runs []; number small.md:6 small.toml:10 5 6 runs []"},
		{"small.md:7", "number small.md:7 small.toml:10 2.5 6 runs []; number small.md:7 small.toml:10 NULL 6 runs []"},
		{"by-method", "table small.md:9 small.toml:20 NULL 6 runs [small_files/tab-by-method.csv]"},
		{"9", "number small.md:9 small.toml:20 5 6 runs []; table small.md:9 small.toml:20 NULL 6 runs [small_files/tab-by-method.csv]"},
		{"13", "table small.md:9 small.toml:20"},
		{"15", ""},
		{"map", "figure small.md:26 small.toml:35 NULL 2 runs [small_files/fig-map.csv]"},
		{"x/small.toml:35", "figure small.md:26 small.toml:35 NULL 2 runs"},
		{"50", "claim small.md:30 small.toml:40 3.04 6 runs []"}, // a row of the table of claims
		{"1", ""},
		{"nothing", ""},
		{"0", ""},
		{"-3", ""},
		{"other.md:3", ""},
		{"small.md:x", ""},
		{"99999", ""},
		{"", ""},
	} {
		got, err := p.Trace(tc.place)
		var parts []string
		for _, g := range got {
			value := "NULL"
			if g.Value != nil {
				value = *g.Value
			}
			parts = append(parts, fmt.Sprintf("%s %s %s %s %d runs %s", g.Kind, g.Report, g.Spec, value, len(g.Runs), g.Data))
		}
		s := strings.Join(parts, "; ")
		if tc.want == "" && (err == nil || s != "") || tc.want != "" && (err != nil || !strings.Contains(s, tc.want)) {
			t.Errorf("%q: %s, %v; want %s", tc.place, s, err, tc.want)
		}
	}
	// The lines that the manifest names are those of the text.
	lines := strings.Split(string(readFile(t, b.dir, "small.md")), "\n")
	for at, want := range map[int]string{6: "The median RIR is 356", 7: "the ceiling is –", 9: "**Table 1.**", 22: "![Figure 1.", 30: "> **Claim.**", 50: "| `immunizes` |"} {
		if !strings.Contains(lines[at-1], want) {
			t.Errorf("line %d is %q, want %q in it", at, lines[at-1], want)
		}
	}
	must(t, os.Remove(filepath.Join(b.dir, smallManifest)))
	p, err = Look(b.dir, "small")
	must(t, err)
	if _, err := p.Trace("map"); err == nil {
		t.Error("a trace without a manifest")
	}
}

// TestItemsStand: wherever a text begins and ends, its numbers are found on their lines.
func TestItemsStand(t *testing.T) {
	s, f, o := small()
	s.Title = `With {{ sql "SELECT count(*) FROM results" }} runs`
	s.Cells[0].Text = "\n\n  \nfirst\n\n{{ sql \"SELECT count(*) FROM results\" }}\n{{ if true }}\n{{ end }}{{ sql \"SELECT count(*) FROM results\" }}\n\n"
	d, err := Build(t.Context(), s, f, o)
	must(t, err)
	lines := strings.Split(d.Body, "\n")
	n := 0
	for _, i := range d.manifest.Items {
		if i.Kind == numberItem {
			n++
			if !strings.Contains(lines[i.At-1], "5") {
				t.Errorf("%+v: line %q", i, lines[i.At-1])
			}
		}
	}
	if n != 4 {
		t.Errorf("%d numbers", n)
	}
}
