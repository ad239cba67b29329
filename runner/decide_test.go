package runner

import (
	"strings"
	"testing"
	"time"
)

// TestWhyAttacks: plans tell an attack more from others instead.
func TestWhyAttacks(t *testing.T) {
	text := strings.Replace(small, "steps = 5", "steps = 5\n[[attack]]\nmethod = \"cg\"\nsteps = 4", 1)
	db := openDB(t)
	if _, err := Run(t.Context(), planOf(t, text), db, Options{Jobs: 2, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, old, new string
		want           Reason
	}{
		{"the same", "", "", ReasonDone},
		{"one more", "steps = 4", "steps = 4\n[[attack]]\nmethod = \"adam\"", ReasonAttack},
		{"one less", "[[attack]]\nmethod = \"cg\"\nsteps = 4", "", ReasonAttacks},
		{"another", `"cg"`, `"nesterov"`, ReasonAttacks},
		{"other steps", "steps = 4", "steps = 6", ReasonAttack},
		{"another start", "steps = 4", "steps = 4\nstart = \"random\"", ReasonAttacks},
		{"none", "[[attack]]\nmethod = \"gd-exact\"\nsteps = 5\n[[attack]]\nmethod = \"cg\"\nsteps = 4", "", ReasonAttacks},
	} {
		decisions, err := Decide(t.Context(), planOf(t, strings.Replace(text, tt.old, tt.new, 1)), db, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range decisions {
			if d.Reason != tt.want {
				t.Errorf("%s: %s: %q, want %q", tt.name, d.Run.Method(), d.Reason, tt.want)
			}
		}
	}
}
