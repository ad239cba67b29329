package reports

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kappa/experiments"
	"kappa/store"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// small is a spec with a cell of every kind, and its source.
func small() (*experiments.Spec, *fake, Options) {
	paper := 356.2
	s := spec(
		experiments.Cell{Kind: experiments.Prose, Line: 10, Text: "## What it shows\nThe median RIR is {{ sql \"SELECT median(rir) FROM results\" | sig 3 }}" +
			" over {{ sql \"SELECT count(*) FROM results\" }} runs, with $\\kappa(H_H) | x$ untouched.\n" +
			"{{ if gt (sql \"SELECT min(rir) FROM results\") 1 }}Every run immunizes{{ else }}Some runs do not immunize{{ end }}; " +
			"the ceiling is {{ sql \"SELECT max(ceiling) FROM results\" | fixed 1 }}."},
		experiments.Cell{
			Kind: experiments.Table, ID: "by-method", Line: 20, SQL: "SELECT table FROM results", Caption: "RIR by method over {{ sql \"SELECT count(*) FROM results\" }} runs.",
			Table: experiments.TableOptions{Headings: []string{"Method", "Median RIR", "$|\\kappa|$", "Share", "n"}, Format: map[string]string{"rir": "sig 3", "share": "pct 1"}},
		},
		experiments.Cell{Kind: experiments.Table, ID: "limited", Line: 25, SQL: "SELECT table FROM results", Table: experiments.TableOptions{Limit: 1}},
		experiments.Cell{
			Kind: experiments.Figure, ID: "curves", Line: 30, SQL: "SELECT line FROM attacks", Caption: "Excess loss of `gd-exact`, [as in the paper](https://arxiv.org/abs/2505.23760).",
			Figure: experiments.FigureOptions{Type: "line", X: "step", Y: "excess", Group: "method", YScale: "log", Band: "ci95", XLabel: "step t"},
		},
		experiments.Cell{
			Kind: experiments.Figure, ID: "map", Line: 35, SQL: "MAP", Runs: "SELECT run FROM results LIMIT 2", Caption: "log₁₀ RIR.",
			Figure: experiments.FigureOptions{Type: "heatmap", X: "p", Y: "h", Z: "z"},
		},
		experiments.Cell{
			Kind: experiments.Claim, ID: "immunizes", Line: 40, SQL: "SELECT claim FROM results", Text: "Algorithm 1 immunizes\nevery run | always.",
			Claim: experiments.ClaimOptions{Op: ">", Expect: 1, PaperValue: &paper, PaperWhere: "Table 1", MinRuns: 2},
		},
		experiments.Cell{
			Kind: experiments.Claim, ID: "matches", Line: 45, SQL: "SELECT single FROM results", Text: "The released code gives the printed RIR.",
			Claim: experiments.ClaimOptions{
				Op: "within", Expect: 356.2, Tolerance: 0.05, PaperValue: &paper, PaperWhere: "Table 1",
				Known: NotReproduced, Because: "the preconditioner stands on the other side.",
			},
		},
		experiments.Cell{
			Kind: experiments.Claim, ID: "ranking", Line: 50, SQL: "SELECT order FROM results", Text: "The optimum is best.",
			Claim: experiments.ClaimOptions{Op: "order", Order: []any{"optimum", "immunize"}},
		},
		experiments.Cell{
			Kind: experiments.Claim, ID: "undecided", Line: 55, SQL: "SELECT wide FROM results", Text: "RIR is above 2.",
			Claim: experiments.ClaimOptions{Op: ">", Expect: 2},
		},
	)
	s.Source = "arXiv:2505.23760, Section 5"
	s.Bytes = []byte(strings.Repeat("# a line\n", 60))
	f, plan := newFake(6)
	f.answers["SELECT median(rir) FROM results"] = &store.Rows{Columns: []string{"m"}, Values: [][]any{{356.2049}}, Runs: []string{key(0), key(1), key(2)}}
	f.answers["SELECT count(*) FROM results"] = one(int64(5))
	f.answers["SELECT min(rir) FROM results"] = one(2.5)
	f.answers["SELECT max(ceiling) FROM results"] = one(nil)
	f.answers["SELECT table FROM results"] = rows("method rir kappa share n",
		[]any{"rill-only|x", 1.8312, 5.0, 0.25, int64(3)},
		[]any{"optimum", 4.08e6, nil, 0.123, int64(2)})
	line := rows("step excess method")
	for m, name := range []string{"identity", "immunize"} {
		for seed := range 3 {
			for _, t := range []int64{0, 1, 10, 100} {
				line.Values = append(line.Values, []any{t, math.Exp(-float64(t) / float64(5+20*m+seed)), name})
			}
		}
	}
	line.Values[0][1] = nil
	line.Values[3][1] = -1.0
	line.Runs = []string{key(0), key(1), key(2), key(5), strings.Repeat("f", 64)}
	f.answers["SELECT line FROM attacks"] = line
	f.answers["MAP"] = rows("p h z", []any{int64(0), int64(1), 1.5}, []any{int64(1), int64(0), -0.5}, []any{int64(1), int64(2), nil})
	f.answers["SELECT run FROM results LIMIT 2"] = rows("run", []any{key(0)}, []any{key(1)}, []any{key(1)})
	f.answers["SELECT claim FROM results"] = rows("rir", column(3.0, 3.2, 2.9, 3.1, 3.0)...)
	f.answers["SELECT single FROM results"] = one(95.3)
	f.answers["SELECT order FROM results"] = rows("method", column("optimum", "immunize")...)
	f.answers["SELECT wide FROM results"] = rows("rir", column(1.0, 2.0, 3.5)...)

	states := f.answers[statesQuery].Values
	states[4][1], states[4][2] = "diverged", "diverged at step 12"
	states[5][1], states[5][2], states[5][3] = "failed", "", "out of memory\nsecond line"
	states[1][8], states[1][11], states[1][15] = int64(2), "portable", int64(1)
	f.answers[ridgeQuery] = rows("run", column(key(0), key(3))...)
	f.answers[seedQuery] = rows("run method seed", []any{key(0), "released", int64(1)}, []any{key(1), "released", int64(2)}, []any{key(2), "released", int64(3)})
	f.nonFinite = []store.NonFinite{
		{Run: key(0), View: "results", Column: "ceiling", Step: -1, Kind: "+inf"},
		{Run: key(2), View: "condition_numbers", Column: "kappa", Of: "harmful rank", Step: 50, Kind: "unresolved"},
		{Run: key(2), View: "condition_numbers", Column: "kappa", Of: "harmful rank", Step: 100, Kind: "unresolved"},
		{Run: key(4), View: "metrics", Column: "value", Of: "grad_ill", Step: 3, Kind: "nan"},
		{Run: key(4), View: "results", Column: "rir", Step: -1, Kind: "nan"},
		{Run: key(4), View: "metrics", Column: "value", Of: "loss", Step: 0, Kind: "-0"},
	}
	return s, f, Options{Plan: plan, Partial: true}
}

