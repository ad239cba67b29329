package runner

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"

	"kappa/engine/deep"
	"kappa/engine/nn"
	"kappa/engine/nn/weights"
)

// resumed begins the line of the log of a run that went on from a checkpoint.
const resumed = "goes on after"

// A checkpoint is a training's state as a .safetensors file: the tensors of the net and of the optimizer under their names, and what was
// recorded of its epochs.
const (
	epochsTensor  = "training/epochs" // float64, epochs×4: number, loss, accuracy, test loss
	epochMetadata = "epoch"
)

// encodeState writes the file of a state.
func encodeState(w io.Writer, s deep.State) error {
	var list []weights.Tensor
	for _, n := range s.Tensors {
		list = append(list, weights.Of(n.Name, n.Shape, func() []float32 { return n.Data }))
	}
	list = append(list, weights.Tensor{
		Name: epochsTensor, DType: weights.F64, Shape: []int{len(s.Epochs), 4}, Data: func() ([]byte, error) {
			var out []byte
			for _, e := range s.Epochs {
				for _, v := range []float64{float64(e.Epoch), e.Loss, e.Accuracy, e.TestLoss} {
					out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
				}
			}
			return out, nil
		},
	})
	return weights.Write(w, list, map[string]string{epochMetadata: strconv.Itoa(s.Epoch)})
}

// decodeState is the inverse of encodeState.
func decodeState(data []byte) (s deep.State, err error) {
	f, err := weights.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return s, err
	}
	if s.Epoch, err = strconv.Atoi(f.Metadata()[epochMetadata]); err != nil {
		return s, fmt.Errorf("its epoch is %q; accepted: a whole number", f.Metadata()[epochMetadata])
	}
	for _, t := range f.Tensors() {
		if t.Name == epochsTensor {
			raw, err := t.Data()
			if err != nil {
				return s, err
			}
			for ; len(raw) >= 32; raw = raw[32:] {
				at := func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])) }
				s.Epochs = append(s.Epochs, deep.Epoch{Epoch: int(at(0)), Loss: at(1), Accuracy: at(2), TestLoss: at(3)})
			}
			continue
		}
		values, err := f.Float32(t.Name)
		if err != nil {
			return s, err
		}
		s.Tensors = append(s.Tensors, nn.Named{Name: t.Name, Shape: t.Shape, Data: values})
	}
	return s, nil
}

// writeCheckpoint leaves a training's state for a later attempt at the run.
func (t *trial) writeCheckpoint(s deep.State) error {
	if err := t.of.db.WriteCheckpoint(t.run.Key, func(w io.Writer) error { return encodeState(w, s) }); err != nil {
		return fmt.Errorf("checkpoint after epoch %d: %w", s.Epoch, err)
	}
	return nil
}

// readCheckpoint returns the state that an earlier attempt has left, nil where there is none that can be used. The log says which it is.
func (t *trial) readCheckpoint() *deep.State {
	data, ok, err := t.of.db.ReadCheckpoint(t.run.Key)
	if err == nil && !ok {
		return nil
	}
	var s deep.State
	if err == nil {
		s, err = decodeState(data)
	}
	if err != nil {
		t.notTakenUp(err)
		return nil
	}
	t.logf(resumed+" epoch %d, from the checkpoint of an earlier attempt", s.Epoch)
	return &s
}
