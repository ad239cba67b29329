package cli

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kappa/store"
)

func (a *app) runsShowCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show RUN", Short: "Everything about one run", Args: cobra.ExactArgs(1),
		Long: `Shows a run's parameters, where and when it was computed, its figures, what its trace and its
attacks came to, and its log. RUN is a key or its first digits.`,
		RunE: run(func(ctx context.Context, args []string) error {
			db, err := a.openRead(ctx)
			if err != nil {
				return err
			}
			defer db.Close()
			row, err := db.SelectOne(ctx, args[0])
			if err != nil {
				return err
			}
			s := &sheet{ctx: ctx, db: db, row: row}
			if s.outcome, err = db.Outcome(ctx, row.Key); err != nil {
				return err
			}
			if err := s.collect(); err != nil {
				return err
			}
			if asJSON {
				return s.writeJSON(a)
			}
			return s.write(a)
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// sheet is one run on a page: sections of small tables.
type sheet struct {
	ctx      context.Context //nolint:containedctx // the sheet lives as long as the command
	db       *store.DB
	row      store.RunRow
	outcome  store.Outcome
	sections []section

	laterLogs [][]any // attempt, status and log of those after the attempt that is shown, whose figures stand
}

type section struct {
	title string
	grid  *grid
}

// collect gathers the sections.
func (s *sheet) collect() error {
	r := s.row
	about := &grid{columns: []string{"what", "value"}}
	for _, f := range [][2]string{
		{"run", r.Key},
		{"experiment", r.Experiment},
		{"status", string(r.Status)},
		{"reason", r.Reason},
		{"error", r.Error},
		{"method", r.Method},
		{"model", r.Model},
		{"primary", side(r.PrimaryDataset, r.PrimaryClass)},
		{"harmful", side(r.HarmfulDataset, r.HarmfulClass)},
		{"attempt", fmt.Sprint(r.Attempt)},
		{"tags", strings.Join(r.Tags, ", ")},
		{"note", r.Note},
	} {
		if f[1] != "" {
			about.add(f[0], f[1])
		}
	}
	s.add("", about)
	for _, q := range []struct{ title, sql string }{
		{"depends on", "SELECT d.what, d.needs AS run, r.method, r.status FROM dependencies AS d LEFT JOIN runs AS r ON r.key = d.needs WHERE d.run = :run ORDER BY d.what DESC"},
		{"parameters", "SELECT path, coalesce(text, number) AS value FROM params WHERE run = :run ORDER BY path"},
		{"provenance", `SELECT * FROM (SELECT started, finished, wall_seconds, cpu_seconds, engine_version, go_version, kernel, cpu, os,
			git_commit, git_dirty, argv FROM runs WHERE key = :run)`},
		{"attempts", "SELECT attempt, status, reason, error, started, finished FROM attempts WHERE run = :run ORDER BY attempt"},
	} {
		rows, err := s.db.Query(s.ctx, q.sql, store.QueryOptions{Params: map[string]any{"run": r.Key}})
		if err != nil {
			return err
		}
		g := &grid{columns: rows.Columns, rows: rows.Values}
		if q.title == "provenance" {
			g = upright(g)
		}
		if q.title != "attempts" || len(g.rows) > 1 {
			s.add(q.title, g)
		}
	}
	later, err := s.db.Query(s.ctx, `SELECT attempt, status, log FROM attempts
		WHERE run = :run AND attempt > :shown AND coalesce(log, '') <> '' ORDER BY attempt`,
		store.QueryOptions{Params: map[string]any{"run": r.Key, "shown": r.Attempt}})
	if err != nil {
		return err
	}
	s.laterLogs = later.Values
	s.results()
	s.conditions()
	s.trace()
	s.attacks()
	return nil
}

func (s *sheet) add(title string, g *grid) {
	if len(g.rows) > 0 {
		s.sections = append(s.sections, section{title, g})
	}
}

// upright turns one wide row into lines, leaving out what is NULL.
func upright(g *grid) *grid {
	out := &grid{columns: []string{"what", "value"}}
	for _, row := range g.rows {
		for i, v := range row {
			if v != nil {
				out.add(g.columns[i], v)
			}
		}
	}
	return out
}

func (s *sheet) results() {
	r := s.outcome.Result
	if r == nil {
		return
	}
	g := &grid{columns: []string{"figure", "rank protocol", "ridge protocol"}}
	g.add("RIR", r.RIR, r.RIRRidge)
	g.add("κ(H_H) ratio", r.RatioHarmful, r.RatioHarmfulRidge)
	g.add("κ(H_P) ratio", r.RatioPrimary, r.RatioPrimaryRidge)
	g.add("definition 3.1 (a) κ(H_H) up", verdict(r.DefA, r.RatioHarmful), verdict(r.DefARidge, r.RatioHarmfulRidge))
	g.add("definition 3.1 (b) κ(H_P) not up", verdict(r.DefB, r.RatioPrimary), verdict(r.DefBRidge, r.RatioPrimaryRidge))
	s.add("results", g)
	more := &grid{columns: []string{"what", "value"}}
	base := "θ = I"
	if r.Deep {
		base = "θ_0"
	} else if r.Unbounded {
		more.add("ceiling", fmt.Sprintf("unbounded (freedom %d)", r.Freedom))
	} else {
		more.add("ceiling", r.Ceiling)
	}
	if !r.Deep {
		more.add("κ(θ)", r.KappaTheta)
	}
	for _, f := range []struct {
		what  string
		value float64
	}{{"bound of RIR at κ(θ)", r.Bound}, {"ln RIR / ln ceiling", r.Reached}, {"ln RIR / ln bound", r.ReachedBound}} {
		if !math.IsNaN(f.value) {
			more.add(f.what, f.value)
		}
	}
	more.add("loss on D_P", r.LossPrimary)
	if !math.IsNaN(r.LossBase) {
		more.add("loss on D_P with "+base, r.LossBase)
	}
	if !r.Deep {
		more.add("definition 3.1 (c) loss kept", verdict(r.DefC, r.LossPrimary))
	}
	more.add("steps", r.Steps)
	if r.RidgeDominated {
		more.add("ridge protocol", "ridge-dominated: σ_min is the ridge itself, the ratios follow σ_max")
	}
	s.add("", more)
}

// verdict is nothing where the figure that it rests on is missing, as in the view results.
func verdict(holds bool, figure float64) any {
	switch {
	case math.IsNaN(figure) || math.IsInf(figure, 0):
		return nil
	case holds:
		return "yes"
	}
	return "no"
}

// conditions shows the condition numbers of the first and the last recorded step.
func (s *sheet) conditions() {
	first, last := math.MaxInt, -1
	for _, c := range s.outcome.Conditions {
		first, last = min(first, c.Step), max(last, c.Step)
	}
	g := &grid{columns: []string{"step", "task", "protocol", "κ", "σ_max", "σ_min", "rank", "remarks"}}
	for _, step := range slices.Compact([]int{first, last}) {
		for _, c := range s.outcome.Conditions {
			if c.Step != step {
				continue
			}
			var remarks []string
			for name, on := range map[string]bool{
				"ridge-dominated": c.RidgeDominated, "degenerate": c.Degenerate, "rank-unclear": c.RankUnclear, "unresolved": c.Unresolved,
			} {
				if on {
					remarks = append(remarks, name)
				}
			}
			slices.Sort(remarks)
			g.add(c.Step, c.Task, c.Protocol, c.Kappa, c.SigmaMax, c.SigmaMin, c.Rank, strings.Join(remarks, ", "))
		}
	}
	s.add("condition numbers, first and last recorded step", g)
}

// trace shows each metric's first, last and extreme values.
func (s *sheet) trace() {
	type span struct {
		n                     int
		first, last, low, top float64
	}
	var names []string
	spans := make(map[string]*span)
	for _, m := range s.outcome.Metrics {
		p, ok := spans[m.Name]
		if !ok {
			p = &span{first: m.Value, low: m.Value, top: m.Value}
			spans[m.Name] = p
			names = append(names, m.Name)
		}
		p.n++
		p.last, p.low, p.top = m.Value, min(p.low, m.Value), max(p.top, m.Value)
	}
	g := &grid{columns: []string{"metric", "points", "first", "last", "least", "greatest"}}
	for _, name := range names {
		p := spans[name]
		g.add(name, p.n, p.first, p.last, p.low, p.top)
	}
	s.add("trace", g)
}

// attacks shows where each attacker stood at the end.
func (s *sheet) attacks() {
	type id struct{ attacker, task string }
	var order []id
	last := make(map[id]store.AttackPoint)
	for _, p := range s.outcome.Attacks {
		k := id{p.Attacker, p.Task}
		old, ok := last[k]
		if !ok {
			order = append(order, k)
		}
		if !ok || p.Step >= old.Step {
			last[k] = p
		}
	}
	g := &grid{columns: []string{"attacker", "task", "steps", "loss", "excess", "norm ratio", "accuracy"}}
	for _, k := range order {
		p := last[k]
		g.add(k.attacker, k.task, p.Step, blank(p.Loss), blank(p.Excess), blank(p.NormRatio), blank(p.Accuracy))
	}
	s.add("attacks, last step", g)
}

// blank is nothing where a figure does not apply.
func blank(x float64) any {
	if math.IsNaN(x) {
		return nil
	}
	return x
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
	if log := strings.TrimSpace(s.outcome.Log); log != "" {
		fmt.Fprintf(a.env.Stdout, "\nlog\n%s\n", log)
	}
	for _, l := range s.laterLogs {
		fmt.Fprintf(a.env.Stdout, "\nlog of attempt %v, %v\n%v\n", l[0], l[1], strings.TrimSpace(fmt.Sprint(l[2])))
	}
	return nil
}
