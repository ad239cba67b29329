package reports

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// built is the small report.
func built(t *testing.T) *Document {
	t.Helper()
	s, f, o := small()
	d, err := Build(t.Context(), s, f, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// write writes and wants no error.
func write(t *testing.T, dir string, d *Document, o WriteOptions) Written {
	t.Helper()
	w, err := Write(dir, d, o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func listFiles(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestWrite(t *testing.T) {
	dir, d := t.TempDir(), built(t)
	if w := write(t, dir, d, WriteOptions{}); w.Unchanged || len(w.Changed) != 8 || w.Path != filepath.Join(dir, "small.md") {
		t.Errorf("first writing: %+v", w)
	}
	want := "small.md small_files/fig-curves.csv small_files/fig-curves.svg small_files/fig-map.csv small_files/fig-map.svg " +
		"small_files/manifest.json small_files/tab-by-method.csv small_files/tab-limited.csv"
	if got := listFiles(t, dir); got != want {
		t.Errorf("files:\n%s\nwant\n%s", got, want)
	}
	if w := write(t, dir, d, WriteOptions{}); !w.Unchanged || w.Changed != nil {
		t.Errorf("second writing: %+v, want unchanged", w)
	}

	// Only Provenance differs: the files stay as they are.
	later := built(t)
	later.Provenance += "- later\n"
	before, _ := os.ReadFile(filepath.Join(dir, "small.md"))
	if w := write(t, dir, later, WriteOptions{}); !w.Unchanged {
		t.Errorf("with another provenance: %+v, want unchanged", w)
	}
	after, _ := os.ReadFile(filepath.Join(dir, "small.md"))
	if string(before) != string(after) {
		t.Error("the file was touched")
	}

	// Without provenance: the text changes, with its digest in the manifest, and back.
	if w := write(t, dir, d, WriteOptions{NoProvenance: true}); fmt.Sprint(w.Changed) != "[small_files/manifest.json small.md]" {
		t.Errorf("without provenance: %+v", w)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "small.md")); strings.Contains(string(text), "## Provenance") {
		t.Error("provenance is still there")
	}
	if diff, err := Compare(dir, d); err != nil || diff != nil {
		t.Errorf("Compare without provenance: %v, %v; want nothing", diff, err)
	}
	if w := write(t, dir, d, WriteOptions{NoProvenance: true}); !w.Unchanged {
		t.Errorf("again without: %+v, want unchanged", w)
	}
	if w := write(t, dir, d, WriteOptions{}); fmt.Sprint(w.Changed) != "[small_files/manifest.json small.md]" {
		t.Errorf("with provenance again: %+v", w)
	}
}

func TestWriteRemovesStaleFiles(t *testing.T) {
	dir, d := t.TempDir(), built(t)
	write(t, dir, d, WriteOptions{})
	mine := filepath.Join(dir, "small_files", "mine.txt")
	if err := os.WriteFile(mine, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, f, o := small()
	s.Cells = s.Cells[:2] // the other tables and figures are gone
	less, err := Build(t.Context(), s, f, o)
	if err != nil {
		t.Fatal(err)
	}
	w := write(t, dir, less, WriteOptions{})
	if len(w.Removed) != 5 {
		t.Errorf("removed %v, want five files", w.Removed)
	}
	if got := listFiles(t, dir); got != "small.md small_files/manifest.json small_files/mine.txt small_files/tab-by-method.csv" {
		t.Errorf("files: %s", got)
	}
}

func TestWriteRefusesForeignFiles(t *testing.T) {
	for name, path := range map[string]string{
		"report": "small.md", "figure": "small_files/fig-map.svg", "manifest": "small_files/manifest.json",
	} {
		t.Run(name, func(t *testing.T) {
			dir, d := t.TempDir(), built(t)
			full := filepath.Join(dir, path)
			if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(full, []byte("my own text"), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Write(dir, d, WriteOptions{})
			f, ok := errors.AsType[*ForeignError](err)
			if !ok || f.Path != full {
				t.Fatalf("Write over %s: %v, want a ForeignError", path, err)
			}
			if got := listFiles(t, dir); got != path {
				t.Errorf("the refused writing left %s", got)
			}
			if w := write(t, dir, d, WriteOptions{Force: true}); w.Unchanged {
				t.Error("forced, nothing was written")
			}
			if diff, err := Compare(dir, d); err != nil || diff != nil {
				t.Errorf("after forcing: %v, %v", diff, err)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	dir, d := t.TempDir(), built(t)
	if diff, err := Compare(dir, d); err != nil || len(diff) != 8 {
		t.Errorf("Compare with nothing: %v, %v; want all eight files", diff, err)
	}
	write(t, dir, d, WriteOptions{})
	for _, path := range []string{"small.md", "small_files/tab-limited.csv", "small_files/fig-map.svg", "small_files/manifest.json"} {
		full := filepath.Join(dir, path)
		text, err := os.ReadFile(full)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, append([]byte(" "), text...), 0o644); err != nil {
			t.Fatal(err)
		}
		if diff, err := Compare(dir, d); err != nil || fmt.Sprint(diff) != "["+path+"]" {
			t.Errorf("after a change of %s: %v, %v", path, diff, err)
		}
		if w := write(t, dir, d, WriteOptions{Force: path == "small.md"}); fmt.Sprint(w.Changed) != "["+path+"]" {
			t.Errorf("after a change of %s: %+v", path, w)
		}
	}
	if err := os.Remove(filepath.Join(dir, "small_files/fig-map.csv")); err != nil {
		t.Fatal(err)
	}
	if diff, err := Compare(dir, d); err != nil || fmt.Sprint(diff) != "[small_files/fig-map.csv]" {
		t.Errorf("after removing a file: %v, %v", diff, err)
	}
	// Text added at the end is a change, too.
	write(t, dir, d, WriteOptions{NoProvenance: true})
	f, err := os.OpenFile(filepath.Join(dir, "small.md"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("added by hand\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if diff, err := Compare(dir, d); err != nil || fmt.Sprint(diff) != "[small.md]" {
		t.Errorf("after adding text: %v, %v", diff, err)
	}
}

// TestWriteClearsLeftovers: what a process that was killed while it wrote has left goes with the next writing, also where
// nothing else is to do; what another process may be writing, and what is somebody's, stays.
func TestWriteClearsLeftovers(t *testing.T) {
	dir, d := t.TempDir(), built(t)
	write(t, dir, d, WriteOptions{})
	before := listFiles(t, dir)
	old := time.Now().Add(-2 * leftoverAge)
	put := func(name string, when time.Time) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	put(".small.md.123", old)
	put("small_files/.fig-map.svg.4567", old)
	put("small_files/.manifest.json.89", old)
	if w := write(t, dir, d, WriteOptions{}); !w.Unchanged {
		t.Errorf("with leftovers: %+v, want unchanged", w)
	}
	if got := listFiles(t, dir); got != before {
		t.Errorf("files:\n%s\nwant\n%s", got, before)
	}
	keep := []string{".small.md.bak", ".small.md.", ".other.md.123", "small_files/.fig-map.svg.x1", "small.md.123"}
	for _, name := range keep {
		put(name, old)
	}
	put("small_files/.fig-map.svg.22", time.Now())
	write(t, dir, d, WriteOptions{})
	for _, name := range append(keep, "small_files/.fig-map.svg.22") {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v; want it left alone", name, err)
		}
	}
}
