package runner

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"kappa/store"
)

// manyDecisions are so many runs to execute that need nothing.
func manyDecisions(n int) []Decision {
	out := make([]Decision, n)
	for i := range out {
		out[i] = Decision{Run: Planned{Ordinal: i, Key: fmt.Sprint(i)}, Execute: true, Reason: ReasonNew}
	}
	return out
}

// TestScheduleForgets: runs are handed out in plan order, and what is settled is looked through no more, however the runs in flight end.
func TestScheduleForgets(t *testing.T) {
	const n, jobs = 500, 8
	s := newSchedule(manyDecisions(n))
	rng := rand.New(rand.NewPCG(1, 2))
	var flying []*item
	for next := 0; next < n || len(flying) > 0; {
		for len(flying) < jobs && next < n {
			it, broken := s.next()
			if it == nil || broken != nil || it.Run.Ordinal != next {
				t.Fatalf("handed out %+v, want run %d", it, next)
			}
			next++
			flying = append(flying, it)
		}
		if len(s.items) != n-next+len(flying) {
			t.Fatalf("%d items to look through, want the %d that have not ended", len(s.items), n-next+len(flying))
		}
		i := rng.IntN(len(flying))
		s.ended(flying[i], store.State{Status: store.Done})
		flying = append(flying[:i], flying[i+1:]...)
	}
	if it, _ := s.next(); it != nil {
		t.Errorf("handed out %+v after the last", it)
	}
}

// TestETALately: of a large sweep the time left is estimated now and then; of the last runs, with each event.
func TestETALately(t *testing.T) {
	const n = 1000
	var told []time.Duration
	b := newBoard(&Plan{Runs: make([]Planned, n)}, nil, 1, func(e Event) { told = append(told, e.ETA) })
	decisions := manyDecisions(n)
	b.queue(decisions)
	for _, d := range decisions {
		b.started(d.Run)
		b.finished(d.Run, store.Outcome{Status: store.Done, WallSeconds: 1}, nil, false)
	}
	for i, eta := range told {
		left := n - (i+1)/2 // runs; about the first nothing is known
		if i == 0 {
			if eta >= 0 {
				t.Errorf("event 0: %v, want nothing to be known", eta)
			}
			continue
		}
		if off := eta.Seconds() - float64(left); off < 0 || off > n/200 || left < 200 && off != 0 {
			t.Errorf("event %d, %d runs left: %v", i, left, eta)
		}
	}
	changes := 0
	for i := 1; i < n; i++ { // the first half of the runs
		if told[i] != told[i-1] {
			changes++
		}
	}
	if changes > n/3 {
		t.Errorf("the estimate was made anew %d times in %d events", changes, n)
	}
}
