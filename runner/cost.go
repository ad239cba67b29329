package runner

import (
	"kappa/engine/ceiling"
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
	drawn            bool // the data are synthetic
	rotates          bool // θ is measured again, rotated
	reuses           bool // θ is that of another run
	clipped          bool // optimum has a bound of κ(θ)
}

// attackShape is one attacker's part.
type attackShape struct {
	attacker
	steps    float64
	points   float64
	starts   float64
	logistic bool // the loss, which is squared else
}

// The costs of what runs are made of. A form in D is a·D³ + b·D², the second part being what moves through memory.

func form(d, cubic, square float64) cost { return d * d * (cubic*d + square) }

// product is one of an m×k by a k×n matrix.
func product(m, n, k float64) cost { return 2 * m * n * k / referenceSpeed }

// factorisation is spectrum.NewFactor of n rows.
func factorisation(n, d float64) cost { return 0.05*n*d*d + form(min(n, d), 0.3, 300) }

// spectrumOf is the spectrum of one task at a θ, with both condition numbers.
func spectrumOf(d float64) cost { return form(d, 0.34, 78) }

// thetaSpectrum is κ(θ).
func thetaSpectrum(d float64) cost { return form(d, 0.11, 25) }

// fit is the least-squares problem of one task at a θ, made ready and solved.
func fit(d float64) cost { return form(d, 0.1, 25) }

// ends are both ends of the spectrum of one task, found from those at a θ nearby.
func ends(d float64) cost { return form(d, 0.048, 15) }

// firstEnds are those of both tasks found from nothing.
func firstEnds(d float64) cost { return form(d, 0.2, 90) }

// gradient is that of one regularizer over all rows, by way of the Gram matrix.
func gradient(d float64) cost { return form(d, 0.052, 6) }

// What a run costs whatever it computes, for the database and the plan, and each row that it leaves.
const (
	recording    = 2e6
	recordingRow = 5e3
	rowsOfPoint  = 11 // metrics and condition numbers of a recorded step
)

// total is the cost of a run.
func (s shape) total(m method) cost {
	c := recording + s.train(m) + s.attack()
	if len(s.attacks) == 0 {
		c += fit(s.d) // the loss on the primary task
	}
	if s.forms {
		for _, n := range s.n {
			c += factorisation(n, s.d) + product(n, 1, 50*s.d)
			if s.drawn {
				c += n * s.d * s.d // singular vectors
			}
		}
		c += form(s.d, 0.1, 80) // the ceiling
	}
	return c
}

// train is the cost of θ by the run's method.
func (s shape) train(m method) cost {
	if m.cost == nil || s.reuses {
		return 0
	}
	c := m.cost(s) + s.points*rowsOfPoint*recordingRow
	if s.rotates {
		c += s.point() + form(s.d, 0.3, 100)
	}
	return c
}

// point is the cost of a recorded step.
func (s shape) point() cost { return 2*spectrumOf(s.d) + thetaSpectrum(s.d) + product(s.n[0], 5, s.d) }

// identityCost is that of one recorded state.
func identityCost(s shape) cost { return s.point() }

// optimumCost is that of a generalised eigenproblem and two recorded states, and under a bound of κ(θ) of the search.
func optimumCost(s shape) cost {
	c := form(s.d, 0.05, 60) + 2*s.point()
	if s.clipped {
		c += ceiling.Evaluations(int(s.d)) * (ends(s.d) + product(s.d, s.d, s.d))
	}
	return c
}

// algorithm1Cost is that of gradient steps with both regularizers, rillOnlyCost with one.
func algorithm1Cost(s shape) cost { return s.descent(2) }
func rillOnlyCost(s shape) cost   { return s.descent(1) }

func (s shape) descent(terms float64) cost {
	full := 2*ends(s.d) + terms*gradient(s.d)
	c := firstEnds(s.d) + s.points*s.point()
	switch {
	case s.rule == immunize.Certified: // each step is two
		return c + 2*s.steps*full
	case s.batch > 0 && s.batch < max(s.n[0], s.n[1]):
		b := min(s.batch, s.d)
		step := terms * (3*product(s.batch, s.d, s.d) + form(b, 0.08, 8) + form(s.d, 0, 16))
		return c + s.steps*step + s.points*full
	}
	return c + s.steps*full
}

// immaCost is that of the ends of both spectra and of the inner player's products with vectors, there and back.
func immaCost(s shape) cost {
	return firstEnds(s.d) + s.steps*(2*ends(s.d)+form(s.d, 0, 1.6*s.inner)) + s.points*(s.point()+fit(s.d))
}

// optKappaCost is that of the ends of both spectra and of gradients of rank two.
func optKappaCost(s shape) cost {
	return firstEnds(s.d) + s.steps*(2*ends(s.d)+form(s.d, 0, 2)) + s.points*s.point()
}

// releasedCost is that of products with the batch, of its Gram matrices, and of Adam.
func releasedCost(s shape) cost {
	b := min(s.batch, s.d)
	step := 4*product(s.batch, s.d, s.d) + 2*form(b, 0.3, 7) + form(s.d, 0, 11)
	c := s.steps*step + s.points*(s.point()+firstEnds(s.d))
	if s.formsOnes {
		for _, n := range s.n {
			c += factorisation(n, s.d+1) + product(n, 1, 50*s.d)
		}
	}
	return c
}

// The costs of an attack of so many steps.

// coordinateSteps are steps in coordinates in which the problem is bidiagonal.
func coordinateSteps(steps, d float64) cost { return steps * (200 + 6*d) }

// memorySteps are such steps that look back at ten others.
func memorySteps(steps, d float64) cost { return steps * (1500 + 14*d) }

// weightSteps are steps in the weights as they are: products of a matrix with vectors.
func weightSteps(steps, d float64) cost { return steps * (1000 + 0.16*d*d) }

// standardizedSteps are steps on another problem, which has to be made ready.
func standardizedSteps(steps, d float64) cost { return fit(d) + coordinateSteps(steps, d) }

// solution is none: the problem is solved when it is made ready.
func solution(_, d float64) cost { return 1000 + 10*d }

// logisticSteps are steps that read all rows; the minimum is found once for all of them.
func logisticSteps(steps, n, d float64) cost { return steps*(1000+n*(20+0.8*d)) + 5*product(n, d, d) }

// attack is the cost of the attackers on both tasks.
func (s shape) attack() (c cost) {
	if len(s.attacks) == 0 {
		return 0
	}
	for _, n := range s.n {
		c += fit(s.d)
		for _, a := range s.attacks {
			steps := a.attacker.cost(a.steps, s.d)
			if a.logistic {
				steps = logisticSteps(a.steps, n, s.d)
			}
			c += a.starts*(steps+a.points*form(s.d, 0, 1)) + a.points*recordingRow
		}
	}
	return c
}
