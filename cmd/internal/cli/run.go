package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

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
	memory                  string
	recordDiff              bool
	limit                   int64 // of memory, in bytes; 0: none
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

A run that would take more than --memory-limit is refused before anything starts; those that fit
alone but not beside others wait. Where the process nears the limit nevertheless, the newest run is
stopped and recorded as failed. A run that goes on 10 s after its --timeout is recorded as out of
time, and left behind.

With each run are recorded the commit, a digest and the size of what git diff HEAD says (its text
only with --record-diff), the machine, the kernel, the versions, and the command line without the
passwords and tokens of addresses.

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
	f.IntVarP(&o.jobs, "jobs", "j", 0, "`N` runs at once (default: one per core)")
	f.BoolVar(&o.failFast, "fail-fast", false, "start no further run after the first failure")
	f.BoolVarP(&o.force, "force", "f", false, "repeat finished runs, and overwrite a report that kappa did not write")
	f.DurationVar(&o.timeout, "timeout", 0, "`TIME` limit of each run, such as 10m")
	f.StringVar(&o.memory, "memory-limit", defaultMemory, "`SIZE` of memory that may be taken: 2GiB, a part of the machine's, or 0 for any")
	f.IntVar(&o.retries, "retries", 0, "`N` further attempts at a run that fails")
	f.StringArrayVarP(&o.tags, "tag", "t", nil, "`TAG` recorded with each run (repeatable)")
	f.StringVarP(&o.note, "note", "m", "", "`TEXT` recorded with each run")
	f.BoolVar(&o.recordDiff, "record-diff", false, "record the text of uncommitted changes, at most 1 MiB: it can hold secrets")
	f.BoolVar(&o.noReport, "no-report", false, "record, and leave the report as it is")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "say nothing but what goes wrong")
	f.BoolVar(&o.asJSON, "json", false, "write a summary as JSON instead of progress")
	return c
}

func (o *runFlags) parse() error {
	switch {
	case o.jobs < 0:
		return badJobs(o.jobs)
	case o.retries < 0:
		return usagef("", "--retries %d: a number from 0 is accepted", o.retries)
	case slices.ContainsFunc(o.tags, func(tag string) bool { return strings.TrimSpace(tag) == "" }):
		return usagef("", "--tag %q: a word is accepted", "")
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
	Elsewhere   int           `json:"elsewhere"` // being executed by another process
	LeftOut     int           `json:"left_out"`
	Interrupted int           `json:"interrupted"`
	Left        int           `json:"left"`
	Seconds     float64       `json:"seconds"`
	Predicted   *float64      `json:"predicted_seconds"` // null: not known
	Failures    []failedRun   `json:"failures"`
	Report      *reportResult `json:"report"`
}

type failedRun struct {
	Run    string `json:"run"`
	Status string `json:"status"`
	Error  string `json:"error"`
}

func (a *app) run(ctx context.Context, args []string, o runFlags) (err error) {
	a.hushed = o.quiet
	if o.limit, err = memoryLimit(o.memory, a.env.total()); err != nil {
		return a.refused(o.asJSON, err)
	}
	defer boundedMemory(o.limit)()
	frugal := a.roomyCollector()
	defer frugal()
	files := &runDatabases{app: a, dry: o.dry, unwritable: make(map[string]error)}
	plans, err := a.prepareRun(ctx, args, &o, files)
	if err != nil {
		return a.refused(o.asJSON, err)
	}
	if o.dry {
		return a.listPlans(plans, o.asJSON)
	}
	writing := &databases{opener: files.write}
	defer func() {
		for _, db := range writing.open {
			a.tellNotices(db)
		}
		err = joined(err, writing.close())
	}()
	var outcomes []outcome
	for _, p := range plans {
		db, e := writing.get(ctx, a.dbPathFor(p.file.Root))
		if e != nil {
			return joined(err, e)
		}
		if p.todo() > 0 {
			frugal() // computing is predicted to take so much memory, and no more
		}
		out, e := a.runOne(ctx, db, p, o)
		outcomes = append(outcomes, out)
		err = joined(err, e)
		if ctx.Err() != nil || exitCode(e, exitOK) == exitDatabase {
			break // the next spec would meet the same
		}
	}
	if o.asJSON {
		err = joined(err, a.writeJSON(outcomes))
	}
	return err
}

// prepareRun does everything that comes before any work: it changes nothing but the schema of an older database.
func (a *app) prepareRun(ctx context.Context, args []string, o *runFlags, files *runDatabases) (plans []planned, err error) {
	targets, err := a.load(ctx, args, o.specFlags)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(a.check(ctx, targets), o.named(targets)); err != nil {
		return nil, err
	}
	if o.force { // nothing that was remembered counts
		for _, t := range targets {
			t.data.digests = nil
		}
	}
	reading := &databases{opener: files.read}
	defer func() { err = joined(err, reading.close()) }()
	plans, err = a.decideAll(ctx, targets, reading, o)
	if err != nil {
		return nil, err
	}
	for _, p := range plans {
		if p.todo() > 0 {
			if err := files.unwritable[a.dbPathFor(p.file.Root)]; err != nil {
				return nil, err
			}
		}
	}
	return plans, nil
}

// runDatabases opens databases as run needs them.
type runDatabases struct {
	app        *app
	dry        bool
	unwritable map[string]error // path → why it could only be opened for reading
}

// read opens a database before the work. One that exists is opened for writing, which brings it up to date; one that does not
// is made only when everything has been found good; one that cannot be written suffices where there is nothing to do.
func (r *runDatabases) read(ctx context.Context, path string) (*store.DB, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || r.dry {
		return r.app.openOrEmpty(ctx, path)
	}
	db, err := r.app.openShared(ctx, path)
	if err == nil || ctx.Err() != nil {
		return db, err
	}
	db, readErr := store.OpenReadOnly(ctx, path)
	if readErr != nil {
		return nil, err
	}
	r.unwritable[path] = err
	return db, nil
}

// write opens a database for the work.
func (r *runDatabases) write(ctx context.Context, path string) (*store.DB, error) {
	if r.unwritable[path] != nil {
		return r.app.noticed(store.OpenReadOnly(ctx, path))
	}
	return r.app.openShared(ctx, path)
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
			foreign, err := runner.Unpublished(t.spec, t.set, t.digests)
			if err != nil {
				return nil, err
			}
			for _, name := range foreign {
				a.talk("kappa: %s: the files of data set %s are not the published ones, and are used as they are; `kappa data verify %s` says which", t.spec.Name, name, name)
			}
			if !o.noReport && len(t.set) == 0 {
				errs = append(errs, a.canReport(t, o.force))
			}
			if err := a.foretell(ctx, db, &p, o.jobs); err != nil {
				return nil, err
			}
			if err := a.overMemory(p, o.limit); err != nil {
				errs = append(errs, err)
			} else if err := runner.CheckData(ctx, p.plan, p.data); err != nil {
				errs = append(errs, asUsage(err))
			}
		}
		plans = append(plans, p)
	}
	if len(errs) == 0 {
		errs = append(errs, o.found(plans))
	}
	return plans, errors.Join(errs...)
}

// openShared opens a database for runs, which other processes may be recording too.
func (a *app) openShared(ctx context.Context, path string) (*store.DB, error) {
	return a.noticed(store.Open(ctx, path, store.Options{Now: a.env.Now, Share: true}))
}

// openWrite opens a database for a change.
func (a *app) openWrite(ctx context.Context, path string) (*store.DB, error) {
	return a.noticed(store.Open(ctx, path, store.Options{Now: a.env.Now}))
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
