package store

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sameBits compares numbers by what they are: NaN equals NaN, and 0 is not −0.
var sameBits = cmp.Comparer(func(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Float64bits(a) == math.Float64bits(b)
})

var nan = math.NaN()

var oddNumbers = []float64{
	math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0, 1, -1.5, math.MaxFloat64, -math.MaxFloat64,
	math.SmallestNonzeroFloat64, 5e-324, 0.1, math.Nextafter(1, 2),
}

func TestOutcomeRoundTrip(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	want := Outcome{Status: Done, Reason: "r", Error: "e", Log: "l", WallSeconds: 1.25, CPUSeconds: 2.5}
	for i, x := range oddNumbers {
		want.Metrics = append(want.Metrics, Metric{"m", i, x})
		c := Condition{
			Step: i, Task: "harmful", Protocol: "rank", Kappa: x, SigmaMax: 3, SigmaMin: 0.5, Rank: i, Next: math.NaN(),
			RidgeDominated: i%2 == 0, Degenerate: i%3 == 0, RankUnclear: i%5 == 0,
		}
		want.Conditions = append(want.Conditions, c)
		want.Attacks = append(want.Attacks, AttackPoint{"a", "primary", i, x, math.NaN(), x, 1})
	}
	want.Conditions = append(want.Conditions, Condition{
		Step: 99, Task: "harmful", Protocol: "rank", Kappa: math.NaN(), SigmaMax: 1, SigmaMin: 1e-30, Rank: 3, Next: 1e-40, Unresolved: true,
	})
	want.Artifacts = []Artifact{{Name: "theta", Path: "artifacts/x", Digest: "d", Bytes: 7}}
	n := math.NaN()
	want.Result = &Result{
		Steps: 5, RIR: n, RatioHarmful: math.Inf(1), RatioPrimary: math.Inf(-1), RIRRidge: math.Copysign(0, -1), RatioHarmfulRidge: 1e-320,
		RatioPrimaryRidge: 4, RidgeDominated: true, Ceiling: math.Inf(1), Unbounded: true, Freedom: 2, KappaTheta: math.Inf(1),
		LossPrimary: n, DefA: true, DefC: true,
	}
	if err := db.Finish(t.Context(), claimTest(t, db, start(1), false), want); err != nil {
		t.Fatal(err)
	}
	got, err := db.Outcome(t.Context(), key(1))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, sameBits); d != "" {
		t.Errorf("an outcome read back (-want +got):\n%s", d)
	}

	for _, c := range []struct {
		query string
		want  any
	}{
		{"SELECT group_concat(kind) FROM (SELECT kind FROM metrics ORDER BY step LIMIT 5)", "nan,+inf,-inf,-0,finite"},
		{"SELECT group_concat(typeof(value)) FROM (SELECT value FROM metrics ORDER BY step LIMIT 5)", "null,null,null,real,real"},
		{"SELECT count(*) FROM metrics WHERE kind <> 'finite' AND kind <> '-0' AND value IS NOT NULL", int64(0)},
		{"SELECT kind || ifnull(kappa, '') || ifnull(log10_kappa, '') FROM condition_numbers WHERE step = 99", "unresolved"},
		{"SELECT count(*) FROM condition_numbers WHERE kappa > 1e-300 AND abs(log10_kappa - log10(kappa)) > 1e-12", int64(0)},
		{"SELECT count(*) FROM condition_numbers WHERE ifnull(kappa > 0, 0) <> (log10_kappa IS NOT NULL)", int64(0)},
		{"SELECT count(*) FROM results WHERE rir IS NULL AND ratio_harmful IS NULL AND ceiling IS NULL AND unbounded", int64(1)},
		{"SELECT kinds FROM result", `{"kappa_theta":"+inf","loss_primary":"nan","ratio_harmful":"+inf","ratio_primary":"-inf","rir":"nan","rir_ridge":"-0"}`},
	} {
		if got := one(t, db, c.query); got != c.want {
			t.Errorf("%s: %v, want %v", c.query, got, c.want)
		}
	}
}

func TestNonFinite(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	o := outcome(1)
	o.Metrics[1].Value = math.NaN()
	o.Conditions[0].Unresolved = true
	o.Attacks[1].Loss = math.Inf(1)
	o.Result.RIR = math.NaN()
	if err := db.Finish(t.Context(), claimTest(t, db, start(1), false), o); err != nil {
		t.Fatal(err)
	}
	record(t, db, 2)
	r := openReport(t, db, PlanRow{Key: key(2)}, PlanRow{Key: key(1)})
	got, err := r.NonFinite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []NonFinite{
		{key(1), "attacks", "loss", "gd-exact harmful", 10, "+inf"},
		{key(1), "condition_numbers", "kappa", "harmful rank", 0, "unresolved"},
		{key(1), "metrics", "value", "loss_primary", 0, "nan"},
		{key(1), "results", "rir", "", -1, "nan"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("figures that are not finite (-want +got):\n%s", d)
	}
}

func TestOutcomeMissing(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	_, err := db.Outcome(t.Context(), key(1))
	if _, ok := errors.AsType[*Error](err); !errors.Is(err, ErrNotFound) || ok {
		t.Errorf("the outcome of an unknown run: %v; want ErrNotFound, no *Error", err)
	}
}
