package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kappa/experiments"
	"kappa/runner"
	"kappa/store"
)

// views are the database's public interface.
var views = [...]string{
	"experiments", "runs", "attempts", "params", "metrics", "condition_numbers", "attacks", "results", "claims",
}

func (a *app) schemaCommand() *cobra.Command {
	var asJSON, spec bool
	c := &cobra.Command{
		Use: "schema", Short: "The views that queries read, or the JSON Schema of a spec", Args: cobra.NoArgs,
		Long: `Lists the views of the database with their columns: the interface that queries, other programs
and reports build on. Inside a cell of a spec, runs, results, metrics, condition_numbers, attacks
and params hold the runs of that spec alone, and results has a column for every swept key.

With --spec, prints a JSON Schema of spec files for editors.`,
		RunE: run(func(ctx context.Context, _ []string) error {
			if spec {
				_, err := a.env.Stdout.Write(experiments.Schema(runner.Catalog()))
				return err
			}
			db, err := store.Empty(ctx)
			if err != nil {
				return err
			}
			defer db.Close()
			g := &grid{columns: []string{"view", "column"}}
			for _, view := range views {
				rows, err := db.Query(ctx, fmt.Sprintf("SELECT * FROM %s LIMIT 0", view), store.QueryOptions{})
				if err != nil {
					return err
				}
				for _, column := range rows.Columns {
					g.add(view, column)
				}
			}
			if asJSON {
				return a.list(g, true)
			}
			last := ""
			for _, row := range g.rows {
				view, _ := row[0].(string)
				if view != last {
					if last != "" {
						fmt.Fprintln(a.env.Stdout)
					}
					fmt.Fprintf(a.env.Stdout, "%s\n ", view)
					last = view
				}
				fmt.Fprintf(a.env.Stdout, " %s", row[1])
			}
			fmt.Fprintln(a.env.Stdout)
			return nil
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	c.Flags().BoolVar(&spec, "spec", false, "print the JSON Schema of a spec")
	return c
}
