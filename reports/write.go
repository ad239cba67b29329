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
	Force        bool // overwrite files that kappa did not make
	NoProvenance bool // leave the last section out
}

// Written says what Write did.
type Written struct {
	Path      string   // of the report
	Changed   []string // files written, relative to the folder of the report
	Removed   []string // files of an earlier report that this one does not have
	Unchanged bool     // nothing was to do: at most Provenance would differ
}

// ForeignError says that a file to be written was not made by kappa.
type ForeignError struct{ Path string }

func (e *ForeignError) Error() string {
	return e.Path + " was not written by kappa (no manifest names it)"
}

// Write puts a document into a folder: Name.md, and its files in Name_files. Each file appears whole or not at all, and what is
// there already is left alone, Provenance included where nothing else has changed. It fails with a *[ForeignError] rather than
// overwrite a file that no manifest names.
func Write(dir string, d *Document, o WriteOptions) (Written, error) {
	w := Written{Path: filepath.Join(dir, d.Name+".md")}
	old, err := look(dir, d)
	if err != nil {
		return w, fmt.Errorf("write %s: %w", w.Path, err)
	}
	if old.foreign != "" && !o.Force {
		return w, &ForeignError{old.foreign}
	}
	clearLeftovers(dir, d)
	if len(old.changes(d)) == 0 && old.provenance == !o.NoProvenance {
		w.Unchanged = true
		return w, nil
	}
	folder := filepath.Join(dir, filesFolder(d.Name))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return w, fmt.Errorf("write %s: %w", w.Path, err)
	}
	put := func(name string, data []byte) error {
		path := filepath.Join(dir, name)
		if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, data) {
			return nil
		}
		w.Changed = append(w.Changed, name)
		return replace(path, data)
	}
	for _, f := range old.manifest.Files {
		if !filepath.IsLocal(f.Name) || filepath.Base(f.Name) != f.Name || d.has(f.Name) || f.Name == manifestName {
			continue
		}
		switch err := os.Remove(filepath.Join(folder, f.Name)); {
		case err == nil:
			w.Removed = append(w.Removed, filepath.Join(filesFolder(d.Name), f.Name))
		case !errors.Is(err, fs.ErrNotExist):
			return w, fmt.Errorf("write %s: %w", w.Path, err)
		}
	}
	// The manifest comes first: a crash leaves a report that is stale, not files that seem foreign.
	if err := put(filepath.Join(filesFolder(d.Name), manifestName), d.manifest.encode()); err != nil {
		return w, fmt.Errorf("write %s: %w", w.Path, err)
	}
	for _, f := range d.Files {
		if err := put(filepath.Join(filesFolder(d.Name), f.Name), f.Data); err != nil {
			return w, fmt.Errorf("write %s: %w", w.Path, err)
		}
	}
	if err := put(d.Name+".md", d.Markdown(!o.NoProvenance)); err != nil {
		return w, fmt.Errorf("write %s: %w", w.Path, err)
	}
	return w, nil
}

// Compare says how the report in a folder differs from a document, Provenance aside: the names of files that are missing, changed or
// left over, relative to the folder. None means that the report is what the database tells.
func Compare(dir string, d *Document) ([]string, error) {
	old, err := look(dir, d)
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", filepath.Join(dir, d.Name+".md"), err)
	}
	return old.changes(d), nil
}

// present is what lies where a document would be written.
type present struct {
	manifest    manifest
	manifestRaw []byte
	text        []byte            // of the .md; nil if there is none
	files       map[string][]byte // of the document's and the manifest's names, those that are there
	foreign     string            // path of a file in the way that kappa did not make
	provenance  bool              // the .md has that section
}

// look reads what is there.
func look(dir string, d *Document) (*present, error) {
	p := &present{files: map[string][]byte{}}
	read := func(name string) ([]byte, error) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return data, err
	}
	var err error
	folder := filesFolder(d.Name)
	if p.manifestRaw, err = read(filepath.Join(folder, manifestName)); err != nil {
		return nil, err
	}
	made := false
	if p.manifestRaw != nil {
		if p.manifest, err = decodeManifest(p.manifestRaw); err == nil {
			made = true
		} else {
			p.foreign = filepath.Join(dir, folder, manifestName)
		}
	}
	if p.text, err = read(d.Name + ".md"); err != nil {
		return nil, err
	}
	if p.text != nil && !made && p.foreign == "" {
		p.foreign = filepath.Join(dir, d.Name+".md")
	}
	p.provenance = len(p.text) > p.manifest.Report.Bytes
	var names []string
	for _, f := range d.Files {
		names = append(names, f.Name)
	}
	for _, f := range p.manifest.Files {
		if filepath.Base(f.Name) == f.Name {
			names = append(names, f.Name)
		}
	}
	for _, name := range names {
		data, err := read(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		if data == nil {
			continue
		}
		p.files[name] = data
		listed := slices.ContainsFunc(p.manifest.Files, func(f fileDigest) bool { return f.Name == name })
		if !listed && p.foreign == "" {
			p.foreign = filepath.Join(dir, folder, name)
		}
	}
	return p, nil
}

// changes lists what writing the document would change.
func (p *present) changes(d *Document) []string {
	var out []string
	body := p.text[:min(len(p.text), p.manifest.Report.Bytes)]
	if p.text == nil || string(body) != d.Body || !p.plainEnd(d) {
		out = append(out, d.Name+".md")
	}
	in := func(name string) string { return filepath.Join(filesFolder(d.Name), name) }
	if !bytes.Equal(p.manifestRaw, d.manifest.encode()) {
		out = append(out, in(manifestName))
	}
	for _, f := range d.Files {
		if have, ok := p.files[f.Name]; !ok || !bytes.Equal(have, f.Data) {
			out = append(out, in(f.Name))
		}
	}
	for name := range p.files {
		if !d.has(name) {
			out = append(out, in(name))
		}
	}
	slices.Sort(out)
	return out
}

// plainEnd says whether nothing or a provenance section follows the body.
func (p *present) plainEnd(d *Document) bool {
	rest := p.text[min(len(p.text), len(d.Body)):]
	return len(rest) == 0 || bytes.HasPrefix(rest, []byte(provenanceHeading))
}

func (d *Document) has(name string) bool {
	return slices.ContainsFunc(d.Files, func(f File) bool { return f.Name == name })
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
		entries, err := os.ReadDir(in)
		if err != nil {
			continue
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
