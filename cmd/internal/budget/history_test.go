package budget

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kappa/engine"
	"kappa/experiments"
	"kappa/runner"
	"kappa/store"
)

// The size of the generated history.
const (
	historyRuns   = 10_000 // of four experiments together
	pointsPerRun  = 200    // rows of metrics
	historySeed   = 7
	tracePoints   = 10 // steps at which condition numbers are recorded
	historyMadeAt = "2026-01-05T08:00:00Z"
)

// recordedSteps are the steps of a trace.
var recordedSteps = []int{0, 1, 2, 5, 10, 20, 50, 100, 200, 500}

// methods are those of the four experiments.
var methods = []string{"immunize", "opt-kappa", "imma", "rill-only"}

// sweepSpec is a spec that sweeps 90 pairs of digits, methods and numbers of steps; cells follow it.
func sweepSpec(title string, methods []string, steps int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "title = %q\n", title)
	b.WriteString(`
[primary]
dataset = "digits"
class   = 3

[harmful]
dataset = "digits"
class   = 8

[train]
method = "immunize"
steps  = 500

[[attack]]
method = "gd-exact"
steps  = 100

[[attack]]
method = "cg"
steps  = 100

[sweep]
"primary.class" = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
"harmful.class" = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
distinct        = [["primary.class", "harmful.class"]]
`)
	fmt.Fprintf(&b, "\"train.method\" = [%s]\n", `"`+strings.Join(methods, `", "`)+`"`)
	b.WriteString(`"train.steps" = [`)
	for i := range steps {
		fmt.Fprintf(&b, "%d, ", 500+i)
	}
	b.WriteString("]\n")
	return b.String()
}

// planOf parses a spec and plans it.
func planOf(tb testing.TB, name, text string) (*experiments.Spec, *runner.Plan) {
	tb.Helper()
	spec, err := experiments.Parse(name+".toml", []byte(text), runner.Catalog())
	if err != nil {
		tb.Fatal(err)
	}
	digests, err := runner.Digests(tb.Context(), nil, spec, nil, nil)
	if err != nil {
		tb.Fatal(err)
	}
	plan, err := runner.NewPlan(spec, nil, digests)
	if err != nil {
		tb.Fatal(err)
	}
	return spec, plan
}

// recorder fills a database, on a clock of its own.
type recorder struct {
	tb  testing.TB
	db  *store.DB
	at  time.Time
	rng *rand.Rand
}

