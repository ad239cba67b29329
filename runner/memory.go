package runner

import (
	"fmt"
	"maps"
	"slices"
)

// processBytes is what the process takes beside its runs: the program, the database's caches, and what its runs leave to be recorded.
const processBytes = 32 << 20

// Need is the memory that a run takes at its peak, in bytes. It is what is in use at once: what the collector has not come to yet comes on
// top, up to as much again, where the process has the room.
type Need struct {
	Own     float64 // given back when the run ends
	Problem float64 // of its two tasks, made ready; the runs of one problem share them
	Sets    float64 // of its data sets as they are loaded; all runs share them

	problem string
	sets    map[string]float64
}

// Total is all of it, with what the process takes beside.
func (n Need) Total() int64 { return int64(processBytes + n.Own + n.Problem + n.Sets) }

// Memory predicts what a run takes. sizes are those of [Sizes]; ok is false where the run's is not among them. It is pure, and within a
// factor of two of what the shapes that its test measures take.
func Memory(run Planned, sizes map[string]Size) (n Need, ok bool) {
	r := reader{run.Settings}
	size, ok := sizes[problemID(r)]
	if !ok {
		return n, false
	}
	n.sets = make(map[string]float64)
	for i, side := range []string{"primary", "harmful"} {
		if size.sets[i] > 0 {
			n.sets[source(r, side).Key()] = size.sets[i]
		}
	}
	for _, b := range n.sets {
		n.Sets += b
	}
	if r.net() {
		n.Own = netBytes(r, size.net)
		return n, true
	}
	n.problem = problemID(r)
	n.Problem, n.Own = linearBytes(r, size)
	return n, true
}

// What runs on linear extractors take, in D×D matrices of float64, as measured.
const (
	matricesOfTask    = 2.5 // a task's factors and second moments
	matricesOfState   = 6   // spectra of a θ, to measure it
	matricesOfTrain   = 20  // of a method that takes steps
	matricesOfRelease = 27  // of the released code's, with columns of ones
	matricesOfAttack  = 2   // a task under a θ
	vectorsOfAttack   = 40  // of D numbers, an attacker's
)

// What a recorded step and a point of an attack leave until they are recorded.
const (
	bytesOfStep  = 1400
	bytesOfPoint = 150
	bytesOfRun   = 1 << 20
)

// linearBytes predicts what a run on a linear extractor takes: its problem, and itself.
func linearBytes(r reader, size Size) (problem, own float64) {
	s := shapeOf(r, size)
	d, rows := s.d, s.n[0]+s.n[1]
	square := 8 * d * d
	problem = 8*rows*(d+3) + 2*matricesOfTask*square
	matrices := 0.0
	switch method, _ := methodNamed(r.str("train.method")); {
	case method.Name == "released":
		matrices = matricesOfRelease
	case method.readsInit():
		matrices = matricesOfTrain
	}
	own = bytesOfRun + square*max(matrices, matricesOfState) + 8*s.batch*d*4 + s.points*bytesOfStep
	if s.drawn { // a matrix of orthonormal columns on the way to each task, before anything else is there
		own = max(own, 8*max(s.n[0], s.n[1])*d)
	}
	if len(s.attacks) > 0 {
		own += matricesOfAttack * square
	}
	for i, a := range s.attacks {
		own += 2 * a.points * bytesOfPoint * (1 + a.starts)
		if r.str(attackKey(i, "method")) != "least-squares" {
			own += 8 * vectorsOfAttack * d
		}
		if a.logistic {
			own += 8 * 4 * max(s.n[0], s.n[1])
		}
	}
	return problem, own
}

// Demand is what a plan takes of memory.
type Demand struct {
	Largest int   // the decision whose run takes most, of those that are executed; −1: nothing is known of any
	Bytes   int64 // of it
	Over    []int // decisions whose runs take more than the limit, largest first
	Unknown int   // runs about whose sizes nothing is known
}

// Demands predicts what the runs that decisions execute take, each alone, against a limit in bytes; 0 = none. It is pure.
func Demands(decisions []Decision, sizes map[string]Size, limit int64) Demand {
	d := Demand{Largest: -1}
	over := make(map[int]int64)
	for i, dec := range decisions {
		if !dec.Execute {
			continue
		}
		need, ok := Memory(dec.Run, sizes)
		if !ok {
			d.Unknown++
			continue
		}
		total := need.Total()
		if total > d.Bytes {
			d.Largest, d.Bytes = i, total
		}
		if limit > 0 && total > limit {
			over[i] = total
		}
	}
	d.Over = slices.SortedFunc(maps.Keys(over), func(a, b int) int {
		if over[a] != over[b] {
			return int(over[b] - over[a])
		}
		return a - b
	})
	return d
}

// Shapes says in a few words what a run's need comes of.
func Shapes(run Planned, sizes map[string]Size) string {
	r := reader{run.Settings}
	size, ok := sizes[problemID(r)]
	switch {
	case !ok:
		return "shapes that are not known"
	case r.net():
		return netShapes(r, size.net)
	}
	text := fmt.Sprintf("tasks of %d×%d and %d×%d, method %s", size.Rows[0], size.Columns, size.Rows[1], size.Columns, run.Method())
	if n := points(r, stepsOf(r, size.Rows[0], size.Rows[1])); n > 1000 {
		text += fmt.Sprintf(", %d recorded steps", n)
	}
	return text
}

// Bytes writes a number of bytes as people read it: "512 MiB", "3.1 GiB".
func Bytes(n int64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"PiB", 1 << 50}, {"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if x := float64(n) / u.size; x >= 1 {
			if x < 9.95 && u.size >= 1<<30 {
				return fmt.Sprintf("%.1f %s", x, u.name)
			}
			return fmt.Sprintf("%.0f %s", x, u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}
