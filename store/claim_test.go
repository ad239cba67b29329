package store

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestClaimLife(t *testing.T) {
	clk := newClock()
	path := newPath(t)
	db := openTest(t, path, Options{Now: clk.now, Elapsed: clk.elapsed})
	ctx := t.Context()
	if st, ok := mapGet(t, db, key(1)); ok {
		t.Errorf("a key never tried has the state %+v", st)
	}

	a := claimTest(t, db, start(1), false)
	if st := stateOf(t, db, key(1)); st.Status != Running || !st.Live || st.Attempt != 1 {
		t.Errorf("after the claim: %+v", st)
	}
	for _, force := range []bool{false, true} {
		if _, ok, st, err := db.Claim(ctx, start(1), force); err != nil || ok || !st.Live {
			t.Errorf("a second claim, force %v: %v, %+v, %v; want it refused as live", force, ok, st, err)
		}
	}

	clk.advance(time.Minute)
	if err := db.Finish(ctx, a, Outcome{Status: Failed, Error: "boom", WallSeconds: 60}); err != nil {
		t.Fatal(err)
	}
	if st := stateOf(t, db, key(1)); st.Status != Failed || st.Error != "boom" || st.Seconds != 60 || !st.Finished.Equal(clk.now()) {
		t.Errorf("after a failure: %+v", st)
	}

	a = claimTest(t, db, start(1), false) // failed: repeated
	if err := db.Finish(ctx, a, outcome(1)); err != nil {
		t.Fatal(err)
	}
	if _, ok, st, err := db.Claim(ctx, start(1), false); err != nil || ok || st.Status != Done || st.Live || st.Attempt != 2 {
		t.Errorf("a claim of a finished run: %v, %+v, %v", ok, st, err)
	}
	if err := db.Finish(ctx, a, outcome(1)); err == nil || !strings.Contains(err.Error(), "ended before") {
		t.Errorf("an attempt ended twice: %v", err)
	}

	// Forced: the old figures show until the new attempt has finished, and stay recorded.
	a = claimTest(t, db, start(1), true)
	if st := stateOf(t, db, key(1)); st.Status != Done || st.Attempt != 2 || !st.Live {
		t.Errorf("while a forced attempt runs: %+v; want attempt 2, done, and a live one", st)
	}
	if _, ok, st, err := db.Claim(ctx, start(1), true); err != nil || ok || st.Status != Done || !st.Live {
		t.Errorf("a claim while a forced attempt runs: %v, %+v, %v; want it refused as live", ok, st, err)
	}
	if err := db.Finish(ctx, a, Outcome{Status: TimedOut}); err != nil {
		t.Fatal(err)
	}
	if st := stateOf(t, db, key(1)); st.Attempt != 2 || st.Live {
		t.Errorf("after a forced attempt that timed out: %+v; want attempt 2 and none live", st)
	}
	elsewhere := openTest(t, path, Options{Now: clk.now, Elapsed: clk.elapsed, Holder: "elsewhere|boot|ns|17"})
	claimTest(t, elsewhere, start(1), true) // forced, and its process ends
	if st := stateOf(t, db, key(1)); st.Status != Done || !st.Live || !st.Foreign || st.Host != "elsewhere" || !st.Sign.Equal(clk.now()) {
		t.Errorf("while a forced attempt runs elsewhere: %+v; want its host and the last sign of life", st)
	}
	clk.advance(Lease + time.Millisecond)
	if st := stateOf(t, db, key(1)); st.Status != Done || st.Live {
		t.Errorf("after a forced attempt without a sign of life: %+v; want it done and none live", st)
	}
	a = claimTest(t, db, start(1), true)
	again := outcome(1)
	again.Status, again.Result.RIR = Diverged, 77
	if err := db.Finish(ctx, a, again); err != nil {
		t.Fatal(err)
	}
	if got := one(t, db, "SELECT rir FROM results"); got != 77.0 {
		t.Errorf("rir %v, want that of the latest finished attempt, 77", got)
	}
	if got := one(t, db, "SELECT group_concat(status) FROM (SELECT status FROM attempts ORDER BY attempt)"); got != "failed,done,timeout,interrupted,diverged" {
		t.Errorf("attempts: %v", got)
	}
	if got := one(t, db, "SELECT count(*) FROM result"); got != int64(2) {
		t.Errorf("%v results are kept, want 2", got)
	}
	mustCheck(t, db)
}

