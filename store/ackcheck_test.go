package store

import (
	"os"
	"strings"
	"testing"
)

// TestUnlisted: an end without a line, far from the list's end, is found and listed; what the list alone knows of stays lost.
func TestUnlisted(t *testing.T) {
	path := newPath(t)
	db, err := Open(t.Context(), path, Options{})
	must(t, err)
	for i := range 100 { // more than the end of the list that Open looks at
		must(t, db.Finish(t.Context(), claimTest(t, db, start(i), false), Outcome{Status: Done}))
	}
	acked := string(db.acked)
	must(t, db.Close())
	text, err := os.ReadFile(acked)
	must(t, err)
	lines := strings.SplitAfter(string(text), "\n")
	for i, l := range lines {
		if strings.Contains(l, key(1)) {
			lines[i] = ack{101, key(200), 1, Done, ""}.line()
		}
	}
	must(t, os.WriteFile(acked, []byte(strings.Join(lines, "")), 0o644))

	db = openTest(t, path, Options{})
	if n, err := db.Unlisted(t.Context()); n != 1 || err != nil {
		t.Errorf("%d ends are not listed, %v", n, err)
	}
	for _, want := range []int{1, 0} {
		if n, err := db.CompleteAcked(t.Context()); n != want || err != nil {
			t.Errorf("%d ends were listed, %v, want %d", n, err, want)
		}
	}
	if n, err := db.Unlisted(t.Context()); n != 0 || err != nil {
		t.Errorf("then %d are not listed, %v", n, err)
	}
	all, err := ackFile(acked).all()
	must(t, err)
	if len(all.lines) != 101 {
		t.Errorf("the list has %d lines, want 100 and that of the lost one", len(all.lines))
	}
	if lost := lostKeys(t, db); len(lost) != 1 || lost[0] != key(200) {
		t.Errorf("lost: %v", lost)
	}
}
