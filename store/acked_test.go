package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAckLines(t *testing.T) {
	want := []ack{
		{1, key(1), 1, Done, "digits"},
		{2, key(2), 3, TimedOut, ""},
		{3, key(3), 1, Diverged, "a b\n\"∀\" \x00"},
	}
	text := acksHeader
	for _, a := range want {
		text += a.line()
	}
	got := parseAcks([]byte(text), false)
	if d := cmp.Diff(want, got.lines); d != "" || got.bad != 0 || got.torn || got.last() != 3 {
		t.Errorf("read back (-want +got):\n%s%+v", d, got)
	}
	// Cut anywhere, it holds the lines before the cut, and nothing that was not written.
	for n := range len(text) {
		got := parseAcks([]byte(text[:n]), false)
		if whole := max(strings.Count(text[:n], "\n")-1, 0); len(got.lines) != whole || got.bad != 0 {
			t.Fatalf("cut after %d bytes: %d lines, %d bad; want %d and none", n, len(got.lines), got.bad, whole)
		}
	}
	// A damaged line is none, and the others are read.
	for n := len(acksHeader); n < len(text); n++ {
		b := []byte(text)
		b[n] ^= 0x04
		for _, a := range parseAcks(b, false).lines {
			if d := cmp.Diff(want[a.Seq-1], a); d != "" {
				t.Fatalf("byte %d: a line that was not written: %s", n, d)
			}
		}
	}
	for _, s := range []string{"", " ", "x", "1 a 1 done \"\" 00000000", "\x00\x00\x00"} {
		if a, ok := parseAck(s); ok {
			t.Errorf("%q is read as %+v", s, a)
		}
	}
}

