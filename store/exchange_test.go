package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// planes has a rune of every plane of Unicode, and what text may not be expected to hold.
func planes() string {
	var b strings.Builder
	for plane := range rune(17) {
		b.WriteRune(plane<<16 + 0x41)
		b.WriteRune(plane<<16 + 0x301)
	}
	return b.String() + "\u0000\u2028\ufeff\U0010ffff<&>\"\\\r\n\t"
}

// specTest is a version of a spec with its true hash.
func specTest(name, text string, runs ...int) Experiment {
	sum := sha256.Sum256([]byte(text))
	e := Experiment{Name: name, Title: "T " + name, Source: "s", Hash: hex.EncodeToString(sum[:]), Bytes: []byte(text)}
	for _, i := range runs {
		e.Runs = append(e.Runs, key(i))
		e.Swept = append(e.Swept, fmt.Sprintf(`{"seed":%d}`, i))
	}
	return e
}

// fill makes a notebook with everything that is hard to carry.
func fill(t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.RecordExperiment(ctx, specTest("first", "title = \"one\"\n", 0, 1, 2, 9)))
	must(db.RecordExperiment(ctx, specTest("second "+strings.ReplaceAll(planes(), "\\", "")[:20], "\xff\xfe not UTF-8", 2, 3)))
	must(db.RecordDigest(ctx, "digits/3", "p"))
	for i := range 4 {
		s := start(i)
		s.Tags, s.Note = []string{"b", "a" + planes()}, fmt.Sprintf("note %d", i)
		s.Params = append(s.Params,
			Param{Path: planes(), Text: ptr(strings.Repeat("ä", 500_000*(i/3)))},
			Param{Path: "tiny", Number: ptr(math.SmallestNonzeroFloat64)}, Param{Path: "whole", Number: ptr(1e300)},
			Param{Path: "invalid \xff\xfe", Text: ptr("\xc3(")}, Param{Path: "empty", Text: ptr("")})
		if i > 0 {
			s.Depends = []Dependency{{Needs: key(0), What: "θ_0"}}
		}
		a := claimTest(t, db, s, false)
		o := outcome(i)
		o.Log = "said " + planes()
		o.Metrics = append(o.Metrics, Metric{"nan", 0, math.NaN()}, Metric{"inf", 0, math.Inf(1)}, Metric{"-inf", 0, math.Inf(-1)},
			Metric{"-0", 0, math.Copysign(0, -1)}, Metric{"subnormal", 0, 5e-324}, Metric{"third", 0, 1.0 / 3}, Metric{planes(), 1 << 40, math.MaxFloat64})
		o.Result.RIR = math.NaN()
		art, err := db.WriteArtifact(s.Key, "theta", []byte(strings.Repeat(fmt.Sprint(i/2), 600_000*(1+i/2))))
		must(err)
		o.Artifacts = []Artifact{art}
		must(db.Finish(ctx, a, o))
	}
	_, err := db.w.ExecContext(ctx, "INSERT INTO param (run, path, number) SELECT id, 'inf', 9e999 FROM run WHERE shown NOT NULL UNION ALL SELECT id, '-inf', -9e999 FROM run WHERE shown NOT NULL")
	must(err)
	// Attempts that failed, were interrupted, were repeated with the same figures and with others, one under way, one removed.
	a := claimTest(t, db, start(5), false)
	must(db.Finish(ctx, a, Outcome{Status: Failed, Error: "no \xff", Log: "l"}))
	a = claimTest(t, db, start(5), false)
	must(db.Finish(ctx, a, Outcome{Status: Interrupted, Reason: "by hand"}))
	for _, i := range []int{1, 1, 2} {
		a = claimTest(t, db, start(i), true)
		o := outcome(i)
		if i == 2 {
			o.Result.RIR = 77
		}
		must(db.Finish(ctx, a, o))
	}
	claimTest(t, db, start(6), false)
	hash := specTest("first", "title = \"one\"\n").Hash
	for _, v := range []string{"reproduced", "not reproduced"} {
		must(db.RecordClaims(ctx, "first", hash, []Claim{
			{ID: "c", Verdict: v, Value: 2, SD: math.NaN(), N: 1, Low: math.NaN(), High: math.NaN(), Expect: 1.0, Op: ">", Tolerance: math.NaN(), PaperValue: math.NaN(), Runs: []string{key(0)}},
			{ID: "d", Verdict: v, Value: math.NaN(), SD: math.NaN(), Low: math.NaN(), High: math.NaN(), Expect: `["a","b"]`, Op: "order", Tolerance: math.NaN(), PaperValue: 2.15},
		}))
	}
}

