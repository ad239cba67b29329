package runner

import (
	"io/fs"
	"time"

	"kappa/store"
)

// Options are the circumstances of a call of [Run]. Now is required; else the zero value runs everything that is missing.
type Options struct {
	Jobs     int                 // runs at once; 0 = one per core
	Timeout  time.Duration       // per run; 0 = none
	Retries  int                 // further attempts at a run that failed
	FailFast bool                // stop starting runs after the first failure
	Force    bool                // repeat finished runs too
	Filter   func(Decision) bool // nil = all; runs for which it is false are left out

	Tags []string
	Note string

	Data       fs.FS // root of the spec's own data files; nil = none allowed
	Provenance store.Provenance
	Forecast   *Forecast // of the plan's runs, for the events' ETA; nil: from this call's runs alone
	Now        func() time.Time
	CPU        func() time.Duration // CPU time of this process so far; nil = not recorded
	Notify     func(Event)          // nil = silence
}

// Summary is what a call of [Run] did.
type Summary struct {
	Counts
	Failures    []Failure
	Interrupted int // runs cut off by the context
}

// Failure is one run that did not finish.
type Failure struct {
	Run    Planned
	Status store.Status
	Err    error
}
