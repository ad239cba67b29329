package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kappa/store"
)

func (a *app) runsCommand() *cobra.Command {
	return group("runs", "Recorded runs: list them, look at one, compare two, take its θ, tag and remove them",
		a.runsListCommand(), a.runsShowCommand(), a.runsDiffCommand(), a.runsThetaCommand(), a.runsTagCommand(), a.runsNoteCommand(),
		a.runsRemoveCommand(), a.runsRestoreCommand())
}

func (a *app) runsListCommand() *cobra.Command {
	var filter store.Filter
	var status, since string
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List runs, the latest first", Args: cobra.NoArgs,
		Long: `Lists recorded runs, the latest attempt first; a run shows its latest finished attempt,
else its latest. "kappa query" asks for anything else.`,
		Example: `  kappa runs list --status failed
  kappa runs list --experiment digits --method immunize --limit 10
  kappa runs list --tag baseline --since 7d`,
		RunE: run(func(ctx context.Context, _ []string) (err error) {
			known := []store.Status{store.Running, store.Done, store.Diverged, store.Failed, store.TimedOut, store.Interrupted}
			if filter.Status = store.Status(status); status != "" && !slices.Contains(known, filter.Status) {
				return usagef("", "--status %q: %s are accepted", status, joinStatuses(known))
			}
			if filter.Limit < 0 {
				return usagef("", "--limit %d: a number of runs from 1 is accepted, or 0 for all", filter.Limit)
			}
			if filter.Since, err = moment(since, a.env.Now()); err != nil {
				return usagef("", "--since %q: %w", since, err)
			}
			db, err := a.openRead(ctx)
			if err != nil {
				return err
			}
			defer db.Close()
			rows, err := db.RunsList(ctx, filter)
			if err != nil {
				return err
			}
			if err := a.list(runsGrid(rows, asJSON), asJSON); err != nil || len(rows) > 0 || asJSON {
				return err
			}
			return a.sayNoRuns(ctx, db, filter)
		}),
	}
	f := c.Flags()
	f.StringVar(&filter.Experiment, "experiment", "", "only runs of the experiment `NAME`")
	f.StringVar(&status, "status", "", "only runs in the `STATUS`: running, done, diverged, failed, timeout, interrupted")
	f.StringVar(&filter.Method, "method", "", "only runs of the `METHOD`")
	f.StringVar(&filter.Tag, "tag", "", "only runs with the `TAG`")
	f.StringVar(&since, "since", "", "only runs begun within a `TIME` ago, such as 2h or 7d, or since a date, such as 2026-03-01")
	f.BoolVar(&filter.Removed, "removed", false, "the removed runs instead of the others")
	f.IntVar(&filter.Limit, "limit", 50, "the latest `N`; 0 = all")
	f.BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// moment reads a time: so long before now (90m, 2h, 7d), or a date or a time of day in the local zone.
func moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := age(text); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", time.DateTime, time.RFC3339} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("90m, 2h, 7d, 2026-03-01 or 2026-03-01T15:04 are accepted")
}

// age reads a duration, of which days are a unit too; a bare 0 is none.
func age(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n float64
		if n, err = strconv.ParseFloat(days, 64); err == nil && n < 36500 { // NaN is not
			d = time.Duration(n * 24 * float64(time.Hour))
		} else if err == nil {
			err = strconv.ErrRange
		}
	}
	if err != nil || d < 0 {
		return 0, errors.New("a duration such as 90m, 12h or 30d is accepted")
	}
	return d, nil
}