// compareGolden compares a document with the files of a folder in testdata.
func compareGolden(t *testing.T, d *Document, folder string) {
	t.Helper()
	files := append([]File{
		{d.Name + ".md", d.Markdown(true)},
		{manifestName, d.manifest.encode()},
	}, d.Files...)
	for _, f := range files {
		path := filepath.Join("testdata", folder, f.Name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.Data, want) {
			t.Errorf("%s differs from %s; run go test -update and review it", f.Name, path)
		}
	}
}

func TestBuildGolden(t *testing.T) {
	s, f, o := small()
	d, err := Build(t.Context(), s, f, o)
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, d, "small")
	again, err := Build(t.Context(), s, f, o)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(d.Markdown(true), again.Markdown(true)) || !bytes.Equal(d.manifest.encode(), again.manifest.encode()) {
		t.Error("built twice, it differs")
	}
	var ids []string
	for _, c := range d.Mismatches() {
		ids = append(ids, c.ID)
	}
	if fmt.Sprint(ids) != "[undecided]" {
		t.Errorf("mismatches %v, want [undecided]", ids)
	}
}

// TestProvenanceApart changes everything that differs between two computations of the same plan: only that section may differ.
func TestProvenanceApart(t *testing.T) {
	s, f, o := small()
	a, err := Build(t.Context(), s, f, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range f.answers[statesQuery].Values {
		copy(row[4:9], []any{"2027-01-01T00:00:00.000Z", "2027-01-02T00:00:00.000Z", 99.0, 98.0, int64(7)})
		copy(row[10:], []any{"go1.27", "other", "Model Y", "linux/arm64", "fedcba9876543210", int64(1)})
	}
	b, err := Build(t.Context(), s, f, o)
	if err != nil {
		t.Fatal(err)
	}
	if a.Body != b.Body || a.Provenance == b.Provenance || !bytes.Equal(a.manifest.encode(), b.manifest.encode()) {
		t.Error("what differs between computations shows outside Provenance, or not in it")
	}
	for i := range a.Files {
		if !bytes.Equal(a.Files[i].Data, b.Files[i].Data) {
			t.Errorf("%s differs", a.Files[i].Name)
		}
	}
}

// TestBuildMissing: runs that failed are missing as much as those that never ran.
func TestBuildMissing(t *testing.T) {
	s, f, o := small()
	states := f.answers[statesQuery]
	states.Values[0][1] = "interrupted"
	states.Values[1][1] = "timeout"
	states.Values = append(states.Values[:3:3], states.Values[4:]...)
	o.Partial = false
	_, err := Build(t.Context(), s, f, o)
	m, ok := errors.AsType[*MissingError](err)
	if !ok || *m != (MissingError{Missing: 4, Planned: 6, Failed: 1, TimedOut: 1}) || m.None() {
		t.Fatalf("Build of 2 of 6 runs: %v, want a MissingError", err)
	}
	if want := "4 runs of 6 without a result (1 failed, 1 out of time, 2 missing)"; m.Error() != want {
		t.Errorf("the error is %q, want %q", m, want)
	}
	o.Partial = true
	d, err := Build(t.Context(), s, f, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"and 2 recorded runs;",
		"> **Partial report:** 4 of 6 runs have no result (1 failed, 1 ran out of time, 2 not run to the end). What follows describes the others only.",
		"2 runs missing: seed 1; seed 4.", "1 run failed (out of memory): seed 6.", "1 run ran out of time",
	} {
		if !strings.Contains(d.Body, want) {
			t.Errorf("the partial report lacks %q:\n%s", want, d.Body)
		}
	}
	if fmt.Sprint(d.Missing) != fmt.Sprint([]string{key(0), key(1), key(3), key(5)}) {
		t.Errorf("missing %v", d.Missing)
	}

	for _, r := range states.Values {
		r[1] = "failed"
	}
	o.Partial = false
	_, err = Build(t.Context(), s, f, o)
	if m, ok := errors.AsType[*MissingError](err); !ok || m.None() || m.Failed != 5 {
		t.Errorf("Build of failed runs alone: %v, want a MissingError", err)
	}
	o.Partial = true
	if d, err := Build(t.Context(), s, f, o); err != nil || !strings.Contains(d.Body, "6 of 6 runs have no result (5 failed, 1 not run to the end). What follows describes none.") {
		t.Errorf("partial report of failed runs alone: %v", err)
	}
	states.Values = nil
	_, err = Build(t.Context(), s, f, o)
	if m, ok := errors.AsType[*MissingError](err); !ok || !m.None() {
		t.Errorf("Build of no runs: %v, want a MissingError with None", err)
	}
}

// TestBuildProblems has something wrong in every cell: all of it is reported, with the lines of the file.
func TestBuildProblems(t *testing.T) {
	text := "first\n{{ sql \"SELECT two\" }}\n{{ .X }}"
	s := spec(
		experiments.Cell{Kind: experiments.Prose, Line: 3, Text: text},
		experiments.Cell{Kind: experiments.Prose, Line: 8, Text: `{{ sql "SELECT two" }}`},
		experiments.Cell{Kind: experiments.Prose, Line: 9, Text: `{{ sql "SELECT rows" }}`},
		experiments.Cell{Kind: experiments.Table, ID: "t", Line: 10, SQL: "SELECT two", Table: experiments.TableOptions{Headings: []string{"a"}}},
		experiments.Cell{Kind: experiments.Table, ID: "u", Line: 11, SQL: "SELECT two", Table: experiments.TableOptions{Format: map[string]string{"c": "sig 3"}}},
		experiments.Cell{Kind: experiments.Figure, ID: "f", Line: 12, SQL: "SELECT two", Figure: experiments.FigureOptions{Type: "line", X: "a", Y: "z"}},
		experiments.Cell{Kind: experiments.Figure, ID: "g", Line: 13, SQL: "SELECT two", Figure: experiments.FigureOptions{Type: "pie", X: "a", Y: "b"}},
		experiments.Cell{Kind: experiments.Claim, ID: "c", Line: 14, SQL: "SELECT two"},
		experiments.Cell{Kind: experiments.Claim, ID: "d", Line: 15, SQL: "unknown"},
		experiments.Cell{Kind: experiments.Claim, ID: "e", Line: 16, SQL: "SELECT one", Runs: "SELECT two"},
	)
	s.Bytes = []byte("a\nb\n[[cell]]\nkind = \"prose\"\ntext = '''\n" + text + "'''\n")
	f, plan := newFake(1)
	f.answers["SELECT two"] = rows("a b", []any{int64(1), int64(2)})
	f.answers["SELECT rows"] = rows("a", column(1.0, 2.0)...)
	f.answers["SELECT one"] = one(1.0)
	_, err := Build(t.Context(), s, f, Options{Plan: plan})
	problems, ok := errors.AsType[experiments.Problems](err)
	if !ok {
		t.Fatalf("Build: %v, want problems", err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%d %s %s", p.Line, p.Key, p.Message))
	}
	for i, want := range []string{
		"8 cell.0.text .X is refused",
		"8 cell.1.text sql wants a query with one value, not 1 row of 2 columns",
		"9 cell.2.text sql wants a query with one value, not 2 rows",
		"10 cell.3.headings 1 heading for 2 columns",
		`11 cell.4.format the query has no column "c"`,
		`12 cell.5.y the query has no column "z", it has a, b`,
		`13 cell.6.type unknown figure type "pie"`,
		"14 cell.7.sql a claim's query has one column, not 2 (a, b)",
		"15 cell.8.sql line 1, column 1 of the query: no such query",
		"16 cell.9.runs runs wants a query with one column",
	} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Fatalf("problem %d of %q, want %q", i, got, want)
		}
	}
}

