package deep

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"kappa/engine/nn"
)

// State is a training after a whole epoch: all that the rest of it depends on beside its data, options and draws.
type State struct {
	Epoch  int     // epochs that are done, ≥ 1
	Epochs []Epoch // what was recorded
	// Tensors are the net's parameters and buffers under their names, and the optimizer's numbers as "optimizer/…".
	Tensors []nn.Named
}

// optimizerPrefix is put before the names of an optimizer's numbers: no parameter's name has a slash.
const optimizerPrefix = "optimizer/"

// state returns a copy of the training's state.
func (t *trainer) state(epoch int) State {
	s := State{Epoch: epoch, Epochs: slices.Clone(t.res.Epochs)}
	for _, p := range t.net.Params() {
		s.Tensors = append(s.Tensors, nn.Named{Name: p.Name, Shape: slices.Clone(p.Shape), Data: p.Export()})
	}
	for _, n := range t.opt.State() {
		n.Name = optimizerPrefix + n.Name
		s.Tensors = append(s.Tensors, n)
	}
	return s
}

// restore puts a training where a state was taken. The error names all tensors that do not fit.
func (t *trainer) restore(s State, perEpoch int) error {
	if s.Epoch < 1 || s.Epoch > t.o.Epochs {
		return fmt.Errorf("state after epoch %d of %d; accepted: 1 to %d", s.Epoch, t.o.Epochs, t.o.Epochs)
	}
	byName := map[string]nn.Named{}
	var opt []nn.Named
	for _, n := range s.Tensors {
		if rest, ok := strings.CutPrefix(n.Name, optimizerPrefix); ok {
			n.Name = rest
			opt = append(opt, n)
		} else {
			byName[n.Name] = n
		}
	}
	var errs []error
	for _, p := range t.net.Params() {
		n, ok := byName[p.Name]
		delete(byName, p.Name)
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("state: %q is missing", p.Name))
		case !slices.Equal(n.Shape, p.Shape) || len(n.Data) != len(p.Value):
			errs = append(errs, fmt.Errorf("state: %q is %v with %d numbers, the net has %v", p.Name, n.Shape, len(n.Data), p.Shape))
		}
	}
	for _, n := range s.Tensors {
		if _, left := byName[n.Name]; left {
			errs = append(errs, fmt.Errorf("state: the net has no %q", n.Name))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if err := t.opt.Restore(opt); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	for _, n := range s.Tensors {
		for _, p := range t.net.Params() {
			if p.Name == n.Name {
				p.Import(n.Data)
			}
		}
	}
	t.res.Epochs, t.res.Steps = slices.Clone(s.Epochs), s.Epoch*perEpoch
	return nil
}
