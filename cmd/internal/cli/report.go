package cli

import (
	"context"

	"github.com/spf13/cobra"

	"kappa/store"
)

// reportResult is what became of a report.
type reportResult struct {
	Path    string `json:"path"`
	State   string `json:"state"` // written, unchanged, skipped
	Missing int    `json:"missing"`
}

func (a *app) reportCommand() *cobra.Command {
	return &cobra.Command{Use: "report", RunE: run(func(context.Context, []string) error { return nil })}
}

func (a *app) reportAfterRun(ctx context.Context, db *store.DB, p planned, o runFlags, quiet bool) (*reportResult, error) {
	return nil, nil
}

func (a *app) check(ctx context.Context, targets []*target) error { return nil }

func (t *target) reportState(map[string]store.State) string { return "none" }
