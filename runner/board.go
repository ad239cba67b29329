package runner

import (
	"sync"
	"time"

	"kappa/store"
)

// board keeps the score of a call of Run and tells it to whoever listens.
type board struct {
	mu       sync.Mutex
	counts   Counts
	failures []Failure
	cut      int

	jobs     int
	known    map[store.DurationKey]float64 // mean seconds of the finished runs in this database
	spent    map[store.DurationKey]float64 // seconds of this call's finished runs
	finishes map[store.DurationKey]int
	left     map[store.DurationKey]int // runs to do
	notify   func(Event)
}

func newBoard(plan *Plan, known map[store.DurationKey]float64, jobs int, notify func(Event)) *board {
	if notify == nil {
		notify = func(Event) {}
	}
	return &board{
		counts: Counts{Total: len(plan.Runs)}, jobs: jobs, known: known, notify: notify,
		spent: make(map[store.DurationKey]float64), finishes: make(map[store.DurationKey]int), left: make(map[store.DurationKey]int),
	}
}

// queue counts the decisions and returns those to execute.
func (b *board) queue(decisions []Decision, filter func(Decision) bool) []Decision {
	b.mu.Lock()
	defer b.mu.Unlock()
	var queue []Decision
	for _, d := range decisions {
		switch {
		case !d.Execute:
			b.counts.Cached++
		case filter != nil && !filter(d):
			b.counts.LeftOut++
		default:
			queue = append(queue, d)
			b.left[kindOf(d.Run)]++
		}
	}
	b.counts.Left = len(queue)
	return queue
}

// kindOf is what a run's duration mostly depends on.
func kindOf(run Planned) store.DurationKey {
	r := reader{run.Settings}
	return store.DurationKey{Method: run.Method(), Model: r.str("model.kind"), Dataset: datasetName(r, "primary")}
}

func (b *board) started(run Planned) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.Running++
	b.tell(Event{Kind: Started, Run: run})
}

func (b *board) stepped(run Planned, step, steps int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tell(Event{Kind: Stepped, Run: run, Step: step, Steps: steps})
}

// elsewhere notes a run that another process has taken or finished since the plan was made.
func (b *board) elsewhere(run Planned, st store.State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.Left--
	b.left[kindOf(run)]--
	b.counts.Cached++
	b.tell(Event{Kind: Finished, Run: run, Status: st.Status, Reason: string(ReasonElsewhere)})
}

func (b *board) finished(run Planned, out store.Outcome, err error, again bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.Running--
	e := Event{Kind: Finished, Run: run, Status: out.Status, Reason: out.Reason, Err: err, Seconds: out.WallSeconds}
	if again {
		e.Kind = Retried
		b.tell(e)
		return
	}
	m := kindOf(run)
	b.left[m]--
	b.counts.Left--
	switch out.Status {
	case store.Done, store.Diverged:
		b.counts.Done++
		b.spent[m] += out.WallSeconds
		b.finishes[m]++
		if out.Status == store.Diverged {
			b.counts.Diverged++
		}
	case store.Interrupted:
		b.cut++
	default:
		b.counts.Failed++
		b.failures = append(b.failures, Failure{Run: run, Status: out.Status, Err: err})
	}
	b.tell(e)
}

// tell sends an event with the score as it stands; the caller holds the lock, so that events come one at a time.
func (b *board) tell(e Event) {
	e.Counts = b.counts
	e.ETA = b.eta()
	b.notify(e)
}

// eta estimates the time left: for each kind of run the mean of this call's runs, else of the recorded ones, else of all of
// this call's.
func (b *board) eta() time.Duration {
	var allSeconds, seconds float64
	var all int
	for m, n := range b.finishes {
		allSeconds += b.spent[m]
		all += n
	}
	for m, n := range b.left {
		switch {
		case n <= 0:
		case b.finishes[m] > 0:
			seconds += float64(n) * b.spent[m] / float64(b.finishes[m])
		case b.known[m] > 0:
			seconds += float64(n) * b.known[m]
		case all > 0:
			seconds += float64(n) * allSeconds / float64(all)
		default:
			return -1
		}
	}
	return time.Duration(seconds / float64(b.jobs) * float64(time.Second))
}

func (b *board) summary() Summary {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Summary{Counts: b.counts, Failures: b.failures, Interrupted: b.cut}
}
