package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"kappa/experiments"
	"kappa/reports"
	"kappa/store"
)

// assessed is a spec with where its runs and its report stand.
type assessed struct {
	*target
	present  *reports.Present
	states   map[string]store.State
	runs     standing
	recorded bool // a run of the plan has come to an end
	doc      *reports.Document
	report   reports.Standing
	unbuilt  error // why there is no document to compare with

	unplanned error // why there is no plan
}

// assess holds a spec's report against its manifest, its spec and its runs. Thoroughly, it renders the report in memory; else it does so
// only where the runs' final figures are others than the report was made from.
func (t *target) assess(ctx context.Context, db *store.DB, thorough bool) (*assessed, error) {
	s := &assessed{target: t}
	var err error
	if s.present, err = reports.Look(t.file.Dir, t.spec.Name); err != nil {
		return nil, failf("", "%v", err)
	}
	f := reports.Facts{Spec: t.spec}
	if err := t.makePlan(ctx, db); err != nil {
		if _, broken := errors.AsType[experiments.Problems](err); broken || ctx.Err() != nil || exitCode(err, exitUsage) != exitUsage {
			return nil, err
		}
		f.Unplanned, s.unplanned = err, err // the data are not there, nor is it recorded what they were
		s.unbuilt = errors.New("it is not known which runs those are")
	} else {
		f.Plan = t.plan.Keys()
		if s.states, err = db.States(ctx, f.Plan); err != nil {
			return nil, err
		}
		s.runs = stand(s.states, f.Plan)
		s.recorded = s.runs.done+s.runs.diverged+s.runs.failed > 0
		if !s.recorded {
			s.unbuilt = errors.New("none of its runs is recorded here")
		}
	}
	if s.recorded {
		f.Lacking = lacking(s.states, f.Plan)
	}
	f.Unbuilt = s.unbuilt
	s.report = s.present.Judge(f)
	if s.recorded && (thorough || s.report.State == reports.Current) { // else they would tell nothing new
		if f.Figures, err = db.Figures(ctx, f.Plan); err != nil {
			return nil, err
		}
		s.report = s.present.Judge(f)
	}
	if !s.recorded || !thorough && !s.doubtful() {
		return s, nil
	}
	if s.doc, err = t.build(ctx, db, true); err != nil {
		return nil, asUsage(err)
	}
	f.Document = s.doc
	s.report = s.present.Judge(f)
	return s, nil
}

// doubtful says that nothing is wrong with the report but that its runs have been computed again, perhaps to the same numbers.
func (s *assessed) doubtful() bool {
	for _, r := range s.report.Reasons {
		if r.Kind != reports.BecauseRows {
			return false
		}
	}
	return len(s.report.Reasons) > 0
}

// lacking lists the runs of a plan without a result, and why they have none.
func lacking(states map[string]store.State, keys []string) []reports.Lack {
	var out []reports.Lack
	for _, key := range keys {
		st := states[key]
		if st.Status.Finished() {
			continue
		}
		why := "never run"
		switch {
		case st.Live:
			why = "running"
		case st.Removed:
			why = "removed"
		case st.Lost:
			why = "lost"
		case st.Status == store.TimedOut:
			why = "out of time"
		case st.Status != "":
			why = string(st.Status)
		}
		out = append(out, reports.Lack{Key: key, Why: why})
	}
	return out
}

// countRemoved counts the runs that were removed.
func countRemoved(states map[string]store.State) int {
	n := 0
	for _, st := range states {
		if st.Removed {
			n++
		}
	}
	return n
}

// restoreHint says how removed runs come back.
func restoreHint(experiment string) string {
	return fmt.Sprintf("`kappa runs restore %s` brings its removed runs back", experiment)
}

// hasDatabase says whether there is a database for the target at all.
func (a *app) hasDatabase(t *target) bool {
	_, err := os.Stat(a.dbPathFor(t.file.Root))
	return err == nil
}

// stateText is a report's state with the kinds of the reasons, for a table.
func stateText(s reports.Standing) string {
	text := string(s.State)
	seen := map[string]bool{}
	var kinds string
	for _, r := range s.Reasons {
		if !seen[r.Kind] && r.Kind != reports.BecauseForeign {
			seen[r.Kind] = true
			kinds += ", " + r.Kind
		}
	}
	switch {
	case kinds != "":
		return fmt.Sprintf("%s (%s)", text, kinds[2:])
	case s.State == reports.Current && len(s.Unchecked) > 0:
		return text + " (unchecked)"
	}
	return text
}
