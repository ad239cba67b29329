package runner

import (
	"kappa/engine/nn"
)

// work is what a run on a net has to do, in shares of the whole: the method, or the pre-training, and each attack.
type work struct {
	method  part
	attacks []part
}

// part is a part of a run's work: from where to where, from 0 to 1.
type part struct{ from, to float64 }

// workOf divides a run's work by its costs.
func workOf(r reader, data pictures, net *nn.Net) work {
	var w work
	n := float64(1 + len(r.attacks()))
	w.method = part{0, 1 / n}
	for i := range r.attacks() {
		w.attacks = append(w.attacks, part{float64(1+i) / n, float64(2+i) / n})
	}
	return w
}

// progressScale is the number of steps that a run on a net is told in.
const progressScale = 10000

// phase tells the board about the steps of one part.
func (w work) phase(t *trial, s part) func(step, steps int) {
	tell := t.progress()
	return func(step, steps int) {
		done := s.from + (s.to-s.from)*float64(step)/float64(max(steps, 1))
		tell(int(progressScale*done), progressScale)
	}
}
