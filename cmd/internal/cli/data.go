package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kappa/runner"
	"kappa/runner/dataset"
)

func (a *app) dataCommand() *cobra.Command {
	return group("data", "Data sets: what there is and where it lies", a.dataListCommand(), a.dataPathCommand())
}

func (a *app) dataListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the data sets that a spec may name", Args: cobra.NoArgs,
		RunE: run(func(context.Context, []string) error {
			known := make(map[string]dataset.Info)
			for _, info := range dataset.Known() {
				known[info.Name] = info
			}
			g := &grid{columns: []string{"name", "rows", "columns", "classes", "needs", "licence", "about"}}
			for _, d := range runner.Catalog().Datasets {
				needs := "nothing"
				if d.Needs != "" {
					needs = d.Needs
				}
				info := known[d.Name]
				g.add(d.Name, positive(info.Rows), positive(info.Columns), positive(len(d.Classes)), needs, info.Licence, d.Doc)
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

// positive is a count, or nothing where it depends on settings.
func positive(n int) any {
	if n == 0 {
		return nil
	}
	return n
}
