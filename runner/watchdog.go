package runner

import (
	"context"
	"fmt"
	"time"
)

const (
	// watchEvery is how often the memory of the process is looked at, relieveEvery how often at most it is asked to give some back.
	watchEvery   = 150 * time.Millisecond
	relieveEvery = time.Second
	// nearLimit is the part of the limit at which a run is stopped: what is left is to stop it in.
	nearLimit = 0.95
)

// memoryError is the cause of a context that the watchdog has ended.
type memoryError struct {
	resident, limit int64
	of              int // runs in flight
}

func (e *memoryError) Error() string {
	which := "the only run in flight"
	if e.of > 1 {
		which = fmt.Sprintf("the newest of %d runs in flight", e.of)
	}
	return fmt.Sprintf("the process took %s of the %s that it may (--memory-limit), and this was %s", Bytes(e.resident), Bytes(e.limit), which)
}

// watch looks at the memory of the process until ctx ends, and stops runs where it nears the limit, the newest first and one at a time.
// From then on fewer are let in at once.
func (s *execution) watch(ctx context.Context) {
	if s.opt.MemoryLimit <= 0 || s.opt.Resident == nil {
		return
	}
	every := watchEvery
	if s.opt.watchEvery > 0 {
		every = s.opt.watchEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var relieved time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !tight(s.opt.Resident(), s.opt.MemoryLimit) || s.stopping() {
			continue
		}
		if s.opt.Relieve != nil {
			if now := s.opt.Now(); now.Sub(relieved) >= relieveEvery {
				relieved = now
				s.opt.Relieve()
			}
		}
		if resident := s.opt.Resident(); tight(resident, s.opt.MemoryLimit) {
			if s.stopNewest(resident) {
				s.schedule.narrow()
			}
		}
	}
}

// tight says whether a process that takes so much is near its limit.
func tight(resident, limit int64) bool { return float64(resident) > nearLimit*float64(limit) }

// stopping says whether a run that the watchdog has told to stop is still in flight: until it has ended nobody knows what that helps.
func (s *execution) stopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.live {
		if f.told {
			return true
		}
	}
	return false
}

// stopNewest tells the run that began last to stop, if there is one.
func (s *execution) stopNewest(resident int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var newest *inFlight
	for _, f := range s.live {
		if f.stop != nil && (newest == nil || f.order > newest.order) {
			newest = f
		}
	}
	if newest != nil {
		newest.told = true
		newest.stop(&memoryError{resident: resident, limit: s.opt.MemoryLimit, of: len(s.live)})
	}
	return newest != nil
}
