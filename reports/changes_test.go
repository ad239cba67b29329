package reports

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kappa/store"
)

// changesOf are the changes of the small report after something has changed.
func changesOf(t *testing.T, change func(*bench)) []Change {
	t.Helper()
	b := newBench(t)
	change(b)
	p, err := Look(b.dir, "small")
	must(t, err)
	return p.Changes(b.build())
}

func TestChanges(t *testing.T) {
	table := func(b *bench) *store.Rows { return b.source.answers["SELECT table FROM results"] }
	for _, tc := range []struct {
		name   string
		change func(b *bench)
		want   string // lines
	}{
		{"nothing", func(*bench) {}, ""},
		{"numbers", func(b *bench) {
			b.source.answers["SELECT median(rir) FROM results"].Values[0][0] = 358.0
			b.source.answers["SELECT max(ceiling) FROM results"] = one(12.5)
		}, "spec line 10: 356.2 → 358 (+0.5 %): SELECT median(rir) FROM results\nspec line 10: – → 12.5: SELECT max(ceiling) FROM results"},
		{"a number in its last digits", func(b *bench) {
			b.source.answers["SELECT median(rir) FROM results"].Values[0][0] = 356.204900001
		}, "spec line 10: 356.2049 → 356.204900001 (relative +3×10⁻¹²): SELECT median(rir) FROM results"},
		{"what twelve digits do not show", func(b *bench) {
			b.source.answers["SELECT median(rir) FROM results"].Values[0][0] = math.Nextafter(356.2049, 400)
		}, ""},
		{"another query", func(b *bench) {
			b.spec.Cells[0].Text = `{{ sql "SELECT count(*) FROM results" }} {{ sql "SELECT single FROM results" }}`
		}, "spec line 10: new: 95.3: SELECT single FROM results\nspec line 10: no more: 356.205: SELECT median(rir) FROM results\n" +
			"spec line 10: no more: 2.5: SELECT min(rir) FROM results\nspec line 10: no more: –: SELECT max(ceiling) FROM results"},
		{"cells of a table", func(b *bench) {
			table(b).Values[0][2] = 4.0
			table(b).Values[1][2] = 6.0
			b.spec.Cells = b.spec.Cells[:2]
		}, "table by-method, rill-only|x: kappa: 5 → 4 (−20 %)\ntable by-method, optimum: kappa: – → 6\n" +
			"table limited: no more: a table\nfigure curves: no more: a figure\nfigure map: no more: a figure\nclaim immunizes: no more: 3.04\n" +
			"claim matches: no more: 95.3\nclaim ranking: no more: optimum, immunize\nclaim undecided: no more: 2.16667"},
		{"rows of a table", func(b *bench) {
			table(b).Values[0][0] = "identity"
			table(b).Values = append(table(b).Values, []any{"released", 1.0, nil, 0.5, int64(1)})
			b.spec.Cells[2].Table.Limit = 0
			b.source.answers["SELECT other FROM results"] = rows("x", column(1.0)...)
			b.spec.Cells[2].SQL = "SELECT other FROM results"
		}, "table by-method, identity: new: a row\ntable by-method, released: new: a row\ntable by-method, rill-only|x: no more: a row\n" +
			"table limited, columns: method, rir, kappa, share, n → x"},
		{
			"a verdict", func(b *bench) { b.source.answers["SELECT single FROM results"] = one(356.0) },
			"claim matches: not reproduced → reproduced\nclaim matches, value: 95.3 → 356 (+270 %)",
		},
		{
			"an order", func(b *bench) {
				b.source.answers["SELECT order FROM results"] = rows("m", column("immunize", "optimum")...)
			},
			"claim ranking: reproduced → not reproduced\nclaim ranking, value: optimum, immunize → immunize, optimum",
		},
		{"a figure", func(b *bench) {
			b.source.answers["MAP"].Values[0][2] = 1.75
			b.source.answers["MAP"].Values[1][2] = nil
		}, "figure map: 2 values changed, by at most 17 %"},
		{"one value of a figure", func(b *bench) { b.source.answers["MAP"].Values[0][2] = 1.75 }, "figure map, 0, 1: z: 1.5 → 1.75 (+17 %)"},
		{"text that would move the cursor", func(b *bench) {
			b.source.answers["SELECT count(*) FROM results"] = one("a\x1b[2J\u202e\nb")
		}, "spec line 10: 5 → a [2J b: SELECT count(*) FROM results\nspec line 20: 5 → a [2J b: SELECT count(*) FROM results"},
		{"old data that are not there", func(b *bench) {
			must(b.t, os.Remove(filepath.Join(b.dir, "small_files", "fig-map.csv")))
			b.source.answers["MAP"].Values[0][2] = 1.75
		}, "figure map: sha256 d4bf200e32fc → sha256 "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lines, more := TellChanges(changesOf(t, tc.change), 0)
			if got := strings.Join(lines, "\n"); more != 0 || got != tc.want && (!strings.HasSuffix(tc.want, " ") || !strings.HasPrefix(got, tc.want)) {
				t.Errorf("changes:\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

// TestChangesNothingToCompare: without a report of kappa's, or of an early one without values.
func TestChangesNothingToCompare(t *testing.T) {
	got := changesOf(t, func(b *bench) { must(b.t, os.RemoveAll(b.dir)) })
	if got != nil {
		t.Errorf("changes against nothing: %v", got)
	}
	got = changesOf(t, func(b *bench) {
		b.otherManifest(func(m *manifest) {
			m.Format = 2
			for i := range m.Items {
				m.Items[i].Value = nil
			}
		})
		b.source.answers["MAP"].Values[0][2] = 1.75
	})
	if len(got) != 1 || got[0].Item != "map" {
		t.Errorf("changes against an early manifest: %v, want that of the figure", got)
	}
}

func TestTellChangesCuts(t *testing.T) {
	var c []Change
	for i := range 30 {
		c = append(c, Change{Kind: numberItem, Line: i, Old: new("1"), New: new("2"), Where: strings.Repeat("x", 200)})
	}
	c = append(c, Change{Kind: claimItem, Item: "last", Where: ofVerdict, Old: new(Reproduced), New: new(Undecided)})
	lines, more := TellChanges(c, 20)
	if len(lines) != 20 || more != 11 || lines[0] != "claim last: reproduced → undecided" {
		t.Errorf("%d lines, %d more, the first %q", len(lines), more, lines[0])
	}
	if n := len([]rune(lines[1])); n > 100 {
		t.Errorf("a line of %d characters: %s", n, lines[1])
	}
}

// TestCompareRows: rows are told apart by names where there are some, else by their places.
func TestCompareRows(t *testing.T) {
	for _, tc := range []struct{ old, now, want string }{
		{"m,x\na,1\nb,2\n", "m,x\nb,2\na,1\n", "order of rows"},
		{"m,x\na,1\nb,2\n", "m,x\nb,3\na,1\n", "b: x"},
		{"x,y\n1,1\n2,2\n", "x,y\n3,1\n4,2\n", "row 1: x, row 2: x"},
		{"x\n1\n", "x\n2\n", "row 1: x"},
		{"m,s,x\na,1,5\na,2,6\n", "m,s,x\na,1,5\na,2,7\n", "a, 2: x"},
		{"m,x\na,1\n", "m,x\na,1\nb,2\n", "b"},
		{"m,x\n", "m,x\n", "order of rows"},
		{"m,\"x\na", "m,x\n", "data"},
	} {
		var got []string
		for _, c := range compareRows([]byte(tc.old), []byte(tc.now)) {
			got = append(got, c.Where)
		}
		if s := strings.Join(got, ", "); s != tc.want {
			t.Errorf("%q → %q: %s, want %s", tc.old, tc.now, s, tc.want)
		}
	}
	many := strings.Repeat("x,y,z,1\n", 2000)
	if n := len(compareRows([]byte("a,b,c,d\n"+many), []byte("a,b,c,d\n"+many+"x,y,z,2\n"))); n != 1 {
		t.Errorf("%d changes", n)
	}
}
