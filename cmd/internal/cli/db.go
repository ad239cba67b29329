package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
)

func (a *app) dbCommand() *cobra.Command {
	return group("db", "The database file: what it holds, whether it is sound, a copy of it",
		a.dbInfoCommand(), a.dbCheckCommand(), a.dbBackupCommand())
}

func (a *app) dbInfoCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "info", Short: "What the database is and holds", Args: cobra.NoArgs,
		RunE: run(func(ctx context.Context, _ []string) error {
			db, err := a.openRead(ctx)
			if err != nil {
				return err
			}
			defer db.Close()
			info, err := db.Info(ctx)
			if err != nil {
				return err
			}
			g := &grid{columns: []string{"what", "value"}}
			g.add("path", info.Path)
			g.add("bytes", info.Bytes)
			g.add("schema", info.SchemaVersion)
			g.add("journal", info.JournalMode)
			g.add("sqlite", info.SQLite)
			g.add("experiments", info.Experiments)
			for _, s := range slices.Sorted(maps.Keys(info.Statuses)) {
				g.add("runs "+string(s), info.Statuses[s])
			}
			g.add("attempts", info.Attempts)
			g.add("artifacts", info.Artifacts)
			g.add("artifact bytes", info.ArtifactBytes)
			if asJSON {
				return a.object(g)
			}
			return a.list(g, false)
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

func (a *app) dbCheckCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "check", Short: "Check the file, its references and the artifacts' digests", Args: cobra.NoArgs,
		RunE: run(func(ctx context.Context, _ []string) error {
			db, err := a.openRead(ctx)
			if err != nil {
				return err
			}
			defer db.Close()
			problems, notes, err := db.Check(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				g := &grid{columns: []string{"kind", "text"}}
				for _, p := range problems {
					g.add("problem", p)
				}
				for _, n := range notes {
					g.add("note", n)
				}
				if err := a.list(g, true); err != nil {
					return err
				}
				return silent(map[bool]int{true: exitDatabase}[len(problems) > 0])
			}
			for _, p := range problems {
				fmt.Fprintln(a.env.Stdout, p)
			}
			for _, n := range notes {
				fmt.Fprintln(a.env.Stdout, "note: "+n)
			}
			if len(problems) > 0 {
				return &failure{
					code: exitDatabase, err: fmt.Errorf("check database %s: %s", shown(a.cwd, db.Path()), counted(len(problems), "problem")),
					hint: "a damaged file: put a backup in its place, or move it away and run again; a missing or changed artifact: `kappa run SPEC --force`",
				}
			}
			fmt.Fprintf(a.env.Stdout, "%s: sound\n", shown(a.cwd, db.Path()))
			return nil
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

func (a *app) dbBackupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "backup [FILE]", Short: "Copy the database, also while runs are being recorded", Args: cobra.MaximumNArgs(1),
		Long: `Writes a consistent copy of the database; a file that exists is not overwritten.
Without FILE the copy lies beside the database, named by the time.`,
		RunE: run(func(ctx context.Context, args []string) error {
			db, err := a.openRead(ctx)
			if err != nil {
				return err
			}
			defer db.Close()
			dst := db.Path() + "." + a.env.Now().UTC().Format("20060102T150405Z") + ".bak"
			if len(args) == 1 {
				dst = onDisk(a.cwd, args[0])
			}
			if err := db.Backup(ctx, dst); err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.env.Stdout, shown(a.cwd, dst))
			return err
		}),
	}
}
