package reports

import (
	"fmt"
	"slices"
	"strings"
)

// judgeMissing counts the runs without a result, by why; and the report that was written without some that have one now.
func (p *Present) judgeMissing(s *Standing, f Facts) {
	if len(f.Lacking) > 0 {
		r := Reason{Kind: BecauseMissing}
		var whys []string
		count := map[string]int{}
		for _, l := range f.Lacking {
			if count[l.Why] == 0 {
				whys = append(whys, l.Why)
			}
			count[l.Why]++
			r.Runs = append(r.Runs, l.Key)
		}
		for i, why := range whys {
			if count[why] < len(f.Lacking) {
				whys[i] = fmt.Sprintf("%d %s", count[why], why)
			}
		}
		r.Text = fmt.Sprintf("%d of %s missing: %s", len(f.Lacking), plural(len(f.Plan), "run"), strings.Join(whys, ", "))
		s.add(r)
		return
	}
	if f.Plan == nil || p.manifest.Missing == "" || f.Unbuilt != nil {
		return
	}
	r := Reason{Kind: BecauseMissing}
	for _, n := range places(p.manifest.Missing, len(p.manifest.Runs)) {
		r.Runs = append(r.Runs, p.manifest.Runs[n])
	}
	r.Text = fmt.Sprintf("it was written without %s that %s a result now", plural(len(r.Runs), "run"), map[bool]string{true: "has", false: "have"}[len(r.Runs) == 1])
	s.add(r)
}

// judgeRows compares what the report tells with what the document does, or at least the runs' final figures.
func (p *Present) judgeRows(s *Standing, f Facts) {
	switch {
	case f.Document != nil:
		p.judgeDocument(s, f)
	case f.Unbuilt != nil:
		s.Unchecked = append(s.Unchecked, "whether its numbers are those of the runs: "+f.Unbuilt.Error())
	case f.Figures != nil && slices.Equal(f.Plan, p.manifest.Runs):
		if changed, known := p.otherFigures(f.Figures); len(changed) > 0 {
			s.add(Reason{Kind: BecauseRows, Runs: changed, Text: fmt.Sprintf("%s ended with other figures than the report was made from", plural(len(changed), "run"))})
		} else if !known {
			s.Unchecked = append(s.Unchecked, "whether its numbers are those of the runs: its manifest does not tell their figures")
		}
	}
}

// otherFigures lists the runs of the plan with other figures than the report was made from; known says that the manifest tells.
func (p *Present) otherFigures(now []string) (changed []string, known bool) {
	w := p.manifest.Written
	if w == nil || w.Figures == "" || len(w.Figures) != figureDigits*len(now) {
		return nil, false
	}
	joined := joinFigures(now)
	for i, key := range p.manifest.Runs {
		at := figureDigits * i
		if joined[at:at+figureDigits] != w.Figures[at:at+figureDigits] {
			changed = append(changed, key)
		}
	}
	return changed, true
}

// judgeDocument compares the report with the one that would be written now. While runs are missing that it has, it has to be another.
func (p *Present) judgeDocument(s *Standing, f Facts) {
	had := places(p.manifest.Missing, len(p.manifest.Runs))
	for _, l := range f.Lacking {
		if i := slices.Index(p.manifest.Runs, l.Key); i >= 0 && !slices.Contains(had, i) {
			return
		}
	}
	if changes := p.Changes(f.Document); len(changes) > 0 {
		r := Reason{Kind: BecauseRows, Changes: changes}
		if changed, _ := p.otherFigures(f.Figures); slices.Equal(f.Plan, p.manifest.Runs) {
			r.Runs = changed
		}
		r.Text = countChanges(changes)
		s.add(r)
	}
	if len(s.Reasons) > 0 || len(p.changes(f.Document)) == 0 {
		return
	}
	r := Reason{Kind: BecauseText, File: p.changes(f.Document)[0]}
	r.Text = r.File + " would be another"
	if r.File == p.name+".md" {
		r.Line = firstDifference(p.text[:max(0, min(len(p.text), p.manifest.Report.Bytes))], []byte(f.Document.Body))
		r.Text += fmt.Sprintf(" from line %d on%s", r.Line, quoteLine([]byte(f.Document.Body), r.Line))
	}
	s.add(r)
}

// countChanges says what changes are of.
func countChanges(changes []Change) string {
	var kinds []string
	items := map[string][]string{}
	for _, c := range changes {
		name := c.Item
		if c.Kind == numberItem {
			name = fmt.Sprintf("%d", c.Line)
		}
		if items[c.Kind] == nil {
			kinds = append(kinds, c.Kind)
		}
		if !slices.Contains(items[c.Kind], name) {
			items[c.Kind] = append(items[c.Kind], name)
		}
	}
	var parts []string
	for _, k := range kinds {
		of := k + " "
		switch {
		case k == numberItem && len(items[k]) == 1:
			of = "a number of spec line "
		case k == numberItem:
			of = "numbers of spec lines "
		case len(items[k]) > 1:
			of = k + "s "
		}
		parts = append(parts, of+few(items[k], 4))
	}
	return "the runs tell otherwise in " + strings.Join(parts, "; ")
}
