package runner

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kappa/engine/deep"
	"kappa/engine/nn"
	"kappa/store"
)

// cutNet is an experiment with every kind of training that can be cut off.
const cutNet = `
title = "A perceptron on digits"
[primary]
dataset = "digits"
[harmful]
dataset = "digits"
[model]
kind = "mlp"
[pretrain]
epochs = 1
n = 128
[train]
method = "imma"
lambda_harmful = 0.1
steps = 5
batch = 32
groups = 2
group_size = 20
`

const cutAttacks = `
[[attack]]
method = "linear-probe"
optimizer = "adam"
n = 64
test_n = 50
epochs = 3
[[attack]]
method = "linear-probe"
optimizer = "lbfgs"
n = 64
test_n = 50
[[attack]]
method = "lora"
n = 64
test_n = 50
epochs = 3
batch = 32
[[attack]]
method = "full-finetune"
n = 64
test_n = 50
epochs = 4
batch = 32
`

// hurried returns a clock by which an hour passes between two looks: it is always time for a checkpoint.
func hurried() func() time.Time {
	var looks atomic.Int64
	return func() time.Time { return time.Unix(0, 0).Add(time.Duration(looks.Add(1)) * time.Hour) }
}

// cutting is a database that ends the call with the writing of a run's second checkpoint, and notes how many there were.
type cutting struct {
	*store.DB
	key    string
	writes int
	cancel func()
}

func (c *cutting) WriteCheckpoint(key string, write func(io.Writer) error) error {
	err := c.DB.WriteCheckpoint(key, write)
	if key == c.key {
		if c.writes++; c.writes == 2 {
			c.cancel()
		}
	}
	return err
}

// sameOutcome compares what two databases hold of a run, but for time and log.
func sameOutcome(t *testing.T, want, got *store.DB, key string) {
	t.Helper()
	a, err := want.Outcome(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := got.Outcome(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	same := cmp.Options{cmpopts.IgnoreFields(store.Outcome{}, "WallSeconds", "CPUSeconds", "Log"), cmpopts.EquateNaNs()}
	if d := cmp.Diff(a, b, same); d != "" {
		t.Errorf("(-in one go +resumed):\n%s", d)
	}
}

// nothingLeft says what lies among the artifacts but the files of finished runs.
func nothingLeft(t *testing.T, db *store.DB) {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(db.Dir(), "artifacts"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), "-theta.safetensors") {
			t.Errorf("%s is left", f.Name())
		}
	}
}

// cutOff runs a plan, whose last run is ended each time it has left its second checkpoint. It returns how often that was.
func cutOff(t *testing.T, plan *Plan, db *store.DB) int {
	t.Helper()
	for cuts := 0; ; cuts++ {
		ctx, cancel := context.WithCancel(t.Context())
		sum, err := Run(ctx, plan, &cutting{DB: db, key: plan.Runs[len(plan.Runs)-1].Key, cancel: cancel}, Options{Jobs: 1, Now: hurried()})
		cancel()
		switch {
		case sum.Failed > 0 || cuts > 30:
			t.Fatalf("cut off %d times: %+v, %v", cuts, sum, err)
		case err == nil:
			return cuts
		}
	}
}

// TestNetRunsContinue: a run that is cut off in the method, between attackers and inside their trainings, again and again, ends with the same bits
// as one that is not.
func TestNetRunsContinue(t *testing.T) {
	plan := planOf(t, cutNet+cutAttacks)
	key := plan.Runs[len(plan.Runs)-1].Key
	straight, db := openDB(t), openDB(t)
	if sum, err := Run(t.Context(), plan, straight, Options{Jobs: 1, Now: time.Now}); err != nil || sum.Done != 3 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if cuts := cutOff(t, plan, db); cuts < 6 {
		t.Errorf("cut off %d times", cuts)
	}
	for _, run := range plan.Runs {
		sameOutcome(t, straight, db, run.Key)
	}
	nothingLeft(t, db)
	for _, line := range []string{
		"after step 2 of the method", "after step 4 of the method", "after the method", "after the measurement and 0 of 4 attackers", "after the measurement and 3 of 4 attackers",
		"after epoch 1 of attacker linear-probe-adam", "after epoch 1 of attacker lora", "after epoch 2 of attacker full-finetune",
	} {
		if count(t, db, "SELECT count(*) FROM attempts WHERE run = '"+key+"' AND log LIKE '%goes on "+line+", from the checkpoint of an earlier attempt%'") == 0 {
			t.Errorf("no attempt went on %s", line)
		}
	}
}

