package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"kappa/experiments"
	"kappa/runner"
	"kappa/store"
)

// runFlags are the flags of run.
type runFlags struct {
	specFlags
	picked
	dry, failFast, force    bool
	noReport, quiet, asJSON bool
	jobs, retries           int
	timeout                 time.Duration
	tags                    []string
	note                    string
}

func (a *app) runCommand() *cobra.Command {
	var o runFlags
	c := &cobra.Command{
		Use: "run SPEC…", Short: "Execute what is missing, then render the report", Args: someSpecs,
		Long: `Executes every run of the specs that the database does not hold yet, records it, and renders
each spec's report beside it. To resume after an interruption, give the same command again:
finished runs are never repeated (but with --force); failed and interrupted ones are.

Everything is checked before the first run. Exit codes: 0 fine (a diverged run is a result),
1 some runs failed, 2 usage or spec error, 3 a claim's verdict is not the expected one,
5 database problem, 130 interrupted.`,
		Example: `  kappa run digits -n                        # what would run, and why
  kappa run digits --only train.method=immunize -j 4
  kappa run digits -S train.steps=100,1000   # beside the spec: recorded, not reported`,
		ValidArgsFunction: a.completeSpecs,
		RunE: run(func(ctx context.Context, args []string) error {
			if err := o.parse(); err != nil {
				return err
			}
			return a.run(ctx, args, o)
		}),
	}
	o.specFlags.register(c, true)
	o.picked.register(c)
	f := c.Flags()
	f.BoolVarP(&o.dry, "dry-run", "n", false, "list what would be executed, and why; change nothing")
	f.IntVarP(&o.jobs, "jobs", "j", 0, "runs at once (default: one per core)")
	f.BoolVar(&o.failFast, "fail-fast", false, "start no further run after the first failure")
	f.BoolVarP(&o.force, "force", "f", false, "repeat finished runs, and overwrite a report that kappa did not write")
	f.DurationVar(&o.timeout, "timeout", 0, "time limit of each run, such as 10m")
	f.IntVar(&o.retries, "retries", 0, "further attempts at a run that fails")
	f.StringArrayVarP(&o.tags, "tag", "t", nil, "tag recorded with each run (repeatable)")
	f.StringVarP(&o.note, "note", "m", "", "note recorded with each run")
	f.BoolVar(&o.noReport, "no-report", false, "record, and leave the report as it is")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "say nothing but what goes wrong")
	f.BoolVar(&o.asJSON, "json", false, "write a summary as JSON instead of progress")
	return c
}

func (o *runFlags) parse() error {
	switch {
	case o.jobs < 0:
		return usagef("", "--jobs %d: a number from 1 is accepted, or 0 for one per core", o.jobs)
	case o.retries < 0:
		return usagef("", "--retries %d: a number from 0 is accepted", o.retries)
	case o.timeout < 0:
		return usagef("", "--timeout %v: a positive duration is accepted, such as 90s or 10m", o.timeout)
	}
	return o.picked.parse()
}

// outcome is what run did for one spec.
type outcome struct {
	Experiment  string        `json:"experiment"`
	Spec        string        `json:"spec"`
	Total       int           `json:"total"`
	Done        int           `json:"done"`
	Diverged    int           `json:"diverged"`
	Failed      int           `json:"failed"`
	Cached      int           `json:"cached"`
	LeftOut     int           `json:"left_out"`
	Interrupted int           `json:"interrupted"`
	Left        int           `json:"left"`
	Seconds     float64       `json:"seconds"`
	Failures    []failedRun   `json:"failures"`
	Report      *reportResult `json:"report"`
}

type failedRun struct {
	Run    string `json:"run"`
	Status string `json:"status"`
	Error  string `json:"error"`
}

