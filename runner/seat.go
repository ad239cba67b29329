package runner

import "kappa/engine/blas"

// seat is the core that a run in flight keeps busy, from its claim until it is recorded, so that the products of the others keep
// off it. A run is never left behind, whether it panics or its time is over: Run waits until it has returned, and it leaves.
type seat struct {
	leave func()
}

func occupy() *seat { return &seat{blas.Occupy()} }

// lend leaves the core to others while do waits for one of them.
func (s *seat) lend(do func()) {
	s.leave()
	defer func() { s.leave = blas.Occupy() }()
	do()
}
