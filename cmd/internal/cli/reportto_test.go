package cli

import (
	"strings"
	"testing"

	"kappa/experiments"
	"kappa/reports"
	"kappa/runner"
)

// TestShippedFormulas: a page shows every formula of every shipped spec as a formula.
func TestShippedFormulas(t *testing.T) {
	entries, err := experiments.Shipped.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	specs, formulas := 0, 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".toml") {
			continue
		}
		spec, err := experiments.Load(experiments.Shipped, e.Name(), runner.Catalog())
		if err != nil {
			t.Fatal(err)
		}
		specs++
		formulas += strings.Count(string(spec.Bytes), "$") / 2
		for _, w := range reports.Formulas(spec) {
			t.Error(w)
		}
		// What is asked can also say no.
		spec.Cells = append(spec.Cells, experiments.Cell{Kind: experiments.Prose, Line: 1, Text: `$\nosuch$`})
		if got := reports.Formulas(spec); len(got) != 1 {
			t.Errorf("%s: a formula that is none is found %d times", e.Name(), len(got))
		}
	}
	const leastSpecs, leastFormulas = 12, 120
	if specs < leastSpecs || formulas < leastFormulas {
		t.Errorf("%d specs with some %d formulas were looked at", specs, formulas)
	}
}

// TestToFlags: formats come once, in one order, from --to or the name of the file.
func TestToFlags(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		to     []string
		output string
		specs  int
		asJSON bool
		want   string // formats, or a part of the error
	}{
		{nil, "", 2, true, ""},
		{[]string{"ipynb", "md", "html", "md"}, "", 2, false, "md html ipynb"},
		{nil, "x.html", 1, false, "html"},
		{nil, "x.ipynb", 1, false, "ipynb"},
		{nil, dir, 1, false, "say what it is to be"},
		{[]string{"html", "ipynb"}, dir, 3, false, "html ipynb"},
		{[]string{"html"}, "new/", 3, true, "html"},
		{[]string{"html"}, "-", 1, false, "html"},
		{[]string{"html"}, "-", 1, true, "stdout is for the summary"},
		{[]string{"html"}, "-", 2, false, "one file for 2 specs"},
		{[]string{"html", "ipynb"}, "-", 1, false, "one file for html and ipynb"},
		{nil, "x.md", 1, false, "say what it is to be"},
		{[]string{"md"}, "x.md", 1, false, "lies beside its spec"},
		{[]string{"HTML"}, "", 1, false, "no such format"},
	} {
		f := &toFlags{to: c.to, output: c.output}
		err := f.check(dir, c.specs, c.asJSON)
		got := strings.Join(f.to, " ")
		if err != nil {
			got = err.Error()
		}
		if (err == nil) != (got == c.want) || !strings.Contains(got, c.want) {
			t.Errorf("--to %q -o %q of %d: %q, want %q", c.to, c.output, c.specs, got, c.want)
		}
	}
}
