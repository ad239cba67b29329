package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kappa/store"
)

func (a *app) runsDiffCommand() *cobra.Command {
	var all, asJSON bool
	c := &cobra.Command{
		Use: "diff RUN [RUN]", Short: "Compare two runs: parameters, provenance, every figure", Args: cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeRuns,
		Long: `Compares two runs: the parameters and the provenance in which they differ, and the change of every figure from
the first to the second, the largest first: the columns of results, the condition numbers, metrics and attacks
at their last step. The size of a change is |B − A| over the smaller of |A| and |B|, so that a rise to the double and a
fall to the half are as large; what is not finite or not there on one side comes first. Changes below 1e-09 are rounding, and only
counted; times are not compared.
One RUN that names two runs, such as @1:2, compares the older with the newer.

` + selectorHelp,
		Example: "  kappa runs diff 3fa0c1 81be02\n  kappa runs diff 'digits:worst(rir)' 'digits:best(rir)'\n  kappa runs diff @1:2",
		RunE: run(func(ctx context.Context, args []string) error {
			db, err := a.openRead(ctx)
			if err != nil {
				return err
			}
			defer db.Close()
			keys, err := twoRuns(ctx, db, args)
			if err != nil {
				return err
			}
			var pair [2]store.Dossier
			for i, key := range keys {
				if pair[i], err = db.Dossier(ctx, key); err != nil {
					return err
				}
			}
			d := compareRuns(pair[0], pair[1])
			if asJSON {
				return d.writeJSON(a)
			}
			return d.write(a, all)
		}),
	}
	c.Flags().BoolVar(&all, "all", false, "list the figures that are the same, too")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON, with all figures")
	return c
}

// twoRuns finds the two runs to compare: one for each selector, or of one that names two the older and the newer.
func twoRuns(ctx context.Context, db *store.DB, args []string) (keys []string, err error) {
	if len(args) == 1 {
		rows, err := db.Select(ctx, args[0])
		if err != nil {
			return nil, err
		}
		if len(rows) != 2 {
			return nil, usagef("kappa runs diff RUN RUN", "runs diff: %q names %s, and two are compared", args[0], runsWord(len(rows)))
		}
		slices.SortStableFunc(rows, func(a, b store.RunRow) int { return a.Started.Compare(b.Started) })
		return []string{rows[0].Key, rows[1].Key}, nil
	}
	var errs []error
	for _, arg := range args {
		row, err := db.SelectOne(ctx, arg)
		keys, errs = append(keys, row.Key), append(errs, err)
	}
	return keys, errors.Join(errs...)
}

// difference is what two runs differ in.
type difference struct {
	runs       [2]store.RunRow
	params     []changedText // those that differ
	outcome    []changedText
	provenance []changedText
	figures    []changedFigure // all, the largest change first
}

// changedText is something of which the two runs have different texts; "" is none.
type changedText struct{ what, a, b string }

// changedFigure is a number of each run; nil is none.
type changedFigure struct {
	name string
	a, b *float64
	flag bool // 0 is no, 1 is yes
	size float64
}

// compareRuns says in what two runs differ.
func compareRuns(a, b store.Dossier) difference {
	d := difference{runs: [2]store.RunRow{a.Run, b.Run}}
	d.params = differing(paramTexts(a), paramTexts(b))
	d.outcome = differing(outcomeTexts(a), outcomeTexts(b))
	d.provenance = differing(provenanceTexts(a), provenanceTexts(b))
	first, second := figuresOf(a), figuresOf(b)
	for _, f := range first {
		g := find(second, f.name)
		d.figures = append(d.figures, changed(f, g))
	}
	for _, g := range second {
		if find(first, g.name) == nil {
			d.figures = append(d.figures, changed(namedFigure{name: g.name, value: math.NaN(), none: true, flag: g.flag}, &g))
		}
	}
	slices.SortStableFunc(d.figures, func(x, y changedFigure) int {
		switch {
		case x.size > y.size:
			return -1
		case x.size < y.size:
			return 1
		}
		return 0
	})
	return d
}

