package cli

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"kappa/engine"
	"kappa/store"
)

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "version", Short: "Versions of the program, the engine and the database schema", Args: cobra.NoArgs,
		Long: `Prints the versions that decide what a run means.

The engine's version is part of every run's key: a higher one repeats the runs.`,
		RunE: run(func(context.Context, []string) error {
			g := &grid{columns: []string{"what", "version"}}
			program, commit := "(unknown)", ""
			if info, ok := debug.ReadBuildInfo(); ok {
				program = info.Main.Version
				var dirty bool
				if commit, dirty = vcsState(info); dirty {
					commit += " (modified)"
				}
			}
			g.add("kappa", program)
			if commit != "" {
				g.add("commit", commit)
			}
			g.add("engine", engine.Version)
			g.add("schema", store.SchemaVersion())
			g.add("go", runtime.Version())
			g.add("system", runtime.GOOS+"/"+runtime.GOARCH)
			if asJSON {
				return a.object(g)
			}
			return a.list(g, false)
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// object writes a two-column listing as one JSON object.
func (a *app) object(g *grid) error {
	flat := &grid{}
	var row []any
	for _, r := range g.rows {
		name, _ := r[0].(string)
		flat.columns = append(flat.columns, name)
		row = append(row, r[1])
	}
	flat.rows = [][]any{row}
	if err := flat.jsonl(a.env.Stdout); err != nil {
		return failf("", "write the listing: %w", err)
	}
	return nil
}
