package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) validateCommand() *cobra.Command {
	var flags specFlags
	var asJSON bool
	c := &cobra.Command{
		Use: "validate SPEC…", Short: "Check specs: every problem at once, nothing is executed", Args: someSpecs,
		Long: `Checks names, types and ranges of every key, the sweep, every template and every query,
without reading data or the database. A SPEC is a file, or a name: NAME.toml, then
experiments/NAME.toml, here and upwards to the project's root, then a shipped experiment.

With --json the problems, if there are any, are written to stdout too, as a list of
{"file", "line", "key", "message", "hint"}; so they are by plan, run and report.`,
		ValidArgsFunction: a.completeSpecs,
		RunE: run(func(ctx context.Context, args []string) error {
			targets, err := a.load(ctx, args, flags)
			if err == nil {
				err = a.check(ctx, targets)
			}
			if err != nil {
				return a.refused(asJSON, err)
			}
			g := &grid{columns: []string{"spec", "file", "combinations", "cells"}}
			for _, t := range targets {
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

// where names the file of a spec to people.
func (t *target) where() string {
	if t.file.Shipped {
		return "shipped " + t.file.Shown
	}
	return t.file.Shown
}
