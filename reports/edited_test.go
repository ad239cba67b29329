package reports

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func readFile(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func putFile(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

const smallManifest = "small_files/" + manifestName

// TestWriteRefusesEdited: whatever somebody does to the text is seen, wherever it stands, and not overwritten without being asked to.
func TestWriteRefusesEdited(t *testing.T) {
	replaceAll := func(old, with string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(with), 1) }
	}
	for name, edit := range map[string]func([]byte) []byte{
		"a word":           replaceAll("median", "mean"),
		"in Provenance":    replaceAll("Model X", "Model Z"),
		"at the end":       func(b []byte) []byte { return append(b, "\nmore\n"...) },
		"cut":              func(b []byte) []byte { return b[:len(b)/2] },
		"without the end":  func(b []byte) []byte { return b[:bytes.Index(b, []byte(provenanceHeading))] },
		"another text":     func([]byte) []byte { return []byte("# My notes\n") },
		"nothing":          func([]byte) []byte { return []byte{} },
		"the other number": replaceAll("356", "357"),
	} {
		t.Run(name, func(t *testing.T) {
			dir, d := t.TempDir(), built(t)
			write(t, dir, d, WriteOptions{})
			if err := Guard(dir, "small"); err != nil {
				t.Fatalf("Guard of what was just written: %v", err)
			}
			was := readFile(t, dir, "small.md")
			edited := edit(slices.Clone(was))
			putFile(t, dir, "small.md", edited)
			manifest := readFile(t, dir, smallManifest)

			stale := built(t) // whether or not the database tells something else now
			stale.Body = strings.Replace(stale.Body, "356", "358", 1)
			for _, doc := range []*Document{d, stale} {
				for _, o := range []WriteOptions{{}, {NoProvenance: true}} {
					_, err := Write(dir, doc, o)
					f, ok := errors.AsType[*ForeignError](err)
					if !ok || !f.Edited || !strings.Contains(f.Error(), "small.md was edited since kappa wrote it") {
						t.Fatalf("Write: %v, want a ForeignError", err)
					}
				}
			}
			if f, ok := errors.AsType[*ForeignError](Guard(dir, "small")); !ok || !f.Edited {
				t.Error("Guard does not see it")
			}
			if diff, err := Compare(dir, d); err != nil || !slices.Contains(diff, "small.md") {
				t.Errorf("Compare: %v, %v", diff, err)
			}
			if !bytes.Equal(readFile(t, dir, "small.md"), edited) || !bytes.Equal(readFile(t, dir, smallManifest), manifest) {
				t.Error("the refused writing changed something")
			}
			write(t, dir, d, WriteOptions{Force: true})
			if !bytes.Equal(readFile(t, dir, "small.md"), was) || !bytes.Equal(readFile(t, dir, smallManifest), manifest) {
				t.Error("forced, it is not what it was")
			}
			if err := Guard(dir, "small"); err != nil {
				t.Errorf("Guard after forcing: %v", err)
			}
		})
	}
}

// TestWriteChangedData: a text that kappa wrote gives way to the one that the database tells now; forced, also where nothing but
// Provenance differs.
func TestWriteChangedData(t *testing.T) {
	dir, d := t.TempDir(), built(t)
	write(t, dir, d, WriteOptions{})
	now := built(t)
	now.Body = strings.Replace(now.Body, "356", "357", 1)
	now.manifest.Report = digestOf("small.md", []byte(now.Body))
	write(t, dir, now, WriteOptions{})
	if !bytes.Equal(readFile(t, dir, "small.md"), now.Markdown(true)) {
		t.Error("the text is not the new one")
	}
	now.Provenance += "- later\n"
	manifest := readFile(t, dir, smallManifest)
	if w := write(t, dir, now, WriteOptions{}); !w.Unchanged || !bytes.Equal(manifest, readFile(t, dir, smallManifest)) {
		t.Errorf("with another Provenance: %+v, want unchanged", w)
	}
	if w := write(t, dir, now, WriteOptions{Force: true}); w.Unchanged || !bytes.Equal(readFile(t, dir, "small.md"), now.Markdown(true)) {
		t.Errorf("forced: %+v, want the text written", w)
	}
	if w := write(t, dir, now, WriteOptions{Force: true}); !w.Unchanged {
		t.Errorf("forced again: %+v, want nothing changed", w)
	}
}

