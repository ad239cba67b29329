package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kappa/runner"
)

func (a *app) dataCommand() *cobra.Command {
	return group("data", "Data sets: what there is and where it lies", a.dataListCommand(), a.dataPathCommand())
}

func (a *app) dataListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the data sets that a spec may name", Args: cobra.NoArgs,
		RunE: run(func(context.Context, []string) error {
			g := &grid{columns: []string{"name", "classes", "needs", "about"}}
			for _, d := range runner.Catalog().Datasets {
				needs := d.Needs
				if needs == "" {
					needs = "nothing"
				}
				g.add(d.Name, len(d.Classes), needs, d.Doc)
			}
			return a.list(g, asJSON)
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

func (a *app) dataPathCommand() *cobra.Command {
	return &cobra.Command{
		Use: "path", Short: "Print the folder of data sets that are not in the binary", Args: cobra.NoArgs,
		Long: `Prints the folder from which specs may read besides their project: $KAPPA_DATA, else
kappa in the user's cache folder. It need not exist.`,
		RunE: run(func(context.Context, []string) error {
			dir := dataFolder(a.env)
			if dir == "" {
				return failf("set KAPPA_DATA to a folder", "data path: the user has no cache folder, and KAPPA_DATA is not set")
			}
			_, err := fmt.Fprintln(a.env.Stdout, dir)
			return err
		}),
	}
}
