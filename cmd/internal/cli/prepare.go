package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

// load finds and checks specs: every problem of every spec at once.
func (a *app) load(args []string, flags specFlags) ([]*target, error) {
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
		spec, err := experiments.Parse(file.Shown, file.Bytes, catalog)
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
		out = append(out, &target{file: file, spec: spec, set: set, data: data})
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
	t.digests, err = runner.Digests(ctx, t.data, t.spec, t.set, recorded)
	if err != nil {
		return asUsage(fmt.Errorf("%s: %w", t.file.Shown, err))
	}
	t.plan, err = runner.NewPlan(t.spec, t.set, t.digests)
	if err != nil {
		return asUsage(err)
	}
	if len(t.plan.Runs) == 0 {
		return usagef("", "%s: the sweep has no runs", t.file.Shown)
	}
	return nil
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