// TestBuildFault: a fault of the database comes back as it is, not as a problem of the spec.
func TestBuildFault(t *testing.T) {
	s, f, o := small()
	f.err = os.ErrPermission
	if _, err := Build(t.Context(), s, f, o); !errors.Is(err, os.ErrPermission) {
		t.Errorf("Build on a broken database: %v", err)
	}
	if _, err := Check(t.Context(), s, f); !errors.Is(err, os.ErrPermission) {
		t.Errorf("Check on a broken database: %v", err)
	}
}

// TestBuildNoRows: a table and a figure with nothing in them are there, and are warned of by their names.
func TestBuildNoRows(t *testing.T) {
	s := spec(
		experiments.Cell{Kind: experiments.Table, ID: "t", Line: 1, SQL: "SELECT nothing"},
		experiments.Cell{Kind: experiments.Figure, ID: "f", Line: 2, SQL: "SELECT nothing", Figure: experiments.FigureOptions{Type: "line", X: "a", Y: "b"}},
	)
	f, plan := newFake(1)
	f.answers["SELECT nothing"] = rows("a b")
	d, err := Build(t.Context(), s, f, Options{Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"*No rows.*", "- Table `t`: the query has no rows.\n", "- Figure `f`: the query has no rows.\n"} {
		if !strings.Contains(d.Body, want) {
			t.Errorf("the report lacks %q:\n%s", want, d.Body)
		}
	}
}
