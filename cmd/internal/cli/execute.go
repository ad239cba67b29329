package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"kappa/experiments"
	"kappa/runner"
	"kappa/store"
)

// runOne executes one plan and renders its report.
func (a *app) runOne(ctx context.Context, db *store.DB, p planned, o runFlags) (outcome, error) {
	out := outcome{Experiment: p.spec.Name, Spec: p.where(), Failures: []failedRun{}}
	quiet := o.quiet || o.asJSON
	if !quiet {
		a.talk("%s", p.sum())
		if p.forecast.Count > 0 {
			a.talk("%s", p.duration())
		}
		if p.file.Shipped {
			a.talk("%s: shipped with kappa; report and database go to %s", p.spec.Name, p.file.Dir)
		}
	}
	// A database that cannot be written suffices where there is nothing to do.
	if err := p.record(ctx, db); err != nil && (p.todo() > 0 || !errors.Is(err, store.ErrReadOnly)) {
		return out, err
	}
	summary, elsewhere, seconds, runErr := a.execute(ctx, db, p, o, quiet)
	out.Total, out.Done, out.Diverged, out.Failed = summary.Total, summary.Done, summary.Diverged, summary.Failed
	out.Cached, out.Elsewhere, out.LeftOut = summary.Cached-elsewhere, elsewhere, summary.LeftOut
	out.Left, out.Interrupted = summary.Left, summary.Interrupted
	out.Seconds = seconds
	if f := p.forecast; f.Count > 0 && f.Unknown == 0 {
		out.Predicted = new(f.Wall.Seconds())
	}
	for _, f := range summary.Failures {
		out.Failures = append(out.Failures, failedRun{f.Run.Key, string(f.Status), fmt.Sprint(f.Err)})
	}
	for _, f := range summary.GivenUp {
		a.talk("kappa: run %s was told to stop and has not: it is recorded as %s, and kappa ends without waiting for it", short(f.Run.Key), f.Status)
	}
	if ctx.Err() != nil {
		a.said = true
		a.talk("kappa: interrupted: %d done, %d left, %d of them cut off; the same command goes on from here",
			summary.Done, summary.Total-summary.Done-summary.Cached-summary.LeftOut-summary.Failed, summary.Interrupted)
		if trouble, ok := errors.AsType[*store.Error](runErr); ok {
			return out, joined(trouble, context.Canceled)
		}
		return out, context.Canceled
	}
	if runErr != nil {
		return out, runErr
	}
	var err error
	if summary.Failed > 0 {
		hint := p.afterFailures(summary.Failures)
		if barred(ctx, db, summary.Failures) {
			hint = "what they need has diverged, and is not repeated: change what it is trained with, such as to a smaller learning rate"
		}
		err = &failure{code: exitFailed, err: fmt.Errorf("%s: %s failed", p.where(), runsWord(summary.Failed)), hint: hint}
	}
	if o.noReport || len(p.set) > 0 {
		return out, err
	}
	result, reportErr := a.reportAfterRun(ctx, db, p, o, summary.Done+summary.Failed, quiet)
	out.Report = result
	return out, joined(err, reportErr)
}

// afterFailures says where to look for failed runs. One whose earlier attempt has finished is listed as that.
func (p planned) afterFailures(failures []runner.Failure) string {
	finished := make(map[string]bool)
	for _, d := range p.decisions {
		finished[d.Run.Key] = d.State.Status.Finished()
	}
	for _, f := range failures {
		if !finished[f.Run.Key] {
			return fmt.Sprintf("`kappa runs list --status %s` lists them, `kappa runs show RUN` has their logs; the same command tries again", f.Status)
		}
	}
	return fmt.Sprintf("the figures of earlier attempts stand; `kappa runs show %s` lists the attempts", short(failures[0].Run.Key))
}

// barred says whether every failed run needs one that has diverged, so that the same command would fail again.
func barred(ctx context.Context, db *store.DB, failures []runner.Failure) bool {
	var needed []string
	for _, f := range failures {
		for _, dep := range f.Run.Depends {
			needed = append(needed, dep.Key)
		}
	}
	states, err := db.States(ctx, needed)
	return err == nil && !slices.ContainsFunc(failures, func(f runner.Failure) bool {
		return !slices.ContainsFunc(f.Run.Depends, func(dep runner.Dependency) bool { return states[dep.Key].Status == store.Diverged })
	})
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
	if text, ok := plainJSON(swept); ok {
		return text, nil
	}
	g := &grid{}
	var row []any
	for _, s := range swept {
		g.columns = append(g.columns, s.Path)
		row = append(row, s.Value)
	}
	text, err := g.object(row)
	return string(text), err
}

