package runner

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"kappa/store"
)

// schedule hands out the runs of a call of Run to its workers: in plan order, each when all that it depends on has finished.
type schedule struct {
	mu    sync.Mutex
	moved *sync.Cond // an item has changed its state, or it is time to stop
	items []*item    // in plan order, but for those that are settled
	halt  bool       // nothing more is handed out
	room  *room      // nil: memory is no matter
}

// item is a run to execute, or one that such a run waits for.
type item struct {
	Decision
	state itemState
	needs []*item
	asked bool // somebody needs it
	tries int  // attempts that were made at it before it was put back
	over  int  // the finished attempt that it is a repetition of; 0: of none
	solo  bool // it is to run when nothing else does
	need  *Need
	// watched says that it is elsewhere, and nobody here can see whether its process lives: that is waited for, until it gives another
	// sign of life or has given none for too long. beat is its last one.
	watched bool
	beat    int64
	// of one that has not gone well, in a few words
	trouble string
}

type itemState int

const (
	queued    itemState = iota
	taken               // a worker of this call is at it
	elsewhere           // another process is at it, and somebody waits for it
	settled
)

// newSchedule queues the decisions that are executed. A run that is under way elsewhere is waited for where one of them needs it.
func newSchedule(decisions []Decision) *schedule {
	s := &schedule{}
	s.moved = sync.NewCond(&s.mu)
	needed := make(map[string]bool)
	for _, d := range decisions {
		for _, dep := range d.Run.Depends {
			needed[dep.Key] = needed[dep.Key] || d.Execute
		}
	}
	byKey := make(map[string]*item) // of all that matters: most of a large plan may be finished, and nothing needs it
	for _, d := range decisions {
		if !d.Execute && d.Reason != ReasonElsewhere && !needed[d.Run.Key] {
			continue
		}
		it := &item{Decision: d}
		switch {
		case d.Execute:
		case d.Reason == ReasonElsewhere:
			it.state, it.watched, it.beat = elsewhere, d.State.Foreign, d.State.Beat
		default:
			it.settle(d.State)
		}
		byKey[d.Run.Key] = it
	}
	for _, d := range decisions {
		it := byKey[d.Run.Key]
		if it == nil {
			continue
		}
		if it.watched && !it.asked {
			s.items = append(s.items, it)
		}
		if !d.Execute {
			continue
		}
		s.items = append(s.items, it)
		for _, dep := range d.Run.Depends {
			if other := byKey[dep.Key]; other != nil {
				it.needs = append(it.needs, other)
				if !other.asked && !other.watched && other.state == elsewhere {
					s.items = append(s.items, other)
				}
				other.asked = true
			}
		}
	}
	return s
}

// settle notes how a run has ended.
func (it *item) settle(st store.State) {
	it.state, it.trouble = settled, ""
	switch st.Status {
	case store.Done:
	case store.Diverged:
		it.trouble = "diverged: " + st.Reason
	default:
		it.trouble = map[store.Status]string{store.TimedOut: "ran out of time", store.Interrupted: "was interrupted"}[st.Status]
		if it.trouble == "" {
			it.trouble = "failed"
		}
		if st.Error != "" {
			it.trouble += ": " + st.Error
		}
	}
}

// ready says whether the item can be handed out, and which of the runs that it needs has not gone well.
func (it *item) ready() (ok bool, broken *item) {
	for _, n := range it.needs {
		if n.state != settled {
			return false, nil
		}
		if n.trouble != "" && broken == nil {
			broken = n
		}
	}
	return true, broken
}

// mostBarred is how many runs that do not fit into memory now are looked at for one that does.
const mostBarred = 100

// next waits for a run that can be handed out; nil when there is none left, and when the schedule is stopped. broken is the run that
// it needs and cannot have.
func (s *schedule) next() (it, broken *item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.halt {
		waiting, barred := false, 0
		for _, it := range s.items {
			if barred == mostBarred {
				break
			}
			if it.state != queued {
				waiting = waiting || it.state == elsewhere
				continue
			}
			if ok, broken := it.ready(); ok {
				if s.room.enter(it, broken != nil) {
					it.state = taken
					return it, broken
				}
				barred++
			}
			waiting = true
		}
		if !waiting {
			break
		}
		s.moved.Wait()
	}
	return nil, nil
}

// ended notes how a run that was handed out has ended here, or that it is another process's.
func (s *schedule) ended(it *item, st store.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room.leave(it)
	if st.Live {
		it.state, it.watched, it.beat = settled, st.Foreign, st.Beat
		if it.asked || it.watched {
			it.state = elsewhere
		}
	} else {
		it.settle(st)
	}
	if it.state == settled {
		s.drop(it)
	}
	s.moved.Broadcast()
}

