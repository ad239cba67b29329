package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kappa/store"
)

func (a *app) dbVacuumCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "vacuum", Short: "Give the space of deleted runs back to the disk", Args: cobra.NoArgs,
		Long: `Rewrites the database without what "kappa gc --delete" has deleted, folds the write-ahead log into it and renews
the statistics that SQLite plans queries by. It is refused while runs are under way, and where the disk has not
enough space for the time being: as much as the database holds, twice. Whatever fails, the database is as it was.`,
		RunE: run(func(ctx context.Context, _ []string) (err error) {
			db, err := a.openChange(ctx)
			if err != nil {
				return err
			}
			defer func() { err = joined(err, db.Close()) }()
			v, err := db.Vacuum(ctx)
			if used, ok := errors.AsType[*store.InUseError](err); ok {
				return &failure{
					code: exitDatabase, err: fmt.Errorf("vacuum %s: %w", shown(a.cwd, db.Path()), used),
					hint: "wait until it has ended; nothing needs vacuuming in a hurry",
				}
			}
			if space, ok := errors.AsType[*store.SpaceError](err); ok {
				hint := "make space; the database can be used as it is"
				if space.Twice {
					hint = "make space, or let SQLITE_TMPDIR name a folder on another disk, which halves what is needed; the database can be used as it is"
				}
				return &failure{
					code: exitDatabase, err: fmt.Errorf("vacuum %s: %w; nothing was changed", shown(a.cwd, db.Path()), space), hint: hint,
				}
			}
			if err != nil {
				return err
			}
			if asJSON {
				g := &grid{columns: []string{"what", "value"}}
				g.add("path", db.Path())
				g.add("bytes_before", v.Before)
				g.add("bytes_after", v.After)
				return a.object(g)
			}
			_, err = fmt.Fprintf(a.env.Stdout, "%s: %s before, %s after\n", shown(a.cwd, db.Path()), store.HumanBytes(v.Before), store.HumanBytes(v.After))
			return err
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}
