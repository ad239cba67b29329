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
}

func (e *ForeignError) Error() string {
	if e.Edited {
		return e.Path + " was edited since kappa wrote it"
	}
	return e.Path + " was not written by kappa (no manifest names it)"
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
func (w *Written) write(dir string, d *Document, old *present, text []byte) error {
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
		if !filepath.IsLocal(f.Name) || filepath.Base(f.Name) != f.Name || d.has(f.Name) || f.Name == manifestName {
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

// Guard says whether [Write] would refuse to write the report of a name into a folder for the sake of the text that lies there, before
// there is a document: a *[ForeignError], with Edited set where kappa wrote the text and somebody has changed it since.
func Guard(dir, name string) error {
	p, err := look(dir, &Document{Name: name})
	if err != nil {
		return fmt.Errorf("look at %s: %w", filepath.Join(dir, name+".md"), err)
	}
	if p.foreign != nil {
		return p.foreign
	}
	return nil
}

// Compare says how the report in a folder differs from a document, Provenance aside: the names of files that are missing, changed or
// left over, relative to the folder; the text also where somebody has edited its Provenance. None means that the report is what the
// database tells. Whether a text has been edited by hand or only grown stale is told by [Guard].
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
	foreign     *ForeignError     // a file in the way that kappa did not make or leave so
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
	refuse := func(name string, edited bool) {
		if p.foreign == nil {
			p.foreign = &ForeignError{filepath.Join(dir, name), edited}
		}
	}
	var err error
	folder := filesFolder(d.Name)
	if p.manifestRaw, err = read(filepath.Join(folder, manifestName)); err != nil {
		return nil, err
	}
	if p.manifestRaw != nil {
		if p.manifest, err = decodeManifest(p.manifestRaw); err != nil {
			p.manifest = manifest{}
			refuse(filepath.Join(folder, manifestName), false)
		}
	}
	if p.text, err = read(d.Name + ".md"); err != nil {
		return nil, err
	}
	lost := p.manifestRaw == nil && isRendered(d.Name, p.text) // somebody removed the manifest of kappa's text
	switch {
	case p.text == nil || lost:
	case p.manifest.MadeBy == "":
		refuse(d.Name+".md", false)
	case p.edited():
		refuse(d.Name+".md", true)
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
		if !lost && !slices.ContainsFunc(p.manifest.Files, func(f fileDigest) bool { return f.Name == name }) {
			refuse(filepath.Join(folder, name), false)
		}
	}
	return p, nil
}

// edited says whether there is a text of kappa's that is not as kappa wrote it.
func (p *present) edited() bool {
	return p.text != nil && p.manifest.MadeBy != "" && !p.manifest.tells(p.text)
}

// changes lists what writing the document would change.
func (p *present) changes(d *Document) []string {
	var out []string
	body := p.text[:min(len(p.text), len(d.Body))]
	if p.text == nil || string(body) != d.Body || !p.plainEnd(d) || p.edited() {
		out = append(out, d.Name+".md")
	}
	in := func(name string) string { return filepath.Join(filesFolder(d.Name), name) }
	want := d.manifest // a Provenance of another computation does not count
	want.Written = p.manifest.Written
	if !bytes.Equal(p.manifestRaw, want.encode()) {
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