// TestDivergedNetContinues: a method that diverges is not begun again for its measurement's sake, and ends as in one go.
func TestDivergedNetContinues(t *testing.T) {
	plan := planOf(t, cutNet+"learning_rate = 1e30\nclip_norm = 0\n")
	straight, db := openDB(t), openDB(t)
	if sum, err := Run(t.Context(), plan, straight, Options{Jobs: 1, Now: time.Now}); err != nil || sum.Diverged != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if cuts := cutOff(t, plan, db); cuts < 1 {
		t.Error("it was not cut off")
	}
	key := plan.Runs[len(plan.Runs)-1].Key
	sameOutcome(t, straight, db, key)
	nothingLeft(t, db)
	if n := count(t, db, "SELECT count(*) FROM attempts WHERE run = '"+key+"' AND log LIKE '%method imma: diverged after%'"); n != 1 {
		t.Errorf("the method ran %d times", n)
	}
}

// TestReusedThetaContinues: the attacks on the θ of another run go on as well.
func TestReusedThetaContinues(t *testing.T) {
	first, plan := planOf(t, cutNet), planOf(t, cutNet+cutAttacks)
	straight, db := openDB(t), openDB(t)
	for _, d := range []*store.DB{straight, db} {
		if sum, err := Run(t.Context(), first, d, Options{Jobs: 1, Now: time.Now}); err != nil || sum.Failed > 0 {
			t.Fatalf("%+v, %v", sum, err)
		}
	}
	if sum, err := Run(t.Context(), plan, straight, Options{Jobs: 1, Now: time.Now}); err != nil || sum.Failed > 0 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if cuts := cutOff(t, plan, db); cuts < 3 {
		t.Errorf("cut off %d times", cuts)
	}
	sameOutcome(t, straight, db, plan.Runs[len(plan.Runs)-1].Key)
	nothingLeft(t, db)
}

// TestShortRunsLeaveNoCheckpoint: what takes less than a minute is computed again where it is cut off.
func TestShortRunsLeaveNoCheckpoint(t *testing.T) {
	plan := planOf(t, cutNet+cutAttacks)
	watched := &cutting{DB: openDB(t), key: plan.Runs[len(plan.Runs)-1].Key}
	if sum, err := Run(t.Context(), plan, watched, Options{Jobs: 1, Now: time.Now}); err != nil || sum.Done != 3 || watched.writes != 0 {
		t.Errorf("%+v, %v, %d checkpoints", sum, err, watched.writes)
	}
}

func encoded(s *standing) ([]byte, error) {
	var b bytes.Buffer
	err := s.encode(&b)
	return b.Bytes(), err
}

// otherFormat is a checkpoint of a version of kappa whose format has another number.
func otherFormat(s *standing) func() ([]byte, error) {
	return func() ([]byte, error) {
		data, err := encoded(s)
		return bytes.Replace(data, []byte(`"format":"`+standingFormat+`"`), []byte(`"format":"0"`), 1), err
	}
}

// TestStandingFormat: whoever changes what a checkpoint holds gives its format the next number.
func TestStandingFormat(t *testing.T) {
	const format, want = "1", "d04d5a4870870d2e"
	seen := map[reflect.Type]bool{}
	var b strings.Builder
	var describe func(reflect.Type)
	describe = func(v reflect.Type) {
		fmt.Fprintf(&b, "%v", v.Kind())
		switch v.Kind() {
		case reflect.Pointer, reflect.Slice:
			describe(v.Elem())
		case reflect.Struct:
			if seen[v] {
				return
			}
			seen[v] = true
			for i := range v.NumField() {
				fmt.Fprintf(&b, " %s ", v.Field(i).Name)
				describe(v.Field(i).Type)
			}
		}
		b.WriteString(";")
	}
	describe(reflect.TypeFor[standing]())
	if got := fmt.Sprintf("%.8x", sha256.Sum256([]byte(b.String()))); got != want || format != standingFormat {
		t.Errorf("format %s of %s, known: %s of %s; with other fields give standingFormat the next number, and the test what it is", standingFormat, got, format, want)
	}
}

// crashing is a database that ends each time between the record of a run and the removal of its checkpoint.
type crashing struct{ *store.DB }

func (crashing) RemoveCheckpoint(string) error { return nil }

