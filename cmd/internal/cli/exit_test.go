package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kappa/experiments"
	"kappa/store"
)

func TestExitCode(t *testing.T) {
	usage, failed, claim, stale := usagef("", "u"), failf("", "f"), silent(exitClaim), silent(exitStale)
	database := fmt.Errorf("plan: %w", &store.Error{Path: "runs.db", Op: "open", Err: store.ErrNewer})
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, exitOK},
		{"silent success", silent(exitOK), exitOK},
		{"unclassified", errors.New("x"), 42},
		{"usage", usage, exitUsage},
		{"wrapped", fmt.Errorf("a: %w", claim), exitClaim},
		{"spec problems", experiments.Problems{{Message: "x"}}, exitUsage},
		{"database", database, exitDatabase},
		{"query", &store.QueryError{Msg: "x"}, exitUsage},
		{"interrupted", fmt.Errorf("run: %w", context.Canceled), exitInterrupted},
		{"runs and claims", errors.Join(claim, failed), exitFailed},
		{"claims and stale", errors.Join(stale, claim), exitClaim},
		{"usage and runs", errors.Join(failed, usage), exitUsage},
		{"database and usage", errors.Join(usage, database), exitDatabase},
		{"all", errors.Join(stale, claim, failed, usage, database, context.Canceled), exitInterrupted},
		{"a cancelled database", &store.Error{Err: context.Canceled}, exitInterrupted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := exitCode(tt.err, 42); got != tt.want {
				t.Errorf("exitCode(%v) = %d, want %d", tt.err, got, tt.want)
			}
		})
	}
}

func TestSay(t *testing.T) {
	problem := experiments.Problem{File: "a.toml", Line: 3, Key: "train.stps", Message: "unknown key", Hint: `did you mean "train.steps"?`}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"nothing", nil, ""},
		{"plain", errors.New("x"), "kappa: x\n"},
		{"with hint", usagef("do this", "x"), "kappa: x\nkappa: hint: do this\n"},
		{"said before", silent(exitClaim), ""},
		{
			"problems",
			experiments.Problems{problem, {Message: "y"}},
			"kappa: a.toml:3: train.stps: unknown key\nkappa: hint: did you mean \"train.steps\"?\nkappa: y\n",
		},
		{"joined", errors.Join(errors.New("x"), usagef("h", "y")), "kappa: x\nkappa: y\nkappa: hint: h\n"},
		{
			"database", fmt.Errorf("plan: %w", &store.Error{Path: "runs.db", Op: "open", Err: store.ErrNewer, Hint: "use the newer kappa"}),
			"kappa: plan: open: runs.db: the database was written by a newer kappa\nkappa: hint: use the newer kappa\n",
		},
		{"cancelled", context.Canceled, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			say(&b, tt.err)
			if b.String() != tt.want {
				t.Errorf("say(%v) wrote %q, want %q", tt.err, b.String(), tt.want)
			}
		})
	}
}
