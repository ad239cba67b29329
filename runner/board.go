package runner

import (
	"errors"
	"slices"
	"sync"
	"time"

	"kappa/store"
)

// board keeps the score of a call of Run and tells it to whoever listens.
type board struct {
	mu       sync.Mutex
	counts   Counts
	failures []Failure
	givenUp  []Failure
	cut      int

	jobs     int
	forecast *Forecast // nil: nothing is foretold
	left     map[int]*leftRun
	chained  []Decision // all that are, or were, to do, where some need others
	all      spent
	byKind   map[kind]*spent
	notify   func(Event)

	last  time.Duration // the estimate that was made last
	since int           // events it has been told with
}

// leftRun is a run to do.
type leftRun struct {
	kind
	expected float64 // seconds; 0: not known
	done     float64 // the part of its steps that it has taken
}

// kind is what a run's duration mostly depends on.
type kind struct{ method, model, dataset string }

// spent is what this call's finished runs took.
type spent struct {
	runs, foretold   int
	seconds          float64
	expected, actual float64 // seconds of those that were foretold
}

func newBoard(plan *Plan, forecast *Forecast, jobs int, notify func(Event)) *board {
	if notify == nil {
		notify = func(Event) {}
	}
	return &board{
		counts: Counts{Total: len(plan.Runs)}, jobs: jobs, forecast: forecast, notify: notify,
		left: make(map[int]*leftRun), byKind: make(map[kind]*spent),
	}
}

// queue counts the decisions.
func (b *board) queue(decisions []Decision) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range decisions {
		switch {
		case d.Execute:
			b.wait(d.Run)
			b.counts.Left++
		case d.Reason == ReasonFilter:
			b.counts.LeftOut++
		default:
			b.counts.Cached++
		}
	}
	if slices.ContainsFunc(decisions, func(d Decision) bool { return d.Execute && len(d.Run.Depends) > 0 }) {
		b.chained = slices.DeleteFunc(slices.Clone(decisions), func(d Decision) bool { return !d.Execute })
	}
}

// wait adds a run to those to do.
func (b *board) wait(run Planned) {
	l := &leftRun{kind: kindOf(run)}
	if b.forecast != nil && run.Ordinal < len(b.forecast.Runs) {
		l.expected = b.forecast.Runs[run.Ordinal].Seconds
	}
	b.left[run.Ordinal] = l
}

// arrived notes what became of a run that another process had taken: it has ended, or is left undone and back here.
func (b *board) arrived(run Planned, back bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if back {
		b.counts.Cached--
		b.counts.Left++
		b.wait(run)
	}
	b.tell(Event{Kind: Arrived, Run: run})
}

func kindOf(run Planned) kind {
	r := reader{run.Settings}
	return kind{run.Method(), r.str("model.kind"), datasetName(r, "primary")}
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
	l := b.left[run.Ordinal]
	if l == nil { // it was given up
		return
	}
	if steps > 0 {
		l.done = float64(step) / float64(steps)
	}
	b.tell(Event{Kind: Stepped, Run: run, Step: step, Steps: steps})
}

// elsewhere notes a run that another process has taken or finished since the plan was made.
func (b *board) elsewhere(run Planned, st store.State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.Left--
	delete(b.left, run.Ordinal)
	b.counts.Cached++
	if st.Live {
		st.Status = store.Running
	}
	b.tell(Event{Kind: Finished, Run: run, Status: st.Status, Reason: string(ReasonElsewhere)})
}

func (b *board) finished(run Planned, out store.Outcome, err error, again bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.Running--
	e := Event{Kind: Finished, Run: run, Status: out.Status, Reason: out.Reason, Err: err, Seconds: out.WallSeconds}
	l := b.left[run.Ordinal]
	if again {
		e.Kind = Retried
		if l != nil {
			l.done = 0
		}
		b.tell(e)
		return
	}
	delete(b.left, run.Ordinal)
	b.counts.Left--
	switch out.Status {
	case store.Done, store.Diverged:
		b.counts.Done++
		b.took(l, out.WallSeconds)
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

// gaveUp notes a run that did not stop when it was told to.
func (b *board) gaveUp(run Planned, out store.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.givenUp = append(b.givenUp, Failure{Run: run, Status: out.Status, Err: errors.New(out.Reason)})
}

// tell sends an event with the score as it stands; the caller holds the lock, so that events come one at a time.
func (b *board) tell(e Event) {
	e.Counts = b.counts
	e.ETA = b.lately()
	b.notify(e)
}

// lately is the time left as it was estimated a moment ago: an estimate looks at every run that is left, and one is made anew after as many
// events as are a small part of these.
func (b *board) lately() time.Duration {
	const part = 200
	if b.since == 0 || b.last < 0 || b.since >= len(b.left)/part {
		b.last, b.since = b.eta(), 0
	}
	b.since++
	return b.last
}

// took notes what a finished run took.
func (b *board) took(l *leftRun, seconds float64) {
	if l == nil {
		return
	}
	k := b.byKind[l.kind]
	if k == nil {
		k = new(spent)
		b.byKind[l.kind] = k
	}
	for _, s := range []*spent{&b.all, k} {
		s.runs++
		s.seconds += seconds
		if l.expected > 0 {
			s.foretold++
			s.expected += l.expected
			s.actual += seconds
		}
	}
}

// slower is how many times longer than foretold runs take: what the finished ones say, with one more that took before times as long.
func (s *spent) slower(before float64) float64 {
	if s == nil || s.foretold == 0 {
		return before
	}
	mean := s.expected / float64(s.foretold)
	return (mean*before + s.actual) / (mean + s.expected)
}

// eta estimates the time left, negative where a run is left about which nothing is known. Each run takes what was foretold, times
// what the finished ones of its kind took compared with that; else the mean of its kind, else that of all.
func (b *board) eta() time.Duration {
	var seconds, longest float64
	owns := make(map[int]float64, len(b.chained))
	general := b.all.slower(1)
	for ordinal, l := range b.left {
		k := b.byKind[l.kind]
		var own float64
		switch {
		case l.expected > 0:
			own = l.expected * k.slower(general)
		case k != nil:
			own = k.seconds / float64(k.runs)
		case b.all.runs > 0:
			own = b.all.seconds / float64(b.all.runs)
		default:
			return -1
		}
		own *= 1 - l.done
		seconds += own
		longest = max(longest, own)
		if len(b.chained) > 0 {
			owns[ordinal] = own
		}
	}
	longest = max(longest, longestChain(b.chained, func(i int) float64 { return owns[b.chained[i].Run.Ordinal] }))
	return duration(max(longest, seconds/float64(b.jobs)))
}

func (b *board) summary() Summary {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Summary{Counts: b.counts, Failures: b.failures, Interrupted: b.cut, GivenUp: b.givenUp}
}
