package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"kappa/reports"
	"kappa/store"
)

// reportPath is where a spec's report lies.
func (t *target) reportPath() string { return filepath.Join(t.file.Dir, t.spec.Name+".md") }

// filesFolder is where the figures and the data of a spec's report lie.
func (t *target) filesFolder() string { return filepath.Join(t.file.Dir, t.spec.Name+"_files") }

// foreign refuses to overwrite what kappa did not write, or what somebody has edited since.
func (a *app) foreign(e *reports.ForeignError) error {
	why := "the file is there, and kappa did not write it"
	if e.Edited {
		why = "somebody has edited it since kappa wrote it"
	}
	if e.Unreadable != nil {
		return usagef("settle a merge conflict, or let `kappa report --force` write it anew", "write report: %s cannot be read: %v", shown(a.cwd, e.Path), e.Unreadable)
	}
	return usagef("move it away, or let --force overwrite it", "write report %s: %s", shown(a.cwd, e.Path), why)
}

// canReport finds out before any work what would keep a report from being written after it.
func (a *app) canReport(t *target, force bool) error {
	err := reports.Guard(t.file.Dir, t.spec.Name)
	if foreign, ok := errors.AsType[*reports.ForeignError](err); ok {
		if !force {
			return a.foreign(foreign)
		}
		err = nil
	}
	files := t.filesFolder()
	if info, err := os.Stat(files); err == nil && !info.IsDir() {
		return failf("move it away", "write report %s: %s is no folder", shown(a.cwd, t.reportPath()), shown(a.cwd, files))
	}
	// The longest names, which get longer while they are written.
	names := []string{t.spec.Name + ".md"}
	for _, c := range t.spec.Cells {
		if c.ID != "" {
			names = append(names, "fig-"+c.ID+".svg")
		}
	}
	longest := slices.MaxFunc(names, func(x, y string) int { return cmp.Compare(len(x), len(y)) })
	if err == nil {
		err = tryWrite(t.file.Dir, longest)
	}
	switch {
	case errors.Is(err, syscall.ENAMETOOLONG):
		return failf("shorten the name, or give --no-report", "write report: the name of %s is too long", shown(a.cwd, filepath.Join(t.file.Dir, longest)))
	case errors.Is(err, fs.ErrPermission):
		return failf("make the folder writable, or give --no-report", "write report %s: %v", shown(a.cwd, t.reportPath()), cause(err))
	case err != nil:
		return failf("is the disk full, or mounted for reading only?", "write report %s: %v", shown(a.cwd, t.reportPath()), cause(err))
	}
	return nil
}

// whyNot says why there is no report after a run.
func (p planned) whyNot(s standing) string {
	elsewhere := "1 run is being executed by another process"
	if s.running > 1 {
		elsewhere = fmt.Sprintf("%d runs are being executed by another process", s.running)
	}
	if s.missing == 0 {
		return elsewhere + ", which will write the report when it is done"
	}
	text := fmt.Sprintf("%s of %d missing", runsWord(s.missing), len(p.plan.Runs))
	if s.running > 0 {
		text += ", " + elsewhere
	}
	return fmt.Sprintf("%s; `kappa report %s --partial` renders what there is", text, p.spec.Name)
}

// reportAfterRun renders the report of a plan that has just been executed, if no run is missing, and records the verdicts.
func (a *app) reportAfterRun(ctx context.Context, db *store.DB, p planned, o runFlags, executed int, quiet bool) (*reportResult, error) {
	states, err := db.States(ctx, p.plan.Keys())
	if err != nil {
		return nil, err
	}
	if s := stand(states, p.plan.Keys()); s.missing+s.running > 0 {
		if !quiet {
			a.talk("%s: no report: %s", p.spec.Name, p.whyNot(s))
		}
		return &reportResult{
			Path: shown(a.cwd, p.reportPath()), State: "skipped", Changed: []string{}, Missing: s.missing + s.running, Claims: []claimResult{},
		}, nil
	}
	result, doc, err := a.render(ctx, db, p.target, reportFlags{overwrite: o.force, quiet: o.quiet, asJSON: o.asJSON})
	if missing, ok := errors.AsType[*reports.MissingError](err); ok { // that runs failed has been said
		if !quiet {
			a.talk("%s: no report: %v; `kappa report %s --partial` renders what there is", p.spec.Name, missing, p.spec.Name)
		}
		return result, nil
	}
	if doc != nil && (executed > 0 || result.State == "written" || unrecordedClaims(ctx, db, p.spec.Name, len(doc.Claims))) {
		claims := make([]store.Claim, len(doc.Claims))
		for i, c := range doc.Claims {
			claims[i] = c.Claim
		}
		if e := db.RecordClaims(ctx, p.spec.Name, p.spec.Hash, claims); e != nil && (executed > 0 || !errors.Is(e, store.ErrReadOnly)) {
			err = joined(err, fmt.Errorf("record the verdicts of %s: %w", p.spec.Name, e))
		}
	}
	return result, err
}

// unrecordedClaims says that the database holds no verdict of a spec that has claims: a process that was killed between writing
// the report and recording them leaves that.
func unrecordedClaims(ctx context.Context, db *store.DB, name string, claims int) bool {
	if claims == 0 || db.ReadOnly() {
		return false
	}
	rows, err := db.Query(ctx, "SELECT count(*) FROM claims WHERE experiment = :name", store.QueryOptions{Params: map[string]any{"name": name}})
	return err == nil && rows.Values[0][0] == int64(0)
}
