package runner

import (
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"kappa/engine/probe"
	"kappa/experiments"
	"kappa/store"
)

// TestPointsAreTheTracesOwn: as many recorded states are expected as the tracer will ask for.
func TestPointsAreTheTracesOwn(t *testing.T) {
	for _, trace := range []any{"log", "all", "none", int64(1), int64(3), int64(100)} {
		r := reader{experiments.Settings{"train.trace": trace}}
		at := tracer(r)
		for steps := range 260 {
			want := 0
			for step := range steps + 1 {
				if step == 0 || step == steps || at(step, steps) {
					want++
				}
			}
			if got := points(r, steps); got != want {
				t.Fatalf("trace %v, %d steps: %d states, want %d", trace, steps, got, want)
			}
		}
	}
	for _, steps := range []int{0, 1, 2, 3, 99, 100, 101, 12345} {
		want := 0
		for step := range steps + 1 {
			if probe.LogSteps(step, steps) {
				want++
			}
		}
		if got := logPoints(steps); got != want {
			t.Errorf("%d steps: %d states, want %d", steps, got, want)
		}
	}
}

func TestSizesComeFromTheDataOrFromRuns(t *testing.T) {
	data := fstest.MapFS{"a.csv": {Data: []byte("a,b,y\n1,2,0\n2,1,1\n3,5,1\n4,4,1\n2,2,0\n")}}
	text := `
title = "sizes"
[primary]
dataset = { csv = "a.csv", target = "y" }
class = 0
[harmful]
dataset = { csv = "a.csv", target = "y" }
class = 1
[train]
method = "identity"
[sweep]
"harmful.n" = [1, 3]
`
	spec := parse(t, text)
	digests, err := Digests(t.Context(), data, spec, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := NewPlan(spec, nil, digests)
	if err != nil {
		t.Fatal(err)
	}
	sizesOf := func(data fs.FS, past []store.Past) (out []Size) {
		sizes := Sizes(t.Context(), plan, data, past)
		for _, run := range plan.Runs {
			out = append(out, sizes[problemID(reader{run.Settings})])
		}
		return out
	}
	want := []Size{{Rows: [2]int{1, 1}, Columns: 2, sets: [2]float64{120, 120}}, {Rows: [2]int{2, 3}, Columns: 2, sets: [2]float64{120, 120}}}
	if got := sizesOf(data, nil); got[0] != want[0] || got[1] != want[1] {
		t.Fatalf("from the data %v, want %v", got, want)
	}

	db := openDB(t)
	first := *plan
	first.Runs = plan.Runs[:1]
	if _, err := Run(t.Context(), &first, db, Options{Jobs: 1, Now: time.Now, Data: data, CPU: func() time.Duration { return 1 }}); err != nil {
		t.Fatal(err)
	}
	out, err := db.Outcome(t.Context(), plan.Runs[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	numbers := make(map[string]float64)
	for _, m := range out.Metrics {
		if m.Step == 0 {
			numbers[m.Name] = m.Value
		}
	}
	for name, value := range numbersOf(want[0]) {
		if numbers[name] != value {
			t.Errorf("recorded %s = %v, want %v", name, numbers[name], value)
		}
	}
	r := plan.Runs[0]
	past := store.Past{
		Params: params(r.Settings), Primary: store.DataRef{Digest: r.Data[0]}, Harmful: store.DataRef{Digest: r.Data[1]}, Numbers: numbers,
	}
	if got := sizesOf(nil, []store.Past{past}); got[0] != (Size{Rows: want[0].Rows, Columns: 2}) || got[1] != (Size{}) {
		t.Errorf("without the data %v, want %v and nothing", got, want[0])
	}
	past.Primary.Digest = "changed"
	if got := sizesOf(nil, []store.Past{past}); got[0] != (Size{}) {
		t.Errorf("runs on other data say %v", got[0])
	}
}

func TestSizesOfSyntheticProblems(t *testing.T) {
	plan := planOf(t, small)
	for id, size := range Sizes(t.Context(), plan, nil, nil) {
		if size != (Size{Rows: [2]int{8, 8}, Columns: 4}) {
			t.Errorf("%s: %+v", id, size)
		}
	}
	problem, err := newProblemCache(nil, 1).get(reader{plan.Runs[0].Settings})
	if err != nil {
		t.Fatal(err)
	}
	if n, d := problem.Primary.X.Dims(); n != 8 || d != 4 {
		t.Errorf("the problem is %d×%d", n, d)
	}
}

// TestPlannerFormsWhatTheCacheForms: a run is expected to factorise its data where the cache will not have them.
func TestPlannerFormsWhatTheCacheForms(t *testing.T) {
	cache, plan := newProblemCache(nil, 3), planner{limit: 3, ones: make(map[string]bool)}
	for i, seed := range []int64{1, 2, 1, 3, 4, 1, 2, 2, 5, 6, 7, 1, 7} {
		r := reader{experiments.Settings{
			"primary.dataset": "synthetic", "harmful.dataset": "synthetic", "synthetic.dimension": int64(2), "synthetic.rows": int64(4),
			"synthetic.condition_primary": 2.0, "synthetic.condition_harmful": 3.0, "synthetic.seed": seed,
		}}
		id := problemID(r)
		_, kept := cache.problems[id]
		if _, err := cache.get(r); err != nil {
			t.Fatal(err)
		}
		if forms := plan.forms(id); forms == kept {
			t.Errorf("run %d, problem %d: to be formed %v, kept %v", i, seed, forms, kept)
		}
	}
}

// TestETA: what was foretold, put right by what runs turn out to take; steps that are done are off.
func TestETA(t *testing.T) {
	plan := planOf(t, small)
	var decisions []Decision
	forecast := &Forecast{}
	for _, run := range plan.Runs { // identity, immunize, released twice, optimum
		decisions = append(decisions, Decision{Run: run, Execute: true})
		seconds := 1.0
		if run.Method() == "released" {
			seconds = 100
		}
		forecast.Runs = append(forecast.Runs, RunTime{Known: true, Seconds: seconds})
	}
	var events []Event
	b := newBoard(plan, forecast, 2, func(e Event) { events = append(events, e) })
	b.queue(decisions)
	eta := func() float64 { return b.eta().Seconds() }
	if got := eta(); got != 203.0/2 {
		t.Errorf("at the start %v s, want 101.5: the cheap runs come first", got)
	}
	finish := func(i int, seconds float64) {
		b.finished(plan.Runs[i], store.Outcome{Status: store.Done, WallSeconds: seconds}, nil, false)
	}
	finish(0, 2)
	if got, want := eta(), 202.0/2*1.5; got != want {
		t.Errorf("after a run that took twice as long %v s, want %v", got, want)
	}
	b.stepped(plan.Runs[2], 5, 10)
	if got, want := eta(), 150.0; got != want {
		t.Errorf("half a run later %v s, want %v, of the other one", got, want)
	}
	finish(2, 300)
	finish(1, 1)
	if got := eta(); got < 200 || got > 300 {
		t.Errorf("after a run of its kind that took three times as long %v s", got)
	}
	if last := events[len(events)-1]; last.ETA != b.eta() {
		t.Errorf("the last event says %v", last.ETA)
	}

	unknown := newBoard(plan, nil, 1, nil)
	unknown.queue(decisions)
	if got := unknown.eta(); got >= 0 {
		t.Errorf("nothing is known, and %v is told", got)
	}
	unknown.finished(plan.Runs[0], store.Outcome{Status: store.Done, WallSeconds: 3}, nil, false)
	if got, want := unknown.eta().Seconds(), 3*float64(len(plan.Runs)-1); got != want {
		t.Errorf("after one run of 3 s %v s, want %v", got, want)
	}
	if got := fmt.Sprint(b.counts.Done); got != "3" {
		t.Errorf("%s done", got)
	}
}
