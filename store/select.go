package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// SelectorForms says what a selector may be, for people.
const SelectorForms = "a key or its first digits, @1 (the latest run), @2:5, EXPERIMENT:best(rir), EXPERIMENT:worst(rir), EXPERIMENT:@1, " +
	"EXPERIMENT:@2:5, or EXPERIMENT for all its runs"

// Selector names runs. It is one of
//
//	3fa0c1            the run whose key begins so
//	@1  @2:5          the latest run; from the second to the fifth latest, in this order (@5:2: in the other)
//	digits            every run of an experiment, the latest first; digits:all where the name alone means something else
//	digits:@1         the latest run of an experiment, digits:@2:5 as above
//	digits:best(rir)  the run of an experiment with the best value of a figure in results, digits:worst(rir) with the worst
//
// Runs are ordered as [DB.RunsList] orders them, by the attempt that is shown. The runs of an experiment are those of every
// recorded version of it. Of ratio_primary, loss_primary, loss_base, kappa_theta, steps and ridge_dominated the least value is the
// best, of the other figures the greatest. Runs for which the figure is NULL, so also those for which it is infinite or no number,
// are passed over; of several with the same value the latest is taken.
type Selector struct {
	Text       string // as it was written
	Kind       SelectorKind
	Word       string // SelectWord: the beginning of a key, or an experiment's name
	Experiment string // of the other kinds: its name; "": of any
	From, To   int    // SelectRecent: from 1
	Metric     string // SelectBest, SelectWorst
}

// SelectorKind is a form of selector.
type SelectorKind int

// The forms of selectors.
const (
	SelectWord   SelectorKind = iota // a key's beginning or an experiment
	SelectRecent                     // @N, @A:B
	SelectAll                        // all of an experiment
	SelectBest
	SelectWorst
)

// SelectorError says why a selector selects no run, or not what is needed. Those that name something that is not recorded wrap
// ErrNotFound.
type SelectorError struct {
	Selector string
	Msg      string   // what is wrong
	Given    string   // the part that is wrong, where Known lists what would be accepted in its place
	Known    []string // or nil
	Hint     string   // what to do, or ""
	Err      error    // or nil
}

