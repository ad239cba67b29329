package runner

import (
	"strings"
	"testing"
	"time"
)

// TestWhyAttacksByTheta: runs with the same attackers on θs of different histories are new for reasons of their own.
func TestWhyAttacksByTheta(t *testing.T) {
	db := openDB(t)
	more := strings.Replace(small, "steps = 5", "steps = 5\n[[attack]]\nmethod = \"cg\"\nsteps = 4", 1)
	other := strings.Replace(small, "steps = 5", "steps = 5\n[[attack]]\nmethod = \"adam\"", 1)
	plan := planOf(t, more)
	if len(plan.Runs) < 2 {
		t.Fatal("one run")
	}
	first := map[string]bool{plan.Runs[0].Method(): true}
	for text, wanted := range map[string]bool{small: true, other: false} { // the first method with one attacker less, others with another
		p := planOf(t, text)
		p.Runs = pick(p.Runs, func(r Planned) bool { return first[r.Method()] == wanted })
		if _, err := Run(t.Context(), p, db, Options{Jobs: 2, Now: time.Now}); err != nil {
			t.Fatal(err)
		}
	}
	decisions, err := Decide(t.Context(), plan, db, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range decisions {
		want := ReasonAttacks
		if first[d.Run.Method()] {
			want = ReasonAttack
		}
		if d.Reason != want {
			t.Errorf("%s: %q, want %q", d.Run.Method(), d.Reason, want)
		}
	}
}

func pick(runs []Planned, wanted func(Planned) bool) (out []Planned) {
	for _, r := range runs {
		if wanted(r) {
			out = append(out, r)
		}
	}
	return out
}