// plainJSON is sweptJSON of texts and numbers that JSON writes as they are, as nearly all are: a plan may have 100,000 of them.
func plainJSON(swept []experiments.Assignment) (string, bool) {
	room := [256]byte{'{'}
	b := room[:1]
	for i, s := range swept {
		if i > 0 {
			b = append(b, ", "...)
		}
		if !isPlain(s.Path) || slices.ContainsFunc(swept[:i], func(o experiments.Assignment) bool { return o.Path == s.Path }) {
			return "", false
		}
		b = append(append(append(b, '"'), s.Path...), `": `...)
		switch v := s.Value.(type) {
		case int64:
			b = strconv.AppendInt(b, v, 10)
		case string:
			if !isPlain(v) {
				return "", false
			}
			b = append(append(append(b, '"'), v...), '"')
		default:
			return "", false
		}
	}
	return string(append(b, '}')), true
}

// isPlain says whether JSON writes a text as it is.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || strings.IndexByte(`"\<>&`, c) >= 0 {
			return false
		}
	}
	return true
}

// execute runs a plan and tells people how it goes.
func (a *app) execute(ctx context.Context, db *store.DB, p planned, o runFlags, quiet bool) (summary runner.Summary, elsewhere int, seconds float64, err error) {
	jobs := o.jobs
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	var show progress = silence{a.env.Stderr}
	if !quiet {
		show = newProgress(a.env.Stderr, func() int { return terminalWidth(a.env.Stderr) }, p.spec.Name, p.todo(), a.env.Now)
	}
	for _, d := range p.decisions {
		if d.Reason == runner.ReasonElsewhere {
			elsewhere++
		}
	}
	began := a.env.Now()
	var provenance store.Provenance
	decided := p.decisions
	if p.todo() > 0 { // others may have been at it since
		provenance, decided = a.provenance(ctx, p.file.Root, o.recordDiff), nil
	}
	summary, err = runner.Run(ctx, p.plan, db, runner.Options{
		Jobs: jobs, Forecast: &p.forecast, Timeout: o.timeout, Retries: o.retries, FailFast: o.failFast, Force: o.force,
		Filter: o.keeps, Tags: o.tags, Note: o.note,
		MemoryLimit: o.limit, Sizes: p.sizes, Resident: a.env.Resident, Relieve: debug.FreeOSMemory,
		Data: p.data, Provenance: provenance, Decisions: decided, Now: a.env.Now, CPU: a.env.CPU,
		Notify: func(e runner.Event) {
			if e.Kind == runner.Finished && e.Reason == string(runner.ReasonElsewhere) && e.Status == store.Running {
				elsewhere++
			}
			if e.Kind == runner.Arrived {
				elsewhere--
			}
			tellTrouble(show, p.spec, e)
			show.event(e, elsewhere)
		},
	})
	show.close()
	seconds = a.env.Now().Sub(began).Seconds()
	elsewhere = min(elsewhere, summary.Cached) // one that has ended meanwhile was decided anew
	if !quiet && ctx.Err() == nil && summary.Done+summary.Failed > 0 {
		a.talk("%s: %d done (%d diverged), %d failed, %s, in %s%s", p.spec.Name, summary.Done, summary.Diverged,
			summary.Failed, others(summary.Counts, elsewhere), roundDuration(time.Duration(seconds*float64(time.Second))), p.foretold())
	}
	return summary, elsewhere, seconds, err
}

// foretold says what was expected of a call of run, where that is worth a word.
func (p planned) foretold() string {
	const worth = 10 * time.Second
	if f := p.forecast; f.Unknown == 0 && f.Wall >= worth {
		return ", foretold " + shortly(f.Wall)
	}
	return ""
}

// tellTrouble says at once what went wrong with a run, and what to do about it.
func tellTrouble(show progress, spec *experiments.Spec, e runner.Event) {
	name := short(e.Run.Key)
	if s := sweptText(spec, e.Run.Swept); s != "" {
		name += " (" + s + ")"
	}
	switch {
	case e.Kind == runner.Retried:
		show.line("kappa: run %s: %s, trying again: %v", name, e.Status, e.Err)
	case e.Kind != runner.Finished:
	case e.Status == store.Failed && e.Reason == runner.MemoryLimit:
		show.line("kappa: run %s: failed: %v\nkappa: hint: -j 1 leaves it all there is, --retries 1 tries it again when nothing else runs, and a larger --memory-limit allows more", name, e.Err)
	case e.Status == store.Failed:
		show.line("kappa: run %s: failed: %v\nkappa: hint: `kappa runs show %s` has its log", name, e.Err, short(e.Run.Key))
	case e.Status == store.TimedOut:
		show.line("kappa: run %s: %s\nkappa: hint: a longer --timeout lets it finish", name, e.Reason)
	}
}