// TestWriteSameWithoutProvenance: two computations of a plan give the same bytes, manifest included.
func TestWriteSameWithoutProvenance(t *testing.T) {
	one, two, d := t.TempDir(), t.TempDir(), built(t)
	write(t, one, d, WriteOptions{NoProvenance: true})
	d = built(t)
	d.Provenance += "- later\n"
	write(t, two, d, WriteOptions{}) // and whichever way it came to be
	write(t, two, d, WriteOptions{NoProvenance: true})
	for _, name := range strings.Fields(listFiles(t, one)) {
		if !bytes.Equal(readFile(t, one, name), readFile(t, two, name)) {
			t.Errorf("%s differs", name)
		}
	}
}

// TestWriteLostManifest: kappa knows its own text again where the folder beside it has been removed, and no other.
func TestWriteLostManifest(t *testing.T) {
	for _, lost := range []string{"small_files", smallManifest} {
		dir, d := t.TempDir(), built(t)
		write(t, dir, d, WriteOptions{})
		if err := os.RemoveAll(filepath.Join(dir, lost)); err != nil {
			t.Fatal(err)
		}
		if err := Guard(dir, "small"); err != nil {
			t.Errorf("Guard without %s: %v", lost, err)
		}
		if w := write(t, dir, d, WriteOptions{}); w.Unchanged {
			t.Errorf("without %s: nothing was written", lost)
		}
		if diff, err := Compare(dir, d); err != nil || diff != nil {
			t.Errorf("without %s: %v, %v", lost, diff, err)
		}
	}
	for _, text := range []string{"# Notes\n\nmine\n\n", "", "*Rendered by kappa from [small.toml](small.toml) and", "# A\n\n*Rendered by kappa from [other.toml](other.toml) and\n\n"} {
		dir := t.TempDir()
		putFile(t, dir, "small.md", []byte(text))
		if f, ok := errors.AsType[*ForeignError](Guard(dir, "small")); !ok || f.Edited {
			t.Errorf("Guard of %q: %v, want a ForeignError", text, f)
		}
	}
	if err := Guard(t.TempDir(), "small"); err != nil {
		t.Errorf("Guard of nothing: %v", err)
	}
}

// TestWriteCutShort: wherever a writing ends, what lies there does not seem edited.
func TestWriteCutShort(t *testing.T) {
	dir, d := t.TempDir(), built(t)
	write(t, dir, d, WriteOptions{NoProvenance: true})
	old, text := readFile(t, dir, "small.md"), d.Markdown(true)
	between := d.manifest.with(text, digestOf("", old).SHA256).encode()
	for _, there := range [][]byte{old, text} {
		putFile(t, dir, "small.md", there)
		putFile(t, dir, smallManifest, between)
		if err := Guard(dir, "small"); err != nil {
			t.Errorf("Guard: %v", err)
		}
		write(t, dir, d, WriteOptions{})
		if !bytes.Equal(readFile(t, dir, "small.md"), text) || bytes.Contains(readFile(t, dir, smallManifest), []byte(`"replaces"`)) {
			t.Error("the next writing does not finish it")
		}
	}
}

// TestFormat1 reads manifests that knew the text up to Provenance only.
func TestFormat1(t *testing.T) {
	dir, d := t.TempDir(), built(t)
	write(t, dir, d, WriteOptions{})
	first := d.manifest
	first.Format = 1
	for old, edited := range map[string]bool{
		string(d.Markdown(true)): false,
		d.Body:                   false,
		d.Body + "more\n":        true,
		strings.Replace(d.Body, "median", "mean", 1):       true,
		d.Body + provenanceHeading + "\n\nof another time": false,
	} {
		putFile(t, dir, "small.md", []byte(old))
		putFile(t, dir, smallManifest, first.encode())
		f, refused := errors.AsType[*ForeignError](Guard(dir, "small"))
		if refused != edited || refused && !f.Edited {
			t.Errorf("a text that ends in %q: %v, want edited %v", old[len(old)-20:], f, edited)
		}
	}
}
