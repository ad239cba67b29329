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

	Decisions []Decision // what Decide and Select have given a moment ago; nil = they are asked again

	// Grace is how long a run that was told to stop, by its time limit, ctx or the watchdog, is waited for; 0 = 10 s. After that it is
	// recorded, what computes it is left to itself, and no other run waits for it.
	Grace time.Duration

	// MemoryLimit is what the process may take, in bytes; 0 = no limit. Runs that do not fit beside those in flight, by their Sizes (nil:
	// nothing is known of them), wait; and when Resident, which says what the process takes (nil: not known), nears the limit and
	// Relieve, which gives back what is not used (nil: nothing does), has not helped, the newest run is stopped and recorded as failed.
	MemoryLimit int64
	Sizes       map[string]Size
	Resident    func() int64
	Relieve     func()

	Tags []string
	Note string

	Data       fs.FS // root of the spec's own data files; nil = none allowed
	Provenance store.Provenance
	Forecast   *Forecast // of the plan's runs, for the events' ETA; nil: from this call's runs alone
	Now        func() time.Time
	CPU        func() time.Duration // CPU time of this process so far; nil = not recorded
	Notify     func(Event)          // nil = silence

	// In tests: what is done in place of the computation, and how often the watchdog looks.
	hook       func(*trial) (store.Outcome, error)
	watchEvery time.Duration
}

// Summary is what a call of [Run] did.
type Summary struct {
	Counts
	Failures    []Failure
	Interrupted int       // runs cut off by the context
	GivenUp     []Failure // runs that did not stop when they were told to; they may still compute
}

// Failure is one run that did not finish.
type Failure struct {
	Run    Planned
	Status store.Status
	Err    error
}
