package store

import (
	"context"
	"database/sql"
	"strings"
	"testing"
)

// asked is a querier that notes how SQLite goes about what it is asked.
type asked struct {
	querier
	t     *testing.T
	plans []string
}

func (q *asked) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := q.querier.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			return nil, err
		}
		q.plans = append(q.plans, detail)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return q.querier.QueryContext(ctx, query, args...)
}

// TestQueryPlans: what is asked of a large history in a moment passes over no table as a whole, and sorts none, but where it must.
func TestQueryPlans(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	for i := range 3 {
		record(t, db, i)
	}
	for _, c := range []struct {
		name string
		ask  func(q querier) error
		scan string // the only thing that may be passed over
	}{
		{"the latest runs", func(q querier) error { _, err := runsList(t.Context(), q, Filter{Limit: 2}); return err }, "SCAN a"},
		{"runs by key", func(q querier) error { _, err := runsList(t.Context(), q, Filter{Prefix: key(1)[:5]}); return err }, ""},
		{"states", func(q querier) error { _, err := db.lookUpStates(t.Context(), q, []string{key(1)}); return err }, "SCAN j VIRTUAL TABLE INDEX 1:"},
		{"what is running", func(q querier) error {
			return each(t.Context(), q, "SELECT a.id FROM attempt AS a WHERE a.status = 'running'", nil, func(func(...any) error) error { return nil })
		}, "SCAN a USING COVERING INDEX attempt_running"},
	} {
		q := &asked{querier: db.r, t: t}
		if err := c.ask(q); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if len(q.plans) == 0 {
			t.Fatalf("%s: no plan", c.name)
		}
		for _, step := range q.plans {
			if strings.HasPrefix(step, "CORRELATED") {
				break // of one run, which is of few experiments
			}
			if strings.HasPrefix(step, "SCAN ") && step != c.scan || strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s: SQLite would do this: %s; the whole:\n%s", c.name, step, strings.Join(q.plans, "\n"))
			}
		}
	}
}

// TestNonFiniteByIndex: figures that are not finite are found without reading the others.
func TestNonFiniteByIndex(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	record(t, db, 1)
	for table, index := range map[string]string{
		"metric AS x": "metric_not_finite", "condition_number AS x": "condition_number_not_finite", "attack AS x": "attack_not_finite",
	} {
		column := "kind"
		if index == "attack_not_finite" {
			column = "kinds"
		}
		q := &asked{querier: db.r, t: t}
		err := each(t.Context(), q, "SELECT x."+column+" FROM run AS r CROSS JOIN "+table+" ON x.attempt = r.shown WHERE x."+column+" IS NOT NULL",
			nil, func(func(...any) error) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(q.plans, "; "); !strings.Contains(got, index) {
			t.Errorf("%s is asked for what is not finite by: %s", table, got)
		}
	}
}
