package reports

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"kappa/experiments"
	"kappa/reports/internal/figure"
	"kappa/store"
)

// build builds a report of some cells on a source of two runs.
func build(t *testing.T, f *fake, cells ...experiments.Cell) *Document {
	t.Helper()
	_, plan := newFake(2)
	d, err := Build(t.Context(), spec(cells...), f, Options{Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// strokes lists the colours of the long lines and markers of a figure, in the order in which they first come.
func strokes(d *Document, name string) string {
	i := 0
	for i < len(d.Files) && d.Files[i].Name != name {
		i++
	}
	var out []string
	for _, m := range regexp.MustCompile(`fill:(#(?:0072B2|D55E00|009E73|CC79A7))`).FindAllSubmatch(d.Files[i].Data, -1) {
		if c := string(m[1]); !strings.Contains(strings.Join(out, " "), c) {
			out = append(out, c)
		}
	}
	return strings.Join(out, " ")
}

// TestGroupsKeepTheirLook: a method has one colour in all figures of a report, whichever others are beside it; another column starts
// anew.
func TestGroupsKeepTheirLook(t *testing.T) {
	f, _ := newFake(2)
	row := func(x float64, name any) []any { return []any{x, x, name} }
	f.answers["SELECT a"] = rows("x y method", row(1, "identity"), row(2, "immunize"))
	f.answers["SELECT b"] = rows("x y method", row(1, "released"), row(2, "immunize"), row(3, "identity"))
	f.answers["SELECT c"] = rows("x y task", row(1, "harmful"))
	cell := func(id, kind, group string) experiments.Cell {
		return experiments.Cell{
			Kind: experiments.Figure, ID: id, SQL: "SELECT " + id,
			Figure: experiments.FigureOptions{Type: kind, X: "x", Y: "y", Group: group},
		}
	}
	d := build(t, f, cell("a", "bar", "method"), cell("b", "scatter", "method"), cell("c", "line", "task"))
	for name, want := range map[string]string{
		"fig-a.svg": "#0072B2 #D55E00", "fig-b.svg": "#009E73 #D55E00 #0072B2", "fig-c.svg": "#0072B2",
	} {
		if got := strokes(d, name); got != want {
			t.Errorf("%s has the colours %s, want %s", name, got, want)
		}
	}
}

func TestDescribed(t *testing.T) {
	for kind, want := range map[string]string{
		"histogram": "A histogram of rir.", "heatmap": "A heatmap of z over rir and y.", "line": "A line figure of y over rir.",
	} {
		if got := described(kind, figure.Options{XLabel: "rir", YLabel: "y", ZLabel: "z"}); got != want {
			t.Errorf("described(%s) = %q, want %q", kind, got, want)
		}
	}
	if got := described("box", figure.Options{YLabel: "y"}); got != "A box figure of y." {
		t.Errorf("described(box) = %q", got)
	}
}

// TestCaptionsEnd: what kappa adds to a caption does not run into it.
func TestCaptionsEnd(t *testing.T) {
	f, _ := newFake(2)
	f.answers["SELECT a"] = rows("a", column(1.0, 2.0)...)
	f.answers["SELECT b"] = rows("x y low high", []any{1.0, 2.0, 3.0, 1.0}, []any{2.0, 2.0, 1.0, 3.0})
	d := build(
		t, f,
		experiments.Cell{Kind: experiments.Table, ID: "t", SQL: "SELECT a", Caption: "A table", Table: experiments.TableOptions{Limit: 1}},
		experiments.Cell{
			Kind: experiments.Figure, ID: "f", SQL: "SELECT b", Caption: "A figure of *x*",
			Figure: experiments.FigureOptions{Type: "line", X: "x", Y: "y", Low: "low", High: "high"},
		},
	)
	for _, want := range []string{
		"**Table 1.** A table. The first 1 of 2 rows. ([CSV]", "**Figure 1.** A figure of *x*. Exchanged: the ends of 1 band with low above high. ([data]",
		"- Figure `f`: exchanged the ends of 1 band with low above high.\n",
	} {
		if !strings.Contains(d.Body, want) {
			t.Errorf("the report lacks %q:\n%s", want, d.Body)
		}
	}
	for in, want := range map[string]string{
		"": "", "A.": "A.", "A": "A.", "**A!**": "**A!**", "(A.)": "(A.)", "κ": "κ.", "really?": "really?", "`x`": "`x`.", "so…": "so…", "$x$": "$x$.",
	} {
		if got := sentence(in); got != want {
			t.Errorf("sentence(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestNoHiddenCharacters: what turns round or hides text gets into a report from nowhere.
func TestNoHiddenCharacters(t *testing.T) {
	const bad = "a\x00b\u202Ec\u2066d\u0085\x1b[31m\u200F\uFEFFe"
	f, _ := newFake(2)
	f.answers["SELECT a"] = &store.Rows{Columns: []string{"a" + bad}, Values: [][]any{{bad}}}
	s := spec(
		experiments.Cell{Kind: experiments.Prose, Text: "Text " + bad + "\r\nnext {{ sql \"SELECT a\" }}"},
		experiments.Cell{Kind: experiments.Table, ID: "t", SQL: "SELECT a", Caption: bad},
		experiments.Cell{Kind: experiments.Claim, ID: "c", SQL: "SELECT a", Text: bad, Claim: experiments.ClaimOptions{Op: ">"}},
	)
	s.Title, s.Source = bad, bad
	f.answers[statesQuery].Values[0][12] = bad // the processor
	_, plan := newFake(2)
	d, err := Build(t.Context(), s, f, Options{Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	if text := d.Markdown(true); bytes.ContainsAny(text, "\x00\x1b\r\u202E\u2066\u0085\u200F\uFEFF") {
		t.Errorf("the report has control characters:\n%q", text)
	}
	if !strings.HasPrefix(d.Body, "# a bcd") || !strings.Contains(d.Body, "e\nnext ") {
		t.Errorf("the report begins with %q", d.Body[:200])
	}
}

// TestLargeIntegers: a swept integer is written in full.
func TestLargeIntegers(t *testing.T) {
	for in, want := range map[string]string{
		`{"train.steps": 9000001}`: "steps 9000001", `{"train.steps": 9007199254740993}`: "steps 9007199254740993",
		`{"train.learning_rate": 0.005}`: "learning_rate 0.005", `{"train.learning_rate": 1e6}`: "learning_rate 1000000",
		`{"train.learning_rate": 1e-7}`: "learning_rate 1e-07", `{"train.flag": true, "train.list": [1, 2]}`: "flag true, list [1,2]",
	} {
		_, plan := newFake(1)
		plan[0].Swept = in
		if got := newPlan(spec(), plan).setting(key(0)); got != want {
			t.Errorf("%s is named %q, want %q", in, got, want)
		}
	}
	for x, want := range map[float64]string{9000001: "9000001", 1 << 53: "9007199254740992", 1e300: "1e+300", -2e6: "-2000000", 2.5e6: "2500000", 1e-9: "1e-09"} {
		if got := text(x); got != want {
			t.Errorf("text(%g) = %s, want %s", x, got, want)
		}
	}
}

// TestClaimOnNoRun: a claim whose query asks nothing of the runs is undecided, a count stands on all with a result.
func TestClaimOnNoRun(t *testing.T) {
	f, _ := newFake(2)
	for _, sql := range []string{"SELECT 5", "SELECT 5 -- FROM runs", "SELECT count(*) FROM Runs"} {
		f.answers[sql] = one(int64(5))
	}
	claim := func(id, sql, runs string) experiments.Cell {
		return experiments.Cell{Kind: experiments.Claim, ID: id, SQL: sql, Runs: runs, Claim: experiments.ClaimOptions{Op: ">", Expect: 1}}
	}
	f.answers["SELECT run FROM results"] = rows("run", column(key(0))...)
	d := build(t, f, claim("none", "SELECT 5", ""), claim("comment", "SELECT 5 -- FROM runs", ""), claim("count", "SELECT count(*) FROM Runs", ""),
		claim("said", "SELECT 5", "SELECT run FROM results"))
	for i, want := range []struct {
		verdict, reason string
		runs            int
	}{{Undecided, "the query reads no run", 0}, {Undecided, "the query reads no run", 0}, {Reproduced, "", 2}, {Reproduced, "", 1}} {
		if c := d.Claims[i]; c.Verdict != want.verdict || c.Reason != want.reason || len(c.Runs) != want.runs {
			t.Errorf("claim %s: %s (%s) on %d runs, want %+v", c.ID, c.Verdict, c.Reason, len(c.Runs), want)
		}
	}
	for sql, want := range map[string]bool{
		"SELECT 'runs'": false, "SELECT 'it''s runs'": false, "SELECT /* runs */ 1": false, "SELECT 1 /* runs": false,
		"SELECT count(*) FROM main.attacks": true, "SELECT '' FROM params": true, "SELECT max(x) FROM myruns": false,
		"SELECT \"x\" FROM \"condition_numbers\"": true,
	} {
		if got := readsRuns(sql); got != want {
			t.Errorf("readsRuns(%s) = %v", sql, got)
		}
	}
}
