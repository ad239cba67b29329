package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kappa/store"
)

// reportPath is where a spec's report lies.
func (t *target) reportPath() string { return filepath.Join(t.file.Dir, t.spec.Name+".md") }

// foreign refuses to overwrite what kappa did not write.
func (t *target) foreign(path string) error {
	return usagef("move it away, or let --force overwrite it", "write report %s: the file is there, and kappa did not write it", path)
}

// manifestFile is the part of a report's manifest that tells what it was made from.
type manifestFile struct {
	MadeBy string `json:"made_by"`
	Spec   struct {
		SHA256 string `json:"sha256"`
	} `json:"spec"`
	Report struct {
		Bytes int `json:"bytes"`
	} `json:"report"`
	Runs []string `json:"runs"`
}

// existing reads a spec's report and its manifest. text is nil where there is no report, ok false where kappa did not
// write it.
func (t *target) existing() (text []byte, m manifestFile, ok bool, err error) {
	text, err = os.ReadFile(t.reportPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, m, true, nil
	}
	if err != nil {
		return nil, m, false, err
	}
	data, err := os.ReadFile(filepath.Join(t.file.Dir, t.spec.Name+"_files", "manifest.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return text, m, false, err
	}
	if err != nil || json.Unmarshal(data, &m) != nil || m.MadeBy != "kappa" {
		return text, m, false, nil
	}
	return text, m, true, nil
}

// reportState compares a report with what it should be made from, without rendering it again.
func (t *target) reportState(s standing) string {
	text, m, ok, err := t.existing()
	switch {
	case err != nil:
		return cause(err).Error()
	case text == nil:
		return "none"
	case !ok:
		return "not kappa's"
	case m.Spec.SHA256 != t.spec.Hash, !slices.Equal(m.Runs, t.plan.Keys()), len(text) < m.Report.Bytes:
		return "stale"
	case s.missing == 0 && strings.Contains(string(text[:m.Report.Bytes]), "**Partial report:**"):
		return "stale"
	}
	return "present"
}

// canReport finds out before any work what would keep a report from being written after it.
func (a *app) canReport(t *target, force bool) error {
	text, _, ok, err := t.existing()
	if err != nil {
		return failf("", "write report %s: %v", shown(a.cwd, t.reportPath()), cause(err))
	}
	if text != nil && !ok && !force {
		return t.foreign(shown(a.cwd, t.reportPath()))
	}
	files := filepath.Join(t.file.Dir, t.spec.Name+"_files")
	if info, err := os.Stat(files); err == nil && !info.IsDir() {
		return failf("move it away", "write report %s: %s is no folder", shown(a.cwd, t.reportPath()), shown(a.cwd, files))
	}
	if err := tryWrite(t.file.Dir); err != nil {
		return failf("make the folder writable, or give --no-report", "write report %s: %v", shown(a.cwd, t.reportPath()), cause(err))
	}
	return nil
}

// reportAfterRun renders the report of a plan that has just been executed, if no run is missing, and records the verdicts.
func (a *app) reportAfterRun(ctx context.Context, db *store.DB, p planned, o runFlags, executed int, quiet bool) (*reportResult, error) {
	states, err := db.States(ctx, p.plan.Keys())
	if err != nil {
		return nil, err
	}
	if n := stand(states, p.plan.Keys()).missing; n > 0 {
		if !quiet {
			a.talk("%s: no report: %s of %d missing; `kappa report %s --partial` renders what there is",
				p.spec.Name, runsWord(n), len(p.plan.Runs), p.spec.Name)
		}
		return &reportResult{Path: shown(a.cwd, p.reportPath()), State: "skipped", Changed: []string{}, Missing: n, Claims: []claimResult{}}, nil
	}
	result, doc, err := a.render(ctx, db, p.target, reportFlags{force: o.force, quiet: o.quiet, asJSON: o.asJSON})
	if doc != nil && (executed > 0 || result.State == "written") {
		claims := make([]store.Claim, len(doc.Claims))
		for i, c := range doc.Claims {
			claims[i] = c.Claim
		}
		if e := db.RecordClaims(ctx, p.spec.Name, p.spec.Hash, claims); e != nil {
			err = joined(err, fmt.Errorf("record the verdicts of %s: %w", p.spec.Name, e))
		}
	}
	return result, err
}
