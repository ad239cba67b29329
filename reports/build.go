package reports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"kappa/experiments"
	"kappa/store"
)

// Build renders a spec from its recorded runs. It reads nothing but src and is pure: the same answers make the same bytes. A cell that
// cannot be rendered does not hide the others' faults: all of them come back as one [experiments.Problems]. It fails with a
// *[MissingError] if runs are missing and o does not allow that, or if none is recorded; faults of the database come back as they are.
func Build(ctx context.Context, spec *experiments.Spec, src Source, o Options) (*Document, error) {
	b := &builder{ctx: ctx, spec: spec, src: src, plan: newPlan(spec, o.Plan), doc: &Document{Name: spec.Name, spec: spec, plan: o.Plan}}
	if err := b.states(); err != nil {
		return nil, fmt.Errorf("report %s: %w", spec.Name, err)
	}
	b.doc.Missing = b.missing()
	if e := b.missingError(); e.Missing > 0 && !o.Partial || e.None() {
		return nil, fmt.Errorf("report %s: %w", spec.Name, e)
	}
	var cells strings.Builder
	for i, c := range spec.Cells {
		b.cell, b.index = c, i
		first, begin := len(b.doc.manifest.Items), cells.Len()
		if err := b.render(&cells); err != nil {
			return nil, fmt.Errorf("report %s: %w", spec.Name, err)
		}
		b.lines += b.placeItems(first, b.lines, cells.String()[begin:])
		b.doc.parts = append(b.doc.parts, part{string(c.Kind), c, printable(cells.String()[begin:])})
		if b.late != nil {
			return nil, b.problems
		}
	}
	b.cell, b.index = experiments.Cell{Line: 1}, -1
	first := len(b.doc.manifest.Items)
	title := b.template("title", spec.Title)
	warnings, err := b.collectWarnings()
	if err != nil {
		return nil, fmt.Errorf("report %s: %w", spec.Name, err)
	}
	provenance := b.provenance()
	switch {
	case b.fatal != nil:
		return nil, fmt.Errorf("report %s: %w", spec.Name, b.fatal)
	case len(b.problems) > 0:
		return nil, b.problems
	}
	figures, err := src.Figures(ctx)
	if err != nil {
		return nil, fmt.Errorf("report %s: %w", spec.Name, err)
	}
	b.doc.Warnings = warnings
	head := b.head(title)
	b.shiftItems(first, 1+strings.Count(head, "\n"))
	b.doc.parts = slices.Concat([]part{{kind: headPart, text: printable(head)}}, b.doc.parts, []part{
		{kind: claimsPart, text: printable(claimsSection(b.doc.Claims))}, {kind: warningsPart, text: printable(warningsSection(warnings))},
	})
	b.doc.Body = joined(b.doc.parts)
	b.doc.Provenance = printable(provenance)
	slices.SortFunc(b.doc.Files, func(a, c File) int { return strings.Compare(a.Name, c.Name) })
	b.finishManifest(figures)
	return b.doc, nil
}

// builder gathers a document.
type builder struct {
	ctx  context.Context
	spec *experiments.Spec
	src  Source
	plan plan
	doc  *Document

	runs            []runState          // recorded runs of the plan, in its order
	figures, tables int                 // numbered so far
	groups          map[string][]string // of the figures so far, by the column that names them
	warnings        []string            // of cells
	problems        experiments.Problems
	fatal           error // a fault of the database; nothing further is asked
	late            error // a query had to be ended; nothing further can be asked
	lines           int   // of the cells so far

	cell  experiments.Cell // being rendered
	index int              // of cell in the spec
}

// render renders the present cell. The error is a fault of the database.
func (b *builder) render(out *strings.Builder) error {
	switch b.cell.Kind {
	case experiments.Prose:
		b.proseCell(out)
	case experiments.Table:
		b.tableCell(out)
	case experiments.Figure:
		b.figureCell(out)
	case experiments.Claim:
		b.claimCell(out)
	default:
		b.problem(0, "kind", fmt.Errorf("unknown kind %q", b.cell.Kind))
	}
	return b.fatal
}

