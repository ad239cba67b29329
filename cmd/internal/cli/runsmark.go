package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"kappa/store"
)

func (a *app) runsTagCommand() *cobra.Command {
	var remove, asJSON bool
	c := &cobra.Command{
		Use: "tag RUN [TAG…]", Short: "Tag runs, take tags away, list them", Args: someRun, ValidArgsFunction: a.completeFirst,
		Long: `Gives runs tags, or takes them away with --remove; without a TAG it lists the tags that the runs have. Tags are
in "kappa runs list" (--tag TAG filters by one) and in the column tags of runs; they are no part of a run's key, so
nothing is executed again.

` + selectorHelp,
		Example: "  kappa runs tag 'digits:best(rir)' best baseline\n  kappa runs tag @2:5 --remove baseline\n  kappa runs tag digits",
		RunE: run(func(ctx context.Context, args []string) (err error) {
			tags := args[1:]
			if remove && len(tags) == 0 {
				return usagef("kappa runs tag RUN --remove TAG…", "runs tag: --remove needs the tags to take away")
			}
			for _, tag := range tags {
				if err := store.CheckTag(tag); err != nil {
					return usagef("", "runs tag: %w", err)
				}
			}
			var marked []store.Marked
			if len(tags) == 0 {
				marked, err = a.marks(ctx, args[:1])
			} else {
				marked, err = a.change(ctx, func(db *store.DB) ([]store.Marked, error) {
					if remove {
						return db.Tag(ctx, args[:1], nil, tags)
					}
					return db.Tag(ctx, args[:1], tags, nil)
				})
			}
			if err != nil {
				return err
			}
			if asJSON || len(tags) == 0 {
				g := &grid{columns: []string{"run", "tags"}}
				if asJSON {
					g.columns = []string{"run", "tags", "changed"}
				}
				for _, m := range marked {
					if asJSON {
						g.add(m.Key, m.Tags, m.Changed)
					} else {
						g.add(short(m.Key), strings.Join(m.Tags, ", "))
					}
				}
				return a.list(g, asJSON)
			}
			verb := "tagged"
			if remove {
				verb = "untagged"
			}
			had := "had it already"
			switch {
			case remove:
				had = "had no such tag"
			case len(tags) > 1:
				had = "had them already"
			}
			a.sayMarked(marked, verb, had+": "+strings.Join(tags, ", "))
			return nil
		}),
	}
	c.Flags().BoolVar(&remove, "remove", false, "take the tags away")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

func (a *app) runsNoteCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "note RUN [TEXT]", Short: "Write a note on runs, or read it", Args: someRun, ValidArgsFunction: a.completeFirst,
		Long: `Writes a note on runs, in place of the one they have; "" takes it away, - reads it from stdin. Without TEXT it
prints the notes. A note is shown by "kappa runs show" and is the column note of runs.

` + selectorHelp,
		Example: "  kappa runs note @1 \"learning rate doubled by mistake\"\n  kappa runs note 3fa0c1 - <why.txt",
		RunE: run(func(ctx context.Context, args []string) (err error) {
			if len(args) > 2 {
				return usagef("quote it: kappa runs note RUN \"TEXT\"", "runs note: a note is one argument, and %d are given", len(args)-1)
			}
			var marked []store.Marked
			if len(args) == 1 {
				marked, err = a.marks(ctx, args)
			} else {
				var note string
				if note, err = a.noteText(args[1]); err != nil {
					return err
				}
				marked, err = a.change(ctx, func(db *store.DB) ([]store.Marked, error) { return db.SetNote(ctx, args[:1], note) })
			}
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				g := &grid{columns: []string{"run", "note", "changed"}}
				for _, m := range marked {
					g.add(m.Key, m.Note, m.Changed)
				}
				return a.list(g, true)
			case len(args) == 1:
				none := true
				for _, m := range marked {
					if m.Note != "" {
						none = false
						fmt.Fprintf(a.env.Stdout, "%s  %s\n", short(m.Key), strings.ReplaceAll(visible(m.Note, "\n\t"), "\n", "\n"+strings.Repeat(" ", 14)))
					}
				}
				if none {
					a.talk("kappa: there is no note")
				}
			default:
				a.sayMarked(marked, "noted", "had that note already")
			}
			return nil
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// someRun wants at least one selector, and one alone is taken: what follows is said about it.
func someRun(cmd *cobra.Command, args []string) error {
	return atLeastOneRun(cmd, args[:min(1, len(args))])
}

// noteText is a note as it was given: - is what stdin holds, without the line end that editors put last.
func (a *app) noteText(arg string) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	const most = 2 << 20 // more than a note can hold; the store says how much that is
	text, err := io.ReadAll(io.LimitReader(a.env.Stdin, most))
	if err != nil {
		return "", failf("", "read the note from stdin: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// marks reads the tags and notes of runs.
func (a *app) marks(ctx context.Context, selectors []string) ([]store.Marked, error) {
	db, err := a.openRead(ctx)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.SelectMany(ctx, selectors)
	var out []store.Marked
	for _, r := range rows {
		out = append(out, store.Marked{RunRow: r})
	}
	return out, err
}

// change changes what people have written about runs.
func (a *app) change(ctx context.Context, f func(db *store.DB) ([]store.Marked, error)) (marked []store.Marked, err error) {
	db, err := a.openChange(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = joined(err, db.Close()) }()
	return f(db)
}

// sayMarked says which runs have changed, and for how many there was nothing to do, since they had what they were to have.
func (a *app) sayMarked(marked []store.Marked, verb, had string) {
	var changed []store.RunRow
	for _, m := range marked {
		if m.Changed {
			changed = append(changed, m.RunRow)
		}
	}
	a.sayRuns(verb, changed)
	if rest := len(marked) - len(changed); rest > 0 {
		a.talk("kappa: %s %s", runsWord(rest), had)
	}
}
