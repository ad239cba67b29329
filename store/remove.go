package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Removal is what removing or restoring runs came to.
type Removal struct {
	Runs        []RunRow // that were removed or restored; those already removed (or never removed) are not among them
	Already     []RunRow // nothing was to be done for these
	Experiments []Loss   // whose current version has some of Runs
	Dependents  []Need   // of a removal with force: runs that need one of Runs and stay
}

// Loss says how many runs of the current version of an experiment are removed.
type Loss struct {
	Experiment    string
	Removed, Runs int
}

// Need is a run that needs another one to have finished.
type Need struct {
	Run, Needs string // keys
	What       string // θ_0, base line
}

// InUseError says why runs cannot be removed; none was.
type InUseError struct {
	Running []string // keys of runs that are under way
	Needed  []Need   // of runs that are not to be removed and need some that are
}

func (e *InUseError) Error() string {
	if n := len(e.Running); n > 0 {
		return fmt.Sprintf("%s under way: %s", plural(n, "run is", "runs are"), shortKeys(e.Running))
	}
	needed, by := map[string]bool{}, []string{}
	for _, n := range e.Needed {
		needed[n.Needs] = true
		by = append(by, n.Run)
	}
	return fmt.Sprintf("%s needed (for %s) by %s that would stay: %s", plural(len(needed), "run is", "runs are"), e.Needed[0].What,
		plural(len(by), "run", "runs"), shortKeys(by))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// shortKeys lists keys for people, at most five.
func shortKeys(keys []string) string {
	const most = 5
	var list []string
	for i, k := range keys {
		if i == most {
			return strings.Join(list, ", ") + fmt.Sprintf(" and %d more", len(keys)-most)
		}
		list = append(list, shortKey(k, 0))
	}
	return strings.Join(list, ", ")
}

// Remove removes the runs that selectors name: no view and no method shows them any more, until they are restored or a new attempt
// at them has finished; their rows stay until [DB.Collect]. It is one transaction: where a run is under way, or, without force, needed
// by one that stays, nothing is removed (*InUseError). Removing a run again changes nothing.
func (db *DB) Remove(ctx context.Context, selectors []string, force bool) (Removal, error) {
	var out Removal
	err := db.write(ctx, true, func(tx *sql.Tx) (err error) {
		if out.Runs, out.Already, err = selectFor(ctx, tx, selectors, false); err != nil {
			return err
		}
		keys := rowKeys(out.Runs)
		var e InUseError
		for _, r := range out.Runs {
			if r.Status == Running {
				e.Running = append(e.Running, r.Key)
			}
		}
		if len(e.Running) == 0 { // an attempt behind a finished one
			if e.Running, err = underWay(ctx, tx, keys); err != nil {
				return err
			}
		}
		if len(e.Running) > 0 {
			return &e
		}
		if out.Dependents, err = dependents(ctx, tx, keys); err != nil {
			return err
		}
		if e.Needed = out.Dependents; len(e.Needed) > 0 && !force {
			return &e
		}
		if err := alter(ctx, tx, "UPDATE run SET removed = ? WHERE removed IS NULL AND key IN (SELECT value FROM json_each(?))",
			formatTime(db.now()), mustJSON(keys)); err != nil {
			return err
		}
		out.Experiments, err = losses(ctx, tx, keys)
		return err
	})
	return out, db.changeFault("remove runs", err)
}

// Restore brings removed runs back as they were; of experiments every removed run. Restoring a run that is there changes nothing.
func (db *DB) Restore(ctx context.Context, selectors []string) (Removal, error) {
	var out Removal
	err := db.write(ctx, true, func(tx *sql.Tx) (err error) {
		if out.Runs, out.Already, err = selectFor(ctx, tx, selectors, true); err != nil {
			return err
		}
		keys := rowKeys(out.Runs)
		if err := alter(ctx, tx, "UPDATE run SET removed = NULL WHERE key IN (SELECT value FROM json_each(?))", mustJSON(keys)); err != nil {
			return err
		}
		out.Experiments, err = losses(ctx, tx, keys)
		return err
	})
	return out, db.changeFault("restore runs", err)
}

// changeFault lets what is wrong with the runs that were named pass, and gives the rest the form of a fault of the database.
func (db *DB) changeFault(op string, err error) error {
	if _, ok := errors.AsType[*InUseError](err); ok {
		return err
	}
	if err = db.selectFault(err); err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Op == "look for runs" {
		e.Op = op
	}
	return err
}

func rowKeys(rows []RunRow) []string {
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.Key
	}
	return keys
}

