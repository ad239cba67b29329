package blas

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// The team is the goroutines that help with a product. Starting one, or waking a sleeping one, takes longer than a small product:
// a helper that has just worked therefore looks for more for a while before it goes to sleep. The caller takes part in its own
// work, and takes back what no helper has begun when it is through: it never waits for one that does not come.
var team helpers

type helpers struct {
	mu   sync.Mutex
	all  atomic.Pointer[[]*helper]
	idle stack[task]
}

// States of a helper.
const (
	looking  uint32 = iota // for work, awake
	asleep                 // blocked on wake
	claimed                // by a caller that is writing task
	assigned               // task is there
	working
)

type helper struct {
	state atomic.Uint32
	task  atomic.Pointer[task]
	wake  chan struct{}
	_     [64]byte // two helpers' states never share a cache line
}

// How long a helper looks for work: so many rounds of so many looks, giving way to other goroutines after each round. It comes
// to about a third of a millisecond where nothing else runs.
const (
	rounds = 3000
	looks  = 30
)

// task is work in parts.
type task struct {
	part   func(i, parts int)
	parts  int
	next   atomic.Int32
	active atomic.Int32 // helpers that may still touch the task

	panicked atomic.Pointer[any] // what a helper's part panicked with

	// For Split.
	n       int
	do      func(lo, hi int)
	stretch func(i, parts int) // = cut, made once
}

func newTask() *task {
	t := &task{}
	t.stretch = t.cut
	return t
}

func (t *task) cut(i, parts int) { t.do(i*t.n/parts, (i+1)*t.n/parts) }

// work does parts until none is left.
func (t *task) work() {
	for {
		i := int(t.next.Add(1)) - 1
		if i >= t.parts {
			return
		}
		t.part(i, t.parts)
	}
}

// help is work for a helper: a panic is kept for the caller.
func (t *task) help() {
	defer func() {
		if r := recover(); r != nil {
			kept := r // r itself would be allocated without a panic too
			t.panicked.Store(&kept)
		}
	}()
	t.work()
}

// run does all parts, with up to parts−1 helpers, and returns when they are done.
func (h *helpers) run(t *task) {
	t.next.Store(0)
	list := h.list(t.parts - 1)
	wanted := t.parts - 1
	for _, w := range list {
		if wanted == 0 {
			break
		}
		if w.assign(t) {
			wanted--
		}
	}
	defer t.wait(list) // also when a part of the caller's panics
	t.work()
}

// wait returns when no helper touches t any more; a panic of theirs becomes the caller's.
func (t *task) wait(list []*helper) {
	for i := 0; t.active.Load() > 0; i++ {
		if i%looks > 0 {
			continue
		}
		if i > 0 {
			runtime.Gosched()
		}
		for _, w := range list { // again and again: another caller's revoke may hold w for a moment
			w.revoke(t)
		}
	}
	if p := t.panicked.Swap(nil); p != nil {
		panic(*p)
	}
}

// list returns the helpers, at least n of them.
func (h *helpers) list(n int) []*helper {
	if p := h.all.Load(); p != nil && len(*p) >= n {
		return *p
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*helper
	if p := h.all.Load(); p != nil {
		list = append(list, *p...)
	}
	for len(list) < n {
		w := &helper{wake: make(chan struct{}, 1)}
		list = append(list, w)
		go w.loop()
	}
	h.all.Store(&list)
	return list
}

// assign gives w the task if it has none.
func (w *helper) assign(t *task) bool {
	sleeping := false
	switch {
	case w.state.CompareAndSwap(looking, claimed):
	case w.state.CompareAndSwap(asleep, claimed):
		sleeping = true
	default:
		return false
	}
	t.active.Add(1)
	w.task.Store(t)
	w.state.Store(assigned)
	if sleeping {
		w.wake <- struct{}{}
		// The helper is now the next goroutine of this thread, where no other takes it from at once. One more goroutine puts it
		// into the queue that idle threads look at.
		go func() {}()
	}
	return true
}

// revoke takes t back if w has not begun with it.
func (w *helper) revoke(t *task) {
	if w.task.Load() != t || !w.state.CompareAndSwap(assigned, claimed) {
		return
	}
	if w.task.Load() != t { // w has done it and got another caller's
		w.state.Store(assigned)
		return
	}
	w.task.Store(nil)
	w.state.Store(looking)
	t.active.Add(-1)
}

func (w *helper) loop() {
	for {
		for round := 0; round < rounds; round++ {
			for range looks {
				if w.state.Load() == assigned && w.state.CompareAndSwap(assigned, working) {
					t := w.task.Load()
					t.help()
					w.task.Store(nil)
					w.state.Store(looking)
					t.active.Add(-1)
					round = 0
				}
			}
			runtime.Gosched()
		}
		if w.state.CompareAndSwap(looking, asleep) {
			<-w.wake
		}
	}
}

// stack keeps objects for use again: a few where they are taken and given back without a lock, the others behind one.
type stack[T any] struct {
	slots [8]atomic.Pointer[T]
	mu    sync.Mutex
	items []*T
}

// take returns an object that was given back, or what create makes.
func (s *stack[T]) take(create func() *T) *T {
	for i := range s.slots {
		if s.slots[i].Load() == nil {
			continue
		}
		if x := s.slots[i].Swap(nil); x != nil {
			return x
		}
	}
	s.mu.Lock()
	if n := len(s.items); n > 0 {
		x := s.items[n-1]
		s.items = s.items[:n-1]
		s.mu.Unlock()
		return x
	}
	s.mu.Unlock()
	return create()
}

func (s *stack[T]) give(x *T) {
	for i := range s.slots {
		if s.slots[i].CompareAndSwap(nil, x) {
			return
		}
	}
	s.mu.Lock()
	s.items = append(s.items, x)
	s.mu.Unlock()
}
