package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kappa/experiments"
	"kappa/runner"
	"kappa/store"
)

// target is one spec on its way to a plan.
type target struct {
	file    specFile
	spec    *experiments.Spec
	set     []experiments.Axis // -S
	data    dataFS
	await   func(ctx context.Context, what string, f func() error) error
	plan    *runner.Plan
	digests map[string]string // of the data, by canonical reference
}

// specFlags are the flags of every command that turns specs into plans.
type specFlags struct {
	set   []string
	allow []string
}

func (f *specFlags) register(c *cobra.Command, withSet bool) {
	if withSet {
		c.Flags().StringArrayVarP(&f.set, "set", "S", nil,
			"`key=value` for this call, \"a=1,2\" sweeps (repeatable); recorded, but not reported")
	}
	c.Flags().StringArrayVar(&f.allow, "allow", nil, "let specs read data from `DIR` too (repeatable)")
}

// patience is how long people wait without a word.
const patience = 2 * time.Second

// await waits for f, which may take long and cannot be stopped: it says what it is about after a while, and gives up when ctx
// ends. What f then still writes must not be read.
func (a *app) await(ctx context.Context, what string, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-timer.C:
			if !a.hushed {
				a.talk("%s …", what)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// load finds and checks specs: every problem of every spec at once.
func (a *app) load(ctx context.Context, args []string, flags specFlags) ([]*target, error) {
	catalog := runner.Catalog()
	var errs []error
	var set []experiments.Axis
	for _, text := range flags.set {
		axis, err := experiments.ParseSet(text, catalog)
		if err != nil {
			errs = append(errs, &failure{code: exitUsage, err: fmt.Errorf("--set: %w", err)})
			continue
		}
		set = append(set, axis)
	}
	var files []specFile
	var out []*target
	for _, arg := range args {
		file, err := findSpec(a.cwd, arg)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		files = append(files, file)
		var spec *experiments.Spec
		err = a.await(ctx, file.Shown+": checking every combination of the sweep", func() (err error) {
			spec, err = experiments.Parse(file.Shown, file.Bytes, catalog)
			return err
		})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var allow []string
		for _, dir := range flags.allow {
			allow = append(allow, onDisk(a.cwd, dir))
		}
		data, err := newDataFS(file, dataFolder(a.env), allow)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		data.digests = a.digestsOf(file.Root)
		out = append(out, &target{file: file, spec: spec, set: set, data: data, await: a.await})
	}
	errs = append(errs, uniqueSpecs(files))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return out, nil
}

// asUsage gives an error without a code of its own the code of a spec error.
func asUsage(err error) error {
	if exitCode(err, -1) == -1 {
		return &failure{code: exitUsage, err: err}
	}
	return err
}

// makePlan turns a loaded spec into a plan. Where a data file is not there, its recorded digest stands in.
func (t *target) makePlan(ctx context.Context, db *store.DB) error {
	recorded, err := db.Digests(ctx)
	if err != nil {
		return err
	}
	err = t.await(ctx, t.file.Shown+": reading its data", func() (err error) {
		t.digests, err = runner.Digests(ctx, t.data, t.spec, t.set, recorded)
		return err
	})
	t.data.digests.save()
	if err != nil {
		return asUsage(err)
	}
	err = t.await(ctx, t.file.Shown+": resolving its sweep", func() (err error) {
		t.plan, err = runner.NewPlan(t.spec, t.set, t.digests)
		return err
	})
	if err != nil {
		return asUsage(err)
	}
	if len(t.plan.Runs) == 0 {
		return usagef("", "%s: the sweep has no runs", t.file.Shown)
	}
	return nil
}

// variants resolves a target's sweep.
func (t *target) variants(ctx context.Context) ([]experiments.Combination, error) {
	return t.resolved(ctx, func() ([]experiments.Combination, error) { return t.spec.Combinations(t.set) })
}

// samples resolves as much of a target's sweep as shows every set of swept paths.
func (t *target) samples(ctx context.Context) ([]experiments.Combination, error) {
	return t.resolved(ctx, func() ([]experiments.Combination, error) {
		return t.spec.Samples(t.set, func(string) bool { return false })
	})
}

func (t *target) resolved(ctx context.Context, f func() ([]experiments.Combination, error)) (out []experiments.Combination, err error) {
	err = t.await(ctx, t.file.Shown+": resolving its sweep", func() (err error) {
		out, err = f()
		return err
	})
	if err != nil {
		return nil, asUsage(err)
	}
	return out, nil
}

// databases opens each database once.
type databases struct {
	open   map[string]*store.DB
	opener func(ctx context.Context, path string) (*store.DB, error)
}

func (d *databases) get(ctx context.Context, path string) (*store.DB, error) {
	if db, ok := d.open[path]; ok {
		return db, nil
	}
	db, err := d.opener(ctx, path)
	if err != nil {
		return nil, err
	}
	if d.open == nil {
		d.open = make(map[string]*store.DB)
	}
	d.open[path] = db
	return db, nil
}

func (d *databases) close() error {
	var errs []error
	for _, db := range d.open {
		errs = append(errs, db.Close())
	}
	d.open = nil
	return errors.Join(errs...)
}

// tally counts decisions by reason, in order of first appearance.
type tally struct {
	reasons []runner.Reason
	count   map[runner.Reason]int
	execute map[runner.Reason]bool
}

func tallyOf(decisions []runner.Decision) tally {
	t := tally{count: make(map[runner.Reason]int), execute: make(map[runner.Reason]bool)}
	for _, d := range decisions {
		if t.count[d.Reason] == 0 {
			t.reasons = append(t.reasons, d.Reason)
		}
		t.count[d.Reason]++
		t.execute[d.Reason] = d.Execute
	}
	slices.SortStableFunc(t.reasons, func(x, y runner.Reason) int {
		switch {
		case t.execute[x] == t.execute[y]:
			return 0
		case t.execute[x]:
			return -1
		}
		return 1
	})
	return t
}