func (e *SelectorError) Error() string {
	s := fmt.Sprintf("run %q: %s", e.Selector, e.Msg)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

func (e *SelectorError) Unwrap() error { return e.Err }

// mostRecent bounds N in @N: no database holds so many runs.
const mostRecent = 1_000_000_000

var (
	recentForm = regexp.MustCompile(`^(?s)(?:(.*):)?@([^:@]*)(?::([^:@]*))?$`)
	bestForm   = regexp.MustCompile(`^(?s)(.*):(best|worst)\(([^()]*)\)$`)
	metricName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// ParseSelector reads a selector; it looks nothing up. Every error is a *SelectorError.
func ParseSelector(text string) (Selector, error) {
	s := Selector{Text: text}
	bad := func(format string, args ...any) (Selector, error) {
		return Selector{}, &SelectorError{Selector: text, Msg: fmt.Sprintf(format, args...), Hint: SelectorForms + " are accepted"}
	}
	if strings.TrimSpace(text) == "" {
		return bad("it names nothing")
	}
	if m := bestForm.FindStringSubmatch(text); m != nil {
		s.Kind, s.Experiment, s.Metric = SelectBest, m[1], m[3]
		if m[2] == "worst" {
			s.Kind = SelectWorst
		}
		if s.Experiment == "" {
			return bad("%s(%s) needs an experiment before its colon", m[2], s.Metric)
		}
		if !metricName.MatchString(s.Metric) {
			return bad("%q is no column of results", s.Metric)
		}
		return s, nil
	}
	if m := recentForm.FindStringSubmatch(text); m != nil {
		s.Kind, s.Experiment = SelectRecent, m[1]
		if strings.HasPrefix(text, ":") {
			return bad("no experiment stands before the colon")
		}
		var err error
		if s.From, err = ordinal(m[2]); err != nil {
			return bad("@%s: %v", m[2], err)
		}
		s.To = s.From
		if colon := strings.LastIndex(text, ":"); colon > strings.LastIndex(text, "@") {
			if s.To, err = ordinal(m[3]); err != nil {
				return bad("@%s:%s: %v", m[2], m[3], err)
			}
		}
		return s, nil
	}
	if name, ok := strings.CutSuffix(text, ":all"); ok && name != "" {
		s.Kind, s.Experiment = SelectAll, name
		return s, nil
	}
	s.Kind, s.Word = SelectWord, text
	return s, nil
}

func ordinal(text string) (int, error) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, fmt.Errorf("%q is no number; 1 is the latest", text)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n > mostRecent {
		return 0, fmt.Errorf("%s is more runs than there can be", text)
	}
	if n == 0 {
		return 0, errors.New("numbers begin at 1, the latest")
	}
	return n, nil
}

// String writes a selector in a form that ParseSelector reads as the same one.
func (s Selector) String() string {
	prefix := s.Experiment
	if prefix != "" {
		prefix += ":"
	}
	switch s.Kind {
	case SelectRecent:
		if s.From == s.To {
			return fmt.Sprintf("%s@%d", prefix, s.From)
		}
		return fmt.Sprintf("%s@%d:%d", prefix, s.From, s.To)
	case SelectAll:
		return prefix + "all"
	case SelectBest:
		return fmt.Sprintf("%sbest(%s)", prefix, s.Metric)
	case SelectWorst:
		return fmt.Sprintf("%sworst(%s)", prefix, s.Metric)
	}
	return s.Word
}

// Select finds the runs that a selector names, at least one, in its order. It fails with *SelectorError, or *AmbiguousError where
// several keys begin as the selector does. Removed runs are not found.
func (db *DB) Select(ctx context.Context, selector string) ([]RunRow, error) {
	return db.SelectMany(ctx, []string{selector})
}

// SelectMany finds the runs that any of several selectors names, each run once, in the order of the selectors.
func (db *DB) SelectMany(ctx context.Context, selectors []string) ([]RunRow, error) {
	rows, err := selectRuns(ctx, db.r, selectors, false)
	return rows, db.selectFault(err)
}

// SelectOne finds the one run that a selector names; one that names several is refused.
func (db *DB) SelectOne(ctx context.Context, selector string) (RunRow, error) {
	rows, err := db.Select(ctx, selector)
	if err != nil {
		return RunRow{}, err
	}
	if len(rows) > 1 {
		e := &SelectorError{Selector: selector, Msg: fmt.Sprintf("%d runs are meant, and one is needed", len(rows))}
		if s, err := ParseSelector(selector); err == nil {
			switch name := cmp.Or(s.Experiment, s.Word); {
			case name != "":
				e.Hint = fmt.Sprintf("%s:@1 is its latest, %[1]s:best(rir) that with the greatest RIR", name)
			default:
				e.Hint = fmt.Sprintf("@%d is the first of them", s.From)
			}
		}
		return RunRow{}, e
	}
	return rows[0], nil
}

// selectFault lets what is wrong with a selector pass, and gives the rest the form of a fault of the database.
func (db *DB) selectFault(err error) error {
	if _, ok := errors.AsType[*SelectorError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*AmbiguousError](err); ok {
		return err
	}
	return db.fault("look for runs", err)
}

// selectRuns looks selectors up among the removed runs or among the others.
func selectRuns(ctx context.Context, q querier, selectors []string, removed bool) ([]RunRow, error) {
	var out []RunRow
	var errs []error
	seen := make(map[string]bool)
	for _, text := range selectors {
		s, err := ParseSelector(text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		rows, err := selectOf(ctx, q, s, removed)
		if err != nil {
			errs = append(errs, err)
		}
		for _, r := range rows {
			if !seen[r.Key] {
				seen[r.Key] = true
				out = append(out, r)
			}
		}
	}
	switch {
	case len(errs) == 1:
		return nil, errs[0]
	case len(errs) > 1:
		return nil, errors.Join(errs...)
	case len(selectors) == 0:
		return nil, &SelectorError{Msg: "no run is named", Hint: SelectorForms + " are accepted"}
	}
	return out, nil
}

// selectOf looks one selector up.
func selectOf(ctx context.Context, q querier, s Selector, removed bool) ([]RunRow, error) {
	if s.Experiment != "" {
		if err := knownExperiment(ctx, q, s, s.Experiment); err != nil {
			return nil, err
		}
	}
	switch s.Kind {
	case SelectRecent:
		return selectRecent(ctx, q, s, removed)
	case SelectBest, SelectWorst:
		return selectExtreme(ctx, q, s, removed)
	case SelectWord:
		return selectWord(ctx, q, s, removed)
	}
	return selectExperiment(ctx, q, s, s.Experiment, removed)
}

func selectExperiment(ctx context.Context, q querier, s Selector, name string, removed bool) ([]RunRow, error) {
	rows, err := runsList(ctx, q, Filter{Experiment: name, Removed: removed})
	if err == nil && len(rows) == 0 {
		err = noRuns(ctx, q, s, Filter{Experiment: name, Removed: removed})
	}
	return rows, err
}

func selectRecent(ctx context.Context, q querier, s Selector, removed bool) ([]RunRow, error) {
	low, high := min(s.From, s.To), max(s.From, s.To)
	f := Filter{Experiment: s.Experiment, Removed: removed}
	within := f
	within.skip, within.Limit = low-1, high-low+1
	rows, err := runsList(ctx, q, within)
	if err != nil {
		return nil, err
	}
	if len(rows) < within.Limit {
		return nil, noRuns(ctx, q, s, f)
	}
	if s.From > s.To {
		slices.Reverse(rows)
	}
	return rows, nil
}