// lostKeys are the runs that a database has lost, in order.
func lostKeys(t *testing.T, db *DB) (keys []string) {
	t.Helper()
	lost, err := db.Lost(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lost {
		keys = append(keys, l.Key)
	}
	return keys
}

// copyDatabase copies the file of a database without a log.
func copyDatabase(t *testing.T, dst, src string) {
	t.Helper()
	b, err := os.ReadFile(src)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dst, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestLost puts an older copy in the place of a database: what it lacks is told, executed again, and told no more.
func TestLost(t *testing.T) {
	path := newPath(t)
	db, err := Open(t.Context(), path, Options{})
	must(t, err)
	must(t, db.RecordExperiment(t.Context(), Experiment{Name: "spec", Title: "t", Hash: "h", Runs: []string{key(0), key(1), key(2), key(3), key(4)}}))
	record(t, db, 0)
	record(t, db, 1)
	must(t, db.Close())
	old := filepath.Join(t.TempDir(), "old.db")
	copyDatabase(t, old, path)

	db, err = Open(t.Context(), path, Options{})
	must(t, err)
	record(t, db, 2)
	must(t, db.Finish(t.Context(), claimTest(t, db, start(3), false), Outcome{Status: Failed}))
	must(t, db.Finish(t.Context(), claimTest(t, db, start(4), false), Outcome{Status: Interrupted}))
	record(t, db, 5)
	if n := db.Notices(); len(n) != 0 || len(lostKeys(t, db)) != 0 {
		t.Errorf("before any loss: %q", n)
	}
	must(t, db.Close())

	copyDatabase(t, path, old)
	ro, err := OpenReadOnly(t.Context(), path)
	must(t, err)
	want := []string{key(2), key(3), key(5)}
	for range 2 { // read, then opened for writing
		if d := cmp.Diff(want, lostKeys(t, ro)); d != "" {
			t.Errorf("lost (-want +got):\n%s", d)
		}
		if n := strings.Join(ro.Notices(), "\n"); !strings.Contains(n, path+": 3 runs that were recorded are missing") {
			t.Errorf("the notice: %q", n)
		}
		for i := range 6 {
			if got, want := stateOf(t, ro, key(i)).Lost, i == 2 || i == 3 || i == 5; got != want {
				t.Errorf("run %d is lost: %v, want %v", i, got, want)
			}
		}
		must(t, ro.Close())
		ro, err = Open(t.Context(), path, Options{})
		must(t, err)
	}
	db = ro
	lost, err := db.Lost(t.Context())
	must(t, err)
	if d := cmp.Diff(Lost{Seq: 3, Key: key(2), Attempt: 1, Status: Done, Experiment: "spec"}, lost[0]); d != "" {
		t.Errorf("what is told of a lost run (-want +got):\n%s", d)
	}
	// A later end has a later place than any that is lost, and makes good its own run alone.
	record(t, db, 2)
	if got := one(t, db, "SELECT count(*) FROM results"); got != int64(3) {
		t.Errorf("%v results", got)
	}
	var seq int
	must(t, db.r.QueryRow("SELECT max(seq) FROM attempt").Scan(&seq))
	if seq <= int(lost[2].Seq) {
		t.Errorf("the end after the loss has seq %d, want one after %d", seq, lost[2].Seq)
	}
	must(t, db.Close())
	db, err = Open(t.Context(), path, Options{})
	must(t, err)
	if d := cmp.Diff([]string{key(3), key(5)}, lostKeys(t, db)); d != "" {
		t.Errorf("lost after one was repeated (-want +got):\n%s", d)
	}
	must(t, db.Finish(t.Context(), claimTest(t, db, start(3), false), Outcome{Status: Failed}))
	must(t, db.Finish(t.Context(), claimTest(t, db, start(5), false), Outcome{Status: Failed}))
	if d := cmp.Diff([]string{key(5)}, lostKeys(t, db)); d != "" {
		t.Errorf("a failure does not make good a result (-want +got):\n%s", d)
	}
	record(t, db, 5)
	must(t, db.Close())
	db = openTest(t, path, Options{})
	if n := db.Notices(); len(n) != 0 || len(lostKeys(t, db)) != 0 {
		t.Errorf("after all were repeated: %q, %v", n, lostKeys(t, db))
	}
	mustCheck(t, db)
}

// TestLostRepetition: a repetition that is lost is repeated, although an earlier attempt has finished.
func TestLostRepetition(t *testing.T) {
	path := newPath(t)
	db, err := Open(t.Context(), path, Options{})
	must(t, err)
	record(t, db, 1)
	must(t, db.Close())
	old := filepath.Join(t.TempDir(), "old.db")
	copyDatabase(t, old, path)
	db, err = Open(t.Context(), path, Options{})
	must(t, err)
	must(t, db.Finish(t.Context(), claimTest(t, db, start(1), true), outcome(1)))
	must(t, db.Close())
	copyDatabase(t, path, old)
	db = openTest(t, path, Options{})
	if st := stateOf(t, db, key(1)); !st.Lost || st.Status != Done {
		t.Errorf("state %+v", st)
	}
	must(t, db.Finish(t.Context(), claimTest(t, db, start(1), false), outcome(1)))
	if st := stateOf(t, db, key(1)); st.Lost {
		t.Errorf("after the repetition: %+v", st)
	}
	if _, ok, _, err := db.Claim(t.Context(), start(1), false); ok || err != nil {
		t.Errorf("it was claimed once more: %v", err)
	}
}

// TestLostEverything: a database that is gone, or empty, has lost all that the list knows of.
func TestLostEverything(t *testing.T) {
	for _, empty := range []bool{false, true} {
		path := newPath(t)
		db, err := Open(t.Context(), path, Options{})
		must(t, err)
		for i := range 100 { // more than the end of the list that is looked at
			must(t, db.Finish(t.Context(), claimTest(t, db, start(i), false), Outcome{Status: Done}))
		}
		must(t, db.Close())
		must(t, os.Remove(path))
		if empty {
			must(t, os.WriteFile(path, nil, 0o644))
		} else {
			absent, err := OpenAbsent(t.Context(), path)
			must(t, err)
			if n := len(lostKeys(t, absent)); n != 100 || !stateOf(t, absent, key(7)).Lost {
				t.Errorf("of an absent database %d runs are lost", n)
			}
			must(t, absent.Close())
		}
		db = openTest(t, path, Options{})
		if n := len(lostKeys(t, db)); n != 100 {
			t.Errorf("empty %v: %d runs are lost, want 100", empty, n)
		}
	}
}

// TestAckedDamaged: a list that is not there, or is not one, keeps nobody from recording, and is written anew.
func TestAckedDamaged(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, acked string)
		says   string // "": nothing
		lost   bool   // what the list alone knows of is found in what is left of it
	}{
		{"deleted", func(t *testing.T, acked string) { must(t, os.Remove(acked)) }, "was not there: it has been written anew", false},
		{"empty", func(t *testing.T, acked string) { must(t, os.WriteFile(acked, nil, 0o644)) }, "written anew", false},
		{"foreign", func(t *testing.T, acked string) { must(t, os.WriteFile(acked, []byte("shopping:\nmilk\n"), 0o644)) }, "runs.db-acked.damaged", false},
		{"a folder", func(t *testing.T, acked string) {
			must(t, os.Remove(acked))
			must(t, os.MkdirAll(filepath.Join(acked, "sub"), 0o755))
		}, "runs.db-acked.damaged", false},
		{"zeros after it", func(t *testing.T, acked string) { appendTo(t, acked, strings.Repeat("\x00", 20_000)) }, "written anew", true},
		{"a torn line", func(t *testing.T, acked string) { appendTo(t, acked, "17 abc") }, "", true},
		{"zeros in its last line", func(t *testing.T, acked string) { appendTo(t, acked, "\x00\x00\x00\x00") }, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := newPath(t)
			db, err := Open(t.Context(), path, Options{})
			must(t, err)
			record(t, db, 1)
			acked := string(db.acked)
			must(t, db.Close())
			appendTo(t, acked, ack{2, key(9), 1, Done, ""}.line()) // lost
			c.damage(t, acked)

			ro, err := OpenReadOnly(t.Context(), path)
			must(t, err)
			must(t, ro.Close())
			db, err = Open(t.Context(), path, Options{})
			must(t, err)
			if n := strings.Join(db.Notices(), "\n"); (n != "") != (c.says != "" || c.lost) || !strings.Contains(n, c.says) {
				t.Errorf("it says %q, want %q", n, c.says)
			}
			record(t, db, 3)
			must(t, db.Close())
			all, err := ackFile(acked).all()
			must(t, err)
			var keys []string
			for _, a := range all.lines {
				keys = append(keys, a.Key)
			}
			want := []string{key(1), key(3)}
			if c.lost {
				want = []string{key(1), key(9), key(3)}
			}
			if d := cmp.Diff(want, keys); d != "" {
				t.Errorf("the list afterwards (-want +got):\n%s", d)
			}
			db = openTest(t, path, Options{})
			if n := db.Notices(); len(n) > 0 && !c.lost {
				t.Errorf("the next command says %q", n)
			}
			if got := lostKeys(t, db); len(got) != map[bool]int{true: 1}[c.lost] {
				t.Errorf("lost: %v", got)
			}
		})
	}
}

