package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// metricAim says whether the greatest or the least value of a figure is the best.
type metricAim struct {
	name  string
	least bool
}

// selectorMetrics are the numeric columns of results that best and worst go by, in its order.
var selectorMetrics = []metricAim{
	{"rir", false},
	{"ratio_harmful", false},
	{"ratio_primary", true},
	{"rir_ridge", false},
	{"ratio_harmful_ridge", false},
	{"ratio_primary_ridge", true},
	{"reached", false},
	{"reached_bound", false},
	{"ceiling", false},
	{"bound", false},
	{"unbounded", false},
	{"freedom", false},
	{"kappa_theta", true},
	{"loss_primary", true},
	{"loss_base", true},
	{"def_a", false},
	{"def_b", false},
	{"def_c", false},
	{"def_a_ridge", false},
	{"def_b_ridge", false},
	{"ridge_dominated", true},
	{"steps", true},
}

// knownExperiment fails with a *SelectorError where no version of an experiment is recorded.
func knownExperiment(ctx context.Context, q querier, s Selector, name string) error {
	names, err := experimentNames(ctx, q)
	if err != nil || slices.Contains(names, name) {
		return err
	}
	e := &SelectorError{
		Selector: s.Text, Msg: fmt.Sprintf("no experiment %q is recorded", name), Given: name, Known: names, Err: ErrNotFound,
		Hint: "none is yet; `kappa run SPEC` records one",
	}
	if len(names) > 0 {
		e.Hint = "recorded are " + strings.Join(names, ", ")
	}
	return e
}

