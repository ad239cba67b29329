package cli

import (
	"context"
	"slices"
	"strings"

	"kappa/store"
)

// sayNoRuns says why a listing is empty: which of the names in its filter no run has.
func (a *app) sayNoRuns(ctx context.Context, db *store.DB, f store.Filter) error {
	all, err := db.RunsList(ctx, store.Filter{Removed: f.Removed})
	if err != nil {
		return err
	}
	if len(all) == 0 {
		if f.Removed {
			a.talk("kappa: no run is removed")
		} else {
			a.talk("kappa: no run is recorded")
		}
		return nil
	}
	unknown := func(flag, value string, has func(store.RunRow) []string) {
		var known []string
		for _, r := range all {
			for _, v := range has(r) {
				if v == value {
					return
				}
				if v != "" && !slices.Contains(known, v) {
					known = append(known, v)
				}
			}
		}
		slices.Sort(known)
		switch {
		case value == "":
		case len(known) == 0:
			a.talk("kappa: no run has --%s %s, nor any other", flag, value)
		default:
			a.talk("kappa: no run has --%s %s; there are: %s", flag, value, strings.Join(known, ", "))
		}
	}
	unknown("experiment", f.Experiment, func(r store.RunRow) []string { return []string{r.Experiment} })
	unknown("method", f.Method, func(r store.RunRow) []string { return []string{r.Method} })
	unknown("tag", f.Tag, func(r store.RunRow) []string { return r.Tags })
	return nil
}
