package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kappa/reports"
	"kappa/store"
)

// verifyFlags are the flags of verify.
type verifyFlags struct {
	specFlags
	strict, withoutRuns, quiet, asJSON bool
	junit                              string
}

func (a *app) verifyCommand() *cobra.Command {
	var o verifyFlags
	c := &cobra.Command{
		Use: "verify [SPEC…]", Short: "Check claims and reports against what is recorded, for CI", ValidArgsFunction: a.completeSpecs,
		Long: `Judges every claim by the recorded runs, and holds every report against its manifest, its spec and the
database, saying each reason why it does not stand: a file was edited or is missing, the spec has
changed, its plan has other runs, runs are missing, another version of kappa rendered it, the runs
tell other numbers (which, and what they were). The verdicts are recorded, with the spec that they are of, where
they are new and the database can be written; nothing else is written.
Without SPEC: every spec in the current folder, in the project's root, and in their experiments/; one
that was never run and has no report is skipped.

A claim is undecided when too few runs are behind it, a value is missing, or the interval of a mean
crosses the bound. That fails only with --strict, as does a spec without report or without any run.
Where no run is recorded, as in a fresh clone, --without-runs is content with what the report's
manifest tells: whether the report is of this spec and as kappa wrote it, and which verdicts it gives.

Exit code 3 if a claim's verdict is not the expected one, 4 if a report does not stand, 2 if a spec is
broken or no run is recorded, 5 if the database cannot be read; the first of 5, 2, 3, 4.`,
		Example: `  kappa verify
  kappa verify digits --strict --junit verify.xml`,
		RunE: run(func(ctx context.Context, args []string) error {
			defer a.roomyCollector()()
			explicit := len(args) > 0
			if !explicit {
				args = ownSpecs(a.cwd)
			}
			if len(args) == 0 {
				return usagef("`kappa new NAME` writes one", "verify: there are no specs here")
			}
			if err := a.replaceable(o.junit); err != nil {
				return err
			}
			began := a.env.Now()
			results, err := a.verify(ctx, args, o, explicit)
			if ctx.Err() != nil {
				return cmp.Or(err, ctx.Err())
			}
			if o.junit != "" {
				err = joined(err, a.writeJUnit(o.junit, junitReport(results, o.strict, a.env.Now().Sub(began))))
			}
			if o.asJSON {
				return joined(err, a.writeJSON(results))
			}
			return joined(a.tellVerified(results, o), err)
		}),
	}
	o.register(c, false)
	f := c.Flags()
	f.BoolVar(&o.strict, "strict", false, "undecided claims, and specs without report or runs, fail too")
	f.BoolVar(&o.withoutRuns, "without-runs", false, "where no run is recorded, check what can be checked without")
	f.StringVar(&o.junit, "junit", "", "write the findings to `FILE` as JUnit XML")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "tell only of specs with something wrong")
	f.BoolVar(&o.asJSON, "json", false, "write JSON")
	return c
}

// verified is what was found out about one spec.
type verified struct {
	Spec       string         `json:"spec"`
	Experiment string         `json:"experiment"`
	Runs       int            `json:"runs"` // of the plan
	Missing    int            `json:"missing"`
	OK         bool           `json:"ok"`
	Skipped    string         `json:"skipped,omitempty"` // why nothing was checked
	Error      string         `json:"error,omitempty"`   // why nothing could be
	Report     reportFinding  `json:"report"`
	Claims     []claimFinding `json:"claims"`
	Recorded   bool           `json:"recorded"` // the verdicts were written to the database
	Seconds    float64        `json:"seconds"`
	codes      []int          // of what is wrong
	unrun      string         // why there are no runs to check with
	removed    int            // runs of the plan that were removed
}

type reportFinding struct {
	Path      string           `json:"path"`
	State     string           `json:"state"` // present, stale, changed, not kappa's, none
	Reasons   []reports.Reason `json:"reasons"`
	Unchecked []string         `json:"unchecked"`
}

type claimFinding struct {
	ID       string  `json:"id"`
	Line     int     `json:"line"` // of the spec
	Text     string  `json:"text,omitempty"`
	Verdict  string  `json:"verdict"`
	Expected string  `json:"expected"`
	OK       bool    `json:"ok"`
	Reason   string  `json:"reason,omitempty"` // why it is undecided
	Measured string  `json:"measured,omitempty"`
	Claimed  string  `json:"claimed,omitempty"` // what the claim accepts
	Value    *number `json:"value"`
	SD       *number `json:"sd"`
	N        int     `json:"n"`
	Runs     int     `json:"runs"`
	From     string  `json:"from"` // runs, or report: the verdict is the one that the report gives
}

