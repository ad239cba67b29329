package runner

import (
	"maps"
	"slices"
)

// room says whether a run fits into memory beside those in flight. What runs share is counted once: data sets, which are kept for good, and
// problems, which are kept while runs of them are near. A nil room is without bounds.
type room struct {
	limit    float64 // bytes
	sizes    map[string]Size
	shed     func(problems, sets map[string]bool) // drops all that is kept but these
	most     int                                  // runs at once, since memory has turned out to be short; 0: any number
	inside   []guest
	problems map[string]float64 // kept, with their bytes
	sets     map[string]float64
}

// guest is a run in flight.
type guest struct {
	it   *item
	need Need
	left bool // it was given up, and still computes
	solo bool
}

// newRoom makes a room of limit bytes; nil where there is no limit.
func newRoom(limit int64, sizes map[string]Size, shed func(problems, sets map[string]bool)) *room {
	if limit <= 0 {
		return nil
	}
	return &room{limit: float64(limit), sizes: sizes, shed: shed, problems: make(map[string]float64), sets: make(map[string]float64)}
}

// enter lets a run in if it fits beside those that are in flight; alone every run fits. One that is not to be computed takes nothing.
func (m *room) enter(it *item, idle bool) bool {
	if m == nil || idle {
		return true
	}
	if it.need == nil {
		n, _ := Memory(it.Run, m.sizes)
		it.need = &n
	}
	g := guest{it: it, need: *it.need, solo: it.solo}
	others := m.active() > 0
	solo := slices.ContainsFunc(m.inside, func(o guest) bool { return o.solo && !o.left })
	if others && (g.solo || solo || m.most > 0 && m.active() >= m.most || m.taken(g) > m.limit) {
		return false
	}
	m.inside = append(m.inside, g)
	m.hold(g.need)
	if m.kept() > m.limit {
		m.tidy()
	}
	return true
}

// active counts the runs in flight but for those that were given up, for which nobody waits.
func (m *room) active() (n int) {
	for _, g := range m.inside {
		if !g.left {
			n++
		}
	}
	return n
}

// narrow lets one run less in at once than there are: their sizes have not told what they take.
func (m *room) narrow() {
	if m != nil {
		m.most = max(1, m.active()-1)
	}
}

// leave lets a run out; one that was given up stays.
func (m *room) leave(it *item) {
	if m != nil {
		m.inside = slices.DeleteFunc(m.inside, func(g guest) bool { return g.it == it && !g.left })
	}
}

// abandon notes that a run keeps its memory for good.
func (m *room) abandon(it *item) {
	if m == nil {
		return
	}
	for i := range m.inside {
		m.inside[i].left = m.inside[i].left || m.inside[i].it == it
	}
}

// hold notes what a run's data will be kept as.
func (m *room) hold(n Need) {
	if n.problem != "" {
		m.problems[n.problem] = n.Problem
	}
	maps.Copy(m.sets, n.sets)
}

// taken is what the runs in flight take, and more with them.
func (m *room) taken(more ...guest) float64 {
	now := room{problems: make(map[string]float64), sets: make(map[string]float64), inside: slices.Concat(m.inside, more)}
	for _, g := range now.inside {
		now.hold(g.need)
	}
	return now.kept()
}

// kept is what the runs in flight take with all that is kept.
func (m *room) kept() float64 {
	sum := float64(processBytes)
	for _, b := range m.problems {
		sum += b
	}
	for _, b := range m.sets {
		sum += b
	}
	for _, g := range m.inside {
		sum += g.need.Own
	}
	return sum
}

// tidy drops what no run in flight reads.
func (m *room) tidy() {
	clear(m.problems)
	clear(m.sets)
	problems, sets := make(map[string]bool), make(map[string]bool)
	for _, g := range m.inside {
		m.hold(g.need)
		problems[g.need.problem] = true
		for key := range g.need.sets {
			sets[key] = true
		}
	}
	m.shed(problems, sets)
}
