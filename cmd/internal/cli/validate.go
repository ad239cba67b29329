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
experiments/NAME.toml, here and upwards to the project's root, then a shipped experiment.`,
		ValidArgsFunction: a.completeSpecs,
		RunE: run(func(ctx context.Context, args []string) error {
			targets, err := a.load(args, flags)
			if err != nil {
				return err
			}
			if err := a.check(ctx, targets); err != nil {
				return err
			}
			g := &grid{columns: []string{"spec", "file", "combinations", "cells"}}
			for _, t := range targets {
				variants, err := t.spec.Variants(t.set)
				if err != nil {
					return asUsage(err)
				}
				g.add(t.spec.Name, t.where(), len(variants), len(t.spec.Cells))
			}
			if asJSON {
				return a.list(g, true)
			}
			for _, row := range g.rows {
				fmt.Fprintf(a.env.Stdout, "%s: ok: %d combinations, %d cells\n", row[1:]...)
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
