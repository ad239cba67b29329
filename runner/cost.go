package runner

import (
	"kappa/engine/immunize"
)

// A cost is the processor time of a computation in nanoseconds, as measured on one core that multiplies matrices at referenceSpeed.
// Other machines take as many times longer as their products do. What is wrong with that is put right by recorded runs: the costs
// decide how times grow with the sizes, and what they are where nothing is recorded.
type cost = float64

// referenceSpeed is the speed of the core that the costs were measured on, in GFLOP/s of a product of order 512.
const referenceSpeed = 52

// shape is what the duration of a run depends on.
type shape struct {
	n      [2]float64 // rows of the primary and the harmful task
	d      float64    // columns
	steps  float64
	points float64 // recorded steps
	batch  float64 // rows of a mini-batch; 0: all
	inner  float64 // steps of IMMA's inner player
	rule   immunize.StepRule

	attacks []attackShape
	// What it shares with others, it computes for all of them: forms the factors of the data, formsOnes those with a column of ones.
	forms, formsOnes bool
	reuses           bool // θ is that of another run
}

// attackShape is one attacker's part.
type attackShape struct {
	attacker
	steps  float64
	points float64
	starts float64
}

// The costs of what runs are made of. A form in D is a·D³ + b·D², the second part being what moves through memory.

func form(d, cubic, square float64) cost { return d * d * (cubic*d + square) }

// product is one of an m×k by a k×n matrix.
func product(m, n, k float64) cost { return 2 * m * n * k / referenceSpeed }

// factorisation is spectrum.NewFactor of n rows.
func factorisation(n, d float64) cost { return 0.05*n*d*d + form(min(n, d), 0.2, 370) }

// spectrumOf is the spectrum of one task at a θ, with both condition numbers.
func spectrumOf(d float64) cost { return form(d, 0.35, 100) }

// thetaSpectrum is κ(θ).
func thetaSpectrum(d float64) cost { return form(d, 0.11, 23) }

// ends are both ends of the spectrum of one task, found from those at a θ nearby.
func ends(d float64) cost { return form(d, 0.06, 12) }

// gradient is that of one regularizer over all rows, by way of the Gram matrix.
func gradient(d float64) cost { return form(d, 0.045, 6) }

// fit is a least-squares problem made ready and solved.
func fit(n, d float64) cost { return 0.05*n*d*d + form(min(n, d), 0.3, 40) }

// recording is what a run costs whatever it computes: the database and the plan; and each of its rows.
const (
	recording    = 2e6
	recordingRow = 5e3
	rowsOfPoint  = 11 // metrics and condition numbers of a recorded step
)

// train is the cost of θ by the run's method.
func (s shape) train(m method) cost {
	if m.cost == nil || s.reuses {
		return 0
	}
	return m.cost(s) + s.points*(recordingRow*rowsOfPoint)
}

// point is the cost of a recorded step.
func (s shape) point() cost { return 2*spectrumOf(s.d) + thetaSpectrum(s.d) + product(s.n[0], 1, s.d) }

// closedCost is that of a closed form.
func closedCost(s shape) cost { return s.point() }

// optimumCost: a generalised eigenproblem and two points.
func optimumCost(s shape) cost { return form(s.d, 0.06, 60) + 2*s.point() }

// algorithm1Cost is that of both regularizers, rillOnlyCost that of one.
func algorithm1Cost(s shape) cost { return s.descent(2) }
func rillOnlyCost(s shape) cost   { return s.descent(1) }

// descent is the cost of gradient steps with so many regularizers.
func (s shape) descent(terms float64) cost {
	full := 2*ends(s.d) + terms*gradient(s.d) + form(s.d, 0, 5*terms)
	switch {
	case s.rule == immunize.Certified:
		full *= 2
	case s.batch > 0 && s.batch < max(s.n[0], s.n[1]):
		b := min(s.batch, s.d)
		step := terms*(product(s.batch, s.d, s.d)+2*product(b, s.d, s.d)+form(b, 0.3, 100)) + form(s.d, 0, 15*terms)
		return s.steps*step + s.points*(s.point()+full)
	}
	return s.steps*full + s.points*s.point()
}

// immaCost: the ends of both spectra, and the inner player's products with vectors there and back.
func immaCost(s shape) cost {
	return s.steps*(2*ends(s.d)+form(s.d, 0, 10+6*s.inner*0.2)) + s.points*(s.point()+fit(s.d, s.d))
}

// optKappaCost: the ends of both spectra and gradients of rank two.
func optKappaCost(s shape) cost {
	return s.steps*(2*ends(s.d)+form(s.d, 0, 15)) + s.points*s.point()
}

// releasedCost: products with the batch, its Gram matrices, and Adam.
func releasedCost(s shape) cost {
	b := min(s.batch, s.d)
	step := 2*(2*product(s.batch, s.d, s.d)+form(b, 0.3, 30)) + form(s.d, 0, 13)
	ones := factorisation(s.n[0], s.d+1) + factorisation(s.n[1], s.d+1)
	if !s.formsOnes {
		ones = 0
	}
	return ones + s.steps*step + s.points*(s.point()+2*ends(s.d))
}

// The costs of one step of an attacker.

// coordinateStep is a step in coordinates in which the problem is bidiagonal or diagonal.
func coordinateStep(_, d float64) cost { return 500 + 15*d }

// weightStep is a step in the weights: products of a triangular matrix with vectors.
func weightStep(n, d float64) cost { return 1000 + 0.3*min(n, d)*d }

// solveStep is none: the problem is solved when it is made ready.
func solveStep(_, _ float64) cost { return 0 }

// attack is the cost of the attackers on both tasks.
func (s shape) attack() (c cost) {
	if len(s.attacks) == 0 {
		return 0
	}
	for _, n := range s.n {
		c += product(min(n, s.d), s.d, s.d) + fit(s.d, s.d)
		for _, a := range s.attacks {
			c += a.starts*a.steps*a.attacker.cost(n, s.d) + a.points*(a.starts*weightStep(n, s.d)+recordingRow)
		}
	}
	return c
}

// total is the cost of a run.
func (s shape) total(m method) cost {
	c := recording + s.train(m) + s.attack() + fit(s.d, s.d) // the best loss on the primary task
	if s.forms {
		for _, n := range s.n {
			c += factorisation(n, s.d)
		}
		c += fit(s.n[0], s.d) + form(s.d, 0.05, 60) // the original's loss, and the ceiling
	}
	return c
}