func newRecorder(tb testing.TB, path string) *recorder {
	tb.Helper()
	at, err := time.Parse(time.RFC3339, historyMadeAt)
	if err != nil {
		tb.Fatal(err)
	}
	r := &recorder{tb: tb, at: at, rng: rand.New(rand.NewPCG(historySeed, 1))}
	r.db, err = store.Open(context.Background(), path, store.Options{Now: func() time.Time { return r.at }})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// experiment records a spec and the runs it consists of.
func (r *recorder) experiment(spec *experiments.Spec, plan *runner.Plan) {
	r.tb.Helper()
	e := store.Experiment{Name: spec.Name, Title: spec.Title, Source: spec.Source, Hash: spec.Hash, Bytes: spec.Bytes, Runs: plan.Keys()}
	for _, run := range plan.Runs {
		var parts []string
		for _, a := range run.Swept {
			parts = append(parts, fmt.Sprintf("%q:%s", a.Path, jsonOf(a.Value)))
		}
		e.Swept = append(e.Swept, "{"+strings.Join(parts, ",")+"}")
	}
	if err := r.db.RecordExperiment(context.Background(), e); err != nil {
		r.tb.Fatal(err)
	}
}

func jsonOf(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}

// run records one run of a plan, whole or with its result alone.
func (r *recorder) run(run runner.Planned, o store.Outcome) {
	r.tb.Helper()
	r.record(startOf(run), o)
}

// record records a run from its claim to its end.
func (r *recorder) record(s store.Start, o store.Outcome) {
	r.tb.Helper()
	attempt, ok, st, err := r.db.Claim(context.Background(), s, false)
	if err != nil || !ok {
		r.tb.Fatalf("claim run %.12s: %v, %+v", s.Key, err, st)
	}
	r.at = r.at.Add(800 * time.Millisecond)
	if err := r.db.Finish(context.Background(), attempt, o); err != nil {
		r.tb.Fatal(err)
	}
}

// startOf is what the runner says of a run before it begins.
func startOf(run runner.Planned) store.Start {
	text := func(path string) string { s, _ := run.Settings[path].(string); return s }
	ref := func(side, digest string) store.DataRef {
		class, _ := run.Settings[side+".class"].(int64)
		return store.DataRef{Dataset: text(side + ".dataset"), Class: &class, Digest: digest}
	}
	s := store.Start{
		Key: run.Key, TrainKey: run.TrainKey, Method: run.Method(), Model: text("model.kind"),
		Primary: ref("primary", run.Data[0]), Harmful: ref("harmful", run.Data[1]), EngineVersion: engine.Version,
		Provenance: store.Provenance{
			GoVersion: "go1.26.8", Kernel: "avx512", CPU: "a processor", OS: "linux/amd64", Host: "host", GitCommit: strings.Repeat("ab", 20),
			Argv: []string{"kappa", "run", "history"}, Modules: []string{"gonum.org/v1/gonum@v0.17.0", "modernc.org/sqlite@v1.40.0"},
		},
	}
	for path, v := range run.Settings {
		p := store.Param{Path: path}
		switch v := v.(type) {
		case int64:
			x := float64(v)
			p.Number = &x
		case float64:
			p.Number = &v
		default:
			t := fmt.Sprint(v)
			p.Text = &t
		}
		s.Params = append(s.Params, p)
	}
	slices.SortFunc(s.Params, func(a, b store.Param) int { return strings.Compare(a.Path, b.Path) })
	return s
}

// bare is the least that a finished run leaves behind.
func (r *recorder) bare() store.Outcome {
	rir := math.Exp(3 * r.rng.Float64())
	return store.Outcome{
		Status: store.Done, Reason: "step limit", WallSeconds: 0.7, CPUSeconds: 0.6 + 0.2*r.rng.Float64(),
		Result: &store.Result{
			Steps: 500, RIR: rir, RatioHarmful: rir, RatioPrimary: 1, RIRRidge: rir, RatioHarmfulRidge: rir, RatioPrimaryRidge: 1,
			Ceiling: 2 * rir, Freedom: 12, KappaTheta: 40 * r.rng.Float64(), LossPrimary: r.rng.Float64(), LossBase: 0.5,
			DefA: rir > 10, DefB: true, DefC: true, Bound: 1.5 * rir, Reached: 0.8, ReachedBound: 0.9,
		},
	}
}

// whole is what a run of 500 steps with two attacks leaves behind: 200 metric points, condition numbers of both tasks by both
// protocols at ten steps, and the attacks' traces.
func (r *recorder) whole() store.Outcome {
	o := r.bare()
	o.Log = "step 0: R_ill 3.1\nstep 500: the step limit"
	for i, step := range recordedSteps {
		for _, task := range []string{"primary", "harmful"} {
			for _, protocol := range []string{"rank", "ridge"} {
				kappa := math.Exp(6*r.rng.Float64() + float64(i))
				o.Conditions = append(o.Conditions, store.Condition{
					Step: step, Task: task, Protocol: protocol, Kappa: kappa, SigmaMax: kappa, SigmaMin: r.rng.Float64(),
					Rank: 40 + i, Next: 1e-14 * r.rng.Float64(),
				})
			}
		}
	}
	for _, attacker := range []string{"gd-exact", "cg"} {
		for _, task := range []string{"primary", "harmful"} {
			for _, step := range recordedSteps[:8] {
				loss := r.rng.Float64()
				o.Attacks = append(o.Attacks, store.AttackPoint{
					Attacker: attacker, Task: task, Step: step, Loss: loss, Excess: loss / 2, NormRatio: r.rng.Float64(), Accuracy: math.NaN(),
				})
			}
		}
	}
	once := []string{"columns", "rows_primary", "rows_harmful", "degenerate_steps", "harmful_fell", "ill_outside", "kappa_compared", "primary_rose"}
	for _, attacker := range []string{"gd-exact", "cg"} {
		for _, task := range []string{"primary", "harmful"} {
			once = append(once, "reached_1pct:"+attacker+":"+task, "steps_to_1pct:"+attacker+":"+task)
		}
	}
	for _, name := range once {
		o.Metrics = append(o.Metrics, store.Metric{Name: name, Step: 0, Value: float64(1 + r.rng.IntN(1000))})
	}
	traced := []string{"grad_ill", "grad_loss", "grad_well", "kappa_theta", "loss_primary", "r_ill", "r_well", "step_length"}
	for i := 0; len(o.Metrics) < pointsPerRun; i++ {
		o.Metrics = append(o.Metrics, store.Metric{Name: traced[i%len(traced)], Step: 20 * (i / len(traced)), Value: math.Exp(10*r.rng.Float64() - 5)})
	}
	return o
}

// specNames are those of the four experiments.
func specNames() []string {
	var out []string
	for _, m := range methods {
		out = append(out, "history-"+m)
	}
	return out
}

// makeHistory writes the history into dir.
func makeHistory(tb testing.TB, dir string) {
	tb.Helper()
	r := newRecorder(tb, filepath.Join(dir, ".kappa", "runs.db"))
	perMethod := historyRuns / len(methods)
	began, recorded := time.Now(), 0
	for i, name := range specNames() {
		text := sweepSpec("A history of "+methods[i], methods[i:i+1], (perMethod+89)/90)
		writeSpec(tb, dir, name, text)
		spec, plan := planOf(tb, name, text)
		r.experiment(spec, plan)
		for _, run := range plan.Runs {
			r.run(run, r.whole())
			recorded++
		}
	}
	if err := r.db.Close(); err != nil {
		tb.Fatal(err)
	}
	tb.Logf("recorded %d runs in %v", recorded, time.Since(began).Round(time.Second))
}

func writeSpec(tb testing.TB, dir, name, text string) {
	tb.Helper()
	if err := os.WriteFile(filepath.Join(dir, name+".toml"), []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}
