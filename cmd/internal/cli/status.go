package cli

import (
	"context"
	"errors"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kappa/store"
)

func (a *app) statusCommand() *cobra.Command {
	var flags specFlags
	var asJSON bool
	c := &cobra.Command{
		Use: "status [SPEC…]", Short: "How far each experiment is", ValidArgsFunction: a.completeSpecs,
		Long: `Counts for each spec the runs that are done, diverged, failed (timeouts too), running and missing
(a column of noughts is left out of the table), and of those that are not done those waiting for another
run that they need; and says whether its report is there: "stale" means
that the spec or its runs have changed since it was written, "changed" that one of its files was
edited or removed by something else, "none" that there is none, "not kappa's" that it was written
by something else.
Without SPEC: every spec in the current folder, in the project's root, and in their experiments/.`,
		RunE: run(func(ctx context.Context, args []string) (err error) {
			if len(args) == 0 {
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
			g := &grid{columns: []string{"spec", "runs", "done", "diverged", "failed", "running", "missing", "waiting", "report", "last run"}}
			for _, t := range targets {
				db, err := dbs.get(ctx, a.dbPathFor(t.file.Root))
				if err != nil {
					return err
				}
				row, err := t.status(ctx, db)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				if !asJSON {
					when, _ := row[len(row)-1].(time.Time)
					row[len(row)-1] = localTime(when)
				}
				g.add(row...)
			}
			if !asJSON {
				g.dropZeros("diverged", "failed", "running", "waiting")
			}
			return joined(a.list(g, asJSON), errors.Join(errs...))
		}),
	}
	flags.register(c, false)
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// status is one row of the listing.
func (t *target) status(ctx context.Context, db *store.DB) ([]any, error) {
	if err := t.makePlan(ctx, db); err != nil {
		return nil, err
	}
	states, err := db.States(ctx, t.plan.Keys())
	if err != nil {
		return nil, err
	}
	s := stand(states, t.plan.Keys())
	return []any{t.where(), len(t.plan.Runs), s.done, s.diverged, s.failed, s.running, s.missing, t.waiting(states), t.reportState(s), s.last}, nil
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
		text, err := os.ReadFile(path)
		return err == nil && !specTable.Match(text)
	})
}
