package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTruncated cuts the file or its log off anywhere, as failing hardware would. Either the database opens with everything up to the
// cut, and what is lost is told, named and executed again, exactly that; or it is said to be damaged, and left as it is. No figure of a
// run is altered.
func TestTruncated(t *testing.T) {
	cuts, runs := 15, 20
	if *long {
		cuts, runs = 500, 60
	}
	h := live(t, runs, 800_000) // folded in every twelve runs or so
	opened, damaged, lost := 0, 0, 0
	for c := range cuts {
		rng := rand.New(rand.NewPCG(uint64(c), 6))
		when := rng.IntN(len(h.ops)-h.told[1]) + h.told[1]
		d := newDisk()
		for _, op := range h.ops[:when] {
			d.do(op)
		}
		for _, name := range []string{"runs.db", "runs.db-wal", "runs.db-acked", "runs.db-folding"} { // the power stays: all that was written is there
			d.do(diskOp{name, synced, 0, nil})
		}
		told := 0 // the last of them may be listed, and its process killed before it said so
		for told < runs && h.told[told]-1 <= when {
			told++
		}
		name := []string{"runs.db-wal", "runs.db-wal", "runs.db"}[rng.IntN(3)]
		at := 0
		if n := len(d.files[name]); n > 0 {
			at = rng.IntN(n)
		}
		d.files[name] = d.files[name][:at]
		t.Run(fmt.Sprintf("%d-after-%d-%s-at-%d", c, when, name, at), func(t *testing.T) {
			path := lay(t, imageFolder(t), d.files)
			ro, err := OpenReadOnly(t.Context(), path)
			if err != nil {
				damaged++
				damagedIsLeft(t, path, d.files, told, err)
				return
			}
			opened++
			missing := lostKeys(t, ro)
			notices := strings.Join(ro.Notices(), "\n")
			must(t, ro.Close())
			if problems := problemsOf(t, path); len(problems) > 0 {
				t.Errorf("it opens, and is damaged: %v", problems)
			}
			db := openTest(t, path, Options{})
			there := surviving(t, db, runs)
			var want []string
			for i := range told {
				if !slices.Contains(there, i) {
					want = append(want, key(i))
				}
			}
			if d := cmp.Diff(want, missing); d != "" {
				t.Errorf("what `db check` names (-lost +named):\n%s", d)
			}
			if d := cmp.Diff(want, lostKeys(t, db)); d != "" {
				t.Errorf("what is lost once it is opened for writing (-lost +named):\n%s", d)
			}
			if (len(want) > 0) != strings.Contains(notices, "missing") || (len(want) > 0) != strings.Contains(strings.Join(db.Notices(), "\n"), "missing") {
				t.Errorf("%d runs are lost, and it says %q", len(want), notices)
			}
			lost += len(want)
			var again []string
			for i := range told {
				a, ok, _, err := db.Claim(t.Context(), start(i), false)
				must(t, err)
				if ok {
					again = append(again, key(i))
					must(t, db.Finish(t.Context(), a, big(i)))
				}
			}
			if d := cmp.Diff(want, again); d != "" {
				t.Errorf("what is executed again (-lost +executed):\n%s", d)
			}
			if l := lostKeys(t, db); len(l) > 0 {
				t.Errorf("after that %v is lost", l)
			}
			if n := len(surviving(t, db, told)); n != told {
				t.Errorf("after that %d of %d runs are there", n, told)
			}
			mustCheck(t, db)
		})
	}
	if opened == 0 || damaged == 0 || lost == 0 {
		t.Errorf("%d databases opened, with %d runs lost, and %d were damaged: the test shows too little", opened, lost, damaged)
	}
	t.Logf("%d databases opened, with %d runs lost, %d were damaged", opened, lost, damaged)
}

func problemsOf(t *testing.T, path string) []string {
	t.Helper()
	db, err := OpenReadOnly(t.Context(), path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	problems, _, err := db.Check(t.Context())
	must(t, err)
	return problems
}

// damagedIsLeft wants a damaged database refused with what to do, left as it is, and nothing lost without a word when that is done.
func damagedIsLeft(t *testing.T, path string, files map[string][]byte, told int, err error) {
	t.Helper()
	_, again := Open(t.Context(), path, Options{})
	for _, err := range []error{err, again} {
		if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNotDatabase) {
			t.Fatalf("it cannot be opened: %v; want it said to be damaged", err)
		}
		if e, ok := errors.AsType[*Error](err); !ok || e.Hint == "" {
			t.Errorf("%v: it says nothing about what to do", err)
		}
	}
	for name, content := range files {
		if b, err := os.ReadFile(filepath.Join(filepath.Dir(path), name)); err != nil || !bytes.Equal(b, content) {
			t.Errorf("%s has changed: %v", name, err)
		}
	}
	must(t, os.Rename(path, path+".damaged"))
	if err := os.Rename(path+"-wal", path+".damaged-wal"); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	_ = os.Remove(path + "-shm")
	db := openTest(t, path, Options{})
	if n := len(lostKeys(t, db)); n != told {
		t.Errorf("with the damaged file moved away %d runs are lost, want %d", n, told)
	}
}