// proseCell renders a text with its numbers.
func (b *builder) proseCell(out *strings.Builder) {
	first := len(b.doc.manifest.Items)
	s := b.template("text", b.cell.Text)
	begin := strings.TrimLeftFunc(s, unicode.IsSpace)
	for i := first; i < len(b.doc.manifest.Items); i++ {
		b.doc.manifest.Items[i].At -= strings.Count(s[:len(s)-len(begin)], "\n")
	}
	out.WriteString(strings.TrimSpace(begin) + "\n\n")
}

// renderedFrom begins the line under the title.
func renderedFrom(file string) string { return "*Rendered by kappa from [" + escape(file) + "]" }

// isRendered says whether a text has the line under its title by which a report of that name can be told.
func isRendered(name string, text []byte) bool {
	lines := bytes.SplitN(text, []byte("\n"), 4)
	return len(lines) == 4 && bytes.HasPrefix(lines[0], []byte("# ")) && bytes.HasPrefix(lines[2], []byte(renderedFrom(name+".toml")+"("))
}

// head is the title and what the report is about.
func (b *builder) head(title string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "# %s\n\n", oneLine(title))
	file := filepath.Base(b.spec.Path)
	if b.spec.Path == "" {
		file = b.spec.Name + ".toml"
	}
	fmt.Fprintf(&s, "%s(%s) and %s", renderedFrom(file), link(file), plural(len(b.plan.keys)-len(b.doc.Missing), "recorded run"))
	if b.spec.Source != "" {
		fmt.Fprintf(&s, "; after %s", oneLine(b.spec.Source))
	}
	s.WriteString(". Every number below is the answer of a query; edit the spec, not this file.*\n\n")
	if n := len(b.doc.Missing); n > 0 {
		have := "have"
		if n == 1 {
			have = "has"
		}
		fmt.Fprintf(&s, "> **Partial report:** %d of %s %s no result (%s). ", n, plural(len(b.plan.keys), "run"), have, b.lack())
		if n == len(b.plan.keys) {
			s.WriteString("What follows describes none.\n\n")
		} else {
			s.WriteString("What follows describes the others only.\n\n")
		}
	}
	return s.String()
}

// problem notes what is wrong with the present cell; line counts in the text of the key, 0 if it does not apply.
func (b *builder) problem(line int, key string, err error) {
	var queryError *store.QueryError
	if errors.As(err, &queryError) || !isDatabaseFault(err) {
		if queryError != nil && line > 0 {
			line += max(queryError.Line, 1) - 1
		}
		b.problems = append(b.problems, problemAt(b.spec, b.cell, b.index, key, line, err))
		return
	}
	b.fatal = errors.Join(b.fatal, err)
}

// databaseFault marks an error of the source that is not a query's.
type databaseFault struct{ error }

func (e databaseFault) Unwrap() error { return e.error }

func isDatabaseFault(err error) bool {
	var f databaseFault
	return errors.As(err, &f)
}

// query asks the source.
func (b *builder) query(sql string) (*store.Rows, error) {
	if b.fatal != nil {
		return nil, b.fatal
	}
	if b.late != nil {
		return nil, b.late
	}
	rows, err := askWithin(b.ctx, b.src, sql, buildLimit)
	var queryError *store.QueryError
	switch {
	case isLate(err):
		b.late = err
	case err != nil && !errors.As(err, &queryError):
		err = databaseFault{err}
	}
	return rows, err
}

// template renders a text of the spec; a fault is noted and leaves what came before it.
func (b *builder) template(key, text string) string {
	t, faults := parseTemplate(text)
	for _, f := range faults {
		b.problem(f.line, key, errors.New(f.msg))
	}
	if t == nil {
		return ""
	}
	s, err := t.render(&inlineAsker{b, key})
	if err != nil {
		line := 0
		if e, ok := errors.AsType[*lineError](err); ok {
			line = e.line
		}
		b.problem(line, key, err)
	}
	return s
}

