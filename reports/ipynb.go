package reports

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kappa/experiments"
	"kappa/reports/internal/notebook"
	"kappa/reports/internal/page"
	"kappa/store"
)

// keyDigits are enough to tell a run of a plan from all others that a database holds, keys being digests.
const keyDigits = 16

// shortKeys are the beginnings of a plan's keys: of equal length, and of no two runs the same.
func shortKeys(plan []store.PlanRow) []string {
	for n := keyDigits; ; n *= 2 {
		short, seen, whole := make([]string, len(plan)), make(map[string]bool, len(plan)), true
		for i, r := range plan {
			short[i] = r.Key[:min(n, len(r.Key))]
			seen[short[i]] = true
			whole = whole && short[i] == r.Key
		}
		if len(seen) == len(plan) || whole {
			return short
		}
	}
}

// Notebook writes the report as a Jupyter notebook: its text as Markdown, and for each figure and table a cell of Python with the query,
// by which a reader can go on, and with what it gave. base leads from the notebook's folder to the report's, as in [Document.HTML].
func (d *Document) Notebook(base string, provenance bool) (Export, error) {
	if base == "." {
		base = ""
	}
	w := &notebookWriter{doc: d, base: base, export: Export{Name: d.Name + ".ipynb"}}
	plan, err := d.notebookPlan(base)
	if err != nil {
		return Export{}, fmt.Errorf("write %s: %w", w.export.Name, err)
	}
	setup, err := notebook.Setup(plan)
	if err != nil {
		return Export{}, fmt.Errorf("write %s: %w", w.export.Name, err)
	}
	for _, p := range d.parts {
		if err := w.part(p); err != nil {
			return Export{}, fmt.Errorf("write %s: %w", w.export.Name, err)
		}
		if p.kind == headPart {
			w.code("setup", setup, nil)
			w.cells[len(w.cells)-1].Hidden = true
		}
	}
	if provenance {
		w.markdown("provenance", d.Provenance)
	}
	w.export.Data, err = notebook.Encode(w.cells, map[string]any{"kappa": map[string]any{sealWord: noSeal}})
	if err != nil {
		return Export{}, fmt.Errorf("write %s: %w", w.export.Name, err)
	}
	return w.export, w.export.seal()
}

// notebookPlan is the plan as a notebook states it.
func (d *Document) notebookPlan(base string) (notebook.Plan, error) {
	p := notebook.Plan{Name: d.Name, Base: base}
	swept := make([]map[string]json.RawMessage, len(d.plan))
	for i, r := range d.plan {
		if r.Swept == "" {
			continue
		}
		if err := json.Unmarshal([]byte(r.Swept), &swept[i]); err != nil {
			return p, fmt.Errorf("the swept values of run %.12s: %w", r.Key, err)
		}
		for path := range swept[i] {
			if !slices.Contains(p.Paths, path) {
				p.Paths = append(p.Paths, path)
			}
		}
	}
	slices.Sort(p.Paths)
	for i, key := range shortKeys(d.plan) {
		run := notebook.Run{Key: key}
		for _, path := range p.Paths {
			v := swept[i][path]
			if v == nil {
				v = json.RawMessage("null")
			}
			run.Values = append(run.Values, v)
		}
		p.Runs = append(p.Runs, run)
	}
	return p, nil
}

// notebookWriter gathers cells.
type notebookWriter struct {
	doc    *Document
	base   string
	cells  []notebook.Cell
	proses int
	export Export
}

// part turns a part of the report into cells.
func (w *notebookWriter) part(p part) error {
	id := p.kind
	switch p.kind {
	case string(experiments.Prose):
		w.proses++
		id = fmt.Sprintf("prose-%d", w.proses)
	case string(experiments.Claim):
		id = cellID("claim-" + p.cell.ID)
	case string(experiments.Table):
		w.markdown(cellID("tab-"+p.cell.ID), p.text)
		return w.data(p, "tab-"+p.cell.ID, "tab-"+p.cell.ID+".csv", p.cell.SQL, "")
	case string(experiments.Figure):
		// The picture is an output, so that it is there without the report's files.
		_, caption, _ := strings.Cut(p.text, "\n\n")
		w.markdown(cellID("fig-"+p.cell.ID), caption)
		name := "fig-" + p.cell.ID
		if err := w.data(p, name, name+".csv", p.cell.SQL, name+".svg"); err != nil || p.cell.Figure.ReferenceSQL == "" {
			return err
		}
		return w.data(p, name+".reference", name+".reference.csv", p.cell.Figure.ReferenceSQL, "")
	}
	w.markdown(id, p.text)
	return nil
}

// data adds the cell that asks a query and shows its rows, after a figure if there is one.
func (w *notebookWriter) data(p part, name, file, sql, figure string) error {
	var outputs []notebook.Output
	variable := strings.NewReplacer("-", "_", ".", "_").Replace(name)
	source := fmt.Sprintf("%s = read(%s, %s)\n", variable, notebook.Literal(file), notebook.Literal(strings.TrimRight(sql, " \n")))
	if figure != "" {
		source += fmt.Sprintf("show(%s)\n", notebook.Literal(figure))
		outputs = append(outputs, notebook.Figure(figure, w.doc.file(figure)))
	}
	table, err := notebook.Table(w.doc.file(file))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	w.code(cellID(name+"-data"), source+variable, append(outputs, table))
	return nil
}

func (w *notebookWriter) code(id, source string, outputs []notebook.Output) {
	w.cells = append(w.cells, notebook.Cell{ID: id, Code: true, Source: source, Outputs: outputs})
}

// markdown adds a cell of text, in which tags are text, and nothing where there is none.
func (w *notebookWriter) markdown(id, text string) {
	text = strings.Trim(text, "\n")
	if text == "" {
		return
	}
	if !page.SafeLinks([]byte(text)) {
		w.export.Warnings = append(w.export.Warnings, id+": a link leads to neither http, https, mailto nor a file: its text is shown as source")
		text = fenced(text)
	}
	text = string(page.WithoutHTML([]byte(text)))
	if w.base != "" { // the links to the report's own files
		for _, to := range []string{filesFolder(w.doc.Name) + "/", w.doc.specFile() + ")"} {
			text = strings.ReplaceAll(text, "]("+link(strings.TrimRight(to, "/)"))+to[len(to)-1:], "]("+w.base+"/"+link(strings.TrimRight(to, "/)"))+to[len(to)-1:])
		}
	}
	w.cells = append(w.cells, notebook.Cell{ID: id, Source: text})
}

// fenced is a text as a block of code.
func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "\n" + text + "\n" + fence
}

// cellID makes an id fit for a cell: a long one ends in a digest of what is cut off.
func cellID(id string) string {
	id = strings.ReplaceAll(id, ".", "-")
	const most, kept = 64, 51
	if len(id) <= most {
		return id
	}
	return id[:kept] + "-" + digestOf("", []byte(id)).SHA256[:12]
}