func mapGet(t *testing.T, db *DB, key string) (State, bool) {
	t.Helper()
	m, err := db.States(t.Context(), []string{key})
	if err != nil {
		t.Fatal(err)
	}
	st, ok := m[key]
	return st, ok
}

func TestLease(t *testing.T) {
	clk := newClock()
	path := newPath(t)
	mine := openTest(t, path, Options{Now: clk.now, Elapsed: clk.elapsed, Holder: "elsewhere|boot|ns|17"})
	yours := openTest(t, path, Options{Now: clk.now, Elapsed: clk.elapsed})
	a := claimTest(t, mine, start(1), false)

	for range 5 { // heartbeats carry the claim over its first lease
		clk.advance(Lease - time.Second)
		if err := mine.Heartbeat(t.Context(), []int64{a}); err != nil {
			t.Fatal(err)
		}
		if _, ok, st, err := yours.Claim(t.Context(), start(1), false); err != nil || ok || !st.Live {
			t.Fatalf("a claim under a live lease: %v, %+v, %v", ok, st, err)
		}
	}
	if err := yours.Heartbeat(t.Context(), []int64{a}); err != nil { // not the holder: does nothing
		t.Fatal(err)
	}
	if _, ok, _, err := yours.Claim(t.Context(), start(1), false); err != nil || ok {
		t.Fatalf("a claim after the last sign of life: %v, %v", ok, err)
	}
	lastSign := clk.now()
	clk.advance(Lease + time.Millisecond)
	if st := stateOf(t, yours, key(1)); st.Status != Interrupted || st.Live {
		t.Errorf("after the lease: %+v; want interrupted", st)
	}
	b := claimTest(t, yours, start(1), false)
	if got := one(t, yours, "SELECT status || ' ' || finished FROM attempts WHERE attempt = 1"); got != "interrupted "+formatTime(lastSign) {
		t.Errorf("the abandoned attempt: %v; want interrupted at its last sign of life, %s", got, formatTime(lastSign))
	}
	// The first holder was only asleep: what it has computed counts, until a later attempt finishes.
	if err := mine.Heartbeat(t.Context(), []int64{a}); err != nil {
		t.Fatal(err)
	}
	if err := mine.Finish(t.Context(), a, outcome(1)); err != nil {
		t.Fatalf("finish an attempt that was taken over: %v", err)
	}
	if st := stateOf(t, yours, key(1)); st.Status != Done || st.Attempt != 1 {
		t.Errorf("after the late end: %+v", st)
	}
	if err := yours.Finish(t.Context(), b, outcome(1)); err != nil {
		t.Fatal(err)
	}
	if st := stateOf(t, yours, key(1)); st.Status != Done || st.Attempt != 2 {
		t.Errorf("after both: %+v", st)
	}
	mustCheck(t, yours)
}

// deadPid is the number of a process that has ended.
func deadPid(t *testing.T) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

