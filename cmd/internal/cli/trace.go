package cli

import (
	"context"
	"fmt"

	"kappa/reports"
)

// traceReports tells where something in reports comes from.
func (a *app) traceReports(ctx context.Context, args []string, o reportFlags) error {
	targets, err := a.load(ctx, args, o.specFlags)
	if err != nil {
		return err
	}
	traces := []reports.Trace{}
	for _, t := range targets {
		p, err := reports.Look(t.file.Dir, t.spec.Name)
		if err != nil {
			return failf("", "%v", err)
		}
		found, err := p.Trace(o.trace)
		if err != nil {
			return usagef("", "trace %s: %v", shown(a.cwd, t.reportPath()), err)
		}
		if s := p.Judge(reports.Facts{Spec: t.spec}); s.State != reports.Current && !o.quiet {
			a.talk("%s: %s: what follows is of the report as it was written", shown(a.cwd, t.reportPath()), stateText(s))
		}
		traces = append(traces, found...)
	}
	if o.asJSON {
		return a.writeJSON(traces)
	}
	for i, t := range traces {
		if i > 0 {
			fmt.Fprintln(a.env.Stdout)
		}
		a.tellTrace(t)
	}
	return nil
}

// tellTrace writes where one number, table, figure or claim comes from.
func (a *app) tellTrace(t reports.Trace) {
	w := a.env.Stdout
	name := t.Kind
	if t.ID != "" {
		name += " " + t.ID
	}
	switch {
	case t.Value != nil:
		name += ": " + *t.Value
	case t.Kind == "number":
		name += ": NULL"
	}
	if t.Verdict != "" {
		name += " (" + t.Verdict + ")"
	}
	fmt.Fprintf(w, "%s, from %s of %d\n  at %s, asked at %s\n", name, runsWord(len(t.Runs)), t.Planned, t.Report, t.Spec)
	if t.SQL != "" {
		fmt.Fprintf(w, "  %s\n", t.SQL)
	}
	for _, file := range t.Data {
		fmt.Fprintf(w, "  data %s\n", file)
	}
	for i, key := range t.Runs {
		if i == screenful {
			fmt.Fprintf(w, "  and %d more; --json lists all\n", len(t.Runs)-i)
			return
		}
		fmt.Fprintf(w, "  run %s\n", short(key))
	}
}