// runsGrid shows whole keys and every column in JSON, and what fits a line in a table.
func runsGrid(rows []store.RunRow, whole bool) *grid {
	if whole {
		g := &grid{columns: []string{
			"run", "experiment", "status", "reason", "method", "model", "primary", "harmful", "seed", "attempt",
			"started", "finished", "seconds", "engine", "error", "tags", "note", "removed",
		}}
		for _, r := range rows {
			g.add(r.Key, r.Experiment, string(r.Status), r.Reason, r.Method, r.Model, side(r.PrimaryDataset, r.PrimaryClass),
				side(r.HarmfulDataset, r.HarmfulClass), optional(r.Seed), r.Attempt, r.Started, r.Finished, r.WallSeconds,
				r.EngineVersion, r.Error, r.Tags, r.Note, r.Removed)
		}
		return g
	}
	g := &grid{columns: []string{"run", "experiment", "method", "primary", "harmful", "seed", "status", "reason", "finished", "seconds"}}
	tagged := slices.ContainsFunc(rows, func(r store.RunRow) bool { return len(r.Tags) > 0 })
	removed := slices.ContainsFunc(rows, func(r store.RunRow) bool { return !r.Removed.IsZero() })
	if tagged {
		g.columns = append(g.columns, "tags")
	}
	if removed {
		g.columns = append(g.columns, "removed")
	}
	for _, r := range rows {
		seed := ""
		if r.Seed != nil {
			seed = fmt.Sprint(*r.Seed)
		}
		reason := r.Reason
		if r.Error != "" {
			reason, _, _ = strings.Cut(r.Error, "\n")
		}
		row := []any{
			short(r.Key), r.Experiment, r.Method, side(r.PrimaryDataset, r.PrimaryClass), side(r.HarmfulDataset, r.HarmfulClass),
			seed, string(r.Status), cut(reason, 60), localTime(r.Finished), fmt.Sprintf("%.3g", r.WallSeconds),
		}
		if tagged {
			row = append(row, cut(strings.Join(r.Tags, ", "), 40))
		}
		if removed {
			row = append(row, localTime(r.Removed))
		}
		g.add(row...)
	}
	return g
}

func side(dataset string, class *int64) string {
	if class == nil {
		return dataset
	}
	return fmt.Sprintf("%s %d", dataset, *class)
}

func optional(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

func localTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

func (a *app) runsThetaCommand() *cobra.Command {
	var output, name string
	c := &cobra.Command{
		Use: "theta RUN", Short: "Write a run's θ as a file: .npy, of a net .safetensors", Args: cobra.ExactArgs(1),
		ValidArgsFunction: a.completeFirst,
		Long: `Writes the extractor θ that a run has kept: of a linear one a .npy file that numpy loads (D×D; features
are X·θ), of a net a .safetensors file with its parameters under the names of torchvision and timm. Without -o
it goes to stdout, unless that is a terminal.

` + selectorHelp,
		Example: "  kappa runs theta 3fa0c1 -o theta.npy\n  kappa runs theta 'digits:best(rir)' -o theta.npy\n  kappa runs theta @1 -o immunized.safetensors",
		RunE: run(func(ctx context.Context, args []string) error {
			if output == "" && isTerminal(a.env.Stdout) {
				return usagef("-o theta.npy names a file", "runs theta: the file is not for a terminal")
			}
			if err := a.replaceable(output); err != nil {
				return err
			}
			db, err := a.openRead(ctx)
			if err != nil {
				return err
			}
			defer db.Close()
			row, err := db.SelectOne(ctx, args[0])
			if err != nil {
				return err
			}
			artifact, err := db.Artifact(ctx, row.Key, name)
			if errors.Is(err, store.ErrNotFound) {
				return usagef("`train.keep = \"final\"` keeps it where it is at most 1 MiB, of nets 64 MiB; `kappa run SPEC --force` repeats the run",
					"run %s (%s): it has kept no %s", short(row.Key), row.Status, name)
			}
			if err != nil {
				return err
			}
			data, err := db.ReadArtifact(artifact)
			if err != nil {
				return &failure{code: exitDatabase, err: err, hint: "`kappa run SPEC --force` makes it again; a backup of a database has no artifacts beside it"}
			}
			if output == "" {
				_, err = a.env.Stdout.Write(data)
			} else {
				err = writeFile(onDisk(a.cwd, output), data)
			}
			if err != nil {
				return failf("", "write %s of run %s to %s: %v", name, short(row.Key), output, cause(err))
			}
			return nil
		}),
	}
	c.Flags().StringVarP(&output, "output", "o", "", "write to `FILE`")
	c.Flags().StringVar(&name, "name", "theta", "the `ARTIFACT`: theta, or bias where the method trains one")
	return c
}

func joinStatuses(list []store.Status) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}