func (a *app) run(ctx context.Context, args []string, o runFlags) (err error) {
	targets, err := a.load(args, o.specFlags)
	if err != nil {
		return err
	}
	if err := a.check(ctx, targets); err != nil {
		return err
	}
	// A database that exists is opened for writing, which brings it up to date; one that does not is made only when
	// everything has been found good.
	reading := &databases{opener: func(ctx context.Context, path string) (*store.DB, error) {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || o.dry {
			return openOrEmpty(ctx, path)
		}
		return a.openWrite(ctx, path)
	}}
	defer func() { err = joined(err, reading.close()) }()
	plans, err := a.decideAll(ctx, targets, reading, &o)
	if err != nil {
		return err
	}
	if o.dry {
		return a.listPlans(plans, o.asJSON)
	}
	if err := reading.close(); err != nil {
		return err
	}

	writing := &databases{opener: a.openWrite}
	defer func() { err = joined(err, writing.close()) }()
	var outcomes []outcome
	for _, p := range plans {
		db, e := writing.get(ctx, a.dbPathFor(p.file.Root))
		if e != nil {
			return joined(err, e)
		}
		out, e := a.runOne(ctx, db, p, o)
		outcomes = append(outcomes, out)
		err = joined(err, e)
		if ctx.Err() != nil {
			break
		}
	}
	if o.asJSON {
		err = joined(err, a.writeJSON(outcomes))
	}
	return err
}

// decideAll plans every spec and checks the data of those that have something to do, before any work.
func (a *app) decideAll(ctx context.Context, targets []*target, dbs *databases, o *runFlags) ([]planned, error) {
	var plans []planned
	var errs []error
	for _, t := range targets {
		db, err := dbs.get(ctx, a.dbPathFor(t.file.Root))
		if err != nil {
			return nil, err
		}
		p, err := t.decide(ctx, db, o.force, &o.picked)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if p.todo() > 0 {
			if !o.noReport && len(t.set) == 0 {
				errs = append(errs, a.canReport(t, o.force))
			}
			if err := runner.CheckData(ctx, p.plan, p.data); err != nil {
				errs = append(errs, asUsage(err))
			}
		}
		plans = append(plans, p)
	}
	return plans, errors.Join(errs...)
}

func (a *app) openWrite(ctx context.Context, path string) (*store.DB, error) {
	return store.Open(ctx, path, store.Options{Now: a.env.Now})
}

// todo counts the runs that will be executed.
func (p planned) todo() int {
	n := 0
	for _, d := range p.decisions {
		if d.Execute {
			n++
		}
	}
	return n
}

// runOne executes one plan and renders its report.
func (a *app) runOne(ctx context.Context, db *store.DB, p planned, o runFlags) (outcome, error) {
	out := outcome{Experiment: p.spec.Name, Spec: p.where(), Failures: []failedRun{}}
	quiet := o.quiet || o.asJSON
	if !quiet {
		a.talk("%s", p.sum())
		if p.file.Shipped {
			a.talk("%s: shipped with kappa; report and database go to %s", p.spec.Name, p.file.Dir)
		}
	}
	if err := p.record(ctx, db); err != nil {
		return out, err
	}
	summary, seconds, runErr := a.execute(ctx, db, p, o, quiet)
	out.Total, out.Done, out.Diverged, out.Failed = summary.Total, summary.Done, summary.Diverged, summary.Failed
	out.Cached, out.LeftOut, out.Left, out.Interrupted = summary.Cached, summary.LeftOut, summary.Left, summary.Interrupted
	out.Seconds = seconds
	for _, f := range summary.Failures {
		out.Failures = append(out.Failures, failedRun{f.Run.Key, string(f.Status), fmt.Sprint(f.Err)})
	}
	if ctx.Err() != nil {
		a.talk("kappa: interrupted: %d done, %d left, %d of them cut off; the same command goes on from here",
			summary.Done, summary.Total-summary.Done-summary.Cached-summary.LeftOut-summary.Failed, summary.Interrupted)
		return out, context.Canceled
	}
	if runErr != nil {
		return out, runErr
	}
	var err error
	if summary.Failed > 0 {
		err = &failure{
			code: exitFailed, err: fmt.Errorf("%s: %s failed", p.where(), runsWord(summary.Failed)),
			hint: fmt.Sprintf("`kappa runs list --status %s` lists them, `kappa runs show RUN` has their logs; the same command tries again",
				summary.Failures[0].Status),
		}
	}
	if o.noReport || len(p.set) > 0 {
		return out, err
	}
	result, reportErr := a.reportAfterRun(ctx, db, p, o, summary.Done+summary.Failed, quiet)
	out.Report = result
	return out, joined(err, reportErr)
}

