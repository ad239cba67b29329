package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kappa/runner/dataset"
)

// TestDataDigests: a data file is read once and then believed, by another command too, until anything tells that it is another one.
func TestDataDigests(t *testing.T) {
	root := t.TempDir()
	at := time.Now().Add(time.Hour) // the files have been as they are for long
	folder := func(a *app) dataFS {
		d, err := newDataFS(specFile{Dir: root, Root: root}, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		d.digests = a.digestsOf(root)
		return d
	}
	path := filepath.Join(root, "x.npy")
	write := func(text string, modified time.Time) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	read := func(d dataFS) string {
		t.Helper()
		digest, err := dataset.Digest(t.Context(), d, dataset.Source{NPY: "x.npy"})
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	remembered := func(d dataFS) bool {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		digest, _ := d.Recall("x.npy", info)
		return digest != ""
	}
	env := Env{Now: func() time.Time { return at }}
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	write("one", old)

	d := folder(&app{env: env})
	first := read(d)
	if !remembered(d) {
		t.Error("what was read is not remembered")
	}
	d.digests.save()
	if remembered(folder(&app{env: env})) {
		t.Error("remembered without a folder of the database to be remembered in")
	}
	if _, err := os.Stat(filepath.Join(root, ".kappa")); err == nil {
		t.Error("the folder of the database was made")
	}
	if err := os.Mkdir(filepath.Join(root, ".kappa"), 0o755); err != nil {
		t.Fatal(err)
	}
	d = folder(&app{env: env})
	read(d)
	d.digests.save()
	if d = folder(&app{env: env}); !remembered(d) || read(d) != first {
		t.Error("the next command does not remember what was read")
	}
	if list, _ := os.ReadDir(filepath.Join(root, ".kappa")); len(list) != 1 {
		t.Errorf("%v in the folder of the database, want %s alone", list, digestFile)
	}

	write("two", old.Add(time.Nanosecond)) // the same size
	if second := read(folder(&app{env: env})); second == first {
		t.Error("a file of another time of modification was not read again")
	}
	other := filepath.Join(root, "other")
	if err := os.WriteFile(other, []byte("six"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(other, old, old); err != nil {
		t.Fatal(err)
	}
	write("one", old)
	d = folder(&app{env: env})
	read(d)
	if err := os.Rename(other, path); err != nil { // the same size and time of modification
		t.Fatal(err)
	}
	if identify(mustStat(t, path)).Inode != 0 && remembered(d) {
		t.Error("another file of the same size and time of modification is taken for the one that was read")
	}

	// Within the time that is too short for its times to tell, a change may not be seen: so nothing is remembered.
	at = time.Now()
	write("one", at.Add(-settled/2))
	d = folder(&app{env: env})
	was := read(d)
	if remembered(d) {
		t.Error("a file that was modified a moment ago is remembered")
	}
	write("two", at.Add(-settled/2))
	if read(d) == was {
		t.Error("a file that was modified a moment ago was not read again")
	}

	if err := os.WriteFile(d.digests.path, []byte(`{"x": 1`), 0o644); err != nil {
		t.Fatal(err)
	}
	at = time.Now().Add(time.Hour)
	if d = folder(&app{env: env}); remembered(d) {
		t.Error("a damaged list is believed")
	}
	read(d)
	d.digests.save()
	if !remembered(folder(&app{env: env})) {
		t.Error("a damaged list is not written anew")
	}
}

func mustStat(t *testing.T, path string) fs.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
