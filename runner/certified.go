package runner

import (
	"fmt"

	"kappa/engine/immunize"
)

// checkCertified says which settings do not go with certified steps.
func checkCertified(r reader, problem func(path, message, hint string)) {
	if method := r.str("train.method"); method != "immunize" && method != "rill-only" {
		problem("train.step", "certified steps are for immunize and rill-only: no theorem is about the steps of "+method,
			fmt.Sprintf(`want step = "fixed" or "normalized", if need be in an [[override]] for train.method = %q`, method))
	}
	if r.boolean("train.supervised") {
		problem("train.supervised", "a certified step has no supervised loss: the theorem is about a regularizer alone, and an invertible θ costs the primary task nothing (Definition 3.1(c) holds exactly)",
			"leave supervised out, or want another step rule")
	}
	if optimizer := r.str("train.optimizer"); optimizer != "" && optimizer != "gd" {
		problem("train.optimizer", "a certified step is a plain one and does not go with "+optimizer, `want optimizer = "gd"`)
	}
	if r.integer("train.batch") > 0 {
		problem("train.batch", "a certified step is over all rows: the theorem is about H, not about that of a mini-batch", "want batch = 0")
	}
	if r.str("train.form") == "plain" {
		problem("train.form", "the theorem is about the preconditioned gradient, and plain leaves the preconditioner out", `want form = "cancelled" or "pseudo-inverse"`)
	}
	if r.number("train.step_fraction") >= 1 {
		problem("train.step_fraction", "a certified half step takes a fraction of its interval, whose end does not belong to it", "want a number > 0 and < 1")
	}
}

// recordCertified turns certified steps into rows: those of a step at the state it led to, the totals at the last.
func (t *trial) recordCertified(res immunize.Result) {
	half := func(side string, step int, h immunize.HalfStep) {
		t.metric(side+"_interval", step, h.Interval.Corrected)
		t.metric(side+"_interval_printed", step, h.Interval.Printed)
		t.metric(side+"_kappa_before", step, h.Before)
		t.metric(side+"_printed_kappa", step, h.PrintedKappa)
		t.metric(side+"_printed_whole", step, h.PrintedWhole)
		t.metric(side+"_printed_fails", step, h.PrintedFails)
		t.metric(side+"_step", step, h.Eta)
		t.metric(side+"_kappa_after", step, h.After)
		t.metric(side+"_kappa_predicted", step, h.Predicted)
		t.metric(side+"_kappa_other", step, h.Other)
		t.metric(side+"_tolerance", step, h.Tolerance)
		if h.Taken {
			t.metric(side+"_moved", step, float64(h.Moved))
		}
	}
	for _, s := range res.Certified {
		half("well", s.Step, s.Well)
		half("ill", s.Step, s.Ill)
	}
	if reader := (reader{t.run.Settings}); reader.str("train.step") != "certified" {
		return
	}
	t.metric("certified_steps", res.Steps, float64(res.Counts.Steps))
	for i, side := range []string{"well", "ill"} {
		n := res.Counts.Half[i]
		for _, c := range []struct {
			name  string
			count int
		}{
			{"taken", n.Taken},
			{"idle", n.Idle},
			{"violations", n.Violations},
			{"unmoved", n.Unmoved},
			{"other_worse", n.OtherWorse},
			{"printed_failures", n.PrintedFailures},
			{"printed_empty", n.PrintedEmpty},
		} {
			t.metric(side+"_"+c.name, res.Steps, float64(c.count))
		}
	}
}
