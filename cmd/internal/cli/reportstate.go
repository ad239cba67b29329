package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"kappa/reports"
	"kappa/store"
)

// reportPath is where a spec's report lies.
func (t *target) reportPath() string { return filepath.Join(t.file.Dir, t.spec.Name+".md") }

// filesFolder is where the figures and the data of a spec's report lie.
func (t *target) filesFolder() string { return filepath.Join(t.file.Dir, t.spec.Name+"_files") }

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
		Bytes  int    `json:"bytes"` // up to Provenance
		SHA256 string `json:"sha256"`
	} `json:"report"`
	Files []struct {
		Name   string `json:"name"`
		SHA256 string `json:"sha256"`
	} `json:"files"`
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
	data, err := os.ReadFile(filepath.Join(t.filesFolder(), "manifest.json"))
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
	case m.Spec.SHA256 != t.spec.Hash, !slices.Equal(m.Runs, t.plan.Keys()):
		return "stale"
	case t.tampered(text, m):
		return "changed"
	case s.missing+s.running == 0 && strings.Contains(string(text[:m.Report.Bytes]), "**Partial report:**"):
		return "stale"
	}
	return "present"
}

// tampered says whether the files of a report are no longer those that the manifest names.
func (t *target) tampered(text []byte, m manifestFile) bool {
	differs := func(data []byte, want string) bool {
		sum := sha256.Sum256(data)
		return hex.EncodeToString(sum[:]) != want
	}
	if len(text) < m.Report.Bytes || differs(text[:m.Report.Bytes], m.Report.SHA256) {
		return true
	}
	for _, f := range m.Files {
		if f.Name != filepath.Base(f.Name) {
			continue // not of our making
		}
		data, err := os.ReadFile(filepath.Join(t.filesFolder(), f.Name))
		if err != nil || differs(data, f.SHA256) {
			return true
		}
	}
	return false
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
	switch err := tryWrite(t.file.Dir, longest); {
	case errors.Is(err, syscall.ENAMETOOLONG):
		return failf("shorten the name, or give --no-report", "write report: the name of %s is too long", shown(a.cwd, filepath.Join(t.file.Dir, longest)))
	case errors.Is(err, fs.ErrPermission):
		return failf("make the folder writable, or give --no-report", "write report %s: %v", shown(a.cwd, t.reportPath()), cause(err))
	case err != nil:
		return failf("--no-report records the runs alone", "write report %s: %v", shown(a.cwd, t.reportPath()), cause(err))
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
	if doc != nil && !db.ReadOnly() && (executed > 0 || result.State == "written") {
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