// verify checks specs one by one: one that is broken does not hide the others.
func (a *app) verify(ctx context.Context, args []string, o verifyFlags, explicit bool) ([]*verified, error) {
	dbs := &databases{opener: a.openOrEmpty}
	results := []*verified{}
	var errs []error
	var files []specFile
	var unrun []*verified
	for _, arg := range args {
		began := a.env.Now()
		v := &verified{Spec: shown(a.cwd, arg), Claims: []claimFinding{}, Report: reportFinding{Reasons: []reports.Reason{}, Unchecked: []string{}}}
		results = append(results, v)
		targets, err := a.load(ctx, []string{arg}, o.specFlags)
		if err == nil {
			t := targets[0]
			files = append(files, t.file)
			v.Spec, v.Experiment, v.Report.Path = t.where(), t.spec.Name, shown(a.cwd, t.reportPath())
			var db *store.DB
			if db, err = dbs.get(ctx, a.dbPathFor(t.file.Root)); err == nil {
				err = a.verifyOne(ctx, db, t, o, explicit, v)
			}
		}
		if ctx.Err() != nil {
			return nil, joined(err, dbs.close())
		}
		if v.unrun != "" {
			unrun, err = append(unrun, v), joined(err, silent(exitUsage))
			v.Error = v.unrun
		} else if err != nil {
			v.Error = strings.TrimSpace(err.Error())
		}
		v.OK = err == nil && len(v.codes) == 0
		v.Seconds = a.env.Now().Sub(began).Round(time.Millisecond).Seconds()
		errs = append(errs, err)
	}
	errs = append(errs, withoutRuns(unrun), uniqueSpecs(files), dbs.close())
	for _, v := range results {
		for _, code := range v.codes {
			errs = append(errs, silent(code))
		}
	}
	return results, errors.Join(errs...)
}

// verifyOne checks one spec.
func (a *app) verifyOne(ctx context.Context, db *store.DB, t *target, o verifyFlags, explicit bool, v *verified) error {
	s, err := t.assess(ctx, db, true)
	if err != nil {
		return err
	}
	if t.plan != nil {
		v.Runs = len(t.plan.Runs)
		v.Missing = v.Runs - s.runs.done - s.runs.diverged
	}
	v.Report.State = string(s.report.State)
	v.Report.Reasons = append(v.Report.Reasons, s.report.Reasons...)
	v.Report.Unchecked = append(v.Report.Unchecked, s.report.Unchecked...)
	if s.report.State == reports.NoReport && s.unbuilt != nil && !explicit && !o.strict {
		v.Skipped = "never run, and there is no report"
		return nil
	}
	if len(s.report.Reasons) > 0 || o.strict && s.report.State == reports.NoReport {
		v.codes = append(v.codes, exitStale)
	}
	if s.doc != nil {
		v.fromRuns(s.doc)
	} else {
		v.fromReport(s.present)
	}
	for i := range v.Claims {
		c := &v.Claims[i]
		c.OK = c.Verdict == c.Expected || c.Verdict == reports.Undecided && !o.strict
		if !c.OK {
			v.codes = append(v.codes, exitClaim)
		}
	}
	if s.unbuilt != nil {
		if !o.withoutRuns || s.report.State == reports.NoReport {
			v.unrun, v.removed = a.whyUnrun(t), countRemoved(s.states)
		}
		return nil
	}
	if len(s.doc.Missing) == 0 {
		v.Recorded, err = a.recordVerdicts(ctx, db, t, s.doc)
	}
	return err
}

// whyUnrun says why there are no runs to check a spec's numbers with.
func (a *app) whyUnrun(t *target) string {
	switch {
	case t.plan == nil:
		return "its data are not there, nor is it recorded what they were"
	case !a.hasDatabase(t):
		return "there is no database " + shown(a.cwd, a.dbPathFor(t.file.Root))
	}
	return "no run of this experiment is recorded as it is now"
}

