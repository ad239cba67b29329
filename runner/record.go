package runner

import (
	"fmt"
	"math"

	"kappa/engine/audit"
	"kappa/engine/immunize"
	"kappa/engine/spectrum"
	"kappa/store"
)

// recordTraining turns a method's trace and counts into rows.
func (t *trial) recordTraining(res immunize.Result) {
	t.out.Status = store.Done
	if res.Status == immunize.Diverged {
		t.out.Status = store.Diverged
	}
	t.out.Reason = string(res.Status)
	if res.Reason != "" {
		t.out.Reason = res.Reason
	}
	for _, p := range res.Trace {
		t.metric("loss_primary", p.Step, p.LossPrimary)
		t.metric("r_well", p.Step, p.RWell)
		t.metric("r_ill", p.Step, p.RIll)
		t.metric("grad_loss", p.Step, p.GradLoss)
		t.metric("grad_well", p.Step, p.GradWell)
		t.metric("grad_ill", p.Step, p.GradIll)
		t.out.Metrics = append(t.out.Metrics, store.Metric{Name: "kappa_theta", Step: p.Step, Value: p.KappaTheta})
		t.conditions(p.Step, "primary", p.Primary)
		t.conditions(p.Step, "harmful", p.Harmful)
	}
	t.recordCertified(res)
	for _, c := range []struct {
		name  string
		count int
	}{
		{"kappa_compared", res.Counts.Compared},
		{"primary_rose", res.Counts.PrimaryRose},
		{"harmful_fell", res.Counts.HarmfulFell},
		{"well_outside", res.Counts.WellOutside},
		{"ill_outside", res.Counts.IllOutside},
		{"degenerate_steps", res.Counts.Degenerate},
	} {
		t.metric(c.name, res.Steps, float64(c.count))
	}
}

// recordResult turns the final audit into the run's result.
func (t *trial) recordResult(steps int, report audit.Report) {
	t.out.Result = &store.Result{
		Steps: steps,
		RIR:   report.RIR.Rank, RatioHarmful: report.RatioHarmful.Rank, RatioPrimary: report.RatioPrimary.Rank,
		RIRRidge: report.RIR.Ridge, RatioHarmfulRidge: report.RatioHarmful.Ridge, RatioPrimaryRidge: report.RatioPrimary.Ridge,
		RidgeDominated: report.RidgeDominated(),
		Ceiling:        report.Ceiling, Unbounded: report.Unbounded, Freedom: report.Freedom,
		KappaTheta: report.KappaTheta, LossPrimary: report.LossPrimary, LossBase: report.LossBase,
		DefA: report.DefA, DefB: report.DefB, DefC: report.DefC, DefARidge: report.DefARidge, DefBRidge: report.DefBRidge,
		Bound: report.Bound, Reached: report.Reached, ReachedBound: report.ReachedBound,
	}
}

// metric adds a figure; NaN says that it does not apply and leaves no row.
func (t *trial) metric(name string, step int, value float64) {
	if !math.IsNaN(value) {
		t.out.Metrics = append(t.out.Metrics, store.Metric{Name: name, Step: step, Value: value})
	}
}

func (t *trial) conditions(step int, task string, c spectrum.Conditions) {
	for _, p := range []struct {
		name string
		spectrum.Condition
	}{{"rank", c.Rank}, {"ridge", c.Ridge}} {
		t.out.Conditions = append(t.out.Conditions, store.Condition{
			Step: step, Task: task, Protocol: p.name, Kappa: p.Kappa, SigmaMax: p.SigmaMax, SigmaMin: p.SigmaMin,
			Rank: p.Rank, Next: p.Next, RidgeDominated: p.RidgeDominated, Degenerate: p.Degenerate,
			RankUnclear: p.RankUnclear, Unresolved: p.Unresolved,
		})
	}
}

// logCounts says what the steps did that they were not to do, where they did.
func (t *trial) logCounts(res immunize.Result) {
	c := res.Counts
	for _, n := range []struct {
		count, of int
		what      string
	}{
		{c.PrimaryRose, c.Compared, "κ of the primary task rose"},
		{c.HarmfulFell, c.Compared, "κ of the harmful task fell"},
		{c.Degenerate, c.Steps, "an end of a spectrum was repeated, and the gradient one of many"},
	} {
		if n.count > 0 {
			t.logf("in %d of %d steps %s", n.count, n.of, n.what)
		}
	}
}

// doubts are what is to be known of a measurement's condition numbers beside their values.
func doubts(r audit.Report) (out []string) {
	for _, task := range []struct {
		name string
		spectrum.Conditions
	}{{"primary", r.Primary}, {"harmful", r.Harmful}} {
		if task.Rank.RankUnclear {
			out = append(out, fmt.Sprintf("where the rank of the %s task ends is a matter of taste: its singular values have no gap there", task.name))
		}
		if task.Rank.Unresolved {
			out = append(out, fmt.Sprintf("κ of the %s task is beyond what double precision resolves", task.name))
		}
		if task.Ridge.RidgeDominated {
			out = append(out, fmt.Sprintf("κ of the %s task by the protocol ridge is that of the ridge and of rounding", task.name))
		}
	}
	return out
}
