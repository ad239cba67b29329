package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kappa/reports"
	"kappa/runner"
	"kappa/store"
)

// reportFlags are the flags of report.
type reportFlags struct {
	specFlags
	toFlags
	partial, noProvenance, force, quiet, asJSON bool
	watch                                       bool
	trace, since                                string

	overwrite bool // what kappa did not write, and nothing else: --force of run is about runs first
}

// reportResult is what became of a report.
type reportResult struct {
	Path     string        `json:"path"`
	State    string        `json:"state"` // written, unchanged, skipped
	Changed  []string      `json:"changed"`
	Missing  int           `json:"missing"` // runs
	Warnings int           `json:"warnings"`
	Claims   []claimResult `json:"claims"`
	// Numbers are those that the report which lay there told otherwise.
	Numbers []reports.Change `json:"numbers"`

	Exports []exportResult `json:"exports,omitempty"`
}

type claimResult struct {
	ID       string  `json:"id"`
	Verdict  string  `json:"verdict"`
	Expected string  `json:"expected"`
	Value    *number `json:"value"`
}

func (a *app) reportCommand() *cobra.Command {
	var o reportFlags
	var c *cobra.Command
	c = &cobra.Command{
		Use: "report SPEC…", Short: "Render reports from what is recorded; executes nothing", Args: someSpecs,
		Long: `Renders each spec's report, NAME.md and NAME_files/ beside the spec, from the database alone: data
files need not be there. The same database gives the same bytes; if nothing but Provenance would
change, the files are left alone. It tells which numbers of the report that lay there have changed, with
their old and new values; with --since, of the report in a commit of git, such as HEAD or main.

--to html writes NAME.html instead, one page that needs no other file and no network, and --to ipynb
NAME.ipynb, a Jupyter notebook with its outputs in it and the query of each figure and table. The
Markdown is touched only if --to names md too. A file that kappa did not write, or that was edited since,
is not overwritten without --force.

--trace tells where something in the report comes from: PLACE is the id of a table, figure or claim, a
line of the report (57 or digits.md:57) or of the spec (digits.toml:31), and the answer its query, its
value and the runs that it stands on, as the manifest beside the report has them. Nothing is rendered.

--watch renders again whenever the spec or a run changes, until it is interrupted (exit code 0). What is
wrong with a spec meanwhile is said, and the watch goes on.

Exit code 2 if no run is recorded or some are missing (without --partial), 3 if a claim's verdict is
not the expected one.`,
		ValidArgsFunction: a.completeSpecs,
		Example: `  kappa report digits
  kappa report digits --to html,ipynb
  kappa report digits --trace rir-heatmap
  kappa report mine -w`,
		RunE: run(func(ctx context.Context, args []string) error {
			defer a.roomyCollector()()
			if err := o.toFlags.check(a.cwd, len(args), o.asJSON); err != nil {
				return err
			}
			for _, name := range []string{"trace", "since"} { // as an empty variable of a shell makes it
				if f := c.Flags().Lookup(name); f.Changed && f.Value.String() == "" {
					return usagef("", "--%s is empty", name)
				}
			}
			switch {
			case o.watch && (o.asJSON || o.trace != ""):
				return usagef("", "--watch goes with neither --json nor --trace")
			case o.since != "" && (o.trace != "" || !o.writes("md")):
				return usagef("`--to md` too", "--since compares the Markdown report, which is not written")
			case o.watch:
				return a.watch(ctx, args, o)
			case o.trace != "":
				return a.traceReports(ctx, args, o)
			}
			return a.report(ctx, args, o)
		}),
	}
	o.specFlags.register(c, false)
	o.toFlags.register(c)
	f := c.Flags()
	f.BoolVar(&o.partial, "partial", false, "render though runs are missing, with a warning on top")
	f.BoolVar(&o.noProvenance, "no-provenance", false, "leave out the last section, which says when and on what the runs were computed")
	f.BoolVarP(&o.force, "force", "f", false, "overwrite files that kappa did not write")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "say nothing but what goes wrong")
	f.BoolVar(&o.asJSON, "json", false, "write a summary as JSON")
	f.BoolVarP(&o.watch, "watch", "w", false, "render again whenever the spec or a run changes")
	f.StringVar(&o.since, "since", "", "tell which numbers have changed since the `COMMIT`")
	f.StringVar(&o.trace, "trace", "", "tell where `PLACE` (an id, or a line of the report) comes from")
	return c
}

