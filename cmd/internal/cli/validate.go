package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kappa/reports"
	"kappa/runner"
)

func (a *app) validateCommand() *cobra.Command {
	var flags specFlags
	var asJSON bool
	c := &cobra.Command{
		Use: "validate SPEC…", Short: "Check specs: every problem at once, nothing is executed", Args: someSpecs,
		Long: `Checks names, types and ranges of every key, the sweep, every template and every query,
without reading data or the database. A SPEC is a file, or a name: NAME.toml, then
experiments/NAME.toml, here and upwards to the project's root, then a shipped experiment.

Formulas that an HTML page (report --to html) shows as their source are told as warnings; they are no
problem for GitHub.

With --json the problems, if there are any, are written to stdout too, as a list of
{"file", "line", "key", "message", "hint"}; so they are by plan, run and report.`,
		ValidArgsFunction: a.completeSpecs,
		RunE: run(func(ctx context.Context, args []string) error {
			targets, err := a.load(ctx, args, flags)
			if err == nil {
				err = errors.Join(a.check(ctx, targets), rehearse(ctx, targets))
			}
			if err != nil {
				return a.refused(asJSON, err)
			}
			g := &grid{columns: []string{"spec", "file", "combinations", "cells"}}
			for _, t := range targets {
				for _, w := range reports.Formulas(t.spec) {
					a.talk("kappa: warning: %v", w)
				}
				variants, err := t.variants(ctx)
				if err != nil {
					return err
				}
				g.add(t.spec.Name, t.where(), len(variants), len(t.spec.Cells))
			}
			if asJSON {
				return a.list(g, true)
			}
			for _, row := range g.rows {
				n, cells := row[2].(int), row[3].(int)
				fmt.Fprintf(a.env.Stdout, "%s: ok: %s, %s\n", row[1], counted(n, "combination"), counted(cells, "cell"))
			}
			return nil
		}),
	}
	flags.register(c, true)
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// rehearse resolves the runs of specs as a plan would, so that what only shows in a run's settings is refused. The data need not
// be there: each stands for itself.
func rehearse(ctx context.Context, targets []*target) error {
	var errs []error
	for _, t := range targets {
		if _, err := t.samples(ctx); err != nil {
			continue // which the check of the report has said
		}
		errs = append(errs, t.await(ctx, t.file.Shown+": resolving its sweep", func() error {
			refs, err := runner.References(t.spec, t.set)
			if err != nil {
				return err
			}
			digests := make(map[string]string, len(refs))
			for _, ref := range refs {
				digests[ref] = ref
			}
			_, err = runner.NewPlan(t.spec, t.set, digests)
			return err
		}))
	}
	return errors.Join(errs...)
}

// where names the file of a spec to people.
func (t *target) where() string {
	if t.file.Shipped {
		return "shipped " + t.file.Shown
	}
	return t.file.Shown
}