// record tells the database which runs the spec consists of, and the digests of its data.
func (p planned) record(ctx context.Context, db *store.DB) error {
	for ref, digest := range p.digests {
		if err := db.RecordDigest(ctx, ref, digest); err != nil {
			return err
		}
	}
	if len(p.set) > 0 {
		return nil // not this spec's runs
	}
	e := store.Experiment{
		Name: p.spec.Name, Title: p.spec.Title, Source: p.spec.Source, Hash: p.spec.Hash, Bytes: p.spec.Bytes,
		Runs: p.plan.Keys(), Swept: make([]string, len(p.plan.Runs)),
	}
	for i, r := range p.plan.Runs {
		text, err := sweptJSON(r.Swept)
		if err != nil {
			return err
		}
		e.Swept[i] = text
	}
	return db.RecordExperiment(ctx, e)
}

// sweptJSON writes a run's place in the sweep as a JSON object, in the order of the spec.
func sweptJSON(swept []experiments.Assignment) (string, error) {
	g := &grid{}
	var row []any
	for _, s := range swept {
		g.columns = append(g.columns, s.Path)
		row = append(row, s.Value)
	}
	if len(row) == 0 {
		return "{}", nil
	}
	text, err := g.object(row)
	return string(text), err
}

// execute runs a plan and tells people how it goes.
func (a *app) execute(ctx context.Context, db *store.DB, p planned, o runFlags, quiet bool) (runner.Summary, float64, error) {
	jobs := o.jobs
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	var show progress = silence{a.env.Stderr}
	if !quiet {
		show = newProgress(a.env.Stderr, terminalWidth(a.env.Stderr), p.spec.Name, p.todo(), a.env.Now)
	}
	began := a.env.Now()
	summary, err := runner.Run(ctx, p.plan, db, runner.Options{
		Jobs: jobs, Timeout: o.timeout, Retries: o.retries, FailFast: o.failFast, Force: o.force,
		Filter: o.keeps, Tags: o.tags, Note: o.note,
		Data: p.data, Provenance: a.provenance(ctx, p.file.Root), Now: a.env.Now,
		Notify: func(e runner.Event) {
			tellTrouble(show, e)
			show.event(e)
		},
	})
	show.close()
	seconds := a.env.Now().Sub(began).Seconds()
	if !quiet && ctx.Err() == nil && summary.Done+summary.Failed > 0 {
		a.talk("%s: %d done (%d diverged), %d failed, %d cached, in %s", p.spec.Name, summary.Done, summary.Diverged,
			summary.Failed, summary.Cached, roundDuration(time.Duration(seconds*float64(time.Second))))
	}
	return summary, seconds, err
}

// tellTrouble says at once what went wrong with a run, and what to do about it.
func tellTrouble(show progress, e runner.Event) {
	name := short(e.Run.Key)
	if s := sweptText(e.Run.Swept); s != "" {
		name += " (" + s + ")"
	}
	switch {
	case e.Kind == runner.Retried:
		show.line("kappa: run %s: %s, trying again: %v", name, e.Status, e.Err)
	case e.Kind != runner.Finished:
	case e.Status == store.Failed:
		show.line("kappa: run %s: failed: %v\nkappa: hint: `kappa runs show %s` has its log", name, e.Err, short(e.Run.Key))
	case e.Status == store.TimedOut:
		show.line("kappa: run %s: %s\nkappa: hint: a longer --timeout lets it finish", name, e.Reason)
	}
}
