package runner

import (
	"time"

	"kappa/store"
)

// Reason says why a run will or will not be executed.
type Reason string

// The reasons. The first group is executed, the second is not.
const (
	ReasonNew         Reason = "new"
	ReasonFailed      Reason = "failed before"
	ReasonTimeout     Reason = "timed out before"
	ReasonInterrupted Reason = "interrupted"
	ReasonEngine      Reason = "engine" // followed by "3 → 4"
	ReasonData        Reason = "data changed"
	ReasonAttack      Reason = "attack added"
	ReasonAttacks     Reason = "attacks changed" // not only added: others were left out
	ReasonRemoved     Reason = "removed"         // by `kappa runs rm`
	ReasonGone        Reason = "lost"            // it was recorded, and the database has lost it
	ReasonForced      Reason = "forced"
	ReasonLost        Reason = "θ_0 lost" // others need it, and its file is not there

	ReasonDone      Reason = "done"
	ReasonDiverged  Reason = "done (diverged)"
	ReasonElsewhere Reason = "running elsewhere"
	ReasonFilter    Reason = "left out" // by --only, --shard or --failed
)

// Decision is what will happen to one run of a plan, and why.
type Decision struct {
	Run     Planned
	Execute bool
	Reason  Reason
	State   store.State // what the database knows; the zero State if nothing
}

// EventKind says what an Event tells.
type EventKind int

// The kinds of events, in the order in which one run passes through them.
const (
	Started EventKind = iota
	Stepped           // progress inside a run; at most a few a second
	Retried
	Finished
	Arrived // a run that was under way elsewhere, and waited for, has ended there or come back
)

// Event is one thing that happened during Run. Events come from one goroutine at a time.
type Event struct {
	Kind    EventKind
	Run     Planned
	Status  store.Status // of a Finished run
	Reason  string       // why it stopped
	Err     error        // of a failed or retried run
	Seconds float64      // wall time of a Finished run
	Step    int          // of a Stepped run
	Steps   int
	Counts  Counts
	ETA     time.Duration // from Options.Forecast and the runs that have finished; negative: not known yet
}

// Counts is where a plan stands.
type Counts struct {
	Total    int // runs of the plan
	Cached   int // finished before
	LeftOut  int // by a filter
	Done     int // finished now, diverged ones included
	Diverged int
	Failed   int // failed or timed out now
	Running  int // here, now
	Left     int // still to do
}
