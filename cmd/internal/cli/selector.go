package cli

import (
	"strings"

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
