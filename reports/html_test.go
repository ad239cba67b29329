package reports

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestHTML checks the page of a report with a cell of every kind: well-formed, complete, the same each time, self-contained.
func TestHTML(t *testing.T) {
	d := buildSmall(t)
	e, err := d.HTML("", true)
	if err != nil {
		t.Fatal(err)
	}
	again, err := buildSmall(t).HTML(".", true)
	if err != nil || !bytes.Equal(e.Data, again.Data) {
		t.Errorf("rendered twice, it differs: %v", err)
	}
	if e.Name != "small.html" || len(e.Warnings) > 0 {
		t.Errorf("%s, warnings %q", e.Name, e.Warnings)
	}
	ids, links := map[string]bool{}, []string{}
	svgs, maths := 0, 0
	for dec := xml.NewDecoder(bytes.NewReader(e.Data)); ; {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		s, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch s.Name.Local {
		case "svg":
			svgs++
		case "math":
			maths++
		case "script", "img", "link", "iframe":
			t.Errorf("an element %s", s.Name.Local)
		}
		for _, a := range s.Attr {
			switch a.Name.Local {
			case "id":
				if ids[a.Value] {
					t.Errorf("two ids %s", a.Value)
				}
				ids[a.Value] = true
			case "href":
				links = append(links, a.Value)
			}
		}
	}
	if svgs != 2 || maths != 2 {
		t.Errorf("%d figures, %d formulas", svgs, maths)
	}
	for _, c := range d.Claims {
		for _, to := range []string{"claim-" + c.ID, "verdict-" + c.ID} {
			if !ids[to] || !slices.Contains(links, "#"+to) {
				t.Errorf("no link to %s", to)
			}
		}
	}
	for _, id := range []string{"fig-curves", "fig-map", "tab-by-method", "tab-limited", "what-it-shows", "provenance"} {
		if !ids[id] {
			t.Errorf("no place %s", id)
		}
	}
	for _, l := range links {
		if strings.HasPrefix(l, "#") && !ids[l[1:]] {
			t.Errorf("a link to %s, which is not there", l)
		}
	}
	for _, f := range d.Files {
		if filepath.Ext(f.Name) == ".csv" && !bytes.Contains(e.Data, []byte(`download="`+f.Name+`" href="data:text/csv;charset=utf-8;base64,`+base64.StdEncoding.EncodeToString(f.Data))) {
			t.Errorf("%s is not in the page", f.Name)
		}
	}
	if !bytes.Contains(e.Data, []byte(`download="small.toml" href="data:`)) {
		t.Error("the spec is not in the page")
	}
	without, err := d.HTML("", false)
	if err != nil || bytes.Contains(without.Data, []byte("Provenance")) {
		t.Errorf("Provenance though it was to be left out, %v", err)
	}
}

// TestHTMLElsewhere checks the links of a page in another folder, and those to files too large to be in it.
func TestHTMLElsewhere(t *testing.T) {
	d := buildSmall(t)
	for i := range d.Files {
		if d.Files[i].Name == "tab-limited.csv" {
			d.Files[i].Data = bytes.Repeat([]byte("1\n"), mostLinked)
		}
	}
	e, err := d.HTML("../exp", true)
	if err != nil || !bytes.Contains(e.Data, []byte(`href="../exp/small_files/tab-limited.csv"`)) {
		t.Errorf("no link to the folder of the report: %v", err)
	}
	if len(e.Data) > 200<<10 {
		t.Errorf("%d bytes", len(e.Data))
	}
}

// TestWriteExport checks that only what kappa wrote and nobody edited is overwritten, and that a file is there whole or not at all.
func TestWriteExport(t *testing.T) {
	d := buildSmall(t)
	page, err := d.HTML("", true)
	if err != nil {
		t.Fatal(err)
	}
	book, err := d.Notebook("", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []Export{page, book} {
		dir := t.TempDir()
		path := filepath.Join(dir, "new", e.Name)
		write := func(force, want bool) {
			t.Helper()
			if changed, err := WriteExport(path, e, force); err != nil || changed != want {
				t.Errorf("%s: changed is %v, %v", e.Name, changed, err)
			}
		}
		refuse := func(edited bool) {
			t.Helper()
			before, _ := os.ReadFile(path)
			changed, err := WriteExport(path, e, false)
			f, ok := errors.AsType[*ForeignError](err)
			if changed || !ok || f.Edited != edited {
				t.Errorf("%s: %v, %v", e.Name, changed, err)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Errorf("%s was overwritten", e.Name)
			}
		}
		write(false, true)
		write(false, false)
		other := e
		other.Data = bytes.Replace(e.Data, []byte("Section 5"), []byte("Section 6"), 1)
		if err := other.seal(); err != nil {
			t.Fatal(err)
		}
		if _, err := WriteExport(path, other, false); err != nil {
			t.Errorf("%s: its own earlier file: %v", e.Name, err)
		}
		write(false, true)
		if err := os.WriteFile(path, bytes.Replace(e.Data, []byte("Section 5"), []byte("Section 7"), 1), 0o644); err != nil {
			t.Fatal(err)
		}
		refuse(true)
		write(true, true)
		if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		refuse(false)
		left := filepath.Join(filepath.Dir(path), "."+e.Name+".123") // by a process that was killed
		if err := errors.Join(os.WriteFile(left, nil, 0o644), os.Chtimes(left, time.Time{}, time.Now().Add(-2*leftoverAge))); err != nil {
			t.Fatal(err)
		}
		write(true, true)
		if got, _ := os.ReadFile(path); !bytes.Equal(got, e.Data) {
			t.Errorf("%s is not what was written", e.Name)
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(entries) != 1 {
			t.Errorf("%s: %v, %v", e.Name, entries, err)
		}
		if _, err := WriteExport(filepath.Join(path, "below"), e, false); err == nil {
			t.Error("written below a file")
		}
	}
}

// TestFormulas checks the places of formulas that a page does not show, in the spec's text with its queries.
func TestFormulas(t *testing.T) {
	s, _, _ := small()
	if got := Formulas(s); len(got) > 0 {
		t.Errorf("%v", got)
	}
	s.Path = "small.toml"
	s.Cells[0].Text = "a {{ sql \"SELECT 1\" }} $\\foo$\n{{ if true }}\n$x_{{ sql \"SELECT 2\" }}$ `$\\no$`\n$\\bar$\n{{ else }}$\\baz${{ end }}"
	s.Cells[1].Table.Headings[0] = `$\qux$`
	s.Cells[5].Text = `$\quux$`
	s.Cells[6].Claim.Because = `$\corge$`
	var got []string
	for _, p := range Formulas(s) {
		got = append(got, p.Key+": "+p.Message[strings.LastIndex(p.Message, ":")+2:])
	}
	want := []string{
		`cell.0.text: \foo is not known`, `cell.0.text: something is missing after \bar`, `cell.0.text: \baz is not known`,
		`cell.1.headings: \qux is not known`, `cell.5.text: \quux is not known`, `cell.6.because: \corge is not known`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for text, want := range map[string]string{
		"a {{ sql \"x\ny\" }}": "a {{ sql \"x\ny\" }}", "": "", "{{ 1 }}{{ 2 }} {{ `a\nb` }}c": "0 0\nc", "{{/* c */}}b": "b", "a\n{{- if true }}\nb{{ end }}\n{{ 1 }}": "a\n\nb\n0",
	} {
		if got := string(withoutActions(text)); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// buildSmall renders the spec of small.
func buildSmall(t *testing.T) *Document {
	t.Helper()
	s, f, o := small()
	d, err := Build(t.Context(), s, f, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
