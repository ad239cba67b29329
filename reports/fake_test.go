package reports

import (
	"context"
	"fmt"
	"strings"

	"kappa/experiments"
	"kappa/store"
)

// fake is a source with answers prepared: query → answer, white space aside.
type fake struct {
	answers   map[string]*store.Rows
	nonFinite []store.NonFinite
	err       error // of every query
}

func (f *fake) Query(_ context.Context, query string, _ ...any) (*store.Rows, error) {
	if f.err != nil {
		return nil, f.err
	}
	if r, ok := f.answers[oneLine(query)]; ok {
		return r, nil
	}
	return nil, &store.QueryError{SQL: query, Msg: "no such query: " + oneLine(query), Line: 1, Col: 1}
}

func (f *fake) NonFinite(context.Context) ([]store.NonFinite, error) { return f.nonFinite, f.err }

// Figures tells runs apart by their keys and how they ended.
func (f *fake) Figures(context.Context) ([]string, error) {
	var out []string
	for _, r := range f.answers[statesQuery].Values {
		out = append(out, digestOf("", fmt.Append(nil, r[:2])).SHA256)
	}
	return out, f.err
}

// rows makes an answer: columns apart by spaces, then values.
func rows(columns string, values ...[]any) *store.Rows {
	return &store.Rows{Columns: strings.Fields(columns), Values: values}
}

// one is an answer with one value.
func one(v any) *store.Rows { return rows("value", []any{v}) }

const (
	statesQuery = "SELECT key, status, reason, error, started, finished, wall_seconds, cpu_seconds, attempt, engine_version, go_version, " +
		"kernel, cpu, os, git_commit, git_dirty FROM runs"
	ridgeQuery = "SELECT run FROM results WHERE ridge_dominated = 1"
	seedQuery  = "SELECT run, method, seed FROM results WHERE seed IS NOT NULL"
)

// key makes the key of the i-th run.
func key(i int) string { return fmt.Sprintf("%064x", i+1) }

// newFake is a source of n runs, all done, with the answers to what Build asks by itself.
func newFake(n int) (*fake, []store.PlanRow) {
	f := &fake{answers: map[string]*store.Rows{ridgeQuery: rows("run"), seedQuery: rows("run method seed")}}
	var plan []store.PlanRow
	states := rows("key status reason error " + strings.Join(provenanceColumns, " "))
	for i := range n {
		plan = append(plan, store.PlanRow{Key: key(i), Swept: fmt.Sprintf(`{"train.seed": %d}`, i+1)})
		states.Values = append(states.Values, []any{
			key(i), "done", "step limit", nil, "2026-03-01T10:00:00.000Z", "2026-03-01T10:00:02.500Z", 2.5, 4.75, int64(1),
			int64(3), "go1.26.8", "blas", "Model X", "linux/amd64", "0123456789abcdef", int64(0),
		})
	}
	f.answers[statesQuery] = states
	return f, plan
}

// spec makes a spec of cells.
func spec(cells ...experiments.Cell) *experiments.Spec {
	return &experiments.Spec{
		Name: "small", Path: "experiments/small.toml", Title: "A small experiment", Bytes: []byte("title = \"A small experiment\"\n"),
		Sweep: []experiments.Axis{{Path: "train.seed"}}, Cells: cells,
	}
}
