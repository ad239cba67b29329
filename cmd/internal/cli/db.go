package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kappa/store"
)

func (a *app) dbCommand() *cobra.Command {
	return group("db", "The database file: what it holds, whether it is sound, a copy of it",
		a.dbInfoCommand(), a.dbCheckCommand(), a.dbBackupCommand(), a.dbVacuumCommand())
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
			if info.Removed > 0 {
				g.add("runs removed", info.Removed)
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
	var asJSON, forget bool
	c := &cobra.Command{
		Use: "check", Short: "Check the file, its references, the artifacts' digests, and what it has lost", Args: cobra.NoArgs,
		Long: `Looks at every page of the database, at its references and at the digests of artifacts, and compares
the database with the list of what was told to be recorded, FILE-acked: it names every run that is
missing, as after hardware has failed or an older copy was put in its place. It changes nothing but
that list, which it writes anew where recorded runs are not in it.

The next "kappa run" of a spec executes its lost runs again. --forget takes them off the list: nothing
is said of them any more.`,
		RunE: run(func(ctx context.Context, _ []string) error {
			if forget {
				return a.forgetLost(ctx)
			}
			db, err := a.openRead(ctx)
			if err != nil {
				return errors.Join(a.tellAbsent(ctx, asJSON), err)
			}
			defer db.Close()
			problems, notes, err := db.Check(ctx)
			if err != nil {
				return err
			}
			lost, err := db.Lost(ctx)
			if err != nil && len(problems) == 0 {
				return err
			}
			if len(problems) == 0 {
				notes = append(notes, a.completeAcked(ctx, db)...)
			}
			if err := a.tellChecked(problems, lost, notes, asJSON); err != nil {
				return err
			}
			if asJSON {
				return silent(map[bool]int{true: exitDatabase}[len(problems)+len(lost) > 0])
			}
			if len(problems) > 0 {
				return &failure{
					code: exitDatabase, err: fmt.Errorf("check database %s: %s", shown(a.cwd, db.Path()), counted(len(problems)+len(lost), "problem")),
					hint: "a damaged file: put a backup in its place, or move it away and run again; a missing or changed artifact: `kappa run SPEC --force`",
				}
			}
			if len(lost) > 0 {
				return &failure{
					code: exitDatabase, err: fmt.Errorf("check database %s: it has lost %s", shown(a.cwd, db.Path()), counted(len(lost), "recorded end")),
					hint: "`kappa run` of their specs executes them again; a newer copy of the file in its place, or `kappa import` of one, brings them back",
				}
			}
			fmt.Fprintf(a.env.Stdout, "%s: sound\n", shown(a.cwd, db.Path()))
			return nil
		}),
	}
	c.Flags().BoolVar(&forget, "forget", false, "take lost runs off the list of what was recorded")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// tellChecked writes what is wrong with a database, what it has lost, and what else there is to say.
func (a *app) tellChecked(problems []string, lost []store.Lost, notes []string, asJSON bool) error {
	if asJSON {
		g := &grid{columns: []string{"kind", "text", "run", "attempt", "status", "experiment"}}
		for _, p := range problems {
			g.add("problem", p, nil, nil, nil, nil)
		}
		for _, l := range lost {
			g.add("lost", lostText(l), l.Key, l.Attempt, string(l.Status), l.Experiment)
		}
		for _, n := range notes {
			g.add("note", n, nil, nil, nil, nil)
		}
		return a.list(g, true)
	}
	for _, p := range problems {
		fmt.Fprintln(a.env.Stdout, p)
	}
	for _, l := range lost {
		fmt.Fprintln(a.env.Stdout, lostText(l))
	}
	for _, n := range notes {
		fmt.Fprintln(a.env.Stdout, "note: "+n)
	}
	return nil
}

// completeAcked adds what is recorded to the list of what was, where it is not in it, and says so.
func (a *app) completeAcked(ctx context.Context, db *store.DB) []string {
	n, err := db.Unlisted(ctx)
	if n == 0 || err != nil {
		return nil // a database that cannot be read is told of elsewhere
	}
	w, err := store.Open(ctx, db.Path(), store.Options{Now: a.env.Now})
	if err == nil {
		n, err = w.CompleteAcked(ctx)
		err = joined(err, w.Close())
	}
	if err != nil {
		return []string{fmt.Sprintf("%s-acked lacks %s, whose loss could not be told, and could not be completed: %v", shown(a.cwd, db.Path()), counted(n, "recorded end"), err)}
	}
	return []string{fmt.Sprintf("%s-acked lacked recorded ends, whose loss could not be told: it has been written anew from the database", shown(a.cwd, db.Path()))}
}

// tellAbsent names the runs of a database that is not there and of which the list of what was recorded is left.
func (a *app) tellAbsent(ctx context.Context, asJSON bool) error {
	path := a.dbPath()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return nil
	}
	db, err := store.OpenAbsent(ctx, path)
	if err != nil {
		return err
	}
	defer db.Close()
	lost, err := db.Lost(ctx)
	if err != nil || len(lost) == 0 {
		return err
	}
	return a.tellChecked(nil, lost, nil, asJSON)
}

// forgetLost takes what was lost off the list, and says what that was.
func (a *app) forgetLost(ctx context.Context) (err error) {
	path := a.dbPath()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return a.noDatabase(path)
	}
	db, err := store.Open(ctx, path, store.Options{Now: a.env.Now})
	if err != nil {
		return err
	}
	defer func() { err = joined(err, db.Close()) }()
	lost, err := db.Lost(ctx)
	if err != nil {
		return err
	}
	if err := db.ForgetLost(ctx); err != nil {
		return err
	}
	for _, l := range lost {
		fmt.Fprintln(a.env.Stdout, "forgotten: "+strings.TrimPrefix(lostText(l), "lost: "))
	}
	fmt.Fprintf(a.env.Stdout, "%s: %s forgotten\n", shown(a.cwd, path), counted(len(lost), "lost end"))
	return nil
}

// lostText is a sentence about an end that was recorded and is not there any more.
func lostText(l store.Lost) string {
	of := ""
	if l.Experiment != "" {
		of = " of " + l.Experiment
	}
	return fmt.Sprintf("lost: run %s%s: attempt %d (%s) was recorded and is not in the database", short(l.Key), of, l.Attempt, l.Status)
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
