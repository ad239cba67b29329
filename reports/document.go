package reports

import (
	"strconv"
	"strings"

	"kappa/experiments"
	"kappa/store"
)

// Options say which runs a report is about and what it may lack.
type Options struct {
	// Plan is the plan's runs in its order, with the swept values that give them their names.
	Plan []store.PlanRow
	// Partial allows runs to be without a result (failed, out of time, interrupted, running, or never run); the report then begins
	// with that.
	Partial bool
}

// Document is a rendered report, not yet written.
type Document struct {
	Name       string        // of the spec; the report is Name.md
	Body       string        // Markdown up to Provenance
	Provenance string        // Markdown, the last section
	Files      []File        // of the folder Name_files, sorted by name; the manifest is not among them
	Claims     []ClaimResult // in the order of the spec
	Warnings   []string      // Markdown, as listed in the body
	Missing    []string      // keys of the plan's runs without a result, in plan order

	manifest manifest
	spec     *experiments.Spec
	plan     []store.PlanRow
	parts    []part // of Body, in its order
}

// File is one file beside the report.
type File struct {
	Name string
	Data []byte
}

// Markdown is the whole text.
func (d *Document) Markdown(provenance bool) []byte {
	if !provenance {
		return []byte(d.Body)
	}
	return []byte(d.Body + d.Provenance)
}

// Mismatches are the claims whose verdict is not the expected one.
func (d *Document) Mismatches() []ClaimResult {
	var out []ClaimResult
	for _, c := range d.Claims {
		if c.Mismatch() {
			out = append(out, c)
		}
	}
	return out
}

// MissingError says that a report was not built for want of results.
type MissingError struct {
	Missing, Planned int // runs without a result, and all
	Failed, TimedOut int // of the missing
}

func (e *MissingError) Error() string {
	switch {
	case e.None():
		return "no run of this experiment is recorded"
	case e.Failed+e.TimedOut == 0:
		return plural(e.Missing, "run") + " of " + strconv.Itoa(e.Planned) + " missing"
	}
	why := []string{}
	for _, n := range []struct {
		runs int
		what string
	}{{e.Failed, "failed"}, {e.TimedOut, "out of time"}, {e.Missing - e.Failed - e.TimedOut, "missing"}} {
		if n.runs > 0 {
			why = append(why, strconv.Itoa(n.runs)+" "+n.what)
		}
	}
	return plural(e.Missing, "run") + " of " + strconv.Itoa(e.Planned) + " without a result (" + strings.Join(why, ", ") + ")"
}

// None says that there is nothing to report on at all: no run came to an end, not even a failed one.
func (e *MissingError) None() bool { return e.Missing == e.Planned && e.Failed+e.TimedOut == 0 }
