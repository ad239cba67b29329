package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMoved takes the database away while runs are being recorded: nothing that it held is lost, and whoever records is told.
func TestMoved(t *testing.T) {
	for _, c := range []struct {
		name string
		take func(t *testing.T, path string)
		says string
	}{
		{"deleted", func(t *testing.T, path string) { must(t, os.Remove(path)) }, "it was deleted"},
		{"deleted with its folder", func(t *testing.T, path string) { must(t, os.RemoveAll(filepath.Dir(path))) }, "it was deleted"},
		{"replaced", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			_ = os.Remove(path + "-wal")
			_ = os.Remove(path + "-shm")
			other, err := Open(t.Context(), path, Options{})
			must(t, err)
			record(t, other, 7)
			must(t, other.Close())
		}, "another file was put in its place"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := newPath(t)
			db, err := Open(t.Context(), path, Options{})
			must(t, err)
			record(t, db, 0)
			a := claimTest(t, db, start(1), false)
			b := claimTest(t, db, start(2), false)
			c.take(t, path)

			var rescued string
			check := func(err error, want int64) {
				t.Helper()
				if !errors.Is(err, ErrMoved) || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("%v; want %q said", err, c.says)
				}
				found, e := filepath.Glob(path + ".rescued-*")
				if e != nil || len(found) != 1 || !strings.Contains(err.Error(), found[0]) {
					t.Fatalf("%v: the error does not name the file that was saved: %v", err, found)
				}
				if rescued != "" && rescued != found[0] {
					t.Errorf("%s was told, and it is now %s", rescued, found[0])
				}
				rescued = found[0]
				saved, e := OpenReadOnly(t.Context(), rescued)
				must(t, e)
				if got := one(t, saved, "SELECT count(*) FROM results"); got != want {
					t.Errorf("%v results were saved, want %d", got, want)
				}
				must(t, saved.Close())
			}
			check(db.Heartbeat(t.Context(), []int64{a}), 1)
			check(db.Finish(t.Context(), a, outcome(1)), 2)
			check(db.Finish(t.Context(), b, outcome(2)), 3)
			if _, _, _, err := db.Claim(t.Context(), start(3), false); !errors.Is(err, ErrMoved) {
				t.Errorf("a claim: %v", err)
			}
			must(t, db.Close())

			if c.name == "replaced" { // what is there now stays as it is
				other := openTest(t, path, Options{})
				if got := one(t, other, "SELECT count(*) FROM results WHERE run = '"+key(7)+"'"); got != int64(1) {
					t.Errorf("the other database has lost its run")
				}
				mustCheck(t, other)
				return
			}
			must(t, os.Rename(rescued, path))
			again := openTest(t, path, Options{})
			if got := one(t, again, "SELECT count(*) FROM results"); got != int64(3) {
				t.Errorf("put back, it has %v results", got)
			}
			if lost := lostKeys(t, again); len(lost) != 0 {
				t.Errorf("put back, it has lost %v", lost)
			}
			mustCheck(t, again)
		})
	}
}
