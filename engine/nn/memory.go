package nn

import "sync"

// spares keeps memory for goroutines that work at the same time: as many as there ever were at once. The zero value is empty.
type spares[T any] struct {
	mu   sync.Mutex
	idle []*T
}

// take returns memory that was given back, or new.
func (p *spares[T]) take() *T {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		t := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return t
	}
	return new(T)
}

func (p *spares[T]) give(t *T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, t)
}
