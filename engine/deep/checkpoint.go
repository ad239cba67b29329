package deep

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"kappa/engine/nn"
)

// ErrState is the error ([errors.Is]) of a training that cannot go on from the state that it was given: that of another net, other
// options, or a number that no training leaves. No step was taken, and of a method the net is as it was.
var ErrState = errors.New("deep: the state is not of this training")

// stateError is an error that is ErrState and says what does not fit.
type stateError struct{ error }

func (e stateError) Is(target error) bool { return target == ErrState }

func (e stateError) Unwrap() error { return e.error }

// State is a training after a whole epoch: all that the rest of it depends on beside its data, options and draws.
type State struct {
	Epoch  int     // epochs that are done, ≥ 1
	Epochs []Epoch // what was recorded
	// Tensors are the parameters, with the buffers where those move, under their names, and the optimizer's numbers as "optimizer/…". Of a
	// pre-training and of [FullFinetune] these are all of the net's, of [LinearProbe] and [LoRA] those of the head and the adapters.
	Tensors []nn.Named
}

// MethodState is a method after some of its steps: all that the rest of it depends on beside its problem, options and draws.
type MethodState struct {
	Steps, Skipped               int     // see [Result]; Steps ≥ 1
	LambdaPrimary, LambdaHarmful float64 // the weights, as they were found where they are balanced
	Trace                        []Point // of the states before this one
	// Tensors are the parameters that move under their names, their values before the last step as "before/…", the optimizer's numbers as
	// "optimizer/…", and those of the head of [IMMA]'s inner player as "inner/…".
	Tensors []nn.Named
}

// What is put before names in a state: no parameter's name has a slash.
const (
	optimizerPrefix = "optimizer/"
	beforePrefix    = "before/"
	innerPrefix     = "inner/"
)

// renamed is a parameter under a name with a prefix, with values of its own where those are not nil.
func renamed(prefix string, p *nn.Param, values []float32) *nn.Param {
	q := *p
	q.Name = prefix + p.Name
	if values != nil {
		q.Value = values
	}
	return &q
}

// tensorsOf returns copies of the values of parameters and of the numbers of an optimizer.
func tensorsOf(params []*nn.Param, opt nn.Optimizer) []nn.Named {
	var list []nn.Named
	for _, p := range params {
		list = append(list, nn.Named{Name: p.Name, Shape: slices.Clone(p.Shape), Data: p.Export()})
	}
	for _, n := range opt.State() {
		n.Name = optimizerPrefix + n.Name
		list = append(list, n)
	}
	return list
}

// restoreTensors is the inverse of tensorsOf. It takes all or nothing; the error names all parameters that do not fit, or all numbers of the
// optimizer.
func restoreTensors(tensors []nn.Named, params []*nn.Param, opt nn.Optimizer) error {
	byName := map[string]nn.Named{}
	var state []nn.Named
	for _, n := range tensors {
		if rest, ok := strings.CutPrefix(n.Name, optimizerPrefix); ok {
			n.Name = rest
			state = append(state, n)
		} else {
			byName[n.Name] = n
		}
	}
	var errs []error
	values := make([][]float32, len(params))
	for i, p := range params {
		n, ok := byName[p.Name]
		delete(byName, p.Name)
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("state: %q is missing", p.Name))
		case !slices.Equal(n.Shape, p.Shape) || len(n.Data) != len(p.Value):
			errs = append(errs, fmt.Errorf("state: %q is %v with %d numbers, the net has %v", p.Name, n.Shape, len(n.Data), p.Shape))
		}
		values[i] = n.Data
	}
	for _, n := range tensors {
		if _, left := byName[n.Name]; left {
			errs = append(errs, fmt.Errorf("state: the training has no %q", n.Name))
		}
	}
	if len(errs) > 0 {
		return stateError{errors.Join(errs...)}
	}
	if err := opt.Restore(state); err != nil {
		return stateError{fmt.Errorf("state: %w", err)}
	}
	for i, p := range params {
		p.Import(values[i])
	}
	return nil
}

// moving are what a training changes: with a train mode that is all of the net, whose buffers follow the batches.
func (t *trainer) moving() []*nn.Param {
	if t.train {
		return t.net.Params()
	}
	return t.params
}

// state returns a copy of the training's state.
func (t *trainer) state(epoch int) State {
	return State{Epoch: epoch, Epochs: slices.Clone(t.res.Epochs), Tensors: tensorsOf(t.moving(), t.opt)}
}

// restore puts a training where a state was taken.
func (t *trainer) restore(s State, perEpoch int) error {
	if s.Epoch < 1 || s.Epoch > t.o.Epochs {
		return stateError{fmt.Errorf("state after epoch %d of %d; accepted: 1 to %d", s.Epoch, t.o.Epochs, t.o.Epochs)}
	}
	if err := restoreTensors(s.Tensors, t.moving(), t.opt); err != nil {
		return err
	}
	t.res.Epochs, t.res.Steps = slices.Clone(s.Epochs), s.Epoch*perEpoch
	return nil
}

// moving are what a method changes, and what it falls back on where it diverges.
func (d *descent) moving() []*nn.Param {
	list := slices.Clone(d.params)
	for i, p := range d.params {
		list = append(list, renamed(beforePrefix, p, d.before[i]))
	}
	if a, ok := d.obj.harmful.(*adversary); ok {
		for _, p := range a.head.Params() {
			list = append(list, renamed(innerPrefix, p, nil))
		}
	}
	return list
}

// state returns a copy of the method's state.
func (d *descent) state() MethodState {
	return MethodState{
		Steps: d.res.Steps, Skipped: d.res.Skipped, LambdaPrimary: d.primary.lambda, LambdaHarmful: d.harmful.lambda,
		Trace: slices.Clone(d.res.Trace), Tensors: tensorsOf(d.moving(), d.optimizer),
	}
}

// restore puts a method where a state was taken.
func (d *descent) restore(s *MethodState) error {
	if s.Steps < 1 || s.Steps > d.o.Steps {
		return stateError{fmt.Errorf("state after step %d of %d; accepted: 1 to %d", s.Steps, d.o.Steps, d.o.Steps)}
	}
	for _, l := range []float64{s.LambdaPrimary, s.LambdaHarmful} {
		if !(l >= 0) || math.IsInf(l, 0) {
			return stateError{fmt.Errorf("state: a weight λ is %v; accepted: 0 or a number above", l)}
		}
	}
	if err := restoreTensors(s.Tensors, d.moving(), d.optimizer); err != nil {
		return err
	}
	d.primary.lambda, d.harmful.lambda = s.LambdaPrimary, s.LambdaHarmful
	d.res.Steps, d.res.Skipped, d.res.Trace = s.Steps, s.Skipped, slices.Clone(s.Trace)
	for range s.Steps {
		d.primary.draw()
		d.harmful.draw()
	}
	return nil
}