func TestHolderGone(t *testing.T) {
	self := thisProcess()
	if self.boot == "" || self.host == "" {
		t.Skip("this system does not tell its boot: leases end by time alone")
	}
	dead := deadPid(t)
	for _, c := range []struct {
		name   string
		change func(h *holder)
		want   sight
	}{
		{"itself", func(*holder) {}, alive},
		{"its parent", func(h *holder) { h.pid, h.start = os.Getppid(), "" }, alive},
		{"a process that has ended", func(h *holder) { h.pid = dead }, gone},
		{"the same number before a restart", func(h *holder) { h.boot = "another" }, gone},
		{"the same number, given again", func(h *holder) { h.start = "1" }, gone},
		{"another host", func(h *holder) { h.host, h.pid = "another", dead }, unseen},
		{"another container", func(h *holder) { h.namespace, h.pid = "another", dead }, unseen},
		{"an unknown boot", func(h *holder) { h.boot, h.pid = "", dead }, unseen},
	} {
		h := self
		c.change(&h)
		if got := self.sees(h.String()); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for _, s := range []string{"", "x", "a|b|c", "a|b|c|d", "a|b|c|-4", "a|b|c|4|5|6"} {
		if got := self.sees(s); got != unseen {
			t.Errorf("holder %q: %v, want unseen", s, got)
		}
	}
	for pid, want := range map[int]sight{os.Getpid(): alive, dead: gone} { // as an older kappa wrote them
		if got := self.sees(fmt.Sprintf("%s|%s|%s|%d", self.host, self.boot, self.namespace, pid)); got != want {
			t.Errorf("process %d without a start: %v, want %v", pid, got, want)
		}
	}

	// A claim of a process that has ended is taken up at once, and marked when the database is next opened.
	path := newPath(t)
	h := self
	h.pid = dead
	ghost := openTest(t, path, Options{Holder: h.String()})
	claimTest(t, ghost, start(1), false)
	claimTest(t, ghost, start(2), false)
	db := openTest(t, path, Options{})
	if got := one(t, db, "SELECT group_concat(status) FROM attempts"); got != "interrupted,interrupted" {
		t.Errorf("after the database is opened again: %v", got)
	}
	if st := stateOf(t, db, key(1)); st.Status != Interrupted {
		t.Errorf("state %+v", st)
	}
	claimTest(t, db, start(1), false)
}

// TestClaimRace has many goroutines on two handles claim the same runs: each run is claimed once.
func TestClaimRace(t *testing.T) {
	path := newPath(t)
	dbs := []*DB{openTest(t, path, Options{}), openTest(t, path, Options{})}
	const runs, workers = 20, 4
	var got [runs]atomic.Int32
	var wg sync.WaitGroup
	for w := range 2 * workers {
		wg.Go(func() {
			for i := range runs {
				a, ok, _, err := dbs[w%2].Claim(context.Background(), start(i), false)
				if err != nil {
					t.Error(err)
					return
				}
				if !ok {
					continue
				}
				got[i].Add(1)
				if err := dbs[w%2].Finish(context.Background(), a, outcome(i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i := range got {
		if n := got[i].Load(); n != 1 {
			t.Errorf("run %d was claimed %d times", i, n)
		}
	}
	mustCheck(t, dbs[0])
}

func TestClaimRefuses(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	for _, k := range []string{"", "abc", strings.Repeat("A", 64), key(1) + "0", strings.Repeat("g", 64)} {
		s := start(1)
		s.Key = k
		if _, _, _, err := db.Claim(t.Context(), s, false); err == nil {
			t.Errorf("the key %q was taken", k)
		}
	}
	s := start(1)
	s.Params = []Param{{Path: "train.steps"}}
	if _, _, _, err := db.Claim(t.Context(), s, false); err == nil || !strings.Contains(err.Error(), "train.steps") {
		t.Errorf("a parameter without a value: %v", err)
	}
	if got := one(t, db, "SELECT count(*) FROM run"); got != int64(0) {
		t.Errorf("refused claims left %v runs", got)
	}
	if err := db.Finish(t.Context(), 99, outcome(1)); err == nil {
		t.Error("an unknown attempt was finished")
	}
	a := claimTest(t, db, start(1), false)
	for _, o := range []Outcome{{}, {Status: Running}, {Status: Failed, Result: &Result{}}, {Status: "odd"}} {
		if err := db.Finish(t.Context(), a, o); err == nil {
			t.Errorf("finished with %+v", o)
		}
	}
	twice := outcome(1)
	twice.Metrics = append(twice.Metrics, twice.Metrics[0])
	if err := db.Finish(t.Context(), a, twice); err == nil || !strings.Contains(err.Error(), "metrics: row 4 of 4") {
		t.Errorf("the same figure twice: %v; want the row named", err)
	}
	if got := one(t, db, "SELECT count(*) FROM metric"); got != int64(0) {
		t.Errorf("an end that failed left %v figures", got)
	}
	if err := db.Finish(t.Context(), a, outcome(1)); err != nil {
		t.Errorf("the right end after wrong ones: %v", err)
	}
}

func TestTagsAndNote(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	s := start(1)
	s.Tags, s.Note = []string{"b", "a"}, "first"
	if err := db.Finish(t.Context(), claimTest(t, db, s, false), Outcome{Status: Failed}); err != nil {
		t.Fatal(err)
	}
	s.Tags, s.Note = []string{"c", "a"}, ""
	claimTest(t, db, s, false)
	if got := one(t, db, "SELECT tags || note FROM runs"); got != `["a","b","c"]first` {
		t.Errorf("tags and note: %v", got)
	}
}
