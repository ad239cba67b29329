package fetch

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// smallDisk takes so many bytes.
type smallDisk struct {
	w    io.Writer
	left *int
}

func (d smallDisk) Write(b []byte) (int, error) {
	n := min(len(b), *d.left)
	*d.left -= n
	n, err := d.w.Write(b[:n])
	if err == nil && n < len(b) {
		err = &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	}
	return n, err
}

func TestFetchOntoAFullDisk(t *testing.T) {
	content := noise(300_000, 13)
	s, other := serve(t, good(content, `"1"`)), serve(t, good(content, `"1"`))
	f := folder(t)
	p := published(content, false, s.base(), other.base())

	// Known before: nothing comes.
	o := quick(nil)
	o.free = func() (int64, bool) { return 1000, true }
	_, err := f.Fetch(t.Context(), p, o)
	says(t, err, "set/file: the disk is full: 300.0 kB more are needed, 1.0 kB are free")
	if f.Present(p).Here != 0 || other.count() != 0 {
		t.Errorf("another mirror was asked %d times", other.count())
	}

	// Found out on the way: what came is kept.
	left := 100_000
	o = quick(nil)
	o.free = func() (int64, bool) { return 0, false }
	f.wrap = func(w io.Writer) io.Writer { return smallDisk{w, &left} }
	_, err = f.Fetch(t.Context(), p, o)
	says(t, err, "set/file: the disk is full: 200.0 kB more are needed")
	if full, ok := errors.AsType[*DiskFullError](err); !ok || full.Need != 200_000 || full.Free != -1 {
		t.Errorf("error %#v", err)
	}
	if other.count() != 0 {
		t.Error("another mirror was asked, which does not help")
	}
	holds(t, f, map[string][]byte{"set/file.part": content[:100_000], "set/file.part.from": nil})

	f.wrap = nil
	if _, err = f.Fetch(t.Context(), p, quick(nil)); err != nil {
		t.Fatal(err)
	}
	holds(t, f, map[string][]byte{"set/file": content})
}

func TestTwoFetchesAtTheSameTimeShareTheWork(t *testing.T) {
	content := noise(200_000, 14)
	slow := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		good(content, "")(w, r)
	}
	s, f := serve(t, slow), folder(t)
	var group sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		group.Go(func() {
			mine, err := Open(f.Dir())
			if err == nil {
				defer mine.Close()
				_, err = mine.Fetch(t.Context(), published(content, false, s.base()), quick(nil))
			}
			errs[i] = err
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if n := s.count(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	holds(t, f, map[string][]byte{"set/file": content})
}

func TestFetchReplacesWhatIsWrong(t *testing.T) {
	content := noise(5000, 15)
	packed := zipped(t, content)
	s, f := serve(t, good(packed, "")), folder(t)
	put(t, f, "set/file", noise(5000, 16)) // a reader would take it before set/file.gz
	put(t, f, "set/file.gz", packed[:100])
	put(t, f, "set/file.gz.part", []byte("of whom?"))
	if _, err := f.Fetch(t.Context(), published(content, true, s.base()), quick(nil)); err != nil {
		t.Fatal(err)
	}
	holds(t, f, map[string][]byte{"set/file.gz": packed})
	if r := s.header(0, "Range"); r != "" {
		t.Errorf("Range %q: nobody knows of what the part was one", r)
	}
}

func TestFetchLeavesTheFolderByNoLink(t *testing.T) {
	content := noise(5000, 19)
	s, f := serve(t, good(content, "")), folder(t)
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(f.Dir(), "set")); err != nil {
		t.Skip(err)
	}
	_, err := f.Fetch(t.Context(), published(content, false, s.base()), quick(nil))
	says(t, err, "escapes")
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("written outside of the folder: %v, %v", entries, err)
	}
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("permissions do not bind root")
	}
	content := noise(5000, 20)
	f := folder(t)
	put(t, f, "set/file", content)
	if err := os.Chmod(f.Dir(), 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(f.Dir(), 0o755) })
	if found, err := f.Fetch(t.Context(), published(content, false), quick(nil)); err != nil || found[0].State != Right {
		t.Errorf("a file that is here: %+v, %v", found, err)
	}
	p := published(content, false)
	p.Files[0].Path = "other/file"
	_, err := f.Fetch(t.Context(), p, quick(nil))
	says(t, err, "cannot be written")
}

func TestLockIsLeftAloneWhereItCannotBeTaken(t *testing.T) {
	f := folder(t)
	if err := os.MkdirAll(filepath.Join(f.Dir(), "set", ".lock"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := f.lock(t.Context(), published(noise(10, 1), false), func() {})
	if err == nil || errors.Is(err, errLocked) {
		t.Errorf("a folder in the place of the lock: %v", err)
	}
}