func experimentNames(ctx context.Context, q querier) (names []string, err error) {
	err = each(ctx, q, "SELECT DISTINCT name FROM experiment ORDER BY name", nil, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

// noRuns says how many runs there are where a selector asks for more.
func noRuns(ctx context.Context, q querier, s Selector, f Filter) error {
	rows, err := runsList(ctx, q, f)
	if err != nil {
		return err
	}
	of := ""
	if name := f.Experiment; name != "" {
		of = " of " + name
	}
	kind, list := "recorded", "`kappa runs list` lists them"
	if f.Removed {
		kind, list = "removed", "`kappa runs list --removed` lists them"
	}
	e := &SelectorError{Selector: s.Text, Err: ErrNotFound, Hint: list}
	switch n := len(rows); n {
	case 0:
		e.Msg, e.Hint = fmt.Sprintf("no run%s is %s", of, kind), ""
		if !f.Removed && f.Experiment != "" {
			f.Removed = true
			if gone, err := runsList(ctx, q, f); err == nil && len(gone) > 0 {
				e.Hint = fmt.Sprintf("%d were removed: `kappa runs restore` brings them back", len(gone))
			}
		}
	case 1:
		e.Msg = fmt.Sprintf("only 1 run%s is %s", of, kind)
	default:
		e.Msg = fmt.Sprintf("only %d runs%s are %s", n, of, kind)
	}
	return e
}

// selectExtreme finds the run of an experiment with the best or the worst value of a figure.
func selectExtreme(ctx context.Context, q querier, s Selector, removed bool) ([]RunRow, error) {
	at := slices.IndexFunc(selectorMetrics, func(m metricAim) bool { return m.name == s.Metric })
	if at < 0 {
		var names []string
		for _, m := range selectorMetrics {
			names = append(names, m.name)
		}
		return nil, &SelectorError{
			Selector: s.Text, Msg: fmt.Sprintf("results has no figure %q", s.Metric), Given: s.Metric, Known: names, Err: ErrNotFound,
			Hint: "its figures are " + strings.Join(names, ", "),
		}
	}
	order := "DESC"
	if selectorMetrics[at].least == (s.Kind == SelectBest) {
		order = "ASC"
	}
	if removed {
		return nil, &SelectorError{Selector: s.Text, Msg: "the figures of removed runs cannot be compared", Hint: "a key, @1 or an experiment is accepted"}
	}
	column := "v." + quoteName(s.Metric)
	var keys []string
	err := each(ctx, q, `SELECT v.run FROM experiment AS e CROSS JOIN experiment_runs AS x ON x.experiment = e.id
		CROSS JOIN run AS r ON r.id = x.run CROSS JOIN results AS v ON v.run = r.key
		WHERE e.name = ? AND `+column+` IS NOT NULL ORDER BY `+column+` `+order+`, r.shown DESC LIMIT 1`, []any{s.Experiment},
		func(scan func(...any) error) error {
			var key string
			err := scan(&key)
			keys = append(keys, key)
			return err
		})
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, &SelectorError{
			Selector: s.Text, Msg: fmt.Sprintf("no finished run of %s has a finite %s", s.Experiment, s.Metric), Err: ErrNotFound,
			Hint: fmt.Sprintf("`kappa runs list --experiment %s` lists its runs", s.Experiment),
		}
	}
	return runsList(ctx, q, Filter{keys: keys})
}

// selectWord finds the run whose key begins with a word, or the runs of the experiment that it names. A word that is both is refused.
func selectWord(ctx context.Context, q querier, s Selector, removed bool) ([]RunRow, error) {
	names, err := experimentNames(ctx, q)
	if err != nil {
		return nil, err
	}
	named := slices.Contains(names, s.Word)
	var rows []RunRow
	isKey := strings.Trim(strings.ToLower(s.Word), "0123456789abcdef") == ""
	if isKey {
		if rows, err = runsList(ctx, q, Filter{Prefix: s.Word, Removed: removed}); err != nil {
			return nil, err
		}
	}
	switch {
	case named && len(rows) > 0:
		return nil, &SelectorError{
			Selector: s.Text, Msg: "it is an experiment, and a run's key begins so",
			Hint: fmt.Sprintf("%s:all is the experiment; more digits of the key are the run: %s", s.Word, shortKey(rows[0].Key, len(s.Word)+4)),
		}
	case named:
		return selectExperiment(ctx, q, s, s.Word, removed)
	case len(rows) == 1:
		return rows, nil
	case len(rows) > 1:
		return nil, ambiguous(s.Word, rows)
	case isKey:
		return nil, noSuchKey(ctx, q, s, removed)
	}
	return nil, &SelectorError{
		Selector: s.Text, Msg: "not recorded: no experiment has that name, and a key is made of hexadecimal digits", Given: s.Word, Known: names,
		Hint: SelectorForms + " are accepted", Err: ErrNotFound,
	}
}

// noSuchKey says of a key's beginning whether it is among the runs that were not looked at.
func noSuchKey(ctx context.Context, q querier, s Selector, removed bool) error {
	other, err := runsList(ctx, q, Filter{Prefix: s.Word, Removed: !removed})
	if err != nil {
		return err
	}
	e := &SelectorError{Selector: s.Text, Msg: "not recorded: no run's key begins so", Hint: "`kappa runs list` lists the keys", Err: ErrNotFound}
	switch {
	case len(other) > 0 && removed:
		e.Msg, e.Hint = "it was not removed", "`kappa runs list --removed` lists the removed runs"
	case len(other) > 0:
		e.Msg, e.Hint = "it was removed on "+formatTime(other[0].Removed), "`kappa runs restore "+s.Word+"` brings it back"
	case removed:
		e.Msg, e.Hint = "no removed run's key begins so", "`kappa runs list --removed` lists the removed runs"
	}
	return e
}

// shortKey is the beginning of a key.
func shortKey(key string, digits int) string { return key[:min(len(key), max(12, digits))] }

// ambiguous is the error that lists the runs whose keys begin with prefix.
func ambiguous(prefix string, rows []RunRow) error {
	e := &AmbiguousError{Prefix: prefix}
	for _, r := range rows {
		e.Candidates = append(e.Candidates, r.Key)
	}
	slices.Sort(e.Candidates)
	if n := len(e.Candidates) - 10; n > 0 {
		e.Candidates, e.More = e.Candidates[:10], n
	}
	return e
}
