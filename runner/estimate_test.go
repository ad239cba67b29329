package runner

import (
	"encoding/csv"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kappa/experiments"
	"kappa/store"
)

// timed is a line of testdata/durations.csv: a run as it was recorded on two cores, with linear data of 64, 256 and 784 columns.
type timed struct {
	spec, tasks string
	size        Size
	settings    experiments.Settings
	cpu         float64
}

func (r timed) method() string { return reader{r.settings}.str("train.method") }

func timedRuns(t *testing.T) []timed {
	t.Helper()
	f, err := os.Open("testdata/durations.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []timed
	for _, line := range lines[1:] {
		row := make(map[string]string)
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		number := func(name string) int {
			n, err := strconv.Atoi(row[name])
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return n
		}
		r := timed{spec: row["spec"], tasks: row["spec"] + " " + row["tasks"]}
		r.size = Size{Rows: [2]int{number("rows_primary"), number("rows_harmful")}, Columns: number("columns")}
		r.settings = experiments.Settings{
			"train.method": row["method"], "model.kind": "linear", "primary.dataset": row["dataset"], "harmful.tasks": r.tasks,
		}
		for _, name := range []string{"steps", "epochs", "batch"} {
			if row[name] != "" {
				r.settings["train."+name] = float64(number(name))
			}
		}
		for _, name := range []string{"step", "trace"} {
			if row[name] != "" {
				r.settings["train."+name] = row[name]
			}
		}
		for i, a := range strings.Fields(row["attacks"]) {
			part := strings.Split(a, ":")
			r.settings[attackKey(i, "method")] = part[0]
			r.settings[attackKey(i, "steps")], _ = strconv.ParseFloat(part[1], 64)
			if len(part) > 2 {
				r.settings[attackKey(i, "start")] = "random"
				r.settings[attackKey(i, "seeds")], _ = strconv.ParseFloat(part[2], 64)
			}
		}
		if r.cpu, err = strconv.ParseFloat(row["cpu_seconds"], 64); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func from(all []timed, specs ...string) []timed {
	return slices.DeleteFunc(slices.Clone(all), func(r timed) bool { return !slices.Contains(specs, r.spec) })
}

// history is what the database would tell of runs.
func history(runs []timed) []store.Past {
	var out []store.Past
	first := make(map[string]bool)
	for i, r := range runs {
		m := r.method()
		p := store.Past{
			Key: fmt.Sprint(i), Method: m, Model: "linear", CPU: "c", Kernel: "k", CPUSeconds: r.cpu,
			First: !first[r.tasks], FirstOfMethod: !first[r.tasks+m], Params: params(r.settings), Numbers: numbersOf(r.size),
		}
		p.Primary.Digest, p.Harmful.Digest = r.tasks, r.tasks
		first[r.tasks], first[r.tasks+m] = true, true
		out = append(out, p)
	}
	slices.Reverse(out)
	return out
}

func numbersOf(s Size) map[string]float64 {
	return map[string]float64{"rows_primary": float64(s.Rows[0]), "rows_harmful": float64(s.Rows[1]), "columns": float64(s.Columns)}
}

// planned are decisions to execute runs, with the sizes of their problems.
func toDo(runs []timed) ([]Decision, map[string]Size) {
	var out []Decision
	sizes := make(map[string]Size)
	for i, r := range runs {
		out = append(out, Decision{Run: Planned{Ordinal: i, Settings: r.settings}, Execute: true, Reason: ReasonNew})
		sizes[problemID(reader{r.settings})] = r.size
	}
	return out, sizes
}

func machine(speed float64) Machine {
	return Machine{CPU: "c", Kernel: "k", Cores: 2, Speed: func() float64 { return speed }}
}

func predict(runs []timed, past []store.Past, m Machine) Forecast {
	decisions, sizes := toDo(runs)
	return Predict(decisions, sizes, past, store.Pace{}, m, 2)
}

func took(runs []timed) (sum float64) {
	for _, r := range runs {
		sum += r.cpu
	}
	return sum
}

// TestPredictsRecordedRuns: the time of a whole spec is foretold within 30 %, from runs of other sizes, of other lengths, on other
// classes, and from no run at all.
func TestPredictsRecordedRuns(t *testing.T) {
	all := timedRuns(t)
	for _, tt := range []struct {
		what  string
		know  []string
		about string
	}{
		{"nothing recorded", nil, "digits-a"},
		{"nothing recorded", nil, "digits-b"},
		{"nothing recorded", nil, "mid"},
		{"nothing recorded", nil, "mnist-a"},
		{"nothing recorded", nil, "mnist-b"},
		{"nothing recorded", nil, "mnist-c"},
		{"64 columns recorded", []string{"digits-a", "digits-b"}, "mnist-a"},
		{"64 columns recorded", []string{"digits-a", "digits-b"}, "mnist-b"},
		{"64 columns recorded", []string{"digits-a", "digits-b"}, "mid"},
		{"784 columns recorded", []string{"mnist-a", "mnist-b"}, "digits-b"},
		{"fewer steps and attackers recorded", []string{"mnist-a"}, "mnist-b"},
		{"more steps and attackers recorded", []string{"mnist-b"}, "mnist-a"},
		{"other steps, other pairs recorded", []string{"mnist-a"}, "mnist-c"},
		{"the panel, other pairs recorded", []string{"mnist-b"}, "mnist-c"},
		{"everything else recorded", []string{"digits-a", "digits-b", "mid", "mnist-a"}, "mnist-b"},
		{"itself recorded", []string{"mnist-a"}, "mnist-a"},
	} {
		runs := from(all, tt.about)
		f := predict(runs, history(from(all, tt.know...)), machine(referenceSpeed))
		got, want := f.CPU.Seconds(), took(runs)
		t.Logf("%-35s %-9s foretold %7.3g s, took %7.3g s: %+.0f %%", tt.what, tt.about, got, want, 100*(got/want-1))
		if f.Unknown > 0 || math.Abs(got/want-1) > 0.3 {
			t.Errorf("%s: %s: foretold %.3g s, took %.3g s, %d unknown", tt.what, tt.about, got, want, f.Unknown)
		}
		if f.Recorded > 0 != (tt.know != nil) {
			t.Errorf("%s: %s: rests on %d recorded runs", tt.what, tt.about, f.Recorded)
		}
	}
}

// TestItsOwnMethodCounts: three recorded runs of a method put its estimate right, whatever the cost table says, and no other's.
func TestItsOwnMethodCounts(t *testing.T) {
	base := from(timedRuns(t), "mnist-a")
	slow := slices.Clone(base)
	n := 0
	for i := range slow {
		if slow[i].method() == "immunize" {
			slow[i].cpu *= 5
			n++
		}
	}
	if n != 2 {
		t.Fatalf("%d runs of immunize, the test needs 2", n)
	}
	sum := func(f Forecast, method string) (s float64) {
		for i, r := range base {
			if r.method() == method {
				s += f.Runs[i].CPUSeconds
			}
		}
		return s
	}
	m := machine(referenceSpeed)
	before, two := predict(base, history(base), m), predict(base, history(slow), m)
	if a, b := sum(before, "immunize"), sum(two, "immunize"); b > 1.5*a {
		t.Errorf("two runs that took five times as long count: %.3g s instead of %.3g s", b, a)
	}
	past := history(slices.Concat(slow, from(slow, "mnist-a")))
	four := predict(base, past, m)
	if a, b := sum(before, "immunize"), sum(four, "immunize"); b < 3*a {
		t.Errorf("four runs that took five times as long: %.3g s instead of %.3g s", b, a)
	}
	if a, b := sum(before, "imma"), sum(four, "imma"); math.Abs(b/a-1) > 0.3 {
		t.Errorf("another method: %.3g s instead of %.3g s", b, a)
	}
}

// TestItsOwnSettingsCount: of two ways to run a method that the cost table cannot tell apart, each is estimated from its own runs.
func TestItsOwnSettingsCount(t *testing.T) {
	var slow, fast []timed
	for _, r := range from(timedRuns(t), "mnist-a") {
		if r.method() != "imma" {
			continue
		}
		for i := range 6 {
			other := r
			other.settings = maps.Clone(r.settings)
			other.settings["train.step_fraction"] = 0.3
			other.settings["train.seed"] = float64(i)
			other.cpu *= 4
			fast, slow = append(fast, r), append(slow, other)
		}
	}
	past := history(slices.Concat(fast[:4], slow))
	m := machine(referenceSpeed)
	if a, b := predict(fast, past, m).CPU.Seconds(), took(fast); math.Abs(a/b-1) > 0.3 {
		t.Errorf("the fast way: foretold %.3g s, took %.3g s", a, b)
	}
	if a, b := predict(slow, past, m).CPU.Seconds(), took(slow); math.Abs(a/b-1) > 0.3 {
		t.Errorf("the slow way: foretold %.3g s, took %.3g s", a, b)
	}
}

// TestSpeedOfTheMachine: without recorded runs half the speed is twice the time; with them the speed is not asked for. Runs that were
// recorded elsewhere say nothing.
func TestSpeedOfTheMachine(t *testing.T) {
	runs := from(timedRuns(t), "mnist-a")
	full, half := predict(runs, nil, machine(referenceSpeed)).CPU.Seconds(), predict(runs, nil, machine(referenceSpeed/2)).CPU.Seconds()
	if math.Abs(half/full-2) > 1e-9 {
		t.Errorf("at half the speed %v s, at full speed %v s", half, full)
	}
	var past []store.Past
	for range 3 {
		past = append(past, history(runs)...)
	}
	asked := Machine{CPU: "c", Kernel: "k", Cores: 2, Speed: func() float64 { t.Error("the speed was measured"); return 1 }}
	predict(runs, past, asked)
	for _, m := range []Machine{{CPU: "other", Kernel: "k"}, {CPU: "c", Kernel: "other"}} {
		if f := predict(runs, past, m); f.Recorded != 0 || math.Abs(f.CPU.Seconds()/full-1) > 1e-9 {
			t.Errorf("%+v: %v s from %d runs, want %v s from none", m, f.CPU.Seconds(), f.Recorded, full)
		}
	}
}

// TestCostsGrow: more rows, columns, steps, recorded steps, attackers, starts: more time; and every name in the catalog has a cost.
func TestCostsGrow(t *testing.T) {
	size := Size{Rows: [2]int{500, 500}, Columns: 60}
	base := experiments.Settings{
		"train.steps": 100.0, "train.batch": 0.0, "train.trace": "log", "train.inner_steps": 5.0,
		"attack.0.method": "cg", "attack.0.steps": 50.0,
	}
	costOf := func(m method, size Size, set experiments.Settings) cost {
		s := make(experiments.Settings)
		for _, from := range []experiments.Settings{base, set} {
			for k, v := range from {
				s[k] = v
			}
		}
		if m.Name == "released" {
			s["train.batch"] = 32.0
		}
		sh := shapeOf(reader{s}, size)
		sh.forms, sh.formsOnes = true, true
		return sh.total(m)
	}
	for _, m := range methods() {
		if m.cost == nil {
			t.Errorf("method %s has no cost", m.Name)
			continue
		}
		c := costOf(m, size, nil)
		if !(c > 0) || math.IsInf(c, 0) {
			t.Errorf("method %s costs %v", m.Name, c)
		}
		for what, more := range map[string]cost{
			"rows":    costOf(m, Size{Rows: [2]int{800, 500}, Columns: 60}, nil),
			"columns": costOf(m, Size{Rows: [2]int{500, 500}, Columns: 90}, nil),
			"attack":  costOf(m, size, experiments.Settings{"attack.0.steps": 90.0}),
			"starts":  costOf(m, size, experiments.Settings{"attack.0.start": "random", "attack.0.seeds": 9.0}),
		} {
			if !(more > c) {
				t.Errorf("method %s: more %s cost %v, not more than %v", m.Name, what, more, c)
			}
		}
		if !slices.Contains(m.Uses, "train.steps") && m.Name != "released" {
			continue
		}
		for what, set := range map[string]experiments.Settings{
			"steps": {"train.steps": 110.0}, "points": {"train.trace": "all"}, "batch": {"train.batch": 20.0},
		} {
			more := costOf(m, size, set)
			if what == "batch" { // and a batch is no more than all rows
				more = 2 * c
				if slices.Contains(m.Uses, "train.batch") && m.Name != "released" && !(costOf(m, Size{Rows: [2]int{5000, 5000}, Columns: 300}, set) < costOf(m, Size{Rows: [2]int{5000, 5000}, Columns: 300}, nil)) {
					t.Errorf("method %s: a small batch costs no less than all rows", m.Name)
				}
			}
			if !(more > c) {
				t.Errorf("method %s: more %s cost %v, not more than %v", m.Name, what, more, c)
			}
		}
	}
	for _, a := range attackers() {
		if a.cost == nil {
			t.Errorf("attacker %s has no cost", a.Name)
			continue
		}
		if few, many := a.cost(10, 50), a.cost(1000, 50); many < few || !(few >= 0) {
			t.Errorf("attacker %s: 10 steps cost %v, 1000 steps %v", a.Name, few, many)
		}
	}
}

func TestReusedThetaCostsTheAttackAlone(t *testing.T) {
	runs := from(timedRuns(t), "mnist-b")[1:2]
	decisions, sizes := toDo(runs)
	whole := Predict(decisions, sizes, nil, store.Pace{}, machine(52), 1).CPU
	decisions[0].Reason = ReasonAttack
	if part := Predict(decisions, sizes, nil, store.Pace{}, machine(52), 1).CPU; part <= 0 || part > whole/2 {
		t.Errorf("%v with a kept θ, %v without", part, whole)
	}
}

// TestWhatIsNotExecutedOrNotKnown: neither takes time; a plan in which nothing is known says so.
func TestWhatIsNotExecutedOrNotKnown(t *testing.T) {
	runs := from(timedRuns(t), "mnist-a")
	decisions, sizes := toDo(runs)
	decisions[0].Execute = false
	f := Predict(decisions, sizes, nil, store.Pace{}, machine(52), 2)
	if f.Count != len(runs)-1 || f.Unknown != 0 || f.Runs[0] != (RunTime{}) || !f.Runs[1].Known {
		t.Errorf("%+v", f)
	}
	// What the first run would have shared with the others, the second computes.
	alone := Predict(decisions[1:2], sizes, nil, store.Pace{}, machine(52), 2)
	if f.Runs[1].CPUSeconds != alone.Runs[0].CPUSeconds {
		t.Errorf("the second run takes %v s, alone %v s", f.Runs[1].CPUSeconds, alone.Runs[0].CPUSeconds)
	}
	if f := Predict(decisions, nil, nil, store.Pace{}, machine(52), 2); f.Unknown != f.Count || f.CPU != 0 || f.Wall != 0 {
		t.Errorf("without any size: %+v", f)
	}
	decisions[1].Run.Settings = experiments.Settings{"train.method": "immunize", "model.kind": "resnet18"}
	sizes[problemID(reader{decisions[1].Run.Settings})] = Size{Rows: [2]int{5, 5}, Columns: 5}
	if f := Predict(decisions, sizes, nil, store.Pace{}, machine(52), 2); f.Unknown != 1 || f.Runs[1].Known {
		t.Errorf("a model without costs: %+v", f)
	}
	if f := Predict(nil, nil, nil, store.Pace{}, Machine{}, 0); f.Count != 0 || f.Wall != 0 {
		t.Errorf("nothing to do: %+v", f)
	}
}

// TestWallTime: cores that are busy with runs, cores that others leave, and the longest run.
func TestWallTime(t *testing.T) {
	runs := from(timedRuns(t), "mnist-a")
	decisions, sizes := toDo(runs)
	at := func(cores, jobs int, pace store.Pace) Forecast {
		m := machine(52)
		m.Cores = cores
		return Predict(decisions, sizes, nil, pace, m, jobs)
	}
	two := at(2, 2, store.Pace{})
	if r := two.CPU.Seconds() / two.Wall.Seconds(); r < 1.8 || r > 2 {
		t.Errorf("two at once on two cores keep %.2f of them busy", r)
	}
	if one := at(1, 1, store.Pace{}); one.Wall <= two.Wall || one.CPU != two.CPU {
		t.Errorf("one core: %v, two: %v", one.Wall, two.Wall)
	}
	if one := at(2, 1, store.Pace{}); one.Wall <= two.Wall || one.Wall >= one.CPU {
		t.Errorf("one at once on two cores: %v of %v of processor time, two at once %v", one.Wall, one.CPU, two.Wall)
	}
	var longest float64
	for _, r := range two.Runs {
		longest = max(longest, r.CPUSeconds)
	}
	if many := at(64, 64, store.Pace{}); many.Wall.Seconds() < longest/parallel(1, 64) {
		t.Errorf("64 cores: %v, the longest run alone %v s", many.Wall, longest)
	}
	pace := func(busy, wall, cpu float64) store.Pace {
		return store.Pace{Attempts: 9, Busy: duration(busy), Wall: duration(wall), CPU: duration(cpu)}
	}
	for _, tt := range []struct {
		what string
		pace store.Pace
		want float64
	}{
		{"all of two cores", pace(60, 120, 114), 1},
		{"nearly all", pace(60, 120, 105), 1},
		{"half", pace(60, 120, 57), 0.5},
		{"one at once, and half of a core for it", pace(60, 60, 0.675*60), 0.5},
		{"eight at once on all of two cores", pace(60, 480, 114), 1},
		{"next to nothing", pace(60, 120, 0.001), 0.1},
		{"too short to tell", pace(1, 2, 0.5), 1},
		{"nothing", store.Pace{}, 1},
	} {
		f := at(2, 2, tt.pace)
		if math.Abs(f.Share-tt.want) > 0.01 || math.Abs(f.Wall.Seconds()*tt.want/two.Wall.Seconds()-1) > 0.02 {
			t.Errorf("%s: share %.3g, %v; want %.3g", tt.what, f.Share, f.Wall, tt.want)
		}
	}
}
