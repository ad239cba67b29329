package reports

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kappa/experiments"
	"kappa/store"
)

// bench is the small report as it was written, with all that it is held against.
type bench struct {
	t      *testing.T
	dir    string
	spec   *experiments.Spec
	source *fake
	opts   Options
}

// newBench writes the small report of runs that all have a result.
func newBench(t *testing.T) *bench {
	t.Helper()
	s, f, o := small()
	s.Hash = digestOf("", s.Bytes).SHA256
	states := f.answers[statesQuery].Values
	states[5][1], states[5][3] = "done", nil
	b := &bench{t: t, dir: t.TempDir(), spec: s, source: f, opts: o}
	write(t, b.dir, b.build(), WriteOptions{})
	return b
}

func (b *bench) build() *Document {
	b.t.Helper()
	d, err := Build(b.t.Context(), b.spec, b.source, b.opts)
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

// judge holds the report against everything there is.
func (b *bench) judge(change func(*Facts)) Standing {
	b.t.Helper()
	f := Facts{Spec: b.spec, Document: b.build()}
	for _, row := range b.opts.Plan {
		f.Plan = append(f.Plan, row.Key)
	}
	f.Figures, _ = b.source.Figures(b.t.Context())
	if change != nil {
		change(&f)
	}
	p, err := Look(b.dir, "small")
	if err != nil {
		b.t.Fatal(err)
	}
	return p.Judge(f)
}

// respell makes the spec another file.
func (b *bench) respell(text string) {
	b.spec.Bytes = append(slices.Clone(b.spec.Bytes), text...)
	b.spec.Hash = digestOf("", b.spec.Bytes).SHA256
}

func (b *bench) edit(name, old, with string) {
	b.t.Helper()
	data := readFile(b.t, b.dir, name)
	if !bytes.Contains(data, []byte(old)) {
		b.t.Fatalf("%s has no %q", name, old)
	}
	putFile(b.t, b.dir, name, bytes.Replace(data, []byte(old), []byte(with), 1))
}

// otherManifest writes the manifest anew with a change.
func (b *bench) otherManifest(change func(*manifest)) {
	b.t.Helper()
	m, err := decodeManifest(readFile(b.t, b.dir, smallManifest))
	if err != nil {
		b.t.Fatal(err)
	}
	change(&m)
	putFile(b.t, b.dir, smallManifest, m.encode())
}

func TestJudge(t *testing.T) {
	median := "SELECT median(rir) FROM results"
	for _, tc := range []struct {
		name   string
		change func(b *bench)
		facts  func(*Facts)
		state  State
		want   []string // kind: part of the text
	}{
		{name: "as it was written", state: Current},
		{name: "without a document, same figures", facts: func(f *Facts) { f.Document = nil }, state: Current},
		{
			name: "nothing there", change: func(b *bench) { must(b.t, os.RemoveAll(b.dir)) },
			state: NoReport,
		},
		{
			name: "somebody's own text", change: func(b *bench) {
				must(b.t, os.RemoveAll(filepath.Join(b.dir, "small_files")))
				putFile(b.t, b.dir, "small.md", []byte("# Notes\n"))
			},
			state: Foreign, want: []string{"foreign: small.md is there, and kappa did not write it"},
		},
		{
			name: "the text edited", change: func(b *bench) { b.edit("small.md", "Every run immunizes", "Some runs immunize") },
			state: Altered, want: []string{`edited: small.md was edited by hand: line 7 is the first that differs ("Some runs immunize; the ceiling is –.")`},
		},
		{
			name: "Provenance edited", change: func(b *bench) { b.edit("small.md", "Model X", "Model Y") },
			state: Altered, want: []string{"edited: small.md was edited by hand: line 86"},
		},
		{
			name: "data edited", change: func(b *bench) { b.edit("small_files/tab-limited.csv", "optimum", "best") },
			state: Altered, want: []string{"edited: small_files/tab-limited.csv was edited by hand: line 3 is the first that differs"},
		},
		{
			name: "data edited, no document", change: func(b *bench) { b.edit("small_files/tab-limited.csv", "optimum", "best") },
			facts: func(f *Facts) { f.Document = nil },
			state: Altered, want: []string{"edited: small_files/tab-limited.csv was edited by hand"},
		},
		{
			name: "files gone", change: func(b *bench) {
				must(b.t, os.Remove(filepath.Join(b.dir, "small_files/fig-map.csv")))
				must(b.t, os.Remove(filepath.Join(b.dir, "small_files/fig-map.svg")))
			},
			state: Altered, want: []string{"files: 2 files are missing: small_files/fig-map.csv, small_files/fig-map.svg"},
		},
		{
			name: "the text gone", change: func(b *bench) { must(b.t, os.Remove(filepath.Join(b.dir, "small.md"))) },
			state: Altered, want: []string{"files: small.md is missing"},
		},
		{
			name: "the manifest gone", change: func(b *bench) { must(b.t, os.Remove(filepath.Join(b.dir, smallManifest))) },
			state: Altered, want: []string{"files: small_files/manifest.json is missing: nothing tells"},
		},
		{
			name: "a comment in the spec", change: func(b *bench) { b.respell("# a remark\n") },
			state: Stale, want: []string{"spec: small.toml has changed: its prose, layout or comments; the runs are the same"},
		},
		{
			name: "cells", change: func(b *bench) {
				b.respell("# new cells\n")
				b.spec.Cells[1].Caption = "Other."
				b.spec.Cells[2].ID = "limits"
			},
			state: Stale, want: []string{
				"spec: small.toml has changed: cells by-method changed, limits added, limited removed; the runs are the same",
				"rows: the runs tell otherwise in ",
			},
		},
		{
			name: "settings", change: func(b *bench) { b.respell("# other settings\n") },
			facts: func(f *Facts) { f.Plan = append(slices.Clone(f.Plan[1:]), key(20), key(21)) },
			state: Stale, want: []string{"spec: small.toml has changed: its settings or its sweep", "plan: the plan has 7 runs: 2 added, 1 removed"},
		},
		{
			name: "settings, the runs not known", change: func(b *bench) { b.respell("# other settings\n") },
			facts: func(f *Facts) { f.Plan, f.Document, f.Unplanned = nil, nil, errors.New("no data") },
			state: Stale, want: []string{"spec: small.toml has changed: its prose, layout or comments", "unchecked: which runs the spec consists of: no data"},
		},
		{
			name: "another engine", facts: func(f *Facts) { f.Plan = []string{key(20), key(21)} },
			state: Stale, want: []string{"plan: all 6 runs of the plan have other keys, though the spec is the same: the engine's version or the data have changed"},
		},
		{
			name: "other data", facts: func(f *Facts) { f.Plan = append(slices.Clone(f.Plan[:5]), key(20)) },
			state: Stale, want: []string{"plan: 1 of 6 runs of the plan have other keys, though the spec is the same: data have changed"},
		},
		{
			name: "another order", facts: func(f *Facts) { slices.Reverse(f.Plan) },
			state: Stale, want: []string{"plan: the runs of the plan are in another order"},
		},
		{
			name: "runs missing", facts: func(f *Facts) {
				f.Lacking = []Lack{{key(0), "never run"}, {key(2), "failed"}, {key(3), "never run"}}
				f.Document.manifest.Items[0].Value = new("1") // what the others tell is no reason
			},
			state: Stale, want: []string{"missing: 3 of 6 runs missing: 2 never run, 1 failed"},
		},
		{
			name: "one run missing", facts: func(f *Facts) { f.Lacking = []Lack{{key(0), "removed"}} },
			state: Stale, want: []string{"missing: 1 of 6 runs missing: removed"},
		},
		{
			name: "written without a run that has a result now", change: func(b *bench) {
				b.otherManifest(func(m *manifest) { m.Missing = "4" })
			},
			state: Stale, want: []string{"missing: it was written without 1 run that has a result now"},
		},
		{
			name: "an earlier renderer", change: func(b *bench) {
				b.otherManifest(func(m *manifest) { m.Renderer = 0 })
			},
			state: Stale, want: []string{"renderer: it was written by an early version of the rendering, this kappa has version 2"},
		},
		{
			name: "a number", change: func(b *bench) { b.source.answers[median].Values[0][0] = 358.1 },
			state: Stale, want: []string{"rows: the runs tell otherwise in a number of spec line 10"},
		},
		{
			name: "a table and a claim", change: func(b *bench) {
				b.source.answers["SELECT table FROM results"].Values[1][1] = 4.1e6
				b.source.answers["SELECT single FROM results"] = one(356.0)
			},
			state: Stale, want: []string{"rows: the runs tell otherwise in tables by-method, limited; claim matches"},
		},
		{
			name: "a figure", change: func(b *bench) { b.source.answers["MAP"].Values[0][2] = 1.75 },
			state: Stale, want: []string{"rows: the runs tell otherwise in figure map"},
		},
		{
			name: "figures, no document", change: func(b *bench) { b.source.answers[statesQuery].Values[2][1] = "diverged" },
			facts: func(f *Facts) { f.Document = nil },
			state: Stale, want: []string{"rows: 1 run ended with other figures than the report was made from"},
		},
		{
			name: "figures that tell the same", facts: func(f *Facts) { f.Figures[3] = strings.Repeat("0", 64) },
			state: Current,
		},
		{
			name: "figures not known", change: func(b *bench) {
				b.otherManifest(func(m *manifest) { m.Written.Figures = "" })
			},
			facts: func(f *Facts) { f.Document = nil },
			state: Current, want: []string{"unchecked: whether its numbers are those of the runs: its manifest does not tell their figures"},
		},
		{
			name: "no runs at hand", facts: func(f *Facts) {
				f.Document, f.Figures, f.Unbuilt = nil, nil, errors.New("no run is recorded")
			},
			state: Current, want: []string{"unchecked: whether its numbers are those of the runs: no run is recorded"},
		},
		{
			name: "a warning", change: func(b *bench) { b.source.answers[statesQuery].Values[4][2] = "diverged at step 13" },
			state: Stale, want: []string{`text: small.md would be another from line 60 on ("- 1 run diverged (diverged at step 13): seed 5.")`},
		},
		{
			name: "everything at once", change: func(b *bench) {
				b.edit("small.md", "median", "mean")
				b.respell("# more\n")
				b.source.answers[median].Values[0][0] = 358.1
			},
			facts: func(f *Facts) { f.Plan = f.Plan[:5] },
			state: Altered, want: []string{"edited: line 6", "spec: settings or its sweep", "plan: 0 added, 1 removed", "rows: "},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			if tc.change != nil {
				tc.change(b)
			}
			s := b.judge(tc.facts)
			var got []string
			for _, r := range s.Reasons {
				got = append(got, r.Kind+": "+r.Text)
			}
			for _, u := range s.Unchecked {
				got = append(got, "unchecked: "+u)
			}
			if s.State != tc.state || len(got) != len(tc.want) {
				t.Fatalf("%s %q, want %s %q", s.State, got, tc.state, tc.want)
			}
			for i, want := range tc.want {
				kind, part, _ := strings.Cut(want, ": ")
				if !strings.HasPrefix(got[i], kind+": ") || !strings.Contains(got[i], part) {
					t.Errorf("reason %d is %q, want %q", i+1, got[i], want)
				}
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestJudgeAgreesWithCompare: a report has reasons if and only if writing it would change something.
func TestJudgeAgreesWithCompare(t *testing.T) {
	for name, change := range map[string]func(*fake){
		"nothing": func(*fake) {},
		"rows":    func(f *fake) { f.answers["SELECT count(*) FROM results"] = one(int64(6)) },
		"ridge":   func(f *fake) { f.answers[ridgeQuery] = rows("run", column(key(0))...) },
		"reason":  func(f *fake) { f.answers[statesQuery].Values[0][2] = "converged" },
		"times":   func(f *fake) { f.answers[statesQuery].Values[0][4] = "2027-03-01T10:00:00.000Z" },
		"seeds":   func(f *fake) { f.answers[seedQuery] = rows("run method seed") },
		"more": func(f *fake) {
			f.nonFinite = append(f.nonFinite, store.NonFinite{Run: key(1), View: "metrics", Of: "x", Kind: "nan"})
		},
	} {
		b := newBench(t)
		change(b.source)
		diff, err := Compare(b.dir, b.build())
		if err != nil {
			t.Fatal(err)
		}
		if s := b.judge(nil); (len(s.Reasons) > 0) != (len(diff) > 0) {
			t.Errorf("%s: reasons %v, and writing changes %v", name, s.Reasons, diff)
		}
	}
}

func TestVerdicts(t *testing.T) {
	b := newBench(t)
	p, err := Look(b.dir, "small")
	must(t, err)
	v, ok := p.Verdicts()
	want := "[{immunizes reproduced reproduced 40} {matches not reproduced not reproduced 45} {ranking reproduced reproduced 50} {undecided undecided reproduced 55}]"
	if got := fmt.Sprint(v); !ok || got != want {
		t.Errorf("verdicts %s, want %s", got, want)
	}
}
