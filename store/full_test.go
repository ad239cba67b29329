package store

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// TestFullDatabase fills the database's file up at each write in turn, as a full disk does: what was recorded stays, what could not be is
// said to be so, and afterwards it goes on.
func TestFullDatabase(t *testing.T) {
	path := newPath(t)
	db := openTest(t, path, Options{})
	record(t, db, 0)
	var pages int
	must(t, db.w.QueryRow("PRAGMA page_count").Scan(&pages))
	full, recorded := 0, 1
	for extra := range 40 {
		var limit int
		must(t, db.w.QueryRow("PRAGMA max_page_count = "+strconv.Itoa(pages+extra)).Scan(&limit))
		for range 5 {
			a, ok, _, err := db.Claim(t.Context(), start(recorded), false)
			if err == nil && !ok {
				t.Fatalf("run %d cannot be claimed", recorded)
			}
			if err == nil {
				err = db.Finish(t.Context(), a, big(recorded))
				if err != nil { // what has not ended ends as its process does
					_, e := db.w.Exec("UPDATE attempt SET status = 'interrupted', reason = ? WHERE id = ?", abandoned, a)
					must(t, e)
				}
			}
			if err == nil {
				recorded++
				continue
			}
			full++
			if !errors.Is(err, ErrDisk) {
				t.Fatalf("%v; want it said that the disk is full", err)
			}
			break
		}
		if got := one(t, db, "SELECT count(*) FROM results"); got != int64(recorded) {
			t.Fatalf("%d pages: %v results, want %d", pages+extra, got, recorded)
		}
	}
	if full < 10 || recorded < 2 {
		t.Errorf("it was full %d times, with %d runs recorded: the test shows too little", full, recorded)
	}
	var limit int
	must(t, db.w.QueryRow("PRAGMA max_page_count = 1000000").Scan(&limit))
	record(t, db, 500)
	if lost := lostKeys(t, db); len(lost) > 0 {
		t.Errorf("lost: %v", lost)
	}
	mustCheck(t, db)
}

// TestFullFolder lets a process write files of so many bytes at most: an artifact and a checkpoint that do not fit are said not to, and
// leave nothing.
func TestFullFolder(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell to set the limit")
	}
	path := newPath(t)
	must(t, openTest(t, path, Options{}).Close())
	cmd := childCommand(t, sh, "full", path)
	cmd.Args = []string{sh, "-c", `ulimit -f 800 && exec "$0"`, os.Args[0]}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	left, err := os.ReadDir(filepath.Join(filepath.Dir(path), artifactFolder))
	must(t, err)
	for _, f := range left {
		t.Errorf("it has left %s", f.Name())
	}
}