func alter(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}

// selectFor finds the runs to be removed (to be restored, with removed), and those that are so already: a key or an experiment may
// mean them too.
func selectFor(ctx context.Context, q querier, selectors []string, removed bool) (todo, already []RunRow, err error) {
	var open []string
	for _, text := range selectors {
		s, err := ParseSelector(text)
		if err == nil && (s.Kind == SelectWord || s.Kind == SelectAll) {
			_, err = selectOf(ctx, q, s, removed)
			if errors.Is(err, ErrNotFound) {
				if rows, err := selectOf(ctx, q, s, !removed); err == nil {
					already = append(already, rows...)
					continue
				}
			}
		}
		open = append(open, text)
	}
	if len(open) > 0 || len(selectors) == 0 {
		todo, err = selectRuns(ctx, q, open, removed)
	}
	return todo, already, err
}

// underWay lists those of keys at which somebody is.
func underWay(ctx context.Context, q querier, keys []string) ([]string, error) {
	return texts(ctx, q, `SELECT r.key FROM json_each(?) AS j CROSS JOIN run AS r ON r.key = j.value
		CROSS JOIN attempt AS a ON a.run = r.id AND a.status = 'running'`, mustJSON(keys))
}

// texts is the first column of a query's rows.
func texts(ctx context.Context, q querier, query string, args ...any) (out []string, err error) {
	err = each(ctx, q, query, args, func(scan func(...any) error) error {
		var s string
		err := scan(&s)
		out = append(out, s)
		return err
	})
	return out, err
}

// dependents lists the runs that need one of keys and are not among them.
func dependents(ctx context.Context, q querier, keys []string) (out []Need, err error) {
	err = each(ctx, q, `SELECT r.key, n.key, d.what FROM json_each(?1) AS j CROSS JOIN run AS n ON n.key = j.value
		CROSS JOIN dependency AS d ON d.needs = n.id CROSS JOIN run AS r ON r.id = d.run
		WHERE r.removed IS NULL AND r.shown IS NOT NULL AND r.key NOT IN (SELECT value FROM json_each(?1)) ORDER BY r.shown, n.key`,
		[]any{mustJSON(keys)}, func(scan func(...any) error) error {
			var n Need
			err := scan(&n.Run, &n.Needs, &n.What)
			out = append(out, n)
			return err
		})
	return out, err
}

// losses says of each experiment whose current version has one of keys how many of its runs are removed.
func losses(ctx context.Context, q querier, keys []string) (out []Loss, err error) {
	err = each(ctx, q, `SELECT e.name, sum(r.removed IS NOT NULL), count(*) FROM experiment AS e
		CROSS JOIN experiment_runs AS x ON x.experiment = e.id CROSS JOIN run AS r ON r.id = x.run
		WHERE e.touched = (SELECT max(touched) FROM experiment AS f WHERE f.name = e.name)
		GROUP BY e.id HAVING sum(r.key IN (SELECT value FROM json_each(?))) > 0 ORDER BY e.name`,
		[]any{mustJSON(keys)}, func(scan func(...any) error) error {
			var l Loss
			err := scan(&l.Experiment, &l.Removed, &l.Runs)
			out = append(out, l)
			return err
		})
	return out, err
}
