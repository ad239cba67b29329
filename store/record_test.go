package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestExperiments(t *testing.T) {
	clk := newClock()
	db := openTest(t, newPath(t), Options{Now: clk.now})
	ctx := t.Context()
	a := Experiment{Name: "digits", Title: "D", Source: "s", Hash: "h1", Bytes: []byte("one"), Runs: []string{key(1), key(2)}, Swept: []string{`{"a": 1}`, `{"a": 2}`}}
	b := Experiment{Name: "digits", Title: "D", Hash: "h2", Bytes: []byte("two"), Runs: []string{key(2), key(3)}}
	other := Experiment{Name: "angle", Hash: "h1", Runs: []string{key(1)}}
	for _, e := range []Experiment{a, b, other, a} {
		if err := db.RecordExperiment(ctx, e); err != nil {
			t.Fatalf("record %s %s: %v", e.Name, e.Hash, err)
		}
	}
	if got := one(t, db, "SELECT group_concat(name || ' ' || hash || ' ' || CAST(bytes AS TEXT)) FROM (SELECT * FROM experiments ORDER BY id)"); got != "digits h1 one,digits h2 two,angle h1 " {
		t.Errorf("experiments: %v", got)
	}
	if got := one(t, db, "SELECT count(*) FROM runs"); got != int64(0) {
		t.Errorf("%v runs before any was tried", got)
	}
	for i := range 3 {
		record(t, db, i+1)
	}
	rows, err := db.Query(ctx, "SELECT experiment, swept FROM results ORDER BY seed", QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]any{{"digits", `{"a": 1}`}, {"digits", `{"a": 2}`}, {"digits", "{}"}} // of the version recorded last
	if d := cmp.Diff(want, rows.Values); d != "" {
		t.Errorf("experiment and swept values (-want +got):\n%s", d)
	}
	a.Swept = a.Swept[:1]
	if err := db.RecordExperiment(ctx, a); err == nil {
		t.Error("one set of swept values for two runs was taken")
	}

	// Claims: the newest judging of each experiment shows, and none is lost.
	claims := func(verdict string, n int) (out []Claim) {
		for i := range n {
			out = append(out, Claim{
				ID: fmt.Sprintf("c%d", n-i), Verdict: verdict, Value: 1.5, SD: nan, N: 1, Low: nan, High: nan, Expect: 1.0, Op: ">",
				Tolerance: nan, PaperValue: 2.15, Runs: []string{key(1)},
			})
		}
		return out
	}
	for _, r := range []struct {
		name, hash, verdict string
		n                   int
	}{{"digits", "h1", "undecided", 3}, {"angle", "h1", "reproduced", 1}, {"digits", "h2", "not reproduced", 2}} {
		clk.advance(time.Second)
		if err := db.RecordClaims(ctx, r.name, r.hash, claims(r.verdict, r.n)); err != nil {
			t.Fatal(err)
		}
	}
	rows, err = db.Query(ctx, "SELECT * FROM claims ORDER BY experiment, id", QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	runs := `["` + key(1) + `"]`
	want = [][]any{
		{"angle", "c1", "reproduced", 1.5, nil, int64(1), nil, nil, 1.0, ">", nil, 2.15, runs, "2026-03-01T12:00:02.000Z"},
		{"digits", "c1", "not reproduced", 1.5, nil, int64(1), nil, nil, 1.0, ">", nil, 2.15, runs, "2026-03-01T12:00:03.000Z"},
		{"digits", "c2", "not reproduced", 1.5, nil, int64(1), nil, nil, 1.0, ">", nil, 2.15, runs, "2026-03-01T12:00:03.000Z"},
	}
	if d := cmp.Diff(want, rows.Values); d != "" {
		t.Errorf("claims (-want +got):\n%s", d)
	}
	if got := one(t, db, "SELECT count(*) FROM claim"); got != int64(6) {
		t.Errorf("%v verdicts are kept, want 6", got)
	}
	list := Claim{ID: "o", Verdict: "reproduced", Expect: `["a","b"]`, Op: "order"}
	if err := db.RecordClaims(ctx, "angle", "h1", []Claim{list}); err != nil {
		t.Errorf("a claim with a list: %v", err)
	}
	if err := db.RecordClaims(ctx, "angle", "none", nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("claims of an unknown version: %v", err)
	}
}

func TestDigests(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	for _, d := range [][2]string{{"digits:3", "x"}, {"digits:8", "y"}, {"digits:3", "z"}} {
		if err := db.RecordDigest(t.Context(), d[0], d[1]); err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.Digests(t.Context())
	if d := cmp.Diff(map[string]string{"digits:3": "z", "digits:8": "y"}, got); err != nil || d != "" {
		t.Errorf("digests: %v\n%s", err, d)
	}
}

func TestArtifacts(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	ctx := t.Context()
	var o Outcome
	o.Status = Done
	for _, f := range [][2]string{{"theta", "θ"}, {"bias.npy", "b"}} {
		name, data := f[0], f[1]
		a, err := db.WriteArtifact(key(1), name, []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(a.Path, "artifacts/"+key(1)) || !strings.HasSuffix(a.Path, ".npy") || a.Bytes != int64(len(data)) {
			t.Errorf("artifact %+v", a)
		}
		again, err := db.WriteArtifact(key(1), name, []byte(data))
		if err != nil || again != a {
			t.Errorf("written again: %+v, %v; want %+v", again, err, a)
		}
		o.Artifacts = append(o.Artifacts, a)
	}
	stray, err := db.WriteArtifact(key(1), "theta", []byte("another θ"))
	if err != nil {
		t.Fatal(err)
	}
	attempt := claimTest(t, db, start(1), false)
	if _, ok, err := db.FindTheta(ctx, start(1).TrainKey); ok || err != nil {
		t.Errorf("θ of a run that is not finished was found: %v", err)
	}
	if err := db.Finish(ctx, attempt, o); err != nil {
		t.Fatal(err)
	}
	a, err := db.Artifact(ctx, key(1)[:8], "theta")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := db.ReadArtifact(a); err != nil || string(data) != "θ" {
		t.Errorf("θ reads %q, %v", data, err)
	}
	kept, ok, err := db.FindTheta(ctx, start(1).TrainKey)
	if err != nil || !ok || kept.Run != key(1) || kept.Status != Done || len(kept.Artifacts) != 2 || kept.Attempt != attempt {
		t.Errorf("the kept θ: %+v, %v, %v", kept, ok, err)
	}
	for name, prefix := range map[string]string{"weights": key(1), "theta": "ffff"} {
		if _, err := db.Artifact(ctx, prefix, name); !errors.Is(err, ErrNotFound) {
			t.Errorf("artifact %s of %.6s: %v", name, prefix, err)
		}
	}
	for _, name := range []string{"", "../theta", "a/b", `a\b`, ".hidden"} {
		if _, err := db.WriteArtifact(key(1), name, nil); err == nil {
			t.Errorf("an artifact was written under the name %q", name)
		}
	}
	if _, err := db.ReadArtifact(Artifact{Path: "../../etc/passwd"}); err == nil || !strings.Contains(err.Error(), "out of") {
		t.Errorf("a path that leads out: %v", err)
	}

	problems, notes, err := db.Check(ctx)
	if err != nil || len(problems) != 0 || len(notes) != 1 || !strings.Contains(notes[0], stray.Path) {
		t.Errorf("check: problems %v, notes %v, %v; want a note of the stray file only", problems, notes, err)
	}
	if err := os.WriteFile(db.ArtifactPath(a), []byte("?"), 0o666); err != nil {
		t.Fatal(err)
	}
	bias := o.Artifacts[1]
	if err := os.Remove(db.ArtifactPath(bias)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ReadArtifact(a); err == nil {
		t.Error("a changed artifact was read")
	}
	problems, _, err = db.Check(ctx)
	if all := strings.Join(problems, "\n"); err != nil || len(problems) != 2 ||
		!strings.Contains(all, a.Path+" has changed") || !strings.Contains(all, bias.Path+" is missing") {
		t.Errorf("check of damaged artifacts: %v, %v", problems, err)
	}
	if _, ok, err := db.FindTheta(ctx, start(1).TrainKey); ok || err != nil {
		t.Errorf("a damaged θ was found: %v", err)
	}
}

// TestPartialArtifacts: what a killed process has left half written goes when the database is next opened for writing, but
// not while a run is under way that may be writing it; until then that is no problem.
func TestPartialArtifacts(t *testing.T) {
	path := newPath(t)
	db := openTest(t, path, Options{})
	attempt := claimTest(t, db, start(1), false)
	kept, err := db.WriteArtifact(key(1), "theta", []byte("θ"))
	if err != nil {
		t.Fatal(err)
	}
	partial := filepath.Join(filepath.Dir(db.ArtifactPath(kept)), partialPrefix+"123")
	if err := os.WriteFile(partial, []byte("half"), 0o666); err != nil {
		t.Fatal(err)
	}
	openTest(t, path, Options{})
	if _, err := os.Stat(partial); err != nil {
		t.Errorf("while a run is under way: %v", err)
	}
	mustCheck(t, db) // neither file belongs to an attempt yet
	if err := db.Finish(t.Context(), attempt, Outcome{Status: Done, Artifacts: []Artifact{kept}}); err != nil {
		t.Fatal(err)
	}
	if _, notes, err := db.Check(t.Context()); err != nil || len(notes) != 1 || !strings.Contains(notes[0], filepath.Base(partial)) {
		t.Errorf("check after the run: %q, %v; want one note, %s", notes, err, filepath.Base(partial))
	}
	openTest(t, path, Options{})
	if _, err := os.Stat(partial); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the run: %v, want it gone", err)
	}
	if _, err := os.Stat(db.ArtifactPath(kept)); err != nil {
		t.Errorf("the artifact itself: %v", err)
	}
	mustCheck(t, db)
}

func TestRunsList(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	ctx := t.Context()
	if err := db.RecordExperiment(ctx, Experiment{Name: "digits", Hash: "h", Runs: []string{key(0), key(1), key(2), key(7)}}); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		record(t, db, i)
	}
	s := start(7)
	s.Tags, s.Note = []string{"try"}, "why not"
	claimTest(t, db, s, false)
	for _, c := range []struct {
		f    Filter
		want []int
	}{
		{Filter{}, []int{7, 5, 4, 3, 2, 1, 0}},
		{Filter{Limit: 2}, []int{7, 5}},
		{Filter{Experiment: "digits"}, []int{7, 2, 1, 0}},
		{Filter{Method: "method-1", Status: Done}, []int{4, 1}},
		{Filter{Tag: "try"}, []int{7}},
		{Filter{Prefix: strings.ToUpper(key(3)[:5])}, []int{3}},
		{Filter{Status: Failed}, nil},
	} {
		rows, err := db.RunsList(ctx, c.f)
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for _, r := range rows {
			got = append(got, r.Key)
		}
		for _, i := range c.want {
			want = append(want, key(i))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%+v (-want +got):\n%s", c.f, d)
		}
	}
	r, err := db.RunByPrefix(ctx, key(7)[:10])
	if err != nil || r.Note != "why not" || r.Status != Running || r.Experiment != "digits" || *r.HarmfulClass != 8 || *r.Seed != 7 || r.EngineVersion != 3 || !r.Finished.IsZero() {
		t.Errorf("run 7: %+v, %v", r, err)
	}
	for _, prefix := range []string{"", "zz", "0000000000", "%", "_"} {
		if _, err := db.RunByPrefix(ctx, prefix); !errors.Is(err, ErrNotFound) {
			t.Errorf("prefix %q: %v, want ErrNotFound", prefix, err)
		}
	}

	// Two keys with a common beginning.
	for i, end := range []string{"1", "2"} {
		s := start(20 + i)
		s.Key = "abc" + strings.Repeat("0", 60) + end
		claimTest(t, db, s, false)
	}
	_, err = db.RunByPrefix(ctx, "ABC")
	e, ok := errors.AsType[*AmbiguousError](err)
	if !ok || len(e.Candidates) != 2 || e.More != 0 || e.Candidates[0] > e.Candidates[1] {
		t.Errorf("an ambiguous prefix: %v", err)
	}
}

func TestKin(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	record(t, db, 1)
	asked := map[string]func(s *Start){
		"engine":  func(s *Start) { s.EngineVersion = 4 },
		"data":    func(s *Start) { s.Primary.Digest = "new" },
		"param":   func(s *Start) { s.Params[0].Number = ptr(0.25) },
		"seed":    func(s *Start) { s.Seed = ptr(int64(5)) },
		"reorder": func(s *Start) { s.Params[0], s.Params[1] = s.Params[1], s.Params[0] },
	}
	for name, change := range asked {
		s := start(1)
		s.Key = key(900)
		change(&s)
		m, err := db.Kin(t.Context(), []Start{s})
		if err != nil {
			t.Fatal(err)
		}
		k, ok := m[s.Key]
		want := name != "param" && name != "seed"
		if ok != want || ok && (k.Key != key(1) || k.EngineVersion != 3 || k.PrimaryDigest != "p") {
			t.Errorf("%s: %+v, %v; want %v", name, k, ok, want)
		}
	}
	if m, err := db.Kin(t.Context(), []Start{start(1)}); err != nil || len(m) != 0 {
		t.Errorf("the kin of a finished run: %v, %v", m, err)
	}
}

func TestBackup(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	record(t, db, 1)
	dst := filepath.Join(t.TempDir(), "it's a copy.db")
	if err := db.Backup(t.Context(), dst); err != nil {
		t.Fatal(err)
	}
	b, err := OpenReadOnly(t.Context(), dst)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	mustCheck(t, b)
	if got := one(t, b, "SELECT count(*) FROM results"); got != int64(1) {
		t.Errorf("the copy has %v results", got)
	}
	if err := db.Backup(t.Context(), dst); !errors.Is(err, ErrExists) {
		t.Errorf("a second backup to the same file: %v", err)
	}
	if err := db.Backup(t.Context(), filepath.Join(t.TempDir(), "none", "x.db")); err == nil {
		t.Error("a backup into a folder that is not there")
	}
	if err := b.Backup(t.Context(), dst+"2"); err != nil {
		t.Errorf("a backup of a database that is only read: %v", err)
	}
	if err := b.RecordDigest(t.Context(), "a", "b"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("writing to a database that is only read: %v", err)
	}
}

// TestCheckOfDamage overwrites pages in the middle of a database and expects the check to list what SQLite finds there.
func TestCheckOfDamage(t *testing.T) {
	path := newPath(t)
	db := openTest(t, path, Options{})
	for i := range 40 {
		attempt := claimTest(t, db, start(i), false)
		if err := db.Finish(t.Context(), attempt, Outcome{Status: Done, Log: strings.Repeat("log ", 500)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, 8*4096), info.Size()/2/4096*4096); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	read, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = read.Close() })
	problems, _, err := read.Check(t.Context())
	if err != nil || !strings.Contains(strings.Join(problems, "\n"), " page ") {
		t.Errorf("check: %q, %v; want the damaged pages", problems, err)
	}
}
