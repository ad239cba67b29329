package reports

import (
	"fmt"
	"strings"

	"kappa/experiments"
)

// State is where the report that lies beside a spec stands.
type State string

// The states of a report.
const (
	NoReport State = "none"        // there is no text and no manifest
	Current  State = "present"     // it is what the spec and the database tell, as far as was looked
	Stale    State = "stale"       // the spec, the runs, their rows or the renderer are others than it was made from
	Altered  State = "changed"     // a file of it was edited or removed by something else
	Foreign  State = "not kappa's" // something else lies in its place
)

// The kinds of reasons why a report does not stand.
const (
	BecauseForeign  = "foreign"  // something that kappa did not make lies in its place
	BecauseEdited   = "edited"   // a file is not as kappa wrote it
	BecauseFiles    = "files"    // a file is missing or left over
	BecauseSpec     = "spec"     // the spec is another
	BecausePlan     = "plan"     // the spec, its data or the engine make other runs
	BecauseMissing  = "missing"  // runs have no result, or had none
	BecauseRenderer = "renderer" // another version of kappa rendered it
	BecauseRows     = "rows"     // the runs tell other numbers
	BecauseText     = "text"     // the text would be another for a reason that is none of these
)

// Reason is one reason why a report does not stand.
type Reason struct {
	Kind    string   `json:"kind"`
	Text    string   `json:"text"`           // a sentence without its stop, Markdown aside
	File    string   `json:"file,omitempty"` // relative to the spec's folder
	Line    int      `json:"line,omitempty"` // of the file: the first that differs, where that is known
	Runs    []string `json:"runs,omitempty"` // keys
	Changes []Change `json:"changes,omitempty"`
}

// Standing is what was found out about a report.
type Standing struct {
	State     State
	Reasons   []Reason // none: nothing is wrong with it
	Unchecked []string // what could not be checked, and why, a sentence without its stop each
}

// Lack is a run of the plan without a result.
type Lack struct {
	Key string
	Why string // "never run", "failed", "removed", …
}

// Facts are what a report is held against. What is not known is left out, and said to be unchecked where that matters.
type Facts struct {
	Spec      *experiments.Spec
	Plan      []string // keys in plan order; nil: not known, because of Unplanned
	Unplanned error
	Lacking   []Lack    // runs of the plan without a result, in its order
	Figures   []string  // see [Source]; nil: not known
	Document  *Document // as it would be written now; nil: not built
	Unbuilt   error     // why it cannot be built; nil with a nil Document: nobody asked for it, and Figures stand for the rows
}

// Judge says whether a report stands, and every reason why not. It is pure. Without a document it believes that runs with the same
// final figures make the same rows.
func (p *Present) Judge(f Facts) Standing {
	s := &Standing{State: Current}
	switch {
	case p.text == nil && p.manifestRaw == nil:
		s.State = NoReport
		return *s
	case p.foreign != nil && !p.foreign.Edited:
		s.State = Foreign
		text := p.inTheWay + " is there, and kappa did not write it"
		if p.foreign.Unreadable != nil {
			text = p.inTheWay + " " + p.foreign.unreadable()
		}
		s.add(Reason{Kind: BecauseForeign, File: p.inTheWay, Text: text})
		return *s
	}
	p.judgeFiles(s, f.Document)
	if p.manifest.MadeBy == "" {
		return *s
	}
	if f.Unplanned != nil {
		s.Unchecked = append(s.Unchecked, "which runs the spec consists of: "+f.Unplanned.Error())
	}
	p.judgeSpec(s, f)
	p.judgePlan(s, f)
	p.judgeMissing(s, f)
	if p.manifest.Renderer != Version {
		was := fmt.Sprintf("version %d of the rendering", p.manifest.Renderer)
		if p.manifest.Renderer == 0 {
			was = "an early version of the rendering"
		}
		s.add(Reason{Kind: BecauseRenderer, Text: fmt.Sprintf("it was written by %s, this kappa has version %d", was, Version)})
	}
	p.judgeRows(s, f)
	return *s
}