// TestForceBeginsAnew: a checkpoint that a finished attempt has left is not what a repetition begins with.
func TestForceBeginsAnew(t *testing.T) {
	plan := planOf(t, strings.Replace(cutNet, "epochs = 1", "epochs = 3", 1))
	db := openDB(t)
	if sum, err := Run(t.Context(), plan, crashing{db}, Options{Jobs: 1, Now: hurried()}); err != nil || sum.Done != 2 {
		t.Fatalf("%+v, %v", sum, err)
	}
	for _, run := range plan.Runs {
		if _, ok, err := db.ReadCheckpoint(run.Key); !ok || err != nil {
			t.Fatalf("%s has left no checkpoint (%v)", run.Method(), err)
		}
	}
	if sum, err := Run(t.Context(), plan, db, Options{Jobs: 1, Now: time.Now, Force: true}); err != nil || sum.Done != 2 {
		t.Fatalf("%+v, %v", sum, err)
	}
	for _, run := range plan.Runs {
		out, err := db.Outcome(t.Context(), run.Key)
		if err != nil || strings.Contains(out.Log, resumed) || strings.Contains(out.Log, "not taken up") {
			t.Errorf("%s: log %q, %v", run.Method(), out.Log, err)
		}
	}
	if n := count(t, db, "SELECT count(*) FROM attempts WHERE status = 'done'"); n != 4 {
		t.Errorf("%d attempts, want 4", n)
	}
	nothingLeft(t, db)
}

// TestUselessStandings: a checkpoint of something else is passed over with a line in the log, and changes nothing.
func TestUselessStandings(t *testing.T) {
	one := strings.SplitN(cutAttacks, "[[attack]]", 3)[1]
	plan := planOf(t, cutNet+"[[attack]]"+one)
	key := plan.Runs[len(plan.Runs)-1].Key
	straight := openDB(t)
	if sum, err := Run(t.Context(), plan, straight, Options{Jobs: 1, Now: time.Now}); err != nil || sum.Done != 3 {
		t.Fatalf("%+v, %v", sum, err)
	}
	// A standing after the measurement, from an attempt that is cut off there.
	var good *standing
	for db := openDB(t); good == nil || good.Outcome.Result == nil; {
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := Run(ctx, plan, &cutting{DB: db, key: key, cancel: cancel}, Options{Jobs: 1, Now: hurried()}); err == nil {
			t.Fatal("it was not cut off after the measurement")
		}
		cancel()
		data, ok, err := db.ReadCheckpoint(key)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		if good, err = decodeStanding(data); err != nil {
			t.Fatal(err)
		}
	}
	odd := []nn.Named{{Name: "layers.0.weight", Shape: []int{2}, Data: []float32{1, float32(math.NaN())}}}
	change := func(f func(s *standing)) func() ([]byte, error) {
		return func() ([]byte, error) {
			s := *good
			f(&s)
			return encoded(&s)
		}
	}
	for name, c := range map[string]struct {
		leave func() ([]byte, error)
		want  string
	}{
		"nothing known":       {func() ([]byte, error) { return []byte("something"), nil }, "safetensors"},
		"of a pre-training":   {func() ([]byte, error) { return stateFile(deepState()) }, `it has no "run/standing"`},
		"of another net":      {change(func(s *standing) { s.Method = &deep.MethodState{Steps: 2, Tensors: odd}; s.Theta = nil }), "is missing"},
		"of more steps":       {change(func(s *standing) { s.Method = &deep.MethodState{Steps: 6}; s.Theta = nil }), "state after step 6 of 5"},
		"θ of another net":    {change(func(s *standing) { s.Theta = odd }), "tensors of θ"},
		"other shapes of θ":   {change(func(s *standing) { s.Theta = append(odd, s.Theta[1:]...) }), "of another shape"},
		"of another version":  {otherFormat(good), `its format is "0"; accepted: "` + standingFormat + `"`},
		"without figures":     {change(func(s *standing) { s.Outcome = store.Outcome{} }), "it is not of this run"},
		"more attackers":      {change(func(s *standing) { s.Attacks = 2 }), "it is not of this run"},
		"of another attacker": {change(func(s *standing) { s.Training = &deep.State{Epoch: 1, Tensors: odd} }), "is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			db := openDB(t)
			data, err := c.leave()
			if err != nil {
				t.Fatal(err)
			}
			if err := db.WriteCheckpoint(key, writing(data)); err != nil {
				t.Fatal(err)
			}
			if sum, err := Run(t.Context(), plan, db, Options{Jobs: 1, Now: time.Now}); err != nil || sum.Done != 3 {
				t.Fatalf("%+v, %v", sum, err)
			}
			sameOutcome(t, straight, db, key)
			nothingLeft(t, db)
			out, err := db.Outcome(t.Context(), key)
			if err != nil || !strings.Contains(out.Log, "the checkpoint is not taken up: ") || !strings.Contains(out.Log, c.want) {
				t.Errorf("log %q does not say %q, %v", out.Log, c.want, err)
			}
		})
	}
}
