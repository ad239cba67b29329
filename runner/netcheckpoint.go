package runner

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"kappa/engine/deep"
	"kappa/engine/nn"
	"kappa/engine/nn/weights"
	"kappa/store"
)

// checkpointEvery is how much time passes at least between two checkpoints of a run, and before its first, for each checkpointSize bytes of its
// net that are begun, so that writing them takes a few hundredths of the time at most. It is what an interruption costs, beside the way
// from one state that can be kept to the next: a step of the method, an epoch of an attack.
const (
	checkpointEvery = time.Minute
	checkpointSize  = 64 << 20
	// checkpointLast is what must have been computed since the last checkpoint for a run that is interrupted to leave one more.
	checkpointLast = time.Second
)

// standing is how far a run on a net has come. A checkpoint of one is a .safetensors file: the tensors of θ and of the training
// under way, and the rest as bytes of encoding/gob, which keeps every bit of a number.
type standing struct {
	Method  *deep.MethodState // under way; nil: it is complete, and what follows is there
	Theta   []nn.Named        // what the method moves, and the head
	Reused  bool              // θ is another run's
	Steps   int               // of the method
	Figures figures           // parts of the measurement that are done, where Outcome has no result yet
	// Outcome is what is recorded of θ and of the attackers that are done.
	Outcome  store.Outcome
	Attacks  int         // attackers that are done
	Training *deep.State // of the next one; nil: not an epoch of it is done
}

// standingFormat numbers what encode writes: a checkpoint with another number, or none, is not taken up. It grows whenever standing, or a
// type in it, changes.
const standingFormat = "1"

// Names in a checkpoint of a standing.
const (
	formatMetadata = "format"
	standingTensor = "run/standing"
	thetaPrefix    = "theta/"
	statePrefix    = "state/"
)

