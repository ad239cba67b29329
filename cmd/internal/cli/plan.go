package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kappa/experiments"
	"kappa/runner"
	"kappa/store"
)

func (a *app) planCommand() *cobra.Command {
	var flags specFlags
	var pick picked
	var force, asJSON bool
	var jobs int
	c := &cobra.Command{
		Use: "plan SPEC…", Short: "Say for each run whether it would be executed, and why", Args: someSpecs,
		Long: `Lists the runs of specs in order, with the reason why "kappa run" would or would not
execute each: new, failed before, timed out before, interrupted, engine 1 → 2, data changed,
attack added, attacks changed, removed, lost (recorded, and no more in the database), forced, θ_0 lost; done, done (diverged), running elsewhere,
left out. Runs on nets need others to have finished: the pre-training that gives their θ_0, and, to compare attacks with, the same
attacks on θ_0. The column needs lists them; --only, --shard and --failed leave none of them out that is
missing. Then it estimates how long those that would be executed take on this machine, from the runs
that it has recorded.`,
		ValidArgsFunction: a.completeSpecs,
		RunE: run(func(ctx context.Context, args []string) (err error) {
			if err := pick.parse(); err != nil {
				return err
			}
			if jobs < 0 {
				return badJobs(jobs)
			}
			defer a.roomyCollector()()
			targets, err := a.load(ctx, args, flags)
			if err == nil {
				err = errors.Join(a.check(ctx, targets), pick.named(targets))
			}
			dbs := &databases{opener: a.openOrEmpty}
			defer func() { err = joined(err, dbs.close()) }()
			var listing []planned
			for _, t := range targets {
				if err != nil {
					break
				}
				var db *store.DB
				if db, err = dbs.get(ctx, a.dbPathFor(t.file.Root)); err != nil {
					break
				}
				var p planned
				if p, err = t.decide(ctx, db, force, &pick); err == nil {
					err = a.foretell(ctx, db, &p, jobs)
				}
				if err == nil && p.todo() > 0 {
					err = asUsage(runner.CheckNets(ctx, p.plan, p.data))
				}
				listing = append(listing, p)
			}
			if err == nil {
				err = pick.found(listing)
			}
			if err != nil {
				return a.refused(asJSON, err)
			}
			return a.listPlans(listing, asJSON)
		}),
	}
	flags.register(c, true)
	pick.register(c)
	c.Flags().BoolVarP(&force, "force", "f", false, "as if finished runs were to be repeated")
	c.Flags().IntVarP(&jobs, "jobs", "j", 0, "estimate for `N` runs at once (default: one per core)")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

func badJobs(jobs int) error {
	return usagef("", "--jobs %d: a number from 1 is accepted, or 0 for one per core", jobs)
}

// planned is a plan with what would happen to its runs.
type planned struct {
	*target
	decisions []runner.Decision
	forecast  runner.Forecast
	sizes     map[string]runner.Size // of the problems of those that are to be executed
}

// decide plans a target and decides about its runs; what the filters leave out is marked so.
func (t *target) decide(ctx context.Context, db *store.DB, force bool, pick *picked) (planned, error) {
	if err := t.makePlan(ctx, db); err != nil {
		return planned{}, err
	}
	var decisions []runner.Decision
	err := t.await(ctx, t.file.Shown+": looking its runs up", func() (err error) {
		decisions, err = runner.Decide(ctx, t.plan, db, force)
		return err
	})
	if err != nil {
		return planned{}, err
	}
	return planned{target: t, decisions: runner.Select(decisions, pick.keeps)}, nil
}

// listPlans writes the runs of plans to stdout and their sums to stderr.
func (a *app) listPlans(plans []planned, asJSON bool) error {
	if asJSON {
		g := &grid{columns: []string{"experiment", "ordinal", "run", "execute", "reason", "method", "swept", "seconds", "cpu_seconds", "needs"}}
		for _, p := range plans {
			for i, d := range p.decisions {
				seconds, cpu := p.expected(i)
				g.add(p.spec.Name, d.Run.Ordinal, d.Run.Key, d.Execute, string(d.Reason), d.Run.Method(), sweptText(p.spec, d.Run.Swept), seconds, cpu, needs(d.Run))
			}
		}
		return a.list(g, true)
	}
	for i, p := range plans {
		if i > 0 {
			fmt.Fprintln(a.env.Stdout)
		}
		fmt.Fprintf(a.env.Stdout, "%s: %s\n", p.where(), runsWord(len(p.decisions)))
		g := &grid{columns: []string{"run", "will", "why", "what"}}
		dependent := slices.ContainsFunc(p.decisions, func(d runner.Decision) bool { return len(d.Run.Depends) > 0 })
		if dependent {
			g.columns = append(g.columns, "needs")
		}
		for _, d := range p.decisions {
			will := "skip"
			if d.Execute {
				will = "run"
			}
			what := sweptText(p.spec, d.Run.Swept)
			if what == "" {
				what = d.Run.Method()
			}
			row := []any{short(d.Run.Key), will, string(d.Reason), what}
			if dependent {
				row = append(row, needsText(d.Run))
			}
			g.add(row...)
		}
		if err := a.list(g, false); err != nil {
			return err
		}
		a.talk("%s", p.sum())
		if p.forecast.Count > 0 {
			a.talk("%s", p.duration())
		}
		if text := a.memory(p); text != "" {
			a.talk("%s", text)
		}
	}
	if f := together(plans); len(plans) > 1 && f.Count > 0 {
		a.talk("together: %s", forecastText(f))
	}
	return nil
}

// needs lists the keys of the runs that a run needs to have finished.
func needs(run runner.Planned) []string {
	keys := []string{}
	for _, d := range run.Depends {
		keys = append(keys, d.Key)
	}
	return keys
}

// needsText says which runs a run needs, and what for.
func needsText(run runner.Planned) string {
	var parts []string
	for _, d := range run.Depends {
		parts = append(parts, fmt.Sprintf("%s of %s", d.What, short(d.Key)))
	}
	return strings.Join(parts, ", ")
}

// expected is what run i of the plan is expected to take, from its start to its end and of processor time: 0 where it is not to be
// executed, nil where nothing is known.
func (p planned) expected(i int) (seconds, cpu any) {
	if !p.decisions[i].Execute {
		return 0.0, 0.0
	}
	if t := p.forecast.Runs[i]; t.Known {
		return t.Seconds, t.CPUSeconds
	}
	return nil, nil
}

// sum says in one line what will happen to a plan's runs.
func (p planned) sum() string {
	t := tallyOf(p.decisions)
	var parts []string
	todo := 0
	for _, r := range t.reasons {
		parts = append(parts, fmt.Sprintf("%d %s", t.count[r], r))
		if t.execute[r] {
			todo += t.count[r]
		}
	}
	text := fmt.Sprintf("%s: %s, %d to do (%s)", p.spec.Name, runsWord(len(p.decisions)), todo, strings.Join(parts, ", "))
	if n := waiting(p.decisions); n > 0 {
		text += fmt.Sprintf(", %d of them after others", n)
	}
	return text
}

// waiting counts the runs to be executed that need one which has not finished.
func waiting(decisions []runner.Decision) int {
	open := make(map[string]bool)
	for _, d := range decisions {
		open[d.Run.Key] = d.Execute || d.Reason == runner.ReasonElsewhere
	}
	n := 0
	for _, d := range decisions {
		if d.Execute && slices.ContainsFunc(needs(d.Run), func(key string) bool { return open[key] }) {
			n++
		}
	}
	return n
}

func runsWord(n int) string { return counted(n, "run") }

// counted is a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// sweptText writes a run's place in the sweep; the name of a variant stands for what it sets.
func sweptText(spec *experiments.Spec, swept []experiments.Assignment) string {
	var named map[string]bool
	for _, s := range swept {
		if name, ok := s.Value.(string); ok && s.Path == experiments.VariantPath {
			named = spec.Named(name)
		}
	}
	var parts []string
	for _, s := range swept {
		if !named[s.Path] {
			parts = append(parts, fmt.Sprintf("%s=%v", s.Path, s.Value))
		}
	}
	return strings.Join(parts, " ")
}

// short is a key as people see it.
func short(key string) string { return key[:min(12, len(key))] }

// picked are the flags that leave runs out.
type picked struct {
	only   []string
	failed bool
	shard  string

	axes          []experiments.Axis
	variants      []string // names, each of them wanted
	part, modulus int
}

func (p *picked) register(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&p.only, "only", nil, "only runs with `key=value`; \"a=1,2\" takes either, \"variant=NAME\" those of a variant (repeatable: all must hold)")
	f.BoolVar(&p.failed, "failed", false, "only runs that failed, timed out or were interrupted before")
	f.StringVar(&p.shard, "shard", "", "only the `i/n`-th part of the plan, i from 1: divides it between processes that share the database")
}

