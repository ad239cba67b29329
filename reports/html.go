package reports

import (
	"path/filepath"

	"kappa/experiments"
	"kappa/reports/internal/page"
)

// mostLinked is the size up to which a file of data stands in an HTML page itself; a larger one is a link to the file beside the
// Markdown report.
const mostLinked = 256 << 10

// HTML writes the report as one page that needs no other file: figures in their places, the data of each figure and table, and the
// spec, behind their links, formulas as MathML. base leads from the page's folder to the report's, with slashes, for links to other
// files; "" or "." where they are the same. The strings say what the page cannot show as it was meant, by the line of the Markdown.
func (d *Document) HTML(base string, provenance bool) (Export, error) {
	text := d.Markdown(provenance)
	p := page.Document{Markdown: text, Files: map[string][]byte{}, Head: sealPlace}
	if base != "." {
		p.Base = base
	}
	at := 0
	for _, part := range d.parts {
		m := page.Mark{From: at, To: at + len(part.text), Kind: part.kind, ID: part.cell.ID}
		at = m.To
		for _, c := range d.Claims {
			if c.ID == m.ID && m.Kind == string(experiments.Claim) {
				m.State = c.Verdict
			}
		}
		if part.kind != "prose" && part.kind != headPart {
			p.Marks = append(p.Marks, m)
		}
	}
	for _, f := range d.Files {
		if len(f.Data) <= mostLinked || filepath.Ext(f.Name) == ".svg" {
			p.Files[filesFolder(d.Name)+"/"+f.Name] = f.Data
		}
	}
	if len(d.spec.Bytes) <= mostLinked {
		p.Files[d.specFile()] = d.spec.Bytes
	}
	data, warnings := page.Render(p)
	e := Export{Name: d.Name + ".html", Data: data}
	for _, w := range warnings {
		e.Warnings = append(e.Warnings, w.Message)
	}
	return e, e.seal()
}

// specFile is the name of the spec's file.
func (d *Document) specFile() string {
	if d.spec.Path == "" {
		return d.Name + ".toml"
	}
	return filepath.Base(d.spec.Path)
}