// drop takes an item that is settled out of those that next looks through. Only what was handed out and what waits stands before it: it is
// these that are moved, not the many behind it.
func (s *schedule) drop(it *item) {
	if i := slices.Index(s.items, it); i >= 0 {
		copy(s.items[1:i+1], s.items[:i])
		s.items[0] = nil
		s.items = s.items[1:]
	}
}

// alone puts an item that was handed out back, to be handed out again when nothing else runs.
func (s *schedule) alone(it *item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room.leave(it)
	it.state, it.solo = queued, true
	s.moved.Broadcast()
}

// narrow has fewer runs at once from now on.
func (s *schedule) narrow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room.narrow()
}

// abandon notes that what computes a run has not stopped: it keeps its memory, and nothing waits for it.
func (s *schedule) abandon(it *item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room.abandon(it)
}

// stop ends the handing out.
func (s *schedule) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.halt = true
	s.moved.Broadcast()
}

// away lists the runs that are waited for and under way elsewhere.
func (s *schedule) away() (runs []Planned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range s.items {
		if it.state == elsewhere {
			runs = append(runs, it.Run)
		}
	}
	return runs
}

// arrived takes up what became of runs elsewhere; lost are the keys of those whose θ_0 is not there. It returns those that have ended, and
// those that nobody is at any more: they are queued here.
func (s *schedule) arrived(states map[string]store.State, lost map[string]bool) (ended, back []Planned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range s.items {
		st := states[it.Run.Key]
		switch {
		case it.state == elsewhere && st.Live && it.watched && !it.asked && st.Beat != it.beat: // it lives: nobody here waits for it
			it.state = settled
			continue
		case it.state != elsewhere || st.Live:
			continue
		case lost[it.Run.Key]: // it was repeated, and the repetition has not come to its end
			it.state, it.Reason = queued, ReasonLost
			back = append(back, it.Run)
		case st.Status == "" || st.Status == store.Interrupted || st.Status == store.Running:
			it.state = queued
			back = append(back, it.Run)
		default:
			it.settle(st)
			ended = append(ended, it.Run)
		}
	}
	s.items = slices.DeleteFunc(s.items, func(it *item) bool { return it.state == settled })
	s.moved.Broadcast()
	return ended, back
}

// lookout is how often runs elsewhere are looked after, and lookouts how many times in a row the database may refuse to tell of them.
const (
	lookout  = time.Second / 4
	lookouts = 40
)

// look follows the runs elsewhere that are waited for, until ctx ends. A database that cannot be read for a moment is asked again; where it
// stays so, nothing more is handed out, and the error is the database's.
func (s *execution) look(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for refused := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		runs := s.schedule.away()
		if len(runs) == 0 {
			continue
		}
		err := s.lookAfter(ctx, runs)
		switch {
		case err == nil:
			refused = 0
		case ctx.Err() != nil:
			return nil
		default:
			if refused++; refused == lookouts {
				s.schedule.stop()
				return fmt.Errorf("look for %d runs that another process is at, the last of %d times: %w", len(runs), lookouts, err)
			}
		}
	}
}

// lookAfter takes up what the database says of runs elsewhere.
func (s *execution) lookAfter(ctx context.Context, runs []Planned) error {
	var keys []string
	for _, run := range runs {
		keys = append(keys, run.Key)
	}
	states, err := s.db.States(ctx, keys)
	if err != nil {
		return err
	}
	lost := make(map[string]bool)
	for _, run := range runs {
		if st := states[run.Key]; run.Method() != pretrainMethod || st.Live || st.Status != store.Done {
			continue
		}
		_, ok, err := s.db.FindTheta(ctx, run.TrainKey)
		if err != nil {
			return err
		}
		lost[run.Key] = !ok
	}
	ended, back := s.schedule.arrived(states, lost)
	for _, run := range ended {
		s.board.arrived(run, false)
	}
	for _, run := range back {
		s.board.arrived(run, true)
	}
	return nil
}

// without is the error of a run that lacks one that it needs.
func without(it, broken *item) error {
	what := ""
	for _, dep := range it.Run.Depends {
		if dep.Key == broken.Run.Key {
			what = dep.What
		}
	}
	return fmt.Errorf("it needs the %s of run %s (%s), which %s", what, short(broken.Run.Key), broken.Run.Method(), broken.trouble)
}
