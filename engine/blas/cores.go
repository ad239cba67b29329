package blas

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// occupied counts the goroutines that keep a core busy by themselves.
var occupied atomic.Int64

// Occupy says that the caller keeps a core busy from now on until it calls leave, whether or not it is inside a product. Products
// share themselves out over the cores that nobody occupies: with as many callers as cores each stays on its own, and the
// last one left takes them all. What is computed does not depend on it. leave may be called more than once.
func Occupy() (leave func()) {
	occupied.Add(1)
	return sync.OnceFunc(func() { occupied.Add(-1) })
}

// Spare returns the number of cores that a product may use besides the caller's, if no other product takes them first.
func Spare() int { return max(0, runtime.GOMAXPROCS(0)-max(1, int(occupied.Load()))) }

// Split calls do on parts [lo, hi) that together make up [0, n), at once on the spare cores, and returns when all are done. A
// part is no smaller than grain unless n is. Where no core is spare it is one call of do(0, n). The results of do must
// not depend on where the parts end. If do panics Split does, when all parts that have begun have ended. Nothing is allocated.
func Split(n, grain int, do func(lo, hi int)) {
	if n <= 0 {
		return
	}
	parts := min(n/max(grain, 1), 1+Spare())
	if parts <= 1 {
		do(0, n)
		return
	}
	t := team.idle.take(newTask)
	t.n, t.parts, t.do, t.part = n, parts, do, t.stretch
	team.run(t)
	t.do = nil
	team.idle.give(t)
}
