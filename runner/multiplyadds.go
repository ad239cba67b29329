package runner

import (
	"math"

	"kappa/engine/nn"
)

// work is what a run on a net has to compute, in multiplications with an addition each.
type work struct {
	method  float64   // or the pre-training, with its tests
	measure float64   // condition numbers and tests
	attacks []float64 // each
}

// total is all of it.
func (w work) total() float64 {
	sum := w.method + w.measure
	for _, a := range w.attacks {
		sum += a
	}
	return sum
}

// netSize is what decides the work of a run on a net beside its settings.
type netSize struct {
	train, test [2]int // images of the primary and the harmful task
	input       [3]int // channels, height and width of an image
	classes     [2]int
}

// sizeOfPictures are the sizes of loaded data.
func sizeOfPictures(data pictures) netSize {
	s := netSize{
		train: [2]int{data.primary.Train.Len()}, test: [2]int{data.primary.Test.Len()},
		input: dims(data.primary.Train), classes: [2]int{data.primary.Train.Classes()},
	}
	if data.harmful.Train != nil {
		s.train[1], s.test[1], s.classes[1] = data.harmful.Train.Len(), data.harmful.Test.Len(), data.harmful.Train.Classes()
	}
	return s
}

// passes are the multiply-adds of a net for one image.
type passes struct {
	all    float64 // forward, through all blocks and the head
	moving float64 // of them those of the blocks from the lowest unfrozen one on, and of the head
	width  float64
}

// passesOf counts them; unfrozen nil means the net's own. A pattern that matches nothing leaves all blocks unfrozen: the run says so.
func passesOf(net *nn.Net, unfrozen []string) passes {
	blocks, head := net.MultiplyAdds()
	p := passes{all: head, moving: head, width: float64(net.Width)}
	if unfrozen == nil {
		unfrozen = net.Unfrozen
	}
	_ = net.Freeze(unfrozen...)
	trunk := net.Trunk()
	net.Thaw()
	for i, b := range blocks {
		p.all += b
		if i >= trunk {
			p.moving += b
		}
	}
	return p
}

// tracedSteps is what a recorded state costs, in steps.
const tracedSteps = 3

// probeIterations is the number of passes over the features that an optimum by L-BFGS takes, more or less.
const probeIterations = 100

// workOf is what a run with these settings has to compute; reuses says that its θ is another run's.
func workOf(r reader, s netSize, p passes, reuses bool) work {
	var w work
	step := 3.0 // forward and twice as many backward
	if r.str("train.method") == pretrainMethod {
		n := s.train[0]
		if r.has("pretrain.n") {
			n = min(n, r.integer("pretrain.n"))
		}
		epochs := r.number("pretrain.epochs")
		w.method = p.all * (epochs*step*float64(n) + (epochs+1)*float64(s.test[0]))
		return w
	}
	if !reuses {
		steps := r.integer("train.steps")
		if r.str("train.method") == "identity" {
			steps = 0
		}
		batch := r.number("train.batch")
		if batch == 0 {
			batch = baseBatch
		}
		w.method = 2 * batch * (p.all + 2*p.moving) * (float64(steps) + tracedSteps*float64(points(r, steps)))
		// θ alone: what is measured of θ_0 serves several runs.
		w.measure = p.all * (2*r.number("train.groups")*r.number("train.group_size") + float64(s.test[0]))
	}
	for i, name := range r.attacks() {
		key := func(name string) string { return attackKey(i, name) }
		n, test := min(r.number(key("n")), float64(s.train[1])), min(r.number(key("test_n")), float64(s.test[1]))
		epochs := r.number(key("epochs"))
		head := p.width * float64(s.classes[1])
		below := (p.all - p.moving) * (n + test)
		var a float64
		switch {
		case name == "full-finetune":
			a = p.all * (epochs*step*n + (epochs+1)*test)
		case name == "lora":
			a = below + p.moving*(epochs*step*n+(epochs+1)*test)
		case r.str(key("optimizer")) == "lbfgs":
			a = p.all*(n+test) + head*probeIterations*2*n
		default:
			a = p.all*(n+test) + head*(epochs*step*n+(epochs+1)*test)
		}
		w.attacks = append(w.attacks, a)
	}
	return w
}

// progressScale is the number of steps that a run on a net is told in.
const progressScale = 10000

// phase tells the board about the steps of a part of the work, after what comes before it.
func (w work) phase(t *trial, before, part float64) func(step, steps int) {
	tell := t.progress()
	return func(step, steps int) { tell(w.progress(before, part, step, steps), progressScale) }
}

// progress is how far the work is after some steps of a part, of progressScale.
func (w work) progress(before, part float64, step, steps int) int {
	return int(math.Round(progressScale * (before + part*float64(step)/float64(max(steps, 1))) / w.total()))
}

// attackPhase is the phase of attack i.
func (w work) attackPhase(t *trial, i int) func(step, steps int) {
	before := w.method + w.measure
	for _, a := range w.attacks[:i] {
		before += a
	}
	return w.phase(t, before, w.attacks[i])
}
