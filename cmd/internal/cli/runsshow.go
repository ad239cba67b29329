package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kappa/store"
)

func (a *app) runsShowCommand() *cobra.Command {
	var all, log, asJSON bool
	c := &cobra.Command{
		Use: "show RUN", Short: "Everything about one run", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeFirst,
		Long: `Shows a run: its parameters, on what and from what it was computed, its figures and condition numbers, what its
trace and its attacks came to, what it needs and what needs it, its files, the experiments and claims it belongs to,
its attempts and its log. --json has every recorded step.

` + selectorHelp,
		Example: "  kappa runs show 3fa0c1\n  kappa runs show 'digits:best(rir)'\n  kappa runs show @1 --log",
		RunE: run(func(ctx context.Context, args []string) error {
			if log && asJSON {
				return usagef("", "runs show: --log and --json exclude each other; the log is part of the JSON")
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
			d, err := db.Dossier(ctx, row.Key)
			if err != nil {
				return err
			}
			s := newSheet(d, all)
			switch {
			case asJSON:
				return s.writeJSON(a)
			case log:
				return s.writeLogs(a)
			}
			return s.write(a)
		}),
	}
	c.Flags().BoolVar(&all, "all", false, "nothing is left out: every module, the whole of every attempt's log")
	c.Flags().BoolVar(&log, "log", false, "write the logs of the run's attempts, and nothing else")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// sheet is one run on a page: sections of small tables.
type sheet struct {
	d        store.Dossier
	all      bool
	sections []section
}

type section struct {
	title string
	grid  *grid
}

// newSheet lays a run out.
func newSheet(d store.Dossier, all bool) *sheet {
	s := &sheet{d: d, all: all}
	s.about()
	s.results()
	s.conditions()
	s.trace()
	s.attacks()
	s.parameters()
	s.provenance()
	s.relations()
	s.attempts()
	return s
}

func (s *sheet) add(title string, g *grid) {
	if len(g.rows) > 0 {
		s.sections = append(s.sections, section{title, g})
	}
}

// pairs is a table of what is not "".
func pairs(list ...text) *grid {
	g := &grid{columns: []string{"what", "value"}}
	for _, t := range list {
		if t.value != "" {
			g.add(t.what, t.value)
		}
	}
	return g
}

func (s *sheet) about() {
	r := s.d.Run
	s.add("", pairs(
		text{"run", r.Key},
		text{"experiment", r.Experiment},
		text{"status", string(r.Status)},
		text{"reason", r.Reason},
		text{"error", r.Error},
		text{"method", r.Method},
		text{"model", r.Model},
		text{"primary", side(r.PrimaryDataset, r.PrimaryClass)},
		text{"harmful", side(r.HarmfulDataset, r.HarmfulClass)},
		text{"seed", seedText(r)},
		text{"attempt", fmt.Sprintf("%d of %d", r.Attempt, len(s.d.Attempts))},
		text{"tags", strings.Join(r.Tags, ", ")},
		text{"note", r.Note},
	))
}

func (s *sheet) parameters() {
	g := &grid{columns: []string{"path", "value"}}
	for _, p := range s.d.Params {
		if p.Number != nil {
			g.add(p.Path, *p.Number)
		} else {
			g.add(p.Path, s.whole(paramText(p)))
		}
	}
	s.add("parameters", g)
}

// whole is a text as it is with --all, else one that does not run over many lines.
func (s *sheet) whole(text string) string {
	const most = 160
	if s.all {
		return text
	}
	return cut(text, most)
}

// provenance shows on what and from what the attempt that is shown was computed.
func (s *sheet) provenance() {
	r, m := s.d.Run, s.d.Made
	took := ""
	if !r.Finished.IsZero() {
		took = fmt.Sprintf("%.3g s, %.3g s of processor time", s.d.Outcome.WallSeconds, s.d.Outcome.CPUSeconds)
	}
	modules := strings.Join(m.Modules, " ")
	if n := len(m.Modules); n > 0 && !s.all {
		modules = fmt.Sprintf("%d; --all lists them", n)
	}
	s.add("provenance", pairs(
		text{"started", utc(r.Started)},
		text{"finished", utc(r.Finished)},
		text{"took", took},
		text{"host", m.Host},
		text{"cpu", m.CPU},
		text{"os", m.OS},
		text{"kernel", m.Kernel},
		text{"engine version", fmt.Sprint(r.EngineVersion)},
		text{"go version", m.GoVersion},
		text{"modules", modules},
		text{"git commit", commitText(m)},
		text{"uncommitted", diffText(m)},
		text{"primary data", s.d.PrimaryDigest},
		text{"harmful data", s.d.HarmfulDigest},
		text{"θ's key", s.d.TrainKey},
		text{"command", s.whole(commandText(m.Argv))},
	))
}

// utc is a time to the second; "" for none.
func utc(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// relations shows what else the run has to do with.
func (s *sheet) relations() {
	for _, way := range []struct {
		title string
		list  []store.Relative
	}{{"depends on", s.d.Depends}, {"needed by", s.d.Dependents}} {
		const few = 10
		g := &grid{columns: []string{"what", "run", "method", "status"}}
		for i, r := range way.list {
			if i == few && !s.all {
				way.title += fmt.Sprintf(" (the first %d of %d; --all lists them)", few, len(way.list))
				break
			}
			status := string(r.Status)
			if r.Removed {
				status = "removed"
			}
			g.add(r.What, r.Key, r.Method, status)
		}
		s.add(way.title, g)
	}
	g := &grid{columns: []string{"file", "bytes", "SHA-256", "path"}}
	for _, f := range s.d.Outcome.Artifacts {
		path := f.Path
		if !s.all {
			path = strings.Replace(path, s.d.Run.Key, short(s.d.Run.Key)+"…", 1)
		}
		g.add(f.Name, f.Bytes, short(f.Digest), path)
	}
	s.add("artifacts", g)
	g = &grid{columns: []string{"experiment", "version", "current", "place", "swept"}}
	for _, m := range s.d.Experiments {
		g.add(m.Name, short(m.Hash), map[bool]string{true: "yes", false: "no"}[m.Current], fmt.Sprintf("%d of %d", m.Ordinal, m.Runs), s.whole(m.Swept))
	}
	s.add("experiments", g)
	g = &grid{columns: []string{"experiment", "claim", "verdict", "value", "runs behind it"}}
	for _, c := range s.d.Claims {
		var value any
		if c.Value != nil {
			value = *c.Value
		}
		g.add(c.Experiment, c.ID, c.Verdict, value, c.Runs)
	}
	s.add("claims", g)
}

// attempts lists all of them, where there are several or the only one says something that is not said above.
func (s *sheet) attempts() {
	if len(s.d.Attempts) < 2 {
		return
	}
	g := &grid{columns: []string{"attempt", "status", "reason", "started", "seconds", "host", "error"}}
	for _, t := range s.d.Attempts {
		reason := t.Reason
		if t.Shown {
			reason = strings.TrimSpace(reason + " (shown)")
		}
		first, _, _ := strings.Cut(t.Error, "\n")
		g.add(t.Number, string(t.Status), reason, utc(t.Started), t.WallSeconds, t.Host, s.whole(first))
	}
	s.add("attempts", g)
}

func (s *sheet) write(a *app) error {
	for i, part := range s.sections {
		if i > 0 {
			fmt.Fprintln(a.env.Stdout)
		}
		if part.title != "" {
			fmt.Fprintf(a.env.Stdout, "%s\n", part.title)
		}
		if err := a.list(part.grid, false); err != nil {
			return err
		}
	}
	for _, t := range s.d.Attempts {
		log := strings.TrimSpace(visible(t.Log, "\n\t"))
		if log == "" || t.Number < s.d.Run.Attempt && !s.all {
			continue
		}
		title := "log"
		if !t.Shown {
			title = fmt.Sprintf("log of attempt %d, %s", t.Number, t.Status)
		}
		fmt.Fprintf(a.env.Stdout, "\n%s\n%s\n", title, s.tail(log))
	}
	return nil
}

// tail is the end of a log; with --all the whole.
func (s *sheet) tail(log string) string {
	const most = 40
	lines := strings.Split(log, "\n")
	if n := len(lines) - most; n > 0 && !s.all {
		return fmt.Sprintf("… %d earlier lines; --log writes them\n%s", n, strings.Join(lines[n:], "\n"))
	}
	return log
}

// writeLogs writes the logs alone, each under a line of its own where there are several.
func (s *sheet) writeLogs(a *app) error {
	for _, t := range s.d.Attempts {
		log := strings.TrimRight(visible(t.Log, "\n\t"), "\n")
		if len(s.d.Attempts) > 1 {
			log = strings.TrimSpace(fmt.Sprintf("attempt %d, %s\n%s", t.Number, t.Status, log))
		}
		if log == "" {
			continue
		}
		if _, err := fmt.Fprintln(a.env.Stdout, log); err != nil {
			return failf("", "write the log: %w", err)
		}
	}
	return nil
}
