package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// disk is what a disk holds after a power cut: of what was written to a file since it was last synced, any part.
type disk struct {
	files   map[string][]byte // as they were synced
	pending map[string][]diskOp
}

func newDisk() *disk { return &disk{map[string][]byte{}, map[string][]diskOp{}} }

// do takes up what is done to a file.
func (d *disk) do(op diskOp) {
	d.pending[op.file] = append(d.pending[op.file], op)
	if op.kind != synced {
		return
	}
	for _, op := range d.pending[op.file] {
		d.files[op.file] = apply(d.files[op.file], op, func(content []byte, from, to int64) {
			copy(content[from:to], op.data[from-op.at:])
		})
	}
	if d.files[op.file] == nil {
		delete(d.files, op.file)
	}
	delete(d.pending, op.file)
}

// cut is a power cut: each sector of each write that was not synced has arrived, has not, or is nothing but noughts; lengths have
// changed or have not.
func (d *disk) cut(rng *rand.Rand) map[string][]byte {
	arrives := []float64{0, 0.1, 0.5, 0.9, 1}[rng.IntN(5)]
	zeroes := []float64{0, 0, 0.1, 0.5}[rng.IntN(4)]
	out := make(map[string][]byte)
	for name, content := range d.files {
		out[name] = slices.Clone(content)
	}
	for name, ops := range d.pending {
		durable, content := int64(len(out[name])), out[name]
		for _, op := range ops {
			if op.kind != written && rng.Float64() >= arrives {
				continue
			}
			grown := int64(len(content))
			reached := grown
			content = apply(content, op, func(b []byte, from, to int64) {
				switch {
				case rng.Float64() < zeroes:
					clear(b[from:to])
				case rng.Float64() < arrives:
					copy(b[from:to], op.data[from-op.at:])
				default:
					return
				}
				reached = max(reached, to)
			})
			if op.kind == written && rng.IntN(2) == 0 { // the length follows what has arrived, or is ahead of it
				content = content[:max(reached, min(durable, int64(len(content))))]
			}
		}
		if out[name] = content; content == nil {
			delete(out, name)
		}
	}
	return out
}

// apply does what op says to the content of a file; put writes the bytes from … to of it, once for each sector.
func apply(content []byte, op diskOp, put func(content []byte, from, to int64)) []byte {
	switch op.kind {
	case removed:
		return nil
	case truncated:
		content = resized(content, op.at)
	case written:
		const sector = 512
		end := op.at + int64(len(op.data))
		content = resized(content, max(int64(len(content)), end))
		for from := op.at; from < end; {
			to := min((from/sector+1)*sector, end)
			put(content, from, to)
			from = to
		}
	}
	return content
}

func resized(b []byte, n int64) []byte {
	if b == nil {
		b = []byte{}
	}
	if int64(len(b)) >= n {
		return b[:n]
	}
	return append(b, make([]byte, n-int64(len(b)))...)
}

// history is a database's life as its disk saw it.
type history struct {
	ops  []diskOp
	told []int // told[i]: how many ops were done when run i was told to be recorded
}

// live records n runs and notes everything that is written and synced, the folding of a log of so many bytes into the database among
// it. It does so as a process that is gone once somebody looks.
func live(t *testing.T, n int, logLimit int64) history {
	t.Helper()
	path := newPath(t)
	self := thisProcess()
	self.boot += "-before"
	db := openTest(t, path, Options{Holder: self.String()})
	must(t, db.RecordExperiment(t.Context(), Experiment{Name: "spec", Title: "t", Hash: "h", Runs: []string{key(0)}}))
	r := recordDisk(t, db)
	db.logLimit = logLimit
	db.onFold = func(text string) {
		if text == "" {
			r.add(diskOp{"runs.db" + foldSuffix, removed, 0, nil})
			return
		}
		r.add(diskOp{"runs.db" + foldSuffix, truncated, 0, nil})
		r.add(diskOp{"runs.db" + foldSuffix, written, 0, []byte(text)})
		r.add(diskOp{"runs.db" + foldSuffix, synced, 0, nil})
	}
	var h history
	for _, name := range []string{"runs.db", "runs.db-wal", "runs.db-acked"} { // what is there is taken to have been synced
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		must(t, err)
		h.ops = append(h.ops, diskOp{name, written, 0, b}, diskOp{name, synced, 0, nil})
	}
	before := len(h.ops)
	listed := len(h.ops[4].data)
	for i := range n {
		a := claimTest(t, db, start(i), false)
		if i%3 == 0 {
			must(t, db.Heartbeat(t.Context(), []int64{a}))
		}
		if i%7 == 0 {
			must(t, db.RecordDigest(t.Context(), fmt.Sprint("data ", i), strings.Repeat("x", 3000)))
		}
		must(t, db.Finish(t.Context(), a, big(i)))
		b, err := os.ReadFile(string(db.acked))
		must(t, err)
		r.add(diskOp{"runs.db-acked", written, int64(listed), b[listed:]})
		r.add(diskOp{"runs.db-acked", synced, 0, nil})
		listed = len(b)
		h.told = append(h.told, before+r.len())
	}
	h.ops = append(h.ops, r.ops...)
	return h
}