// inlineAsker answers the queries of a text and notes the runs behind them.
type inlineAsker struct {
	b   *builder
	key string
}

func (a *inlineAsker) ask(sql string, line, above int) (any, error) {
	rows, err := a.b.query(sql)
	if err != nil {
		return nil, &lineError{line, err}
	}
	if len(rows.Columns) != 1 || len(rows.Values) > 1 {
		return nil, &lineError{line, fmt.Errorf("sql wants a query with one value, not %s of %s: %s",
			plural(len(rows.Values), "row"), plural(len(rows.Columns), "column"), oneLine(sql))}
	}
	i := item{Kind: numberItem, Line: lineOf(a.b.spec, a.b.cell, a.key, line), SQL: oneLine(sql)}
	if a.key == "text" { // elsewhere lines are joined
		i.At = above
	}
	if len(rows.Values) > 0 {
		i.Value = recordedValue(rows.Values[0][0])
	}
	a.b.item(i, a.b.behind(sql, rows))
	if len(rows.Values) == 0 || rows.Values[0][0] == nil {
		a.b.warn("%s: a number has no value (NULL): %s", a.b.place(line, a.key), code(oneLine(sql)))
		return nil, nil
	}
	return rows.Values[0][0], nil
}

// place names where in the spec something stands, for warnings.
func (b *builder) place(line int, key string) string {
	what := string(b.cell.Kind)
	if b.cell.ID != "" {
		what += " " + code(b.cell.ID)
	}
	if b.index < 0 {
		what = "Title"
	}
	return fmt.Sprintf("%s, line %d", strings.ToUpper(what[:1])+what[1:], lineOf(b.spec, b.cell, key, line))
}

func (b *builder) warn(format string, args ...any) {
	if w := fmt.Sprintf(format, args...) + "."; !slices.Contains(b.warnings, w) {
		b.warnings = append(b.warnings, w)
	}
}

// behind returns the runs that a query's answer stands on: those whose figures it read, or all runs with a result where it read
// the runs' views without their figures; none where it asks no such view.
func (b *builder) behind(sql string, rows *store.Rows) []string {
	var keys []string
	switch {
	case len(rows.Runs) > 0:
		return rows.Runs
	case readsRuns(sql):
		for _, r := range b.runs {
			if hasResult(r.status) {
				keys = append(keys, r.key)
			}
		}
	}
	return keys
}

var (
	notNames = regexp.MustCompile(`(?s)'(?:[^']|'')*'|--[^\n]*|/\*.*?(?:\*/|$)`) // texts and comments
	runViews = regexp.MustCompile(`(?i)\b(?:runs|results|metrics|condition_numbers|attacks|params)\b`)
)

// readsRuns says whether a query names one of the views of the plan's runs.
func readsRuns(sql string) bool { return runViews.MatchString(notNames.ReplaceAllString(sql, " ")) }

// standsOn is behind, unless the cell says itself which runs it stands on.
func (b *builder) standsOn(rows *store.Rows) []string {
	if b.cell.Runs == "" {
		return b.behind(b.cell.SQL, rows)
	}
	said, err := b.query(b.cell.Runs)
	if err != nil {
		b.problem(1, "runs", err)
		return nil
	}
	var keys []string
	seen := map[string]bool{}
	for _, row := range said.Values {
		s, ok := row[0].(string)
		if !ok || len(row) != 1 {
			b.problem(1, "runs", errors.New("runs wants a query with one column of runs' keys"))
			return nil
		}
		if !seen[s] {
			seen[s] = true
			keys = append(keys, s)
		}
	}
	return keys
}

// file adds a file beside the report.
func (b *builder) file(name string, data []byte) {
	b.doc.Files = append(b.doc.Files, File{name, data})
}

// filesFolder is the folder beside the report.
func filesFolder(name string) string { return name + "_files" }
