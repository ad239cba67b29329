package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// WriteOptions say how a document is written.
type WriteOptions struct {
	Force        bool // overwrite files that kappa did not make or that were edited since, and Provenance though nothing else differs
	NoProvenance bool // leave the last section out
}

// Written says what Write did.
type Written struct {
	Path      string   // of the report
	Changed   []string // files written, relative to the folder of the report
	Removed   []string // files of an earlier report that this one does not have
	Unchanged bool     // nothing was to do: at most Provenance would differ
}

// ForeignError says that a file in the way was not made by kappa, or not left as kappa made it.
type ForeignError struct {
	Path   string
	Edited bool // kappa wrote it, and somebody has changed it since

	Unreadable error // why a manifest, of which it cannot be told whose it is, cannot be read
}

func (e *ForeignError) Error() string {
	if e.Edited {
		return e.Path + " was edited since kappa wrote it"
	}
	if e.Unreadable != nil {
		return e.Path + " " + e.unreadable()
	}
	return e.Path + " was not written by kappa (no manifest names it)"
}

// unreadable says what is wrong with a manifest, and what to do.
func (e *ForeignError) unreadable() string {
	return fmt.Sprintf("cannot be read (a merge conflict?): %v; `kappa report --force` writes it anew", e.Unreadable)
}

// Write puts a document into a folder: Name.md, and its files in Name_files. Each file appears whole or not at all, and what is
// there already is left alone, Provenance included where nothing else has changed. It fails with a *[ForeignError] rather than
// overwrite a file that no manifest names, or a text that is not the one kappa wrote.
func Write(dir string, d *Document, o WriteOptions) (Written, error) {
	w := Written{Path: filepath.Join(dir, d.Name+".md")}
	old, err := look(dir, d)
	if err != nil {
		return w, fmt.Errorf("write %s: %w", w.Path, err)
	}
	if old.foreign != nil && !o.Force {
		return w, old.foreign
	}
	clearLeftovers(dir, d)
	if len(old.changes(d)) == 0 && old.provenance == !o.NoProvenance && !o.Force {
		w.Unchanged = true
		return w, nil
	}
	if err := w.write(dir, d, old, d.Markdown(!o.NoProvenance)); err != nil {
		return w, fmt.Errorf("write %s: %w", w.Path, err)
	}
	w.Unchanged = len(w.Changed)+len(w.Removed) == 0
	return w, nil
}

// write writes what differs from what is there.
func (w *Written) write(dir string, d *Document, old *Present, text []byte) error {
	folder := filepath.Join(dir, filesFolder(d.Name))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	put := func(name string, have, data []byte) error {
		if have != nil && bytes.Equal(have, data) {
			return nil
		}
		w.Changed = append(w.Changed, name)
		return replace(filepath.Join(dir, name), data)
	}
	in := func(name string) string { return filepath.Join(filesFolder(d.Name), name) }
	for _, f := range old.manifest.Files {
		if !beside(f.Name) || d.has(f.Name) {
			continue
		}
		switch err := os.Remove(filepath.Join(folder, f.Name)); {
		case err == nil:
			w.Removed = append(w.Removed, in(f.Name))
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	// The manifest comes first, and knows the text that is there as well as the one to come: a crash leaves a report that is stale,
	// not files that seem foreign or edited.
	final := d.manifest.with(text, "").encode()
	if old.text != nil && !bytes.Equal(old.text, text) {
		between := d.manifest.with(text, digestOf("", old.text).SHA256).encode()
		if err := replace(filepath.Join(folder, manifestName), between); err != nil {
			return err
		}
		if !bytes.Equal(old.manifestRaw, final) {
			w.Changed = append(w.Changed, in(manifestName))
		}
	} else if err := put(in(manifestName), old.manifestRaw, final); err != nil {
		return err
	}
	for _, f := range d.Files {
		if err := put(in(f.Name), old.files[f.Name], f.Data); err != nil {
			return err
		}
	}
	if err := put(d.Name+".md", old.text, text); err != nil {
		return err
	}
	if old.text != nil && !bytes.Equal(old.text, text) {
		return replace(filepath.Join(folder, manifestName), final)
	}
	return nil
}

// leftoverAge is the age at which a temporary file has no writer any more: another process may be writing the same report.
const leftoverAge = time.Minute

// clearLeftovers removes the temporary files that a process which was killed while it wrote this report has left. What cannot
// be removed is in nobody's way.
func clearLeftovers(dir string, d *Document) {
	folder := filepath.Join(dir, filesFolder(d.Name))
	paths := []string{filepath.Join(dir, d.Name+".md"), filepath.Join(folder, manifestName)}
	for _, f := range d.Files {
		paths = append(paths, filepath.Join(folder, f.Name))
	}
	for _, in := range []string{dir, folder} {
		sweep(in, paths)
	}
}

// sweep removes from a folder the temporary files that were to become one of paths.
func sweep(in string, paths []string) {
	entries, err := os.ReadDir(in)
	if err != nil {
		return
	}
	for _, e := range entries {
		i := strings.LastIndexByte(e.Name(), '.')
		if i < 1 || e.Name()[0] != '.' || !digitsOnly(e.Name()[i+1:]) || !slices.Contains(paths, filepath.Join(in, e.Name()[1:i])) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > leftoverAge {
			_ = os.Remove(filepath.Join(in, e.Name()))
		}
	}
}

// replace writes a file under a temporary name, which clearLeftovers knows, and renames it.
func replace(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
