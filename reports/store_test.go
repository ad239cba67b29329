package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kappa/experiments"
	"kappa/store"
)

// panelCatalog knows what testdata/panel.toml names.
func panelCatalog() experiments.Catalog {
	str, integer := []experiments.Type{experiments.String}, []experiments.Type{experiments.Int}
	return experiments.Catalog{
		Methods: []experiments.Entry{
			{Name: "identity"},
			{Name: "immunize", Random: true, Uses: []string{"train.seed"}},
			{Name: "released", Random: true, Uses: []string{"train.seed"}},
		},
		Attackers: []experiments.Entry{{Name: "gd-exact"}},
		Datasets:  []experiments.DatasetEntry{{Entry: experiments.Entry{Name: "digits"}}},
		Models:    []experiments.Entry{{Name: "linear"}},
		Keys: []experiments.Key{
			{Path: "primary.class", Types: integer},
			{Path: "harmful.class", Types: integer},
			{Path: "train.method", Types: str},
			{Path: "train.seed", Types: integer, Default: int64(1)},
			{Path: "attack.steps", Types: integer},
		},
	}
}

func panel(t *testing.T) *experiments.Spec {
	t.Helper()
	s, err := experiments.Load(os.DirFS("testdata"), "panel.toml", panelCatalog())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// panelPlan is the spec's runs.
func panelPlan(t *testing.T, s *experiments.Spec) (plan []store.PlanRow, settings []experiments.Settings) {
	t.Helper()
	variants, err := s.Combinations(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range variants {
		swept := map[string]any{}
		for _, a := range v.Swept {
			swept[a.Path] = a.Value
		}
		j, err := json.Marshal(swept)
		if err != nil {
			t.Fatal(err)
		}
		plan = append(plan, store.PlanRow{Key: key(i), Swept: string(j)})
		settings = append(settings, v.Settings)
	}
	return plan, settings
}

// fill records made-up outcomes of the plan, in the order of its last digit so that runs do not finish in plan order.
func fill(t *testing.T, db *store.DB, s *experiments.Spec, plan []store.PlanRow, settings []experiments.Settings) {
	t.Helper()
	e := store.Experiment{Name: s.Name, Title: s.Title, Hash: s.Hash, Bytes: s.Bytes}
	for _, p := range plan {
		e.Runs, e.Swept = append(e.Runs, p.Key), append(e.Swept, p.Swept)
	}
	if err := db.RecordExperiment(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	for k := range plan {
		i := (k*7 + 3) % len(plan)
		method, _ := settings[i]["train.method"].(string)
		seed, _ := settings[i]["train.seed"].(int64)
		primary, harmful := settings[i]["primary.class"].(int64), settings[i]["harmful.class"].(int64)
		at, ok, _, err := db.Claim(t.Context(), store.Start{
			Key: plan[i].Key, TrainKey: plan[i].Key, Method: method, Model: "linear", EngineVersion: 1, Seed: &seed,
			Primary:    store.DataRef{Dataset: "digits", Class: &primary, Digest: key(100)},
			Harmful:    store.DataRef{Dataset: "digits", Class: &harmful, Digest: key(101)},
			Provenance: store.Provenance{GoVersion: "go1.26.8", Kernel: "blas", CPU: "Model X", OS: "linux/amd64", GitCommit: "0123456789abcdef"},
		}, false)
		if err != nil || !ok {
			t.Fatalf("claim: %v, %v", ok, err)
		}
		if err := db.Finish(t.Context(), at, outcome(method, seed, primary, harmful)); err != nil {
			t.Fatal(err)
		}
	}
}

func outcome(method string, seed, primary, harmful int64) store.Outcome {
	strength := map[string]float64{"identity": 0, "immunize": 2, "released": 1}[method]
	rir := math.Pow(10, strength*(1+0.1*float64(seed)+0.2*float64(primary)-0.05*float64(harmful)))
	o := store.Outcome{Status: store.Done, Reason: "step limit", WallSeconds: 0.5, CPUSeconds: 0.75, Result: &store.Result{
		Steps: 100, RIR: rir, RatioHarmful: rir, RatioPrimary: 1, RIRRidge: rir / 2, RatioHarmfulRidge: 1, RatioPrimaryRidge: 1,
		RidgeDominated: method == "released", Ceiling: math.Inf(1), Unbounded: true, Freedom: 3, KappaTheta: math.Sqrt(rir), LossPrimary: 0.1,
		DefA: rir >= 10, DefB: true, DefC: true,
	}}
	if method == "released" && seed == 3 && primary == 1 {
		o.Status, o.Reason, o.Result.RIR = store.Diverged, "diverged at step 41", math.NaN()
	}
	for _, step := range []int{0, 1, 2, 5, 10, 20, 50, 100} {
		o.Attacks = append(o.Attacks, store.AttackPoint{
			Attacker: "gd-exact", Task: "harmful", Step: step, Loss: 1, NormRatio: math.NaN(), Accuracy: math.NaN(),
			Excess: math.Exp(-float64(step) / (5 * (1 + 3*strength + 0.5*float64(seed)))),
		})
	}
	return o
}

// openPanel records the spec's runs and opens the report on them.
func openPanel(t *testing.T, s *experiments.Spec) (*store.Report, Options) {
	t.Helper()
	clock := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "runs.db"), store.Options{Now: func() time.Time { return clock }, Holder: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	plan, settings := panelPlan(t, s)
	fill(t, db, s, plan, settings)
	r, err := db.OpenReport(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, Options{Plan: plan}
}

func TestPanelGolden(t *testing.T) {
	s := panel(t)
	src, o := openPanel(t, s)
	d, err := Build(t.Context(), s, src, o)
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, d, "panel")
	if m := d.Mismatches(); len(m) != 0 {
		t.Errorf("mismatches: %+v", m)
	}
}

// emptyReport lays a plan over an empty database.
func emptyReport(t *testing.T, plan []store.PlanRow) *store.Report {
	t.Helper()
	db, err := store.Empty(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r, err := db.OpenReport(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestCheck(t *testing.T) {
	s := panel(t)
	plan, _ := panelPlan(t, s)
	problems, err := Check(t.Context(), s, emptyReport(t, plan))
	if err != nil || len(problems) > 0 {
		t.Fatalf("Check of a good spec: %v, %v", problems, err)
	}
}

func TestCheckFindsEverything(t *testing.T) {
	text, err := os.ReadFile("testdata/wrong.toml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := experiments.Parse("wrong.toml", text, panelCatalog())
	if err != nil {
		t.Fatal(err)
	}
	plan, _ := panelPlan(t, s)
	problems, err := Check(t.Context(), s, emptyReport(t, plan))
	if err != nil {
		t.Fatal(err)
	}
	// The file says where each problem is: "# want: part of the message" on the line itself or, in a text, after "want:".
	lines := strings.Split(string(text), "\n")
	found := map[int]bool{}
	for _, p := range problems {
		found[p.Line] = true
		_, want, ok := strings.Cut(lines[p.Line-1], "want: ")
		if !ok || !strings.Contains(p.Error(), strings.TrimRight(want, "'\"")) {
			t.Errorf("unexpected problem %v", p)
		}
	}
	for i, l := range lines {
		if strings.Contains(l, "want: ") && !found[i+1] {
			t.Errorf("no problem found at line %d: %s", i+1, l)
		}
	}
}

func TestEmptyPlan(t *testing.T) {
	s := panel(t)
	_, err := Build(t.Context(), s, emptyReport(t, nil), Options{})
	if m, ok := errors.AsType[*MissingError](err); !ok || !m.None() {
		t.Errorf("Build of no plan: %v", err)
	}
}

// TestKindsAgree: every kind of figure that this package draws can be asked for in a spec, with the columns it names.
func TestKindsAgree(t *testing.T) {
	for _, k := range Kinds {
		var b strings.Builder
		fmt.Fprintf(&b, "title = \"x\"\n[primary]\ndataset = \"digits\"\n[harmful]\ndataset = \"digits\"\n[train]\nmethod = \"identity\"\n"+
			"[[cell]]\nkind = \"figure\"\nid = \"f\"\ntype = %q\nsql = \"SELECT 1 AS a\"\n", k.Name)
		for _, c := range k.Columns {
			fmt.Fprintf(&b, "%s = \"a\"\n", c)
		}
		s, err := experiments.Parse("x.toml", []byte(b.String()), panelCatalog())
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		if problems, err := Check(t.Context(), s, emptyReport(t, nil)); err != nil || len(problems) > 0 {
			t.Errorf("%s: %v, %v", k.Name, problems, err)
		}
	}
}

// TestScales: each scale that a spec may ask for reaches the figure.
func TestScales(t *testing.T) {
	for _, c := range []struct {
		scale                string
		logarithmic, twoSide bool
	}{{"", false, false}, {"sequential", false, false}, {"log", true, false}, {"diverging", false, true}} {
		o := figureOptions(experiments.FigureOptions{Type: "heatmap", X: "a", Y: "b", Z: "c", ZScale: c.scale})
		if o.ZLog != c.logarithmic || o.Diverging != c.twoSide || o.XLog || o.YLog {
			t.Errorf("z_scale %q: log %v, diverging %v, want %v, %v", c.scale, o.ZLog, o.Diverging, c.logarithmic, c.twoSide)
		}
	}
	for _, scale := range []string{"", "linear", "log"} {
		o := figureOptions(experiments.FigureOptions{Type: "line", X: "a", Y: "b", XScale: scale})
		p := figureOptions(experiments.FigureOptions{Type: "line", X: "a", Y: "b", YScale: scale})
		if want := scale == "log"; o.XLog != want || o.YLog || p.YLog != want || p.XLog {
			t.Errorf("scale %q: x %v, y %v, want %v", scale, o.XLog, p.YLog, want)
		}
	}
}
