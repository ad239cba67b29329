package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kappa/engine"
	"kappa/store"
)

// Decide says for every run of the plan whether it will be executed, and why. It changes nothing.
func Decide(ctx context.Context, plan *Plan, db Database, force bool) ([]Decision, error) {
	states, err := db.States(ctx, plan.Keys())
	if err != nil {
		return nil, fmt.Errorf("plan %s: read the states of its runs: %w", plan.Spec.Name, err)
	}
	out := make([]Decision, len(plan.Runs))
	var starts []store.Start
	for i, run := range plan.Runs {
		out[i] = Decision{Run: run, State: states[run.Key]}
		out[i].Execute, out[i].Reason = decide(out[i].State, force)
		if out[i].Reason == ReasonNew {
			starts = append(starts, start(run, Options{}))
		}
	}
	if len(starts) == 0 {
		return out, findLost(ctx, plan, db, out)
	}
	kin, err := db.Kin(ctx, starts)
	if err != nil {
		return nil, fmt.Errorf("plan %s: look for earlier versions of its runs: %w", plan.Spec.Name, err)
	}
	trainKeys := make([]string, len(starts))
	for i, s := range starts {
		trainKeys[i] = s.TrainKey
	}
	trained, err := db.Trained(ctx, trainKeys)
	if err != nil {
		return nil, fmt.Errorf("plan %s: look for θ of its runs: %w", plan.Spec.Name, err)
	}
	attacks := make(map[string]Reason)
	for i, d := range out {
		if d.Reason != ReasonNew {
			continue
		}
		if _, ok := kin[d.Run.Key]; !ok && !trained[d.Run.TrainKey] {
			continue
		}
		if out[i].Reason, err = whyNew(ctx, d.Run, db, kin, attacks); err != nil {
			return nil, err
		}
	}
	return out, findLost(ctx, plan, db, out)
}

// findLost has pre-trainings executed again whose θ_0 is needed and whose file is gone.
func findLost(ctx context.Context, plan *Plan, db Database, decisions []Decision) error {
	needed := make(map[string]bool)
	for _, d := range decisions {
		for _, dep := range d.Run.Depends {
			needed[dep.Key] = needed[dep.Key] || d.Execute && dep.What == Theta0
		}
	}
	for i, d := range decisions {
		if !needed[d.Run.Key] || d.State.Status != store.Done || d.Reason != ReasonDone && d.Reason != ReasonForced {
			continue
		}
		_, ok, err := db.FindTheta(ctx, d.Run.TrainKey)
		if err != nil {
			return fmt.Errorf("plan %s: look for the θ_0 of run %s: %w", plan.Spec.Name, short(d.Run.Key), err)
		}
		if !ok {
			decisions[i].Execute, decisions[i].Reason = true, ReasonLost
		}
	}
	return nil
}

func decide(st store.State, force bool) (bool, Reason) {
	switch {
	case st.Live: // also behind a finished attempt: what that has kept may be gone until the new one ends
		return false, ReasonElsewhere
	case st.Removed:
		return true, ReasonRemoved
	case force && st.Status != "":
		return true, ReasonForced
	case st.Lost:
		return true, ReasonGone
	}
	switch st.Status {
	case store.Done:
		return false, ReasonDone
	case store.Diverged:
		return false, ReasonDiverged
	case store.Failed:
		return true, ReasonFailed
	case store.TimedOut:
		return true, ReasonTimeout
	case store.Interrupted, store.Running:
		return true, ReasonInterrupted
	}
	return true, ReasonNew
}

// whyNew says why a run that the database does not hold is new: because something about a run that it holds has changed. attacks are the
// answers about runs that are attacked alike on the θ of the same run, so that not each is looked up.
func whyNew(ctx context.Context, run Planned, db Database, kin map[string]store.Kin, attacks map[string]Reason) (Reason, error) {
	if old, ok := kin[run.Key]; ok {
		if old.EngineVersion != engine.Version {
			return Reason(fmt.Sprintf("%s %d → %d", ReasonEngine, old.EngineVersion, engine.Version)), nil
		}
		return ReasonData, nil
	}
	kept, ok, err := db.FindTheta(ctx, run.TrainKey)
	if err != nil {
		return "", fmt.Errorf("plan: look for a kept θ of %s: %w", short(run.Key), err)
	}
	if !ok {
		return ReasonNew, nil
	}
	labels := attackLabels(reader{run.Settings})
	alike := kept.Run + "\n" + strings.Join(labels, "\n")
	if attacks[alike] == "" {
		out, err := db.Outcome(ctx, kept.Run)
		if err != nil {
			return "", fmt.Errorf("plan: read the attacks of %s: %w", short(kept.Run), err)
		}
		attacks[alike] = whyAttacked(labels, out.Attacks)
	}
	return attacks[alike], nil
}

// attackLabels are what a run's attackers are called in the database.
func attackLabels(r reader) (labels []string) {
	for i, name := range r.attacks() {
		if r.net() {
			labels = append(labels, netAttackLabel(r, i, name))
		} else {
			labels = append(labels, attackLabel(r, i, name))
		}
	}
	return labels
}

// whyAttacked compares a run's attackers with what those of another run on the same θ have left. One with other settings is one more.
func whyAttacked(labels []string, before []store.AttackPoint) Reason {
	were := make(map[string]bool)
	for _, p := range before {
		were[p.Attacker] = true
	}
	for name := range were {
		if !slices.Contains(labels, name) {
			return ReasonAttacks
		}
	}
	return ReasonAttack
}

// attacksAlone says whether a run has its θ from another one, for which it is new.
func (r Reason) attacksAlone() bool { return r == ReasonAttack || r == ReasonAttacks }
