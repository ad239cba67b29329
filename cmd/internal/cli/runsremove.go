package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kappa/store"
)

// openChange opens the database of the current folder for writing; one that does not exist is an error.
func (a *app) openChange(ctx context.Context) (*store.DB, error) {
	path := a.dbPath()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, a.noDatabase(path)
	}
	return a.openWrite(ctx, path)
}

// atLeastOneRun wants at least one selector.
func atLeastOneRun(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("at least one RUN is needed: " + store.SelectorForms)
	}
	return nil
}

func (a *app) runsRemoveCommand() *cobra.Command {
	var force, asJSON bool
	c := &cobra.Command{
		Use: "rm RUN…", Short: "Remove runs; they can be restored until gc deletes them", Args: atLeastOneRun,
		ValidArgsFunction: a.completeRuns,
		Long: `Removes runs: no listing, no query and no report shows them any more, and "kappa run" executes them again if
their spec has them, after which they are back with the new figures. Nothing is deleted: "kappa runs restore"
brings them back as they were, until "kappa gc --delete" deletes what was removed more than 30 days ago.
Either all of the runs named are removed or none is. A run that is under way is not removed, and one that
other runs need (θ_0, a base line to compare attacks with) only together with them, or with --force.

` + selectorHelp,
		Example: "  kappa runs rm 3fa0c1\n  kappa runs rm digits:@1:3 @1",
		RunE: run(func(ctx context.Context, args []string) (err error) {
			db, err := a.openChange(ctx)
			if err != nil {
				return err
			}
			defer func() { err = joined(err, db.Close()) }()
			removal, err := db.Remove(ctx, args, force)
			if used, ok := errors.AsType[*store.InUseError](err); ok {
				return usagef(inUseHint(used), "remove runs: %v; none was removed", used)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return a.list(removalGrid(removal, "removed"), true)
			}
			a.sayRemoval(removal, "removed", "removed before")
			if n := len(removal.Dependents); n > 0 {
				a.talk("kappa: %s that stay need what was removed, the first %s of %s; their figures stay as they are",
					runsWord(n), removal.Dependents[0].What, short(removal.Dependents[0].Needs))
			}
			if len(removal.Runs) > 0 {
				a.talk("kappa: `kappa runs restore %s` brings them back", restoreArgs(args, removal))
			}
			return nil
		}),
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "also runs that others need")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

func inUseHint(e *store.InUseError) string {
	if len(e.Running) > 0 {
		return "wait until it has ended, or stop its `kappa run`"
	}
	return "name them too, or --force removes what they need and leaves them as they are"
}

// restoreArgs is what brings the removed runs back: their keys where these are few, what was typed where it names experiments.
func restoreArgs(args []string, r store.Removal) string {
	const most = 8
	if len(r.Runs) <= most {
		keys := make([]string, len(r.Runs))
		for i, row := range r.Runs {
			keys[i] = short(row.Key)
		}
		return strings.Join(keys, " ")
	}
	for _, arg := range args {
		if s, err := store.ParseSelector(arg); err != nil || s.Kind != store.SelectWord && s.Kind != store.SelectAll {
			return "KEY…"
		}
	}
	return strings.Join(args, " ")
}

func (a *app) runsRestoreCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "restore RUN…", Short: "Bring removed runs back as they were", Args: atLeastOneRun, ValidArgsFunction: a.completeRuns,
		Long: `Brings removed runs back as they were, without computing anything. A RUN is looked for among the removed
ones, which "kappa runs list --removed" lists: @1 is the latest of them, and an experiment all of its removed runs.
What "kappa gc --delete" has deleted is gone; "kappa run" computes it again.`,
		Example: "  kappa runs restore 3fa0c1\n  kappa runs restore digits",
		RunE: run(func(ctx context.Context, args []string) (err error) {
			db, err := a.openChange(ctx)
			if err != nil {
				return err
			}
			defer func() { err = joined(err, db.Close()) }()
			restored, err := db.Restore(ctx, args)
			if err != nil {
				return err
			}
			if asJSON {
				return a.list(removalGrid(restored, "restored"), true)
			}
			a.sayRemoval(restored, "restored", "there all the time")
			return nil
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// removalGrid lists the runs that were named: done says whether anything was to be done.
func removalGrid(r store.Removal, done string) *grid {
	g := &grid{columns: []string{"run", "experiment", done}}
	for _, row := range r.Runs {
		g.add(row.Key, row.Experiment, true)
	}
	for _, row := range r.Already {
		g.add(row.Key, row.Experiment, false)
	}
	return g
}

// sayRemoval says what was done and what it means for experiments.
func (a *app) sayRemoval(r store.Removal, done, already string) {
	a.sayRuns(done, r.Runs)
	if n := len(r.Already); n > 0 {
		a.talk("kappa: %s %s", wasWord(n), already)
	}
	for _, l := range r.Experiments {
		if l.Removed == 0 {
			a.talk("kappa: %s has all of its %s again", l.Experiment, runsWord(l.Runs))
			continue
		}
		a.talk("kappa: %d of the %s of %s %s removed: its report is incomplete until they are restored or executed again",
			l.Removed, runsWord(l.Runs), l.Experiment, map[bool]string{true: "is", false: "are"}[l.Removed == 1])
	}
}

func wasWord(n int) string {
	if n == 1 {
		return "1 run was"
	}
	return fmt.Sprintf("%d runs were", n)
}

// runText names a run in a line: its key, and what it is.
func runText(r store.RunRow) string {
	parts := []string{short(r.Key)}
	for _, s := range []string{r.Experiment, r.Method, side(r.PrimaryDataset, r.PrimaryClass), side(r.HarmfulDataset, r.HarmfulClass)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if r.Seed != nil {
		parts = append(parts, fmt.Sprintf("seed %d", *r.Seed))
	}
	return visible(strings.Join(parts, "  "), "")
}

// sayRuns says what was done to runs: to each of a few, to how many of many.
func (a *app) sayRuns(done string, rows []store.RunRow) {
	const few = 20
	if len(rows) > few {
		fmt.Fprintf(a.env.Stdout, "%s %s\n", done, runsWord(len(rows)))
		return
	}
	for _, row := range rows {
		fmt.Fprintf(a.env.Stdout, "%s %s\n", done, runText(row))
	}
}