// encode writes a checkpoint.
func (s *standing) encode(w io.Writer) error {
	var list []weights.Tensor
	add := func(prefix string, tensors []nn.Named) {
		for _, n := range tensors {
			list = append(list, weights.Of(prefix+n.Name, n.Shape, func() []float32 { return n.Data }))
		}
	}
	rest := *s
	add(thetaPrefix, s.Theta)
	rest.Theta = nil
	if s.Method != nil {
		add(statePrefix, s.Method.Tensors)
		m := *s.Method
		m.Tensors, rest.Method = nil, &m
	}
	if s.Training != nil {
		add(statePrefix, s.Training.Tensors)
		t := *s.Training
		t.Tensors, rest.Training = nil, &t
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(rest); err != nil {
		return err
	}
	list = append(list, weights.Tensor{
		Name: standingTensor, DType: weights.U8, Shape: []int{b.Len()}, Data: func() ([]byte, error) { return b.Bytes(), nil },
	})
	return weights.Write(w, list, map[string]string{formatMetadata: standingFormat})
}

// decodeStanding reads a checkpoint.
func decodeStanding(data []byte) (*standing, error) {
	f, err := weights.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	t, ok := f.Lookup(standingTensor)
	if !ok {
		return nil, fmt.Errorf("it has no %q", standingTensor)
	}
	if format := f.Metadata()[formatMetadata]; format != standingFormat {
		return nil, fmt.Errorf("its format is %q; accepted: %q, which this version of kappa writes", format, standingFormat)
	}
	raw, err := t.Data()
	if err != nil {
		return nil, err
	}
	s := new(standing)
	if err := gob.NewDecoder(bytes.NewReader(raw)).Decode(s); err != nil {
		return nil, fmt.Errorf("%s: %w", standingTensor, err)
	}
	for _, name := range f.Names() {
		if name == standingTensor {
			continue
		}
		t, _ := f.Lookup(name)
		values, err := f.Float32(name)
		if err != nil {
			return nil, err
		}
		n := nn.Named{Name: name, Shape: t.Shape, Data: values}
		switch {
		case strings.HasPrefix(name, thetaPrefix):
			n.Name = strings.TrimPrefix(name, thetaPrefix)
			s.Theta = append(s.Theta, n)
		case strings.HasPrefix(name, statePrefix) && s.Method != nil:
			n.Name = strings.TrimPrefix(name, statePrefix)
			s.Method.Tensors = append(s.Method.Tensors, n)
		case strings.HasPrefix(name, statePrefix) && s.Training != nil:
			n.Name = strings.TrimPrefix(name, statePrefix)
			s.Training.Tensors = append(s.Training.Tensors, n)
		default:
			return nil, fmt.Errorf("nothing in it needs the tensor %q", name)
		}
	}
	return s, nil
}

// moved are the parameters of θ that a method on it may move, and those of the head.
func (n *netRun) moved() ([]*nn.Param, error) {
	defer n.net.Thaw()
	if err := n.net.Freeze(n.net.Unfrozen...); err != nil {
		return nil, err
	}
	return n.net.Trained(), nil
}

// due says whether it is time for a checkpoint: also when the run is to stop, unless there is hardly anything to keep.
func (n *netRun) due() bool {
	if n.ctx.Err() != nil {
		return n.of.opt.Now().Sub(n.saved) >= checkpointLast
	}
	every := checkpointEvery * time.Duration(1+bytesOf(n.net)/checkpointSize)
	return n.of.opt.Now().Sub(n.saved) >= every
}

// save leaves a checkpoint.
func (n *netRun) save(s *standing) error {
	err := n.of.db.WriteCheckpoint(n.run.Key, s.encode)
	n.saved = n.of.opt.Now()
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// saveTheta leaves a checkpoint of a run whose method is complete, with the number of attackers that are done and the training under
// way of the next one, if it is time.
func (n *netRun) saveTheta(attacks int, training *deep.State) error {
	if !n.due() {
		return nil
	}
	params, err := n.moved()
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	s := &standing{Reused: n.reused, Steps: n.steps, Figures: n.figures, Outcome: n.out, Attacks: attacks, Training: training}
	for _, p := range params {
		s.Theta = append(s.Theta, nn.Named{Name: p.Name, Shape: p.Shape, Data: p.Export()})
	}
	return n.save(s)
}

// takeUp returns how far an earlier attempt has come, with its θ in the net where that was complete. Where there is no checkpoint, or
// none that can be used, as the log then says, it is the beginning.
func (n *netRun) takeUp() *standing {
	beginning := &standing{Method: &deep.MethodState{}}
	data, ok, err := n.of.db.ReadCheckpoint(n.run.Key)
	if err == nil && !ok {
		return beginning
	}
	var s *standing
	if err == nil {
		s, err = decodeStanding(data)
	}
	if err == nil && s.Method == nil {
		err = n.restoreTheta(s)
	}
	if err != nil {
		n.notTakenUp(err)
		return beginning
	}
	if s.Method == nil {
		n.out, n.steps, n.reused, n.figures = s.Outcome, s.Steps, s.Reused, s.Figures
		what := "the method"
		if s.Outcome.Result != nil {
			what = fmt.Sprintf("the measurement and %d of %d attackers", s.Attacks, len(n.r.attacks()))
		}
		n.logf(resumed+" %s, from the checkpoint of an earlier attempt", what)
	}
	return s
}

// restoreTheta fills the net from a standing whose method is complete, or leaves it as it is.
func (n *netRun) restoreTheta(s *standing) error {
	attacked := s.Attacks != 0 || s.Training != nil
	if !s.Outcome.Status.Finished() || attacked && s.Outcome.Result == nil || s.Attacks < 0 || s.Attacks > len(n.r.attacks()) {
		return errors.New("it is not of this run")
	}
	params, err := n.moved()
	if err != nil {
		return err
	}
	if len(params) != len(s.Theta) {
		return fmt.Errorf("it has %d tensors of θ, of the net %d move", len(s.Theta), len(params))
	}
	values := make([][]float32, len(params))
	for i, p := range params {
		at := slices.IndexFunc(s.Theta, func(t nn.Named) bool { return t.Name == p.Name })
		if at < 0 || !slices.Equal(s.Theta[at].Shape, p.Shape) || len(s.Theta[at].Data) != len(p.Value) {
			return fmt.Errorf("%q of θ, %v, is missing or of another shape", p.Name, p.Shape)
		}
		values[i] = s.Theta[at].Data
	}
	for i, p := range params {
		p.Import(values[i])
	}
	s.Theta = nil
	return nil
}

// releasing lets the tensors of a state go once the training that goes on from it has taken a step.
func releasing(tensors *[]nn.Named, progress func(step, steps int)) func(step, steps int) {
	return func(step, steps int) {
		*tensors = nil
		progress(step, steps)
	}
}

// notTakenUp says why a checkpoint is passed over.
func (t *trial) notTakenUp(err error) { t.logf("the checkpoint is not taken up: %v", err) }
