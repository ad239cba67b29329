package cli

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kappa/store"
)

const defaultOlderThan = "30d"

func (a *app) gcCommand() *cobra.Command {
	var remove, asJSON bool
	var olderThan string
	c := &cobra.Command{
		Use: "gc", Short: "Delete for good what was removed, and files that nothing needs", Args: cobra.NoArgs,
		Long: `Lists what can be deleted, and with --delete deletes it: runs that "kappa runs rm" removed at least --older-than
ago, which then cannot be restored any more; files among the artifacts to which no attempt refers; checkpoints of
runs that are finished; temporary files that a command has left which was cut off. What runs that are under way or
were cut off may still need is left alone, and so are files of the last hour, or of --older-than where that is
less. Files that other runs share stay. "kappa db vacuum" then gives the space of the deleted runs back to the disk.`,
		Example: "  kappa gc                       # only lists\n  kappa gc --delete\n  kappa gc --older-than 0 --delete",
		RunE: run(func(ctx context.Context, _ []string) (err error) {
			since, err := age(olderThan)
			if err != nil {
				return usagef("", "--older-than %q: %w", olderThan, err)
			}
			list, err := a.garbage(ctx, since, remove)
			if err != nil && len(list) == 0 {
				return err
			}
			return joined(a.listGarbage(list, olderThan, remove, asJSON), err)
		}),
	}
	c.Flags().BoolVar(&remove, "delete", false, "delete what is listed")
	c.Flags().StringVar(&olderThan, "older-than", defaultOlderThan, "only runs removed at least a `TIME` ago: 12h, 30d; 0 = all")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// garbage lists what there is to delete, or deletes it and lists what was.
func (a *app) garbage(ctx context.Context, olderThan time.Duration, remove bool) (list []store.Garbage, err error) {
	if !remove {
		db, err := a.openRead(ctx)
		if err != nil {
			return nil, err
		}
		defer db.Close()
		return db.Garbage(ctx, olderThan)
	}
	db, err := a.openChange(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = joined(err, db.Close()) }()
	return db.Collect(ctx, olderThan)
}

func (a *app) listGarbage(list []store.Garbage, olderThan string, deleted, asJSON bool) error {
	if asJSON {
		g := &grid{columns: []string{"kind", "name", "bytes", "why", "deleted"}}
		for _, x := range list {
			g.add(string(x.Kind), x.Name, x.Bytes, x.Why, deleted)
		}
		return a.list(g, true)
	}
	if len(list) == 0 {
		a.talk("kappa: there is nothing to delete")
		return nil
	}
	g := &grid{columns: []string{"what", "bytes", "name", "why"}}
	bytes, count := make(map[bool]int64), make(map[store.GarbageKind]int)
	for _, x := range list {
		name := x.Name
		if x.Kind == store.GarbageRun {
			name = runText(x.Run)
		}
		g.add(string(x.Kind), x.Bytes, name, x.Why)
		bytes[x.Kind == store.GarbageRun] += x.Bytes
		count[x.Kind]++
	}
	if err := a.list(g, false); err != nil {
		return err
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, counted(count[kind], string(kind)))
	}
	sum := strings.Join(parts, ", ")
	var sizes []string
	if n := bytes[true]; n > 0 {
		sizes = append(sizes, "about "+store.HumanBytes(n)+" in the database")
	}
	if n := bytes[false]; n > 0 {
		sizes = append(sizes, store.HumanBytes(n)+" in files")
	}
	if len(sizes) > 0 {
		sum += ": " + strings.Join(sizes, ", ")
	}
	switch {
	case !deleted:
		same := ""
		if olderThan != defaultOlderThan {
			same = " --older-than " + olderThan
		}
		a.talk("kappa: %s; nothing was deleted\nkappa: hint: `kappa gc%s --delete` deletes it", sum, same)
	case count[store.GarbageRun] > 0:
		a.talk("kappa: deleted %s\nkappa: hint: `kappa db vacuum` gives the space in the database back to the disk", sum)
	default:
		a.talk("kappa: deleted %s", sum)
	}
	return nil
}