// report renders the reports of specs.
func (a *app) report(ctx context.Context, args []string, o reportFlags) (err error) {
	targets, err := a.load(ctx, args, o.specFlags)
	if err == nil {
		err = a.check(ctx, targets)
	}
	if err != nil {
		return a.refused(o.asJSON, err)
	}
	dbs := &databases{opener: a.openOrEmpty}
	defer func() { err = joined(err, dbs.close()) }()
	results := []*reportResult{}
	var errs []error
	for _, t := range targets {
		db, err := dbs.get(ctx, a.dbPathFor(t.file.Root))
		if err != nil {
			return err
		}
		if err := t.makePlan(ctx, db); err != nil {
			errs = append(errs, err)
			continue
		}
		result, _, err := a.render(ctx, db, t, o)
		results = append(results, result)
		errs = append(errs, err)
	}
	if o.asJSON {
		errs = append(errs, a.writeJSON(results))
	}
	return errors.Join(errs...)
}

func (a *app) writeJSON(v any) error {
	enc := json.NewEncoder(a.env.Stdout)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return failf("", "write the summary: %w", err)
	}
	return nil
}

// planRows are a plan's runs as a report reads them.
func planRows(plan *runner.Plan) ([]store.PlanRow, error) {
	out := make([]store.PlanRow, len(plan.Runs))
	for i, r := range plan.Runs {
		swept, err := sweptJSON(r.Swept)
		if err != nil {
			return nil, err
		}
		out[i] = store.PlanRow{Key: r.Key, Swept: swept, Experiment: plan.Spec.Name}
	}
	return out, nil
}

// render builds and writes one report. The error may be that a claim's verdict is not the expected one.
func (a *app) render(ctx context.Context, db *store.DB, t *target, o reportFlags) (*reportResult, *reports.Document, error) {
	result := &reportResult{Path: shown(a.cwd, t.reportPath()), State: "skipped", Changed: []string{}, Claims: []claimResult{}, Numbers: []reports.Change{}}
	doc, err := t.build(ctx, db, o.partial)
	if missing, ok := errors.AsType[*reports.MissingError](err); ok {
		result.Missing = missing.Missing
		old, err := t.outdated(ctx, db)
		if err != nil {
			return result, nil, err
		}
		hint := fmt.Sprintf("`kappa report %s --partial` renders what there is, `kappa run %s` executes the rest", t.spec.Name, t.spec.Name)
		if missing.None() {
			hint = fmt.Sprintf("`kappa run %s` executes it", t.spec.Name)
		}
		if states, err := db.States(ctx, t.plan.Keys()); err == nil && countRemoved(states) > 0 {
			hint = restoreHint(t.spec.Name) + ", " + hint
		}
		said := missing.Error()
		if text := old.String(); text != "" {
			said += "; " + text
			if missing.None() {
				said = "no run of this experiment is recorded as it is now; " + text
			}
		}
		return result, nil, &failure{code: exitUsage, err: replaced{missing, t.where() + ": " + said}, hint: hint}
	}
	if err != nil {
		return result, nil, asUsage(err)
	}
	result.Missing, result.Warnings = len(doc.Missing), len(doc.Warnings)
	for _, c := range doc.Claims {
		result.Claims = append(result.Claims, claimResult{c.ID, c.Verdict, c.Expected, figure(c.Value)})
	}
	if err := a.export(t, doc, o, result); err != nil || !o.writes("md") {
		return result, doc, errors.Join(err, t.unexpected(doc))
	}
	was, err := t.reportSince(ctx, o.since)
	if err != nil {
		return result, doc, err
	}
	w, err := reports.Write(t.file.Dir, doc, reports.WriteOptions{Force: o.force, NoProvenance: o.noProvenance})
	foreign, ok := errors.AsType[*reports.ForeignError](err)
	if ok && o.overwrite {
		w, err = reports.Write(t.file.Dir, doc, reports.WriteOptions{Force: true, NoProvenance: o.noProvenance})
	} else if ok {
		return result, doc, a.foreign(foreign)
	}
	if err != nil {
		return result, doc, failf("", "write report %s: %v", result.Path, cause(err))
	}
	result.State = "written"
	if w.Unchanged {
		result.State = "unchanged"
	}
	result.Changed = append(append(result.Changed, w.Changed...), w.Removed...)
	result.Numbers = append(result.Numbers, was.Changes(doc)...)
	if !o.quiet && !o.asJSON {
		fmt.Fprintf(a.env.Stdout, "%s: %s\n", result.Path, result.State)
		tellChanges(a.env.Stdout, "  ", result.Numbers, screenful)
	}
	return result, doc, t.unexpected(doc)
}

