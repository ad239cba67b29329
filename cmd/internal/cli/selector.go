package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kappa/store"
)

// selectorHelp is what a command that takes runs says about how to name them.
const selectorHelp = `A run is named by its key or the first digits of it; @1 is the latest run, @2:5 the second to the fifth
latest; digits:@1 and digits:@2:5 are those of an experiment, 'digits:best(rir)' and 'digits:worst(rir)', in quotes
for the shell, its run with the best and the worst value of a figure in results (of ratio_primary, loss_primary,
loss_base, kappa_theta, steps and ridge_dominated the least is the best), and digits alone is all its runs, where
several are taken.`

// selectorHint says what to do about a selector that selects nothing.
func selectorHint(e *store.SelectorError) string {
	if names := near(e.Given, e.Known); e.Given != "" && len(names) > 0 {
		return "did you mean " + strings.Join(names, " or ") + "?"
	}
	return e.Hint
}

// completeRuns proposes ways to name runs: the recorded experiments, and the keys of the latest runs.
func (a *app) completeRuns(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	const latest = 20
	db, err := store.OpenReadOnly(c.Context(), a.dbPath())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer db.Close()
	removed := c.Name() == "restore"
	rows, err := db.RunsList(c.Context(), store.Filter{Limit: latest, Removed: removed})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	out := []string{"@1\tthe latest run"}
	for _, r := range rows {
		if name := r.Experiment; name != "" && !slices.Contains(out, name+"\tall of its runs") {
			out = append(out, name+"\tall of its runs", name+":@1\tits latest run")
			if !removed {
				out = append(out, name+":best(rir)\tits run with the greatest RIR")
			}
		}
	}
	for _, r := range rows {
		out = append(out, short(r.Key)+"\t"+strings.TrimSpace(strings.TrimPrefix(runText(r), short(r.Key))))
	}
	return slices.DeleteFunc(out, func(s string) bool { return !strings.HasPrefix(s, typed) }), cobra.ShellCompDirectiveNoFileComp
}

// completeFirst proposes runs for the first argument alone.
func (a *app) completeFirst(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeRuns(c, args, typed)
}