// withoutRuns says what could be checked of specs of which no run is recorded.
func withoutRuns(specs []*verified) error {
	if len(specs) == 0 {
		return nil
	}
	const onlyManifest = "only its report's manifest could be checked against the spec and the files, not the numbers and claims against runs"
	reported := slices.ContainsFunc(specs, func(v *verified) bool { return v.Report.State != string(reports.NoReport) })
	one, what := specs[0], "nothing could be checked"
	if reported {
		what = onlyManifest
	}
	hint := fmt.Sprintf("`kappa run %s` executes it", one.Experiment)
	if one.removed > 0 {
		hint = restoreHint(one.Experiment) + ", " + hint
	}
	if reported {
		hint += "; --without-runs is content with the manifest"
	}
	if len(specs) == 1 {
		return usagef(hint, "%s: %s: %s", one.Spec, one.unrun, what)
	}
	lines := make([]string, len(specs))
	for i, v := range specs {
		lines[i] = fmt.Sprintf("%s: %s", v.Spec, v.unrun)
	}
	if reported {
		what = "of each " + strings.Replace(onlyManifest, "its", "the", 1)
	}
	return usagef(strings.Replace(hint, "executes it", "executes the first", 1), "%s\n%s", what, strings.Join(lines, "\n"))
}

// fromRuns takes the claims as the runs decide them.
func (v *verified) fromRuns(doc *reports.Document) {
	for _, c := range doc.Claims {
		v.Claims = append(v.Claims, claimFinding{
			ID: c.ID, Line: c.Line, Text: strings.Join(strings.Fields(c.Text), " "), Verdict: c.Verdict, Expected: c.Expected, Reason: c.Reason,
			Measured: c.Sentence(), Claimed: c.Bound(), Value: figure(c.Value), SD: figure(c.SD), N: c.N, Runs: len(c.Runs), From: "runs",
		})
	}
}

// fromReport takes the claims as the report tells them, where there are no runs to decide them.
func (v *verified) fromReport(p *reports.Present) {
	verdicts, _ := p.Verdicts()
	for _, c := range verdicts {
		v.Claims = append(v.Claims, claimFinding{ID: c.ID, Line: c.Line, Verdict: c.Verdict, Expected: c.Expected, From: "report"})
	}
}

// recordVerdicts records the verdicts of a complete report, unless they, and what the claims expect, are what was recorded last or the database cannot be
// written.
func (a *app) recordVerdicts(ctx context.Context, db *store.DB, t *target, doc *reports.Document) (bool, error) {
	if len(doc.Claims) == 0 {
		return false, nil
	}
	rows, err := db.Query(ctx, "SELECT id, verdict, value, sd, n, low, high, expect, op, tolerance, paper_value FROM claims WHERE experiment = :name",
		store.QueryOptions{Params: map[string]any{"name": t.spec.Name}})
	if err != nil {
		return false, err
	}
	fresh := len(rows.Values) != len(doc.Claims) || slices.ContainsFunc(doc.Claims, func(c reports.ClaimResult) bool {
		return !slices.ContainsFunc(rows.Values, func(last []any) bool { return slices.Equal(last, judged(c.Claim)) })
	})
	if !fresh {
		return false, nil
	}
	w, err := store.Open(ctx, db.Path(), store.Options{Now: a.env.Now})
	if err != nil {
		if !unwritable(err) {
			a.talk("kappa: the verdicts of %s are not recorded: %v", t.spec.Name, err)
		}
		return false, nil
	}
	defer w.Close()
	claims := make([]store.Claim, len(doc.Claims))
	for i, c := range doc.Claims {
		claims[i] = c.Claim
	}
	err = w.RecordClaims(ctx, t.spec.Name, t.spec.Hash, claims)
	if errors.Is(err, store.ErrNotFound) { // this version of the spec has never been run: its runs were another's
		if err = (planned{target: t}).record(ctx, w); err == nil {
			err = w.RecordClaims(ctx, t.spec.Name, t.spec.Hash, claims)
		}
	}
	switch {
	case unwritable(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("record the verdicts of %s: %w", t.spec.Name, err)
	}
	return true, nil
}

// judged is a claim as the database has it, but for the runs behind it.
func judged(c store.Claim) []any {
	orNull := func(x float64) any {
		if math.IsNaN(x) {
			return nil
		}
		return x
	}
	return []any{
		c.ID, c.Verdict, orNull(c.Value), orNull(c.SD), int64(c.N), orNull(c.Low), orNull(c.High), c.Expect, c.Op,
		orNull(c.Tolerance), orNull(c.PaperValue),
	}
}

// unwritable says that a database can only be read, which is no fault of the claims.
func unwritable(err error) bool {
	return errors.Is(err, store.ErrReadOnly) || errors.Is(err, fs.ErrPermission)
}
