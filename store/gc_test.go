package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// garbageNames lists garbage in short: kind, and the key or the file's name.
func garbageNames(list []Garbage) (out []string) {
	for _, g := range list {
		out = append(out, string(g.Kind)+" "+strings.TrimPrefix(g.Name, "artifacts/")[:min(8, len(g.Name))])
	}
	slices.Sort(out)
	return out
}

func TestGarbage(t *testing.T) {
	db, clk := removeTest(t)
	ctx := t.Context()
	// Run 3 shares the file of run 2's θ: an attack more on a kept θ refers to it.
	shared, err := db.Artifact(ctx, key(2), "theta")
	if err != nil {
		t.Fatal(err)
	}
	o := outcome(3)
	o.Artifacts = []Artifact{shared}
	if err := db.Finish(ctx, claimTest(t, db, start(3), true), o); err != nil {
		t.Fatal(err)
	}
	if list, err := db.Garbage(ctx, 0); err != nil || len(list) != 0 {
		t.Fatalf("garbage %v, %v, and there is none", garbageNames(list), err)
	}
	if _, err := db.Remove(ctx, []string{key(2), key(1)}, false); err != nil {
		t.Fatal(err)
	}
	clk.advance(24 * time.Hour)
	if list, err := db.Garbage(ctx, 30*24*time.Hour); err != nil || len(list) != 0 {
		t.Fatalf("after a day the garbage of a month is %v, %v", garbageNames(list), err)
	}
	want := []string{"artifact " + key(1)[:8], "removed run " + key(1)[:8], "removed run " + key(2)[:8]}
	slices.Sort(want)
	list, err := db.Garbage(ctx, 0)
	if d := cmp.Diff(want, garbageNames(list)); err != nil || d != "" {
		t.Fatalf("garbage (-want +got): %v\n%s", err, d)
	}
	for _, g := range list {
		if g.Bytes <= 0 || g.Why == "" || (g.Kind == GarbageRun) != (g.Run.Key == g.Name) {
			t.Errorf("%+v", g)
		}
	}
	if n := one(t, db, "SELECT count(*) FROM runs"); n != int64(1) {
		t.Errorf("looking at it changed the runs: %v", n)
	}
	deleted, err := db.Collect(ctx, 0)
	if d := cmp.Diff(want, garbageNames(deleted)); err != nil || d != "" {
		t.Fatalf("deleted (-want +got): %v\n%s", err, d)
	}
	if again, err := db.Collect(ctx, 0); err != nil || len(again) != 0 {
		t.Errorf("again: %v, %v", garbageNames(again), err)
	}
	if _, err := os.Stat(db.ArtifactPath(shared)); err != nil {
		t.Errorf("the θ that run 3 shares: %v", err)
	}
	for table, want := range map[string]int64{"run": 3, "attempt": 2, "result": 2, "artifact": 2, "param": 2, "dependency": 0, "provenance": 1} {
		var n int64
		if err := db.r.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil || n != want {
			t.Errorf("%s has %d rows, want %d; %v", table, n, want, err)
		}
	}
	mustCheck(t, db)
	if lost, err := db.Lost(ctx); err != nil || len(lost) != 0 {
		t.Errorf("what gc has deleted counts as lost: %+v, %v", lost, err)
	}
	if s := stateOf(t, db, key(1)); s.Status != "" || s.Removed {
		t.Errorf("a deleted run's state: %+v", s)
	}
	record(t, db, 1) // it is a new run
	mustCheck(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db.r, db.w = nil, nil
	reopened := openTest(t, db.Path(), Options{Now: clk.now})
	if n := reopened.Notices(); len(n) != 0 {
		t.Errorf("opened again it says %q", n)
	}
}

// TestGarbageLeaves: what is under way, was cut off or was restored in the meantime is no garbage.
func TestGarbageLeaves(t *testing.T) {
	db, clk := removeTest(t)
	ctx := t.Context()
	stray, err := db.WriteArtifact(key(4), "theta", []byte("not recorded yet"))
	if err != nil {
		t.Fatal(err)
	}
	a := claimTest(t, db, start(4), false)
	if _, err := db.Remove(ctx, []string{key(3)}, false); err != nil {
		t.Fatal(err)
	}
	b := claimTest(t, db, start(3), false)
	must(t, os.Mkdir(filepath.Join(db.Dir(), stagePrefix+"1"), 0o777)) // an import is under way, and a run elsewhere leaves its end
	must(t, os.Mkdir(filepath.Join(db.Dir(), inboxFolder), 0o777))
	must(t, os.WriteFile(filepath.Join(db.Dir(), inboxFolder, partialPrefix+"1"), nil, 0o666))
	for range 2 {
		if deleted, err := db.Collect(ctx, 0); err != nil || len(deleted) != 0 {
			t.Errorf("deleted %v, %v", garbageNames(deleted), err)
		}
	}
	o := outcome(4)
	o.Artifacts = []Artifact{stray}
	for attempt, o := range map[int64]Outcome{a: o, b: outcome(3)} {
		if err := db.Finish(ctx, attempt, o); err != nil {
			t.Error(err)
		}
	}
	clk.advance(2 * time.Hour)
	if deleted, err := db.Collect(ctx, 0); err != nil || len(deleted) != 0 {
		t.Errorf("deleted %v, %v", garbageNames(deleted), err)
	}
	mustCheck(t, db)
}

func TestYard(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	k := func(c string) string { return strings.Repeat(c, 64) }
	y := yard{
		recorded: map[string]bool{k("a") + "-1-theta.npy": true},
		busy:     map[string]bool{k("b"): true},
		finished: map[string]bool{k("a"): true},
		known:    map[string]bool{k("a"): true, k("b"): true, k("c"): true},
		now:      now, grace: time.Hour, work: 24 * time.Hour,
	}
	for _, c := range []struct {
		folder, name string
		age          time.Duration
		running      bool
		want         GarbageKind
	}{
		{"artifacts", k("a") + "-1-theta.npy", 9 * time.Hour, false, ""},
		{"artifacts", k("a") + "-2-theta.npy", 9 * time.Hour, false, GarbageArtifact},
		{"artifacts", k("a") + "-2-theta.npy", time.Minute, false, ""},
		{"artifacts", k("b") + "-2-theta.npy", 9 * time.Hour, true, ""},
		{"artifacts", k("d") + "-2-theta.npy", 9 * time.Hour, false, GarbageArtifact},
		{"artifacts", k("a") + "-checkpoint", 9 * time.Hour, false, GarbageCheckpoint},
		{"artifacts", k("b") + "-checkpoint", 9 * time.Hour, true, ""},
		{"artifacts", k("c") + "-checkpoint", 9 * time.Hour, false, ""}, // interrupted: the next attempt goes on from there
		{"artifacts", k("d") + "-checkpoint", 9 * time.Hour, false, GarbageCheckpoint},
		{"artifacts", ".tmp-7", 9 * time.Hour, false, GarbageTemporary},
		{"artifacts", ".tmp-7", 9 * time.Hour, true, ""},
		{"artifacts", ".tmp-7", time.Minute, false, ""},
		{"artifacts", "mine.npy", 9000 * time.Hour, false, ""},
		{"artifacts", k("A") + "-x", 9000 * time.Hour, false, ""},
		{".", ".kappa-backup-1", 25 * time.Hour, true, GarbageTemporary},
		{".", ".kappa-backup-1", 9 * time.Hour, false, ""},
		{".", ".tmp-import-1", 25 * time.Hour, false, GarbageTemporary},
		{"inbox", ".tmp-1", 25 * time.Hour, false, GarbageTemporary},
		{".", ".kappa-export-1", 25 * time.Hour, true, GarbageTemporary},
		{".", ".kappa-export-1", 9 * time.Hour, false, ""},
		{"inbox/claims", ".tmp-" + k("a") + "-7-1", 25 * time.Hour, true, GarbageTemporary},
		{"inbox/claims", ".tmp-" + k("a") + "-7-1", 9 * time.Hour, false, ""},
		{"inbox/claims", k("a"), 9000 * time.Hour, false, ""},
		{"inbox", "host-1-2-000001.jsonl", 9000 * time.Hour, false, ""}, // it waits to be merged
		{".", "runs.db", 9000 * time.Hour, false, ""},
		{".", "runs.db.v3-20260101T000000Z", 9000 * time.Hour, false, ""},
		{".", "runs.db-acked", 9000 * time.Hour, false, ""},
	} {
		y.underWay = c.running
		kind, why, ok := y.judge(yardFile{folder: c.folder, name: c.name, modified: now.Add(-c.age)})
		if !ok {
			kind = ""
		}
		if kind != c.want || ok && why == "" {
			t.Errorf("%s/%s, %v old, runs under way: %v: %q (%s), want %q", c.folder, c.name, c.age, c.running, kind, why, c.want)
		}
	}
}

func TestVacuum(t *testing.T) {
	db, _ := removeTest(t)
	ctx := t.Context()
	o := outcome(4)
	for i := range 40_000 {
		o.Metrics = append(o.Metrics, Metric{"m", i, float64(i)})
	}
	a := claimTest(t, db, start(4), false)
	if _, err := db.Vacuum(ctx); err == nil || !strings.Contains(err.Error(), "1 run is under way: "+key(4)[:12]) {
		t.Errorf("while a run is under way: %v", err)
	}
	if err := db.Finish(ctx, a, o); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Remove(ctx, []string{"@1"}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Collect(ctx, 0); err != nil {
		t.Fatal(err)
	}
	folds := 0
	db.onFold = func(text string) {
		if text != "" {
			folds++
		}
	}
	v, err := db.Vacuum(ctx)
	if folds == 0 {
		t.Error("the log was copied into the file without a mark")
	}
	if err != nil || v.After >= v.Before/2 {
		t.Errorf("from %d to %d bytes, %v", v.Before, v.After, err)
	}
	if fi, err := os.Stat(db.Path()); err != nil || fi.Size() > v.After {
		t.Errorf("the file has %d bytes, %v", fi.Size(), err)
	}
	mustCheck(t, db)
	if s := stateOf(t, db, key(3)); s.Status != Done {
		t.Errorf("run 3 is %+v", s)
	}
}

func TestEnoughSpace(t *testing.T) {
	dir, tmp := filepath.Join("a", "b"), "t"
	const n = 100 << 20
	on := func(a, b space) func(string) space {
		return func(folder string) space { return map[string]space{dir: a, tmp: b}[folder] }
	}
	for name, c := range map[string]struct {
		a, b space
		want string // the folder that lacks it
	}{
		"enough":              {space{1, 3 * n, true}, space{1, 3 * n, true}, ""},
		"once only":           {space{1, n + n/2, true}, space{1, n + n/2, true}, dir},
		"two disks":           {space{1, n + n/2, true}, space{2, n + n/2, true}, ""},
		"the first is full":   {space{1, n, true}, space{2, 9 * n, true}, dir},
		"the second is full":  {space{1, 9 * n, true}, space{2, n, true}, tmp},
		"nobody knows":        {space{}, space{}, ""},
		"one is not known":    {space{}, space{2, 1, true}, tmp},
		"the other is not":    {space{1, 1, true}, space{}, dir},
		"unknown, and enough": {space{1, 3 * n, true}, space{}, ""},
	} {
		err := enoughSpace(dir, tmp, n, on(c.a, c.b))
		e, ok := err.(*SpaceError) //nolint:errorlint // as it is made
		if ok != (c.want != "") || ok && (e.Folder != c.want || e.Needs < n || !strings.Contains(e.Error(), "MB are needed")) {
			t.Errorf("%s: %v, want one about %q", name, err, c.want)
		}
	}
	if s := freeSpace(t.TempDir()); s.ok && s.free < 0 {
		t.Errorf("%d bytes are free", s.free)
	}
}

// TestGarbageKilled kills gc anywhere: the next one goes on, nothing is damaged, and nothing counts as lost.
func TestGarbageKilled(t *testing.T) {
	kills, runs := 6, 60
	if *long {
		kills, runs = 60, 1200
	}
	path := newPath(t)
	db := openTest(t, path, Options{})
	for i := range runs {
		a, err := db.WriteArtifact(key(i), "theta", []byte(key(i)))
		if err != nil {
			t.Fatal(err)
		}
		o := outcome(i)
		o.Artifacts = []Artifact{a}
		if err := db.Finish(t.Context(), claimTest(t, db, start(i), false), o); err != nil {
			t.Fatal(err)
		}
	}
	kept := runs / 3
	if _, err := db.Remove(t.Context(), []string{fmt.Sprintf("@1:%d", runs-kept)}, false); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range kills {
		cmd := childCommand(t, os.Args[0], "gc", path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.Int64N(int64(60 * time.Millisecond))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	if _, err := db.Collect(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	mustCheck(t, db)
	if n := one(t, db, "SELECT count(*) FROM results"); n != int64(kept) {
		t.Errorf("%v runs are left, want %d", n, kept)
	}
	files, err := os.ReadDir(filepath.Join(db.Dir(), artifactFolder))
	if err != nil || len(files) != kept {
		t.Errorf("%d files are left, want %d; %v", len(files), kept, err)
	}
	again := openTest(t, path, Options{})
	if lost, err := again.Lost(t.Context()); err != nil || len(lost) > 0 || len(again.Notices()) > 0 {
		t.Errorf("opened again: %d runs are lost, %v", len(lost), err)
	}
}

// TestGarbageOfCommands: what exports and claims that were cut off leave is deleted after a day, not while they may be at it.
func TestGarbageOfCommands(t *testing.T) {
	db, clk := removeTest(t)
	names := []string{".kappa-export-7", filepath.Join(inboxFolder, claimsFolder, partialPrefix+"7")}
	must(t, os.MkdirAll(filepath.Join(db.Dir(), names[0]), 0o777))
	must(t, os.MkdirAll(filepath.Join(db.Dir(), inboxFolder, claimsFolder), 0o777))
	must(t, os.WriteFile(filepath.Join(db.Dir(), names[1]), nil, 0o666))
	for _, name := range names {
		must(t, os.Chtimes(filepath.Join(db.Dir(), name), clk.now(), clk.now()))
	}
	for _, want := range []int{0, len(names)} {
		if deleted, err := db.Collect(t.Context(), 0); err != nil || len(deleted) != want {
			t.Errorf("deleted %v, %v, want %d", garbageNames(deleted), err, want)
		}
		clk.advance(workGrace)
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(db.Dir(), name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
}
