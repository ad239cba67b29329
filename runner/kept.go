package runner

import (
	"bytes"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/immunize"
	"kappa/runner/dataset"
	"kappa/store"
)

// reusedTheta begins the line of the log of a run whose θ is another's.
const reusedTheta = "θ and its trace are those of run"

// reuse takes θ, its trace and its counts from a finished run with the same training, where there is one: then only the
// attacks remain to be computed. ok is false where there is none, where its files are gone or damaged, and where runs are to be
// repeated: a repetition that read its answer would repeat nothing.
func (t *trial) reuse() (res immunize.Result, ok bool, err error) {
	if t.of.opt.Force {
		return res, false, nil
	}
	kept, ok, err := t.of.db.FindTheta(t.ctx, t.run.TrainKey)
	if err != nil || !ok || kept.Run == t.run.Key {
		return res, false, err
	}
	for _, a := range kept.Artifacts {
		data, err := t.of.db.ReadArtifact(a)
		if err != nil {
			t.logf("θ of run %s cannot be reused: %v", short(kept.Run), err)
			return res, false, nil
		}
		m, err := dataset.DecodeNPY(bytes.NewReader(data))
		if err != nil {
			t.logf("θ of run %s cannot be reused: %v", short(kept.Run), err)
			return res, false, nil
		}
		switch a.Name {
		case "theta":
			res.Theta = m
		case "bias":
			res.Bias = mat.Row(nil, 0, m)
		}
	}
	if res.Theta == nil {
		return res, false, nil
	}
	old, err := t.of.db.Outcome(t.ctx, kept.Run)
	if err != nil {
		return res, false, fmt.Errorf("read run %s, whose θ is reused: %w", short(kept.Run), err)
	}
	// Attack figures have names with a colon; they are this run's own to compute.
	t.out.Metrics = slices.DeleteFunc(old.Metrics, func(m store.Metric) bool { return isAttackMetric(m.Name) })
	t.out.Conditions = old.Conditions
	t.out.Reason = old.Reason
	t.out.Status = old.Status
	if old.Result != nil {
		res.Steps = old.Result.Steps
	}
	t.logf(reusedTheta+" %s: only the attacks are new", short(kept.Run))
	return res, true, nil
}