func exportTest(t *testing.T, db *DB, o ExportOptions) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := db.ExportJSONL(t.Context(), &b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func importTest(t *testing.T, db *DB, text string, o ImportOptions) ImportReport {
	t.Helper()
	r, err := db.ImportJSONL(t.Context(), "x.jsonl", strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ticking is a clock that moves with every look at it, so that no two attempts begin at once.
func ticking() Options {
	c := newClock()
	return Options{Now: func() time.Time { c.advance(time.Millisecond); return c.now() }}
}

// TestExchangeIdentity: what comes out is what goes in, whichever way it went, and a second time changes nothing.
func TestExchangeIdentity(t *testing.T) {
	t.Parallel()
	db := openTest(t, newPath(t), ticking())
	fill(t, db)
	text := exportTest(t, db, ExportOptions{})
	if again := exportTest(t, db, ExportOptions{}); again != text {
		t.Error("two exports differ")
	}
	lines := openTest(t, newPath(t), Options{})
	if r := importTest(t, lines, text, ImportOptions{DryRun: true}); r.Runs != 5 || r.Attempts != 9 || r.Experiments != 2 || r.Evaluations != 2 || r.Files != 4 || r.Digests != 1 {
		t.Errorf("a dry run would add %+v", r)
	}
	if got := one(t, lines, "SELECT (SELECT count(*) FROM run) + (SELECT count(*) FROM experiment) + (SELECT count(*) FROM digest)"); got != int64(0) {
		t.Errorf("a dry run has added %v rows", got)
	}
	r := importTest(t, lines, text, ImportOptions{})
	if r.Runs != 5 || r.Attempts != 9 || r.Experiments != 2 || r.Evaluations != 2 || r.Files != 4 || len(r.Missing)+len(r.Differ)+len(r.Notes) != 0 {
		t.Errorf("the first import added %+v", r)
	}
	sameText(t, "through JSON lines", text, exportTest(t, lines, ExportOptions{}))
	if r = importTest(t, lines, text, ImportOptions{}); r.Same != 9 || r.Runs+r.Attempts+r.Experiments+r.Evaluations+r.Files+r.Digests+r.Repeated != 0 {
		t.Errorf("the second import added %+v", r)
	}
	sameText(t, "imported twice", text, exportTest(t, lines, ExportOptions{}))
	mustCheck(t, lines)

	file := filepath.Join(t.TempDir(), "out.db")
	e, err := db.ExportDB(t.Context(), file, ExportOptions{})
	if err != nil || e.Runs != 5 || e.Attempts != 9 || e.Files != 2 || e.Running != 0 {
		t.Fatalf("export to a database: %+v, %v", e, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Errorf("beside the export lie %v", left)
	}
	out, err := OpenReadOnly(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	sameText(t, "out of an exported database", text, exportTest(t, out, ExportOptions{}))
	if err := out.Close(); err != nil {
		t.Error(err)
	}
	third := openTest(t, newPath(t), Options{})
	for range 2 {
		if _, err := third.Import(t.Context(), file, ImportOptions{}); err != nil {
			t.Fatal(err)
		}
		sameText(t, "through a database", text, exportTest(t, third, ExportOptions{}))
	}
	fourth := openTest(t, newPath(t), Options{}) // from a live notebook
	if r, err := fourth.Import(t.Context(), db.Path(), ImportOptions{}); err != nil || r.Running != 0 {
		t.Fatal(r, err)
	}
	sameText(t, "from a notebook", text, exportTest(t, fourth, ExportOptions{}))
	mustCheck(t, fourth)
	want := one(t, db, "SELECT group_concat(run || rir || steps, ' ' ORDER BY run) FROM results")
	if got := one(t, fourth, "SELECT group_concat(run || rir || steps, ' ' ORDER BY run) FROM results"); got != want {
		t.Errorf("results are %v, not %v", got, want)
	}
}

// sameText compares long texts by their first line that differs.
func sameText(t *testing.T, what, want, got string) {
	t.Helper()
	if want == got {
		return
	}
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("%s: line %d of %d is\n%.300s\nnot\n%.300s", what, i+1, len(b), b[i], a[i])
		}
	}
	t.Fatalf("%s: %d lines, not %d", what, len(b), len(a))
}

// TestMerge: two notebooks with runs in common.
func TestMerge(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a, b := openTest(t, newPath(t), ticking()), openTest(t, newPath(t), Options{})
	for i := range 4 {
		record(t, a, i)
	}
	record(t, b, 1)                                          // the same figures, at another time
	other := claimTest(t, b, start(2), false)                // other figures
	failed := claimTest(t, b, start(3), false)               // finished there, failed here
	noted := claimTest(t, b, withNote(start(4), "b"), false) // only here
	o := outcome(2)
	o.Metrics[0].Value++
	if err := errors.Join(b.Finish(ctx, other, o), b.Finish(ctx, failed, Outcome{Status: Failed, Error: "x"}), b.Finish(ctx, noted, outcome(4))); err != nil {
		t.Fatal(err)
	}
	text := exportTest(t, a, ExportOptions{})
	want := ImportReport{Runs: 1, Attempts: 3, Repeated: 1, Differ: []string{key(2)}}
	if d := cmp.Diff(want, importTest(t, b, text, ImportOptions{DryRun: true})); d != "" {
		t.Errorf("dry run (-want +got):\n%s", d)
	}
	if d := cmp.Diff(want, importTest(t, b, text, ImportOptions{})); d != "" {
		t.Errorf("import (-want +got):\n%s", d)
	}
	want = ImportReport{Same: 3, Repeated: 1}
	if d := cmp.Diff(want, importTest(t, b, text, ImportOptions{})); d != "" {
		t.Errorf("again (-want +got):\n%s", d)
	}
	for q, want := range map[string]any{
		"SELECT count(*) FROM attempts":                                                 int64(7),
		"SELECT status || attempt FROM runs WHERE key = '" + key(3) + "'":               "done2",
		"SELECT attempt FROM runs WHERE key = '" + key(2) + "'":                         int64(2),
		"SELECT value FROM metrics WHERE run = '" + key(2) + "' AND name = 'grad_well'": 2.0,
		"SELECT count(*) FROM attempt WHERE seq IS NULL":                                int64(0),
		"SELECT count(DISTINCT seq) FROM attempt":                                       int64(7),
		"SELECT note FROM runs WHERE key = '" + key(4) + "'":                            "b",
		"SELECT count(*) FROM attempts AS a JOIN runs AS r ON r.key = a.run":            int64(7),
	} {
		if got := one(t, b, q); got != want {
			t.Errorf("%s: %v, want %v", q, got, want)
		}
	}
	mustCheck(t, b)
}

// TestMergeRepetition: a run that somebody who has ours has computed again, with the same figures, has not other ones; and what a part of
// this notebook has computed again is an attempt as without an inbox.
func TestMergeRepetition(t *testing.T) {
	t.Parallel()
	a, b, c := openTest(t, newPath(t), ticking()), openTest(t, newPath(t), Options{}), openTest(t, newPath(t), Options{})
	record(t, a, 0)
	importTest(t, b, exportTest(t, a, ExportOptions{}), ImportOptions{})
	if err := b.Finish(t.Context(), claimTest(t, b, start(0), true), outcome(0)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(ImportReport{Attempts: 1, Same: 1}, importTest(t, a, exportTest(t, b, ExportOptions{}), ImportOptions{})); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if err := c.Finish(t.Context(), claimTest(t, c, start(0), false), outcome(0)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(ImportReport{Attempts: 1}, importTest(t, a, exportTest(t, c, ExportOptions{}), ImportOptions{part: true})); d != "" {
		t.Errorf("a part (-want +got):\n%s", d)
	}
}

func withNote(s Start, note string) Start {
	s.Note = note
	return s
}

// TestMergeSpecs: a version that comes later from elsewhere does not become the current one, nor its verdicts the latest.
func TestMergeSpecs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	ours := newClock()
	a, b := openTest(t, newPath(t), ticking()), openTest(t, newPath(t), Options{Now: ours.now})
	ours.advance(time.Hour)
	old, now := specTest("e", "old", 1, 2), specTest("e", "new", 2, 3)
	claim := func(v string) []Claim { return []Claim{{ID: "c", Verdict: v, Op: ">"}} }
	err := errors.Join(a.RecordExperiment(ctx, old), a.RecordClaims(ctx, "e", old.Hash, claim("theirs")),
		b.RecordExperiment(ctx, now), b.RecordClaims(ctx, "e", now.Hash, claim("ours")))
	if err != nil {
		t.Fatal(err)
	}
	text := exportTest(t, a, ExportOptions{})
	if r := importTest(t, b, text, ImportOptions{}); r.Experiments != 1 || r.Evaluations != 1 {
		t.Errorf("%+v", r)
	}
	if r := importTest(t, b, text, ImportOptions{}); r.Experiments != 0 || r.Evaluations != 0 {
		t.Errorf("again: %+v", r)
	}
	if got := one(t, b, "SELECT verdict FROM claims"); got != "ours" {
		t.Errorf("the latest verdict is %v", got)
	}
	if got := one(t, b, "SELECT CAST(bytes AS TEXT) FROM experiment ORDER BY touched DESC LIMIT 1"); got != "new" {
		t.Errorf("the current version is %v", got)
	}
	mustCheck(t, b)
}