// build renders a report in memory.
func (t *target) build(ctx context.Context, db *store.DB, partial bool) (doc *reports.Document, err error) {
	rows, err := planRows(t.plan)
	if err != nil {
		return nil, err
	}
	src, err := db.OpenReport(ctx, rows, t.plan.Swept...)
	if err != nil {
		return nil, err
	}
	defer func() { err = joined(err, src.Close()) }()
	return reports.Build(ctx, t.spec, src, reports.Options{Plan: rows, Partial: partial})
}

// unexpected is an error that names the claims whose verdict is not the one the spec expects.
func (t *target) unexpected(doc *reports.Document) error {
	var errs []error
	for _, c := range doc.Mismatches() {
		err := fmt.Errorf("%s:%d: claim %s: %s, expected: %s", t.file.Shown, c.Line, c.ID, c.Verdict, c.Expected)
		if c.Reason != "" {
			err = fmt.Errorf("%w (%s)", err, c.Reason)
		}
		err = fmt.Errorf("%w; measured %s, claimed %s", err, c.Sentence(), c.Bound())
		errs = append(errs, &failure{code: exitClaim, err: err})
	}
	return errors.Join(errs...)
}

// check prepares every query and parses every template of the specs against an empty database of the current schema.
func (a *app) check(ctx context.Context, targets []*target) error {
	empty, err := store.Empty(ctx)
	if err != nil {
		return err
	}
	defer empty.Close()
	var errs []error
	for _, t := range targets {
		errs = append(errs, t.check(ctx, empty))
	}
	return errors.Join(errs...)
}

func (t *target) check(ctx context.Context, empty *store.DB) (err error) {
	variants, err := t.samples(ctx)
	if err != nil {
		return err
	}
	// The swept paths decide the columns, and a run has those that it reads: one run stands for all with the same ones.
	var rows []store.PlanRow
	seen := make(map[string]bool)
	for _, v := range variants {
		var paths strings.Builder
		for _, a := range v.Swept {
			paths.WriteString(a.Path + "\n")
		}
		if seen[paths.String()] {
			continue
		}
		seen[paths.String()] = true
		swept, err := sweptJSON(v.Swept)
		if err != nil {
			return err
		}
		rows = append(rows, store.PlanRow{Key: fmt.Sprintf("%064x", v.Ordinal), Swept: swept, Experiment: t.spec.Name})
	}
	src, err := empty.OpenReport(ctx, rows)
	if err != nil {
		return asUsage(fmt.Errorf("%s: %w", t.file.Shown, err))
	}
	defer func() { err = joined(err, src.Close()) }()
	problems, err := reports.Check(ctx, t.spec, src)
	if err == nil && len(problems) > 0 {
		err = problems
	}
	return err
}
