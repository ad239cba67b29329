package cli

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kappa/experiments"
	"kappa/store"
)

func TestProblemList(t *testing.T) {
	p := experiments.Problem{File: "x.toml", Line: 3, Key: "train.steps", Message: "bad", Hint: "good"}
	listed := problemJSON{"x.toml", 3, "train.steps", "bad", "good"}
	for _, tt := range []struct {
		name string
		err  error
		want []problemJSON
	}{
		{"none", nil, []problemJSON{}},
		{"problems", experiments.Problems{p, p}, []problemJSON{listed, listed}},
		{"wrapped", fmt.Errorf("plan x: %w", experiments.Problems{p}), []problemJSON{listed}},
		{"a setting", asUsage(fmt.Errorf("--set: %w", p)), []problemJSON{listed}},
		{"joined", errors.Join(experiments.Problems{p}, usagef("try", "lost")), []problemJSON{listed, {Message: "lost", Hint: "try"}}},
		{"of a spec", errors.New("x.toml: open data y.csv: gone"), []problemJSON{{File: "x.toml", Message: "open data y.csv: gone"}}},
		{"at a line", errors.New("x.toml:7: claim c: no"), []problemJSON{{File: "x.toml", Line: 7, Message: "claim c: no"}}},
		{"of a database", &store.Error{Path: "r.db", Op: "open", Err: store.ErrLocked, Hint: "wait"}, []problemJSON{{Message: "open: r.db: the database is locked", Hint: "wait"}}},
	} {
		if diff := cmp.Diff(tt.want, problemList(tt.err, []problemJSON{})); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.name, diff)
		}
	}
}