// add adds a reason.
func (s *Standing) add(r Reason) {
	switch r.Kind {
	case BecauseForeign:
	case BecauseEdited, BecauseFiles:
		s.State = Altered
	default:
		if s.State == Current {
			s.State = Stale
		}
	}
	r.Text, r.File = plainLine(r.Text), plainLine(r.File) // a manifest may be anybody's
	s.Reasons = append(s.Reasons, r)
}

// plainLine makes text fit for a line on a terminal.
func plainLine(s string) string { return strings.ReplaceAll(printable(s), "\n", " ") }

// judgeFiles looks for what was done to the files since they were written.
func (p *Present) judgeFiles(s *Standing, d *Document) {
	text := p.name + ".md"
	folder := filesFolder(p.name) + "/"
	switch {
	case p.text == nil:
		s.add(Reason{Kind: BecauseFiles, File: text, Text: text + " is missing"})
	case p.manifest.MadeBy == "":
		s.add(Reason{Kind: BecauseFiles, File: folder + manifestName, Text: folder + manifestName + " is missing: nothing tells what the report was made from"})
		return
	case p.edited():
		r := Reason{Kind: BecauseEdited, File: text, Line: p.manifest.firstEdited(p.text), Text: text + " was edited by hand"}
		if r.Line > 0 {
			r.Text += fmt.Sprintf(": line %d is the first that differs%s", r.Line, quoteLine(p.text, r.Line))
		}
		s.add(r)
	}
	var gone []string
	for _, f := range p.manifest.Files {
		have, ok := p.files[f.Name]
		switch {
		case !ok:
			gone = append(gone, folder+f.Name)
		case digestOf("", have).SHA256 != f.SHA256:
			r := Reason{Kind: BecauseEdited, File: folder + f.Name, Text: folder + f.Name + " was edited by hand"}
			if d != nil {
				if now, ok := d.manifest.file(f.Name); ok && now.SHA256 == f.SHA256 {
					r.Line = firstDifference(have, d.file(f.Name))
					r.Text += fmt.Sprintf(": line %d is the first that differs", r.Line)
				}
			}
			s.add(r)
		}
	}
	if len(gone) > 0 {
		r := Reason{Kind: BecauseFiles, File: gone[0], Text: fmt.Sprintf("%s is missing", gone[0])}
		if len(gone) > 1 {
			r.Text = fmt.Sprintf("%d files are missing: %s", len(gone), few(gone, 4))
		}
		s.add(r)
	}
	if p.manifest.altered {
		s.add(Reason{Kind: BecauseEdited, File: folder + manifestName, Text: folder + manifestName + " was edited by hand: what it tells is not what kappa wrote"})
	}
	if p.unfinished() {
		s.add(Reason{Kind: BecauseText, File: text, Text: "the writing of the report was cut short: " + text + " may be older than the files beside it; `kappa report` finishes it"})
	}
}

// quoteLine is a line of a text for a sentence.
func quoteLine(text []byte, line int) string {
	lines := strings.Split(string(text), "\n")
	if line > len(lines) || strings.TrimSpace(lines[line-1]) == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", cut(strings.TrimSpace(lines[line-1]), 60))
}

// firstDifference is the first line, from 1, that differs.
func firstDifference(a, b []byte) int {
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return i + 1
		}
	}
	return min(len(x), len(y)) + 1
}

// Told says whether there is a manifest of kappa's, which tells what a report was made from.
func (p *Present) Told() bool { return p.manifest.MadeBy != "" }

// Verdicts are the verdicts of the claims as the report tells them, in its order; ok is false where it does not.
func (p *Present) Verdicts() (verdicts []Verdict, ok bool) {
	if p.manifest.Format < firstWithValues {
		return nil, false
	}
	for _, i := range p.manifest.Items {
		if i.Kind == claimItem {
			v := Verdict{ID: i.ID, Line: i.Line, Verdict: i.Verdict, Expected: i.Expected}
			if v.Expected == "" {
				v.Expected = Reproduced
			}
			verdicts = append(verdicts, v)
		}
	}
	return verdicts, true
}

// Verdict is a claim's verdict, and the one that its spec expected.
type Verdict struct {
	ID, Verdict, Expected string
	Line                  int // of the spec
}
