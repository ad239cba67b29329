package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kappa/runner/dataset/fetch"
	"kappa/store"
)

func (a *app) importCommand() *cobra.Command {
	var o store.ImportOptions
	var asJSON bool
	c := &cobra.Command{
		Use: "import FILE…", Short: "Add the runs of other notebooks", Args: cobra.MinimumNArgs(1),
		Long: `Adds what a file of "kappa export", or another notebook's database, holds and this one does not. "-" reads JSON
lines from stdin. A file is checked as a whole before anything is added; one that was cut off, altered, or written by
a newer kappa is refused.

What is here already is passed over, so that importing twice changes nothing, and an import that was interrupted is
finished by doing it again. Nothing is overwritten: of a run that is finished in both with other figures the attempt
is added as a further one, and said. Tags add up; of two notes the one that is here stays.`,
		Example: `  kappa import colleague.db --dry-run
  kappa import colleague.db more.jsonl`,
		RunE: run(func(ctx context.Context, args []string) error {
			db, err := a.openImport(ctx, o.DryRun)
			if err != nil {
				return err
			}
			defer db.Close()
			for _, file := range args {
				if err := a.importFile(ctx, db, file, asJSON, o); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	f := c.Flags()
	f.BoolVarP(&o.DryRun, "dry-run", "n", false, "say what would be added, and add nothing")
	f.BoolVar(&o.NoArtifacts, "no-artifacts", false, "leave out the files that runs have kept, such as θ")
	f.BoolVar(&asJSON, "json", false, "write JSON, a line for each FILE")
	return c
}

// openImport opens the database that is added to; a dry run only reads it, and makes none.
func (a *app) openImport(ctx context.Context, dry bool) (*store.DB, error) {
	if dry {
		return a.openOrEmpty(ctx, a.dbPath())
	}
	return a.openWrite(ctx, a.dbPath())
}

func (a *app) importFile(ctx context.Context, db *store.DB, file string, asJSON bool, o store.ImportOptions) error {
	counter := a.newCounter()
	defer counter.close()
	o.Progress = counter.tell
	var r store.ImportReport
	var err error
	if file == "-" {
		r, err = db.ImportJSONL(ctx, "stdin", a.env.Stdin, o)
	} else {
		r, err = db.Import(ctx, onDisk(a.cwd, file), o)
	}
	counter.close()
	if err != nil {
		return err
	}
	if asJSON {
		g := &grid{columns: []string{
			"file", "dry_run", "runs", "attempts", "experiments", "evaluations", "digests", "artifacts", "artifact_bytes", "same", "repeated",
			"running", "differ", "notes", "removed", "missing",
		}}
		g.add(file, o.DryRun, r.Runs, r.Attempts, r.Experiments, r.Evaluations, r.Digests, r.Files, r.FileBytes, r.Same, r.Repeated,
			r.Running, orEmpty(r.Differ), orEmpty(r.Notes), orEmpty(r.Removed), orEmpty(r.Missing))
		if err := g.jsonl(a.env.Stdout); err != nil {
			return failf("", "write the answer: %w", err)
		}
		return nil
	}
	if _, err := fmt.Fprintf(a.env.Stdout, "%s: %s\n", file, imported(r, o.DryRun)); err != nil {
		return failf("", "write the answer: %w", err)
	}
	a.sayImported(r, o.DryRun)
	return nil
}

// imported is what an import has added, in a line.
func imported(r store.ImportReport, dry bool) string {
	var added []string
	add := func(n int, thing string) {
		if n > 0 {
			added = append(added, counted(n, thing))
		}
	}
	add(r.Runs, "new run")
	add(r.Attempts, "attempt")
	add(r.Experiments, "spec")
	add(r.Evaluations, "judging")
	if r.Files > 0 {
		added = append(added, fmt.Sprintf("%s (%s)", counted(r.Files, "artifact"), fetch.Size(r.FileBytes)))
	}
	verb := "added"
	if dry {
		verb = "would be added"
	}
	text := "nothing new"
	if len(added) > 0 {
		text = strings.Join(added, ", ") + " " + verb
	}
	if r.Same > 0 {
		text += fmt.Sprintf("; %s here already", counted(r.Same, "attempt"))
	}
	if r.Repeated > 0 {
		text += fmt.Sprintf("; %s of runs that are finished here with the same figures", counted(r.Repeated, "attempt"))
	}
	return text
}

// sayImported says what people may want to look at.
func (a *app) sayImported(r store.ImportReport, dry bool) {
	keys := func(list []string) string {
		out := make([]string, len(list))
		for i, k := range list {
			out[i] = short(k)
		}
		return fewOf(out, 5)
	}
	if n := len(r.Differ); n > 0 {
		verb := "was added, and is shown now"
		if dry {
			verb = "would be added, and shown"
		}
		a.talk("kappa: %s finished here with other figures; the attempt %s: %s", counted(n, "run"), verb, keys(r.Differ))
	}
	if n := len(r.Notes); n > 0 {
		a.talk("kappa: %s with another note here, which stays: %s", counted(n, "run"), keys(r.Notes))
	}
	if n := len(r.Removed); n > 0 {
		a.talk("kappa: %s removed here, and stay so until `kappa runs restore`: %s", counted(n, "run"), keys(r.Removed))
	}
	if r.Running > 0 {
		a.talk("kappa: %s under way in the file: left out", counted(r.Running, "attempt"))
	}
	a.sayMissing(r.Missing)
}
