package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Guard says whether [Write] would refuse to write the report of a name into a folder for the sake of the text that lies there, before
// there is a document: a *[ForeignError], with Edited set where kappa wrote the text and somebody has changed it since.
func Guard(dir, name string) error {
	p, err := Look(dir, name)
	if err == nil && p.foreign != nil {
		return p.foreign
	}
	return err
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

// Present is what lies where a report would be written: the report, its files and its manifest, whoever made them.
type Present struct {
	name        string
	manifest    manifest
	manifestRaw []byte
	text        []byte            // of the .md; nil if there is none
	files       map[string][]byte // of the document's and the manifest's names, those that are there
	foreign     *ForeignError     // a file in the way that kappa did not make or leave so
	inTheWay    string            // its name, relative to the folder
	provenance  bool              // the .md has that section
}

// Look reads what lies where the report of a name would be written in a folder.
func Look(dir, name string) (*Present, error) {
	p, err := look(dir, &Document{Name: name})
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", filepath.Join(dir, name+".md"), err)
	}
	return p, nil
}

// LookWith is [Look] at a report that lies elsewhere, such as in an earlier commit: read reads its files, by their paths relative to the
// spec's folder with slashes, and fails with fs.ErrNotExist where there is none.
func LookWith(name string, read func(path string) ([]byte, error)) (*Present, error) {
	return lookWith("", &Document{Name: name}, func(path string) ([]byte, error) { return read(filepath.ToSlash(path)) })
}

// look reads what is there.
func look(dir string, d *Document) (*Present, error) {
	return lookWith(dir, d, func(path string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, path)) })
}

func lookWith(dir string, d *Document, readFile func(path string) ([]byte, error)) (*Present, error) {
	p := &Present{name: d.Name, files: map[string][]byte{}}
	read := func(name string) ([]byte, error) {
		data, err := readFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return data, err
	}
	refuse := func(name string, edited bool) {
		if p.foreign == nil {
			p.foreign, p.inTheWay = &ForeignError{Path: filepath.Join(dir, name), Edited: edited}, name
		}
	}
	var err error
	folder := filesFolder(d.Name)
	if p.manifestRaw, err = read(filepath.Join(folder, manifestName)); err != nil {
		return nil, err
	}
	if p.manifestRaw != nil {
		p.manifestRaw = unixLines(p.manifestRaw)
		if p.manifest, err = decodeManifest(p.manifestRaw); err != nil {
			p.manifest = manifest{}
			refuse(filepath.Join(folder, manifestName), false)
			if !errors.Is(err, errNotKappas) {
				p.foreign.Unreadable = err
			}
		}
	}
	if p.text, err = read(d.Name + ".md"); err != nil {
		return nil, err
	}
	if unix := unixLines(p.text); p.edited() && p.manifest.tells(unix) {
		p.text = unix
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
		if beside(f.Name) {
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
		if f, ok := p.manifest.file(name); ok && digestOf("", data).SHA256 != f.SHA256 {
			if unix := unixLines(data); digestOf("", unix).SHA256 == f.SHA256 {
				data = unix
			}
		}
		p.files[name] = data
		if !lost && !slices.ContainsFunc(p.manifest.Files, func(f fileDigest) bool { return f.Name == name }) {
			refuse(filepath.Join(folder, name), false)
		}
	}
	return p, nil
}

// beside says whether a name that a manifest gives, and it may be anybody's, is one of a file in a report's folder.
func beside(name string) bool {
	return filepath.IsLocal(name) && filepath.Base(name) == name && name != "." && name != manifestName
}

// unixLines ends lines as kappa does: git may have checked a report out with the ends of Windows, and that is no edit.
func unixLines(data []byte) []byte {
	if data == nil {
		return nil
	}
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
}

// edited says whether there is a text of kappa's that is not as kappa wrote it.
func (p *Present) edited() bool {
	return p.text != nil && p.manifest.MadeBy != "" && !p.manifest.tells(p.text)
}

// unfinished says whether the writing of the report ended after its manifest and before its text, or before the manifest said so.
func (p *Present) unfinished() bool { return p.manifest.Replaces != "" && p.text != nil && !p.edited() }

// changes lists what writing the document would change.
func (p *Present) changes(d *Document) []string {
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
func (p *Present) plainEnd(d *Document) bool {
	rest := p.text[min(len(p.text), len(d.Body)):]
	return len(rest) == 0 || bytes.HasPrefix(rest, []byte(provenanceHeading))
}

func (d *Document) has(name string) bool {
	return slices.ContainsFunc(d.Files, func(f File) bool { return f.Name == name })
}