// text is one thing that is known of a run.
type text struct{ what, value string }

// differing pairs two lists in their order, and keeps what differs.
func differing(a, b []text) (out []changedText) {
	of := func(list []text, what string) (string, bool) {
		i := slices.IndexFunc(list, func(t text) bool { return t.what == what })
		if i < 0 {
			return "", false
		}
		return list[i].value, true
	}
	for _, t := range a {
		if other, _ := of(b, t.what); other != t.value {
			out = append(out, changedText{t.what, t.value, other})
		}
	}
	for _, t := range b {
		if _, ok := of(a, t.what); !ok && t.value != "" {
			out = append(out, changedText{t.what, "", t.value})
		}
	}
	return out
}

func paramTexts(d store.Dossier) (out []text) {
	for _, p := range d.Params {
		out = append(out, text{p.Path, paramText(p)})
	}
	return out
}

// outcomeTexts says how a run ended.
func outcomeTexts(d store.Dossier) []text {
	return []text{{"status", string(d.Run.Status)}, {"reason", d.Run.Reason}, {"error", d.Run.Error}}
}

func paramText(p store.Param) string {
	if p.Number != nil {
		return exactCell(*p.Number)
	}
	if p.Text != nil {
		return *p.Text
	}
	return ""
}

// provenanceTexts lists on what and from what a run was computed, but for times.
func provenanceTexts(d store.Dossier) []text {
	m := d.Made
	out := []text{
		{"engine version", fmt.Sprint(d.Run.EngineVersion)},
		{"primary data", d.PrimaryDigest},
		{"harmful data", d.HarmfulDigest},
		{"git commit", commitText(m)},
		{"uncommitted changes", diffText(m)},
		{"kernel", m.Kernel},
		{"cpu", m.CPU},
		{"os", m.OS},
		{"host", m.Host},
		{"go version", m.GoVersion},
	}
	for _, module := range m.Modules {
		path, version, _ := strings.Cut(module, "@")
		out = append(out, text{"module " + path, version})
	}
	return append(out, text{"command", commandText(m.Argv)})
}

func seedText(r store.RunRow) string {
	if r.Seed == nil {
		return ""
	}
	return fmt.Sprint(*r.Seed)
}

// commitText is a commit, and whether there was more than that.
func commitText(m store.Making) string {
	switch {
	case m.GitCommit != "" && m.GitDirty:
		return m.GitCommit + ", with changes"
	case m.GitDirty:
		return "with changes"
	}
	return m.GitCommit
}

func diffText(m store.Making) string {
	if m.DiffHash == "" {
		return ""
	}
	kept := ""
	if m.DiffKept {
		kept = ", recorded"
	}
	return fmt.Sprintf("%d bytes, SHA-256 %s%s", m.DiffBytes, m.DiffHash, kept)
}