func appendTo(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	_, err = f.WriteString(text)
	must(t, err)
	must(t, f.Close())
}

// TestAckedBehind: an end that a killed process has not listed is listed by the next one.
func TestAckedBehind(t *testing.T) {
	path := newPath(t)
	db, err := Open(t.Context(), path, Options{})
	must(t, err)
	for i := range 6 {
		record(t, db, i)
	}
	acked := db.acked
	must(t, db.Close())
	all, err := acked.all()
	must(t, err)
	b, err := os.ReadFile(string(acked))
	must(t, err)
	text := string(b)
	for _, i := range []int{2, 5} {
		text = strings.ReplaceAll(text, all.lines[i].line(), "")
	}
	must(t, os.WriteFile(string(acked), []byte(text), 0o644))
	db = openTest(t, path, Options{})
	if n := db.Notices(); len(n) != 0 {
		t.Errorf("it says %q", n)
	}
	again, err := acked.all()
	must(t, err)
	if d := cmp.Diff(fmt.Sprint(all.lines), fmt.Sprint(again.lines)); d != "" {
		t.Errorf("the list (-before +after):\n%s", d)
	}
}

// TestForeignLog puts a copy in the place of a database whose process was killed: the log that it has left is not the copy's.
func TestForeignLog(t *testing.T) {
	path := newPath(t)
	db := openTest(t, path, Options{}) // as if killed: it is not closed before the end
	for i := range 5 {
		record(t, db, i)
	}
	old := filepath.Join(t.TempDir(), "old.db")
	must(t, db.Backup(t.Context(), old))
	for i := 5; i < 10; i++ {
		record(t, db, i)
	}
	left := filepath.Join(t.TempDir(), "runs.db")
	for _, suffix := range []string{"-wal", "-acked"} {
		copyDatabase(t, left+suffix, path+suffix)
	}
	time.Sleep(20 * time.Millisecond)
	copyDatabase(t, left, old)
	for name, open := range map[string]func() (*DB, error){
		"read":  func() (*DB, error) { return OpenReadOnly(t.Context(), left) },
		"write": func() (*DB, error) { return Open(t.Context(), left, Options{}) },
	} {
		db, err := open()
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "remove the log") {
			t.Fatalf("%s: %v, %v; want it refused", name, db, err)
		}
	}
	if a, b := mustRead(t, left), mustRead(t, old); a != b {
		t.Error("the copy was written to")
	}
	must(t, os.Remove(left+"-wal"))
	db = openTest(t, left, Options{})
	if lost := lostKeys(t, db); len(lost) != 5 {
		t.Errorf("without the log %d runs are lost, want 5", len(lost))
	}
	mustCheck(t, db)
}

func mustRead(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	must(t, err)
	return string(b)
}

// TestAckedLook: the file of acknowledged ends is not read again as long as nobody else has touched it, and is as soon as somebody has.
func TestAckedLook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.db-acked")
	f := ackFile(path)
	must(t, f.replace(nil))
	line := func(seq int64) ack {
		return ack{Seq: seq, Key: strings.Repeat("ab", 32), Attempt: int(seq), Status: Done}
	}
	seen, err := f.look(nil)
	if err != nil || seen.last != 0 {
		t.Fatal(seen, err)
	}
	if seen, err = f.extend([]ack{line(1)}, seen); err != nil || seen == nil || seen.last != 1 {
		t.Fatalf("%+v, %v; want what was added to be known", seen, err)
	}
	if again, err := f.look(seen); err != nil || again != seen {
		t.Errorf("%+v, %v; want no second reading", again, err)
	}
	must(t, f.add([]ack{line(2)})) // another process
	if now, err := f.extend([]ack{line(3)}, seen); err != nil || now != nil {
		t.Errorf("%+v, %v; want what another one has added to count", now, err)
	}
	if now, err := f.look(seen); err != nil || now.last != 3 {
		t.Errorf("after another one's lines: %+v, %v; want the last to be 3", now, err)
	}
	seen, err = f.look(nil)
	must(t, err)
	must(t, f.replace([]ack{line(1), line(2), line(7)})) // as long as before
	if now, err := f.look(seen); err != nil || now.last != 7 {
		t.Errorf("after it was replaced: %+v, %v; want the last to be 7", now, err)
	}
}
