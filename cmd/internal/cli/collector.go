package cli

import (
	"runtime/debug"
	"sync"
)

// roomyCollector has the garbage collector work less often until the returned function is called: a plan of 100,000 runs is allocated once
// and is alive to the end, so that to look through it again and again while it grows finds nothing. Near half of the machine's memory it
// works as hard as ever. Whoever sets GOGC decides for themselves.
func (a *app) roomyCollector() (restore func()) {
	const percent, part = 400, 2
	if a.env.Getenv("GOGC") != "" {
		return func() {}
	}
	limit := debug.SetMemoryLimit(-1)
	if most := a.env.total() / part; most > 0 && most < limit {
		debug.SetMemoryLimit(most)
	}
	before := debug.SetGCPercent(percent)
	return sync.OnceFunc(func() {
		debug.SetGCPercent(before)
		debug.SetMemoryLimit(limit)
	})
}