// commandText writes a command line so that a shell reads the same.
func commandText(argv []string) string {
	quoted := make([]string, len(argv))
	for i, arg := range argv {
		if quoted[i] = arg; arg == "" || strings.ContainsAny(arg, " \t\n'\"\\$`&|;<>()*?[]#~!{}") {
			quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// write shows the difference to people.
func (d difference) write(a *app, all bool) error {
	if d.runs[0].Key == d.runs[1].Key {
		_, err := fmt.Fprintf(a.env.Stdout, "both are the run %s\n", runText(d.runs[0]))
		return err
	}
	about := &grid{columns: []string{"", "run", "experiment", "method", "status", "attempt", "finished", "seconds"}}
	for i, r := range d.runs {
		about.add(string("AB"[i]), short(r.Key), r.Experiment, r.Method, string(r.Status), r.Attempt, localTime(r.Finished), r.WallSeconds)
	}
	if err := a.list(about, false); err != nil {
		return err
	}
	for _, part := range []struct {
		title string
		texts []changedText
	}{{"parameters", d.params}, {"outcome", d.outcome}, {"provenance", d.provenance}} {
		if len(part.texts) == 0 {
			fmt.Fprintf(a.env.Stdout, "\n%s: the same\n", part.title)
			continue
		}
		g := &grid{columns: []string{part.title, "A", "B"}}
		for _, t := range part.texts {
			g.add(t.what, told(t.a), told(t.b))
		}
		fmt.Fprintln(a.env.Stdout)
		if err := a.list(g, false); err != nil {
			return err
		}
	}
	return d.writeFigures(a, all)
}

// writeFigures lists the figures that have changed by more than rounding, or all, and says how many others there are.
func (d difference) writeFigures(a *app, all bool) error {
	g := &grid{columns: []string{"figure", "A", "B", "change", "relative"}}
	same, rounded := 0, 0
	for _, f := range d.figures {
		switch {
		case f.size == 0:
			same++
		case f.size < rounding:
			rounded++
		}
		if f.size >= rounding || all {
			g.add(f.name, f.told(f.a), f.told(f.b), f.change(), f.relative())
		}
	}
	fmt.Fprintln(a.env.Stdout)
	switch {
	case len(d.figures) == 0:
		fmt.Fprintln(a.env.Stdout, "figures: neither run has any")
	case same == len(d.figures):
		fmt.Fprintf(a.env.Stdout, "figures: all %d are the same\n", same)
	}
	if len(g.rows) > 0 {
		if err := a.list(g, false); err != nil {
			return err
		}
	}
	if rounded > 0 {
		fmt.Fprintf(a.env.Stdout, "%s changed by rounding alone, less than %.0e of their size%s\n", counted(rounded, "figure"), rounding, listed(all))
	}
	if same > 0 && same < len(d.figures) {
		fmt.Fprintf(a.env.Stdout, "%s not changed%s\n", counted(same, "figure"), listed(all))
	}
	return nil
}

func listed(all bool) string {
	if all {
		return ""
	}
	return "; --all lists them"
}

// told is a text that fits a column; nil for none.
func told(s string) any {
	if s == "" {
		return nil
	}
	const most = 48
	return cut(s, most)
}

// writeJSON writes the whole difference; of figures that are not finite the kind stands in the place of the number.
func (d difference) writeJSON(a *app) error {
	type textJSON struct {
		What string  `json:"what"`
		A    *string `json:"a"`
		B    *string `json:"b"`
	}
	type figureJSON struct {
		Name     string  `json:"name"`
		A        *number `json:"a"`
		B        *number `json:"b"`
		Changed  bool    `json:"changed"`
		Change   *number `json:"change"`
		Relative *number `json:"relative"`
	}
	out := struct {
		A          string       `json:"a"`
		B          string       `json:"b"`
		Same       bool         `json:"same"`
		Params     []textJSON   `json:"params"`
		Outcome    []textJSON   `json:"outcome"`
		Provenance []textJSON   `json:"provenance"`
		Figures    []figureJSON `json:"figures"`
	}{
		A: d.runs[0].Key, B: d.runs[1].Key, Same: len(d.params)+len(d.outcome)+len(d.provenance) == 0,
		Figures: []figureJSON{},
	}
	texts := func(list []changedText) []textJSON {
		all := []textJSON{}
		for _, t := range list {
			all = append(all, textJSON{t.what, orNothing(t.a), orNothing(t.b)})
		}
		return all
	}
	out.Params, out.Outcome, out.Provenance = texts(d.params), texts(d.outcome), texts(d.provenance)
	for _, f := range d.figures {
		row := figureJSON{Name: f.name, A: (*number)(f.a), B: (*number)(f.b), Changed: f.size > 0}
		if change, relative, ok := f.by(); ok {
			row.Change, row.Relative = new(number(change)), new(number(relative))
			if math.IsInf(relative, 0) {
				row.Relative = nil // from 0
			}
		}
		out.Same = out.Same && f.size == 0
		out.Figures = append(out.Figures, row)
	}
	enc := json.NewEncoder(a.env.Stdout)
	enc.SetIndent("", " ")
	if err := enc.Encode(out); err != nil {
		return failf("", "write the difference: %w", err)
	}
	return nil
}

func orNothing(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
