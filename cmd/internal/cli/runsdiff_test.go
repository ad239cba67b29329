package cli

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kappa/store"
)

// dossier is a run with a RIR, a parameter and one metric at two steps.
func dossier(rir float64, change func(d *store.Dossier)) store.Dossier {
	d := store.Dossier{
		Run:    store.RunRow{Key: strings.Repeat("a", 64), Status: store.Done},
		Params: []store.Param{{Path: "train.steps", Number: new(3.0)}},
		Outcome: store.Outcome{
			Status: store.Done,
			Result: &store.Result{
				RIR: rir, RatioHarmful: 2, RatioPrimary: 1, Ceiling: math.Inf(1), Unbounded: true, LossPrimary: 0.5,
				LossBase: math.NaN(), Bound: math.NaN(), Reached: math.NaN(), ReachedBound: math.NaN(),
			},
			Metrics:    []store.Metric{{Name: "r_ill", Step: 0, Value: 9}, {Name: "r_ill", Step: 10, Value: 4}},
			Conditions: []store.Condition{{Step: 10, Task: "harmful", Protocol: "rank", Kappa: 5, SigmaMax: 5, SigmaMin: 1, Rank: 2}},
			Attacks:    []store.AttackPoint{{Attacker: "gd", Task: "harmful", Step: 7, Loss: 1, Excess: 0.5, NormRatio: math.NaN(), Accuracy: math.NaN()}},
		},
	}
	if change != nil {
		change(&d)
	}
	return d
}

func TestCompareRuns(t *testing.T) {
	a := dossier(2, nil)
	if d := compareRuns(a, dossier(2, nil)); len(d.params)+len(d.outcome)+len(d.provenance) > 0 || d.figures[0].size != 0 {
		t.Errorf("a run differs from itself: %+v", d)
	}
	b := dossier(8, func(d *store.Dossier) {
		d.Params = append(d.Params, store.Param{Path: "train.method", Text: new("x")})
		d.Params[0].Number = new(4.0)
		d.Made.Kernel = "avx2"
		d.Run.Status = store.Diverged
		d.Outcome.Metrics[1].Value = 3                                                                // −25 %: a size of 1/3
		d.Outcome.Metrics = append(d.Outcome.Metrics, store.Metric{Name: "added", Step: 0, Value: 1}) // only B has it
		d.Outcome.Conditions[0].Kappa = math.Inf(1)                                                   // not finite
		d.Outcome.Result.DefA = true                                                                  // a flag
		d.Outcome.Attacks[0].Excess = 0.5 * (1 + 1e-12)                                               // rounding
		d.Outcome.Attacks[0].Loss = 0                                                                 // to 0
	})
	d := compareRuns(a, b)
	if diff := cmp.Diff([]changedText{{"train.steps", "3", "4"}, {"train.method", "", "x"}}, d.params, cmp.AllowUnexported(changedText{})); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]changedText{{"kernel", "", "avx2"}}, d.provenance, cmp.AllowUnexported(changedText{})); diff != "" {
		t.Errorf("provenance (-want +got):\n%s", diff)
	}
	var got []string
	for _, f := range d.figures {
		if f.size > 0 {
			got = append(got, f.name+": "+tableCell(f.told(f.a))+" → "+tableCell(f.told(f.b))+" "+f.change()+" "+f.relative())
		}
	}
	want := []string{
		"def_a: no → yes  ",
		"κ harmful rank: 5 → +Inf +∞, was finite ",
		"gd harmful loss: 1 → 0 −1 to 0",
		"metric added: NULL → 1 only B has it ",
		"rir: 2 → 8 +6 +300 %",
		"metric r_ill: 4 → 3 −1 −25 %",
		"gd harmful excess: 0.5 → 0.5 +5e−13 +1e−10 %",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("figures, the largest change first (-want +got):\n%s", diff)
	}
}

func TestMeasure(t *testing.T) {
	x := func(v float64) *float64 { return &v }
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		a, b             *float64
		size             float64
		change, relative string
	}{
		{nil, nil, 0, "–", ""},
		{x(1), nil, inf, "only A has it", ""},
		{nil, x(1), inf, "only B has it", ""},
		{x(nan), x(nan), 0, "–", ""},
		{x(inf), x(inf), 0, "–", ""},
		{x(inf), x(-inf), inf, "−∞, was +∞", ""},
		{x(1), x(nan), inf, "no number, was finite", ""},
		{x(0), x(math.Copysign(0, -1)), 0, "–", ""},
		{x(0), x(5), inf, "+5", "from 0"},
		{x(2), x(1), 1, "−1", "−50 %"},
		{x(1), x(2), 1, "+1", "+100 %"},
		{x(1), x(-1), 2, "−2", "−200 %"},
		{x(1), x(1e6), 1e6 - 1, "+1e+06", "×1e+06"},
		{x(1e6), x(1), 1e6 - 1, "−1e+06", "×1e−06"},
		{x(5e-324), x(1), inf, "+1", ""},
		{x(-1.7e308), x(1.7e308), 2, "+Inf", ""},
	} {
		f := changed(namedFigure{name: "f", none: c.a == nil}, nil)
		f.a, f.b = c.a, c.b
		f.size = f.measure()
		if f.size != c.size || f.change() != c.change || f.relative() != c.relative {
			t.Errorf("%s → %s: size %v, change %q, relative %q; want %v, %q, %q",
				tableCell(f.told(f.a)), tableCell(f.told(f.b)), f.size, f.change(), f.relative(), c.size, c.change, c.relative)
		}
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                     {},
		"90m":                  now.Add(-90 * time.Minute),
		"7d":                   now.Add(-7 * 24 * time.Hour),
		"0.5d":                 now.Add(-12 * time.Hour),
		"2026-03-01":           time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		"2026-03-01T15:04":     time.Date(2026, 3, 1, 15, 4, 0, 0, time.UTC),
		"2026-03-01 15:04":     time.Date(2026, 3, 1, 15, 4, 0, 0, time.UTC),
		"2026-03-01T15:04:05Z": time.Date(2026, 3, 1, 15, 4, 5, 0, time.UTC),
	} {
		if got, err := moment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"-1h", "-2d", "NaNd", "Infd", "1e300d", "d", "7", "yesterday", "2026-13-01"} {
		if got, err := moment(text, now); err == nil {
			t.Errorf("%q was taken as %v", text, got)
		}
	}
	if d, err := age("0"); err != nil || d != 0 {
		t.Errorf("0 is %v, %v", d, err)
	}
}

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"κ 𝛋 \U0001FAE0": "κ 𝛋 \U0001FAE0",
		"a\nb\tc\r":      `a\nb\tc\r`,
		"\x1b[2J\x07":    `\x1b[2J\a`,
		"\u009b31m":      `\u009b31m`,
		"\x00\x7f":       `\x00\x7f`,
	} {
		if got := visible(text, ""); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	if got := visible("a\n\x1bb", "\n"); got != "a\n\\x1bb" {
		t.Errorf("lines are kept: %q", got)
	}
}
