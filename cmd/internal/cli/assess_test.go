package cli

import (
	"fmt"
	"testing"

	"kappa/reports"
	"kappa/store"
)

func TestLacking(t *testing.T) {
	states := map[string]store.State{
		"done": {Status: store.Done}, "diverged": {Status: store.Diverged}, "again": {Status: store.Done, Live: true},
		"failed": {Status: store.Failed}, "late": {Status: store.TimedOut}, "stopped": {Status: store.Interrupted},
		"running": {Status: store.Running, Live: true}, "removed": {Removed: true}, "lost": {Lost: true},
	}
	keys := []string{"done", "failed", "new", "diverged", "late", "stopped", "running", "again", "removed", "lost"}
	want := "[{failed failed} {new never run} {late out of time} {stopped interrupted} {running running} {removed removed} {lost lost}]"
	if got := fmt.Sprint(lacking(states, keys)); got != want {
		t.Errorf("lacking %s, want %s", got, want)
	}
}

func TestStateText(t *testing.T) {
	reasons := func(kinds ...string) (out []reports.Reason) {
		for _, k := range kinds {
			out = append(out, reports.Reason{Kind: k})
		}
		return out
	}
	for _, tc := range []struct {
		s    reports.Standing
		want string
	}{
		{reports.Standing{State: reports.Current}, "present"},
		{reports.Standing{State: reports.Current, Unchecked: []string{"x"}}, "present (unchecked)"},
		{reports.Standing{State: reports.Stale, Reasons: reasons("spec", "rows")}, "stale (spec, rows)"},
		{reports.Standing{State: reports.Altered, Reasons: reasons("edited", "edited", "rows"), Unchecked: []string{"x"}}, "changed (edited, rows)"},
		{reports.Standing{State: reports.Foreign, Reasons: reasons("foreign")}, "not kappa's"},
		{reports.Standing{State: reports.NoReport}, "none"},
	} {
		if got := stateText(tc.s); got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.s, got, tc.want)
		}
	}
}

func TestClaimTally(t *testing.T) {
	tally := claimTally{all: 5}
	for _, c := range [][2]string{
		{reports.Reproduced, reports.Reproduced},
		{reports.NotReproduced, reports.NotReproduced},
		{reports.Reproduced, reports.NotReproduced},
		{reports.NotReproduced, reports.Reproduced},
		{reports.Undecided, reports.Reproduced},
	} {
		tally.count(c[0], c[1])
	}
	if want := "2 of 5 reproduced, 1 known not to be, 1 undecided, 2 unexpected"; tally.String() != want {
		t.Errorf("%q, want %q", tally, want)
	}
	if s := (claimTally{all: 2, reproduced: 2}).String(); s != "2 of 2 reproduced" {
		t.Errorf("%q", s)
	}
}