// parse checks the flags.
func (p *picked) parse() error {
	catalog := runner.Catalog()
	for _, text := range p.only {
		if name, ok := strings.CutPrefix(text, experiments.VariantPath+"="); ok {
			p.variants = append(p.variants, name)
			continue
		}
		axis, err := experiments.ParseSet(text, catalog)
		if err != nil {
			return asUsage(fmt.Errorf("--only: %w", err))
		}
		p.axes = append(p.axes, axis)
	}
	if p.shard != "" {
		i, n, ok := strings.Cut(p.shard, "/")
		part, err1 := strconv.Atoi(i)
		modulus, err2 := strconv.Atoi(n)
		if !ok || err1 != nil || err2 != nil || part < 1 || modulus < part {
			return usagef("", "--shard %q: i/n with 1 ≤ i ≤ n is accepted, such as 1/4", p.shard)
		}
		p.part, p.modulus = part, modulus
	}
	return nil
}

// named checks that each variant asked for is one of some spec.
func (p *picked) named(targets []*target) error {
	var names []string
	for _, t := range targets {
		for _, v := range t.spec.Variants {
			names = append(names, strconv.Quote(v.Name))
		}
	}
	var errs []error
	for _, name := range p.variants {
		switch {
		case len(names) == 0:
			errs = append(errs, usagef("", "--only variant=%s: the spec has no [[variant]]", name))
		case !slices.Contains(names, strconv.Quote(name)):
			errs = append(errs, usagef("the variants are "+strings.Join(names, ", "), "--only variant=%s: there is no such variant", name))
		}
	}
	return errors.Join(errs...)
}

// keeps says whether a run passes the filters.
func (p *picked) keeps(d runner.Decision) bool {
	if p.modulus > 0 && d.Run.Ordinal%p.modulus != p.part-1 {
		return false
	}
	if p.failed {
		switch d.State.Status {
		case store.Failed, store.TimedOut, store.Interrupted, store.Running:
		default:
			return false
		}
	}
	for _, name := range p.variants {
		if !slices.Contains(d.Run.Swept, experiments.Assignment{Path: experiments.VariantPath, Value: name}) {
			return false
		}
	}
	for _, axis := range p.axes {
		got, ok := d.Run.Settings[axis.Path]
		// A whole number may stand as integer or as float on either side: their texts agree.
		if !ok || !slices.ContainsFunc(axis.Values, func(v any) bool { return fmt.Sprint(v) == fmt.Sprint(got) }) {
			return false
		}
	}
	return true
}