// big is an outcome that takes several pages, with a text that takes pages of its own.
func big(i int) Outcome {
	o := outcome(i)
	o.Log = strings.Repeat(fmt.Sprint("line of run ", i, "\n"), 700)
	for s := range 60 {
		o.Metrics = append(o.Metrics, Metric{"r_well", s, float64(i*1000 + s)})
	}
	return o
}

// imageFolder is a folder for the files that a power cut leaves, in memory where the system has such a place: whether they reach a disk
// once more shows nothing.
func imageFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "kappa-store-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// lay writes files into a folder of their own and returns the database's path.
func lay(t *testing.T, dir string, files map[string][]byte) string {
	t.Helper()
	for name, content := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), content, 0o644))
	}
	return filepath.Join(dir, "runs.db")
}

// surviving holds what a database has recorded of the runs below n against what was: each is there as it was, or not at all.
func surviving(t *testing.T, db *DB, n int) (there []int) {
	t.Helper()
	keys := make([]string, n)
	for i := range keys {
		keys[i] = key(i)
	}
	states, err := db.States(t.Context(), keys)
	must(t, err)
	for i := range n {
		if !states[key(i)].Status.Finished() {
			continue
		}
		there = append(there, i)
		got, err := db.Outcome(t.Context(), key(i))
		must(t, err)
		want, got := normal(big(i)), normal(got)
		if text(want) == text(got) {
			continue
		}
		if d := cmp.Diff(want, got, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("run %d is altered (-recorded +read):\n%s", i, d)
		}
	}
	return there
}

// text is an outcome as text: quick to compare.
func text(o Outcome) string {
	return fmt.Sprint(o.Status, o.Log, o.Metrics, o.Conditions, o.Attacks, *o.Result, o.Artifacts)
}

// normal brings an outcome into the order in which one is read back.
func normal(o Outcome) Outcome {
	slices.SortFunc(o.Metrics, func(a, b Metric) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return a.Step - b.Step
	})
	return o
}

// TestPowerCut cuts the power anywhere in a database's life: of what was not synced any part is there, and every run that was told to
// be recorded is.
func TestPowerCut(t *testing.T) {
	cuts, runs := 25, 20
	if *long {
		cuts, runs = 500, 60
	}
	h := live(t, runs, 200_000) // folded in every few runs
	copies := 0
	for _, op := range h.ops {
		if op.file == "runs.db" && op.kind == synced {
			copies++
		}
	}
	if copies < 3 {
		t.Fatalf("the log was copied into the database %d times: the test shows too little", copies)
	}
	for c := range cuts {
		rng := rand.New(rand.NewPCG(uint64(c), 5))
		when := rng.IntN(len(h.ops)-4) + 4
		d := newDisk()
		for _, op := range h.ops[:when] {
			d.do(op)
		}
		told := 0
		for told < runs && h.told[told] <= when {
			told++
		}
		t.Run(fmt.Sprintf("%d-after-%d", c, when), func(t *testing.T) {
			db := openTest(t, lay(t, imageFolder(t), d.cut(rng)), Options{})
			if n := db.Notices(); len(n) != 0 {
				t.Errorf("it says %q", n)
			}
			if there := surviving(t, db, runs); len(there) < told {
				t.Errorf("%d runs were told to be recorded, and %d are there", told, len(there))
			}
			if lost := lostKeys(t, db); len(lost) != 0 {
				t.Errorf("lost: %v", lost)
			}
			mustCheck(t, db)
			record(t, db, 1000)
		})
	}
}
