package runner

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kappa/engine/deep"
	"kappa/engine/nn"
	"kappa/store"
)

// TestResumeFromCheckpoint: a pre-training that is cut off after an epoch goes on from there, to the same bits.
func TestResumeFromCheckpoint(t *testing.T) {
	opt := Options{Jobs: 1, Now: time.Now}
	plan := planOf(t, tinyAttack)
	straight, cut := openDB(t), openDB(t)
	if _, err := Run(t.Context(), plan, straight, opt); err != nil {
		t.Fatal(err)
	}
	key := plan.Runs[0].Key
	ctx, cancel := context.WithCancel(t.Context())
	watched := cancelled{cut, key, 2, cancel}
	if sum, err := Run(ctx, plan, &watched, opt); err == nil || sum.Interrupted != 1 {
		t.Fatalf("%+v, %v: want an interruption", sum, err)
	}
	if _, ok, err := cut.ReadCheckpoint(key); !ok || err != nil {
		t.Fatalf("there is no checkpoint (%v)", err)
	}
	sum, err := Run(t.Context(), plan, cut, opt)
	if err != nil || sum.Done != 3 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if _, ok, _ := cut.ReadCheckpoint(key); ok {
		t.Error("the checkpoint is still there")
	}
	for _, run := range plan.Runs {
		a, err := straight.Outcome(t.Context(), run.Key)
		if err != nil {
			t.Fatal(err)
		}
		b, err := cut.Outcome(t.Context(), run.Key)
		if err != nil {
			t.Fatal(err)
		}
		if run.Key == key && !strings.Contains(b.Log, "goes on after epoch 2, from the checkpoint of an earlier attempt") {
			t.Errorf("log %q", b.Log)
		}
		same := cmp.Options{cmpopts.IgnoreFields(store.Outcome{}, "WallSeconds", "CPUSeconds", "Log"), cmpopts.EquateNaNs()}
		if d := cmp.Diff(a, b, same); d != "" {
			t.Errorf("%s (-uninterrupted +resumed):\n%s", run.Method(), d)
		}
	}
}

// cancelled is a database that cancels the call once the checkpoint of an epoch has been written.
type cancelled struct {
	*store.DB
	key    string
	epoch  int
	cancel func()
}

func (c *cancelled) WriteCheckpoint(key string, write func(io.Writer) error) error {
	err := c.DB.WriteCheckpoint(key, write)
	if c.epoch--; c.epoch == 0 {
		c.cancel()
	}
	return err
}

// writing returns what writes data.
func writing(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// stateFile is the file of a state.
func stateFile(s deep.State) ([]byte, error) {
	var b bytes.Buffer
	err := encodeState(&b, s)
	return b.Bytes(), err
}

// TestUselessCheckpoints: one that is damaged, or of another net, is passed over with a line in the log.
func TestUselessCheckpoints(t *testing.T) {
	plan := planOf(t, tinyAttack[:strings.Index(tinyAttack, "[[attack]]")])
	key := plan.Runs[0].Key
	for name, leave := range map[string]func(db *store.DB) error{
		"damaged": func(db *store.DB) error {
			if err := db.WriteCheckpoint(key, writing([]byte("something"))); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(db.Dir(), "artifacts", key+"-checkpoint"), []byte("0000\nsomething"), 0o666)
		},
		"no state": func(db *store.DB) error { return db.WriteCheckpoint(key, writing([]byte("something"))) },
		"of another net": func(db *store.DB) error {
			data, err := stateFile(deepState())
			if err != nil {
				return err
			}
			return db.WriteCheckpoint(key, writing(data))
		},
	} {
		db := openDB(t)
		if err := leave(db); err != nil {
			t.Fatal(err)
		}
		sum, err := Run(t.Context(), plan, db, Options{Jobs: 1, Now: time.Now})
		if err != nil || sum.Done != 2 {
			t.Fatalf("%s: %+v, %v", name, sum, err)
		}
		out, err := db.Outcome(t.Context(), key)
		if err != nil || !strings.Contains(out.Log, "the checkpoint is not taken up: ") {
			t.Errorf("%s: log %q, %v", name, out.Log, err)
		}
	}
}

// TestCheckpointsThatCannotBeWritten: a training that has gone on from one does not begin anew over it.
func TestCheckpointsThatCannotBeWritten(t *testing.T) {
	plan := planOf(t, tinyAttack[:strings.Index(tinyAttack, "[[attack]]")])
	db := openDB(t)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Run(ctx, plan, &cancelled{db, plan.Runs[0].Key, 1, cancel}, Options{Jobs: 1, Now: time.Now}); err == nil {
		t.Fatal("it was not cut off")
	}
	sum, err := Run(t.Context(), plan, full{db}, Options{Jobs: 1, Now: time.Now})
	if err != nil || sum.Failed != 2 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if got := sum.Failures[0].Err.Error(); !strings.Contains(got, "checkpoint after epoch 2: the disk is full") {
		t.Errorf("%q", got)
	}
	if sum, err = Run(t.Context(), plan, db, Options{Jobs: 1, Now: time.Now}); err != nil || sum.Done != 2 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// full is a database on a disk without room for checkpoints.
type full struct{ *store.DB }

func (full) WriteCheckpoint(string, func(io.Writer) error) error {
	return errors.New("the disk is full")
}

// deepState is a state of no net that there is.
func deepState() deep.State {
	return deep.State{
		Epoch: 1, Epochs: []deep.Epoch{{Loss: math.NaN(), Accuracy: 0.1, TestLoss: 2.3}, {Epoch: 1, Loss: 1.5, Accuracy: 0.25, TestLoss: 1.25}},
		Tensors: []nn.Named{{Name: "head.weight", Shape: []int{1, 2}, Data: []float32{1, 2}}},
	}
}

func TestStateRoundTrip(t *testing.T) {
	want := deepState()
	data, err := stateFile(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeState(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateNaNs()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, cut := range []int{0, 1, 8, len(data) / 2, len(data) - 1} {
		if _, err := decodeState(data[:cut]); err == nil {
			t.Errorf("%d of %d bytes are taken for a state", cut, len(data))
		}
	}
}
