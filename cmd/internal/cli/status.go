package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"kappa/experiments"
	"kappa/reports"
	"kappa/store"
)

func (a *app) statusCommand() *cobra.Command {
	var flags specFlags
	var asJSON bool
	c := &cobra.Command{
		Use: "status [SPEC…]", Short: "How far each experiment is", ValidArgsFunction: a.completeSpecs,
		Long: `Counts for each spec the runs that are done, diverged, failed (timeouts too), running and missing
(a column of noughts is left out of the table), and of those that are not done those waiting for another
run that they need; says where its report stands, and how many of its claims are reproduced, as the
report has it, or the verdicts that were recorded last. A report is "present"; "stale", because the spec,
its plan, its rows or the renderer have changed or runs are missing; "changed", because one of its files
was edited or removed by something else; "not kappa's"; or "none". "unchecked" stands where no run is
recorded to compare it with. Rows are believed to be the same where the runs' final figures are:
"kappa verify" renders everything, and says more about each reason.
Without SPEC: every spec in the current folder, in the project's root, and in their experiments/.`,
		RunE: run(func(ctx context.Context, args []string) (err error) {
			defer a.roomyCollector()()
			explicit := len(args) > 0
			if !explicit {
				args = ownSpecs(a.cwd)
			}
			if len(args) == 0 {
				return usagef("`kappa new NAME` writes one", "status: there are no specs here")
			}
			var targets []*target
			var errs []error
			for _, arg := range args { // one by one: a spec that is broken does not hide the others
				loaded, err := a.load(ctx, []string{arg}, flags)
				targets, errs = append(targets, loaded...), append(errs, err)
			}
			dbs := &databases{opener: a.openOrEmpty}
			defer func() { err = joined(err, dbs.close()) }()
			g := &grid{columns: statusColumns(asJSON)}
			rows, rowErrs, unplanned := make([][]any, len(targets)), make([]error, len(targets)), make([]error, len(targets))
			next := make(chan func(), len(targets))
			for i, t := range targets {
				db, err := dbs.get(ctx, a.dbPathFor(t.file.Root))
				if err != nil {
					return err
				}
				next <- func() { rows[i], unplanned[i], rowErrs[i] = t.status(ctx, db, asJSON) }
			}
			close(next)
			var wait sync.WaitGroup
			for range runtime.GOMAXPROCS(0) {
				wait.Go(func() {
					for one := range next {
						one()
					}
				})
			}
			wait.Wait()
			for i, row := range rows {
				if rowErrs[i] == nil {
					g.add(row...)
				}
			}
			errs = append(errs, rowErrs...)
			for i, err := range unplanned {
				switch {
				case err == nil:
				case explicit:
					errs = append(errs, err)
				default: // at a glance it is no fault that an experiment for other data lies here
					a.talk("%s: its data are not there, nor is it recorded what they were; `kappa plan %s` says which",
						targets[i].where(), targets[i].spec.Name)
				}
			}
			if !asJSON {
				g.dropZeros("diverged", "failed", "running", "waiting", "claims")
				g.zerosToNull("claims")
			}
			return joined(a.list(g, asJSON), errors.Join(errs...))
		}),
	}
	flags.register(c, false)
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// statusColumns are the columns of the listing; JSON has more of them.
func statusColumns(asJSON bool) []string {
	columns := []string{"spec", "runs", "done", "diverged", "failed", "running", "missing", "waiting", "report"}
	if asJSON {
		return append(columns, "why", "claims", "reproduced", "not_reproduced", "undecided", "unexpected", "last run")
	}
	return append(columns, "claims", "last run")
}

// status is one row of the listing, without the runs where it is unplanned: not known which they are.
func (t *target) status(ctx context.Context, db *store.DB, asJSON bool) (row []any, unplanned, err error) {
	s, err := t.assess(ctx, db, false)
	if err != nil {
		return nil, nil, err
	}
	claims, known, err := t.claims(ctx, db, s.present)
	if err != nil {
		return nil, nil, err
	}
	r := s.runs
	row = []any{t.where(), nil, nil, nil, nil, nil, nil, nil}
	if t.plan != nil {
		row = []any{t.where(), len(t.plan.Runs), r.done, r.diverged, r.failed, r.running, r.missing, t.waiting(s.states)}
	}
	if !asJSON {
		var text any = 0 // a column of noughts is left out
		if known {
			text = claims.String()
		} else if claims.all > 0 {
			text = "not judged"
		}
		return append(row, stateText(s.report), text, localTime(r.last)), s.unplanned, nil
	}
	var why []string
	for _, reason := range s.report.Reasons {
		why = append(why, reason.Text)
	}
	row = append(row, string(s.report.State), strings.Join(append(why, s.report.Unchecked...), "; "), claims.all)
	if !known {
		return append(row, nil, nil, nil, nil, r.last), s.unplanned, nil
	}
	return append(row, claims.reproduced, claims.notReproduced, claims.undecided, claims.unexpected, r.last), s.unplanned, nil
}

// claims counts the verdicts that the report has, or else those that were recorded last.
func (t *target) claims(ctx context.Context, db *store.DB, p *reports.Present) (tally claimTally, known bool, err error) {
	expected := map[string]string{}
	for _, c := range t.spec.Cells {
		if c.Kind == experiments.Claim {
			expected[c.ID] = cmp.Or(c.Claim.Known, reports.Reproduced)
		}
	}
	if tally.all = len(expected); tally.all == 0 {
		return tally, false, nil
	}
	if verdicts, ok := p.Verdicts(); ok {
		tally.all = len(verdicts)
		for _, v := range verdicts {
			tally.count(v.Verdict, v.Expected)
		}
		return tally, tally.all > 0, nil
	}
	rows, err := db.Query(ctx, "SELECT id, verdict FROM claims WHERE experiment = :name", store.QueryOptions{Params: map[string]any{"name": t.spec.Name}})
	if err != nil {
		return tally, false, err
	}
	for _, r := range rows.Values {
		if want, ok := expected[fmt.Sprint(r[0])]; ok {
			tally.count(fmt.Sprint(r[1]), want)
			known = true
		}
	}
	return tally, known, nil
}

// waiting counts the runs that are not done and need one that is not done.
func (t *target) waiting(states map[string]store.State) int {
	n := 0
	for _, run := range t.plan.Runs {
		if !states[run.Key].Status.Finished() && slices.ContainsFunc(needs(run), func(key string) bool { return !states[key].Status.Finished() }) {
			n++
		}
	}
	return n
}

// standing is where the runs of a plan are.
type standing struct {
	done, diverged, failed int
	running                int // in this moment
	missing                int
	last                   time.Time
}

func stand(states map[string]store.State, keys []string) standing {
	var s standing
	for _, key := range keys {
		st := states[key]
		switch st.Status {
		case store.Running: // and alive: else States calls it interrupted
			s.running++
		case store.Done:
			s.done++
		case store.Diverged:
			s.diverged++
		case store.Failed, store.TimedOut:
			s.failed++
		default:
			s.missing++
		}
		if st.Finished.After(s.last) {
			s.last = st.Finished
		}
	}
	return s
}

// specTable is a line that only specs have: other tools keep their settings in TOML files too.
var specTable = regexp.MustCompile(`(?m)^\s*\[\s*(primary|harmful|train)\s*\]`)

// ownSpecs lists the files at hand that look like specs.
func ownSpecs(cwd string) []string {
	return slices.DeleteFunc(specFiles(cwd), func(path string) bool {
		text, err := readBounded(path)
		return err == nil && !specTable.Match(text)
	})
}
