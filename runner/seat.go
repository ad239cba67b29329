package runner

import (
	"sync"

	"kappa/engine/blas"
)

// seat is the core that a run in flight keeps busy, from its claim until it is recorded, so that the products of the others keep
// off it. What still computes for a run that was given up has none.
type seat struct {
	mu   sync.Mutex
	free func() // nil: the core is not taken
	gone bool
}

func occupy() *seat {
	s := &seat{}
	s.take()
	return s
}

func (s *seat) take() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.gone && s.free == nil {
		s.free = blas.Occupy()
	}
}

func (s *seat) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free != nil {
		s.free()
		s.free = nil
	}
}

// leave gives the core up for good.
func (s *seat) leave() {
	s.mu.Lock()
	s.gone = true
	s.mu.Unlock()
	s.give()
}

// lend leaves the core to others while do waits for one of them.
func (s *seat) lend(do func()) {
	s.give()
	defer s.take()
	do()
}
