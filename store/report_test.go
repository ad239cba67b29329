package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func openReport(t *testing.T, db *DB, plan ...PlanRow) *Report {
	t.Helper()
	r, err := db.OpenReport(t.Context(), plan)
	if err != nil {
		t.Fatalf("open a report: %v", err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close a report: %v", err)
		}
	})
	return r
}

// planOf is a plan of n runs in an order that is neither that of keys nor that of recording.
func planOf(n int) (plan []PlanRow) {
	for i := range n {
		j := (7*i + 3) % n
		plan = append(plan, PlanRow{Key: key(j), Swept: fmt.Sprintf(`{"primary.class": %d, "train.method": "m%d", "train.learning_rate": 0.%d, "train.supervised": true, "synthetic.spectrum": [1, 2]}`, j%10, j%3, 1+j%2)})
	}
	return plan
}

func keysOf(plan []PlanRow) (keys []string) {
	for _, p := range plan {
		keys = append(keys, p.Key)
	}
	return keys
}

// reportOf is a database with runs 0 to n−1, more of them than the plan has, and a report over n of them.
func reportOf(t *testing.T, n int) (*DB, *Report, []PlanRow) {
	t.Helper()
	db := openTest(t, newPath(t), Options{})
	for i := range n + 3 {
		record(t, db, i)
	}
	plan := planOf(n)
	return db, openReport(t, db, plan...), plan
}

func ask1(t *testing.T, r *Report, query string, args ...any) *Rows {
	t.Helper()
	rows, err := r.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return rows
}

func firstColumn(rows *Rows) (out []string) {
	for _, v := range rows.Values {
		out = append(out, fmt.Sprint(v[0]))
	}
	return out
}

// TestPlanOrder: without ORDER BY a query gives plan order, by whatever way SQLite takes to the runs.
func TestPlanOrder(t *testing.T) {
	_, r, plan := reportOf(t, 20)
	want := keysOf(plan)
	for _, query := range []string{
		"SELECT key FROM runs",
		"SELECT run FROM results",
		"SELECT run, rir FROM results WHERE rir > -1",
		"SELECT run FROM params WHERE path = 'train.method'",
		"SELECT run, value FROM metrics WHERE name = 'loss_primary' AND step = 100",
		"SELECT DISTINCT run FROM metrics",
		"SELECT run, avg(value) FROM metrics GROUP BY run",
		"SELECT run, median(value) FROM metrics GROUP BY run",
		"SELECT run FROM condition_numbers WHERE task = 'primary'",
		"SELECT run FROM attacks WHERE step = 10",
		"SELECT run FROM results WHERE run IN (SELECT key FROM runs)",
		"SELECT run FROM results WHERE run IN (SELECT run FROM main.results ORDER BY run)",
		"SELECT run FROM metrics WHERE run IN (SELECT run FROM main.results) AND name = 'grad_well'",
		"SELECT r.run, rir FROM results AS r JOIN metrics AS m ON m.run = r.run AND m.name = 'grad_well'",
		"SELECT m.run, rir FROM metrics AS m JOIN results AS r USING (run) WHERE m.name = 'grad_well'",
		"SELECT s.key FROM metrics AS m JOIN results AS r USING (run) JOIN runs AS s ON s.key = r.run WHERE m.name = 'grad_well'",
		"SELECT r.run FROM results AS r LEFT JOIN metrics AS m ON m.run = r.run AND m.name = 'none'",
		"SELECT r.run FROM results AS r WHERE EXISTS (SELECT 1 FROM metrics AS m WHERE m.run = r.run)",
		"WITH x AS (SELECT run, rir FROM results) SELECT run FROM x WHERE rir > -1",
		"WITH x AS (SELECT run, rir FROM results) SELECT a.run FROM x AS a JOIN x AS b USING (run)",
		"SELECT run FROM (SELECT run, rir FROM results LIMIT 100) WHERE rir > -1",
		"SELECT run FROM results ORDER BY run",
		"SELECT run FROM results ORDER BY steps",
	} {
		if d := cmp.Diff(want, firstColumn(ask1(t, r, query))); d != "" {
			t.Errorf("%s: not in plan order (-want +got):\n%s", query, d)
		}
	}
	if got := ask1(t, r, "SELECT count(*) FROM main.results").Values[0][0]; got != int64(23) {
		t.Errorf("main.results has %v rows, want the whole history, 23", got)
	}
}

// TestReportExperiment: a report's runs belong to its spec, also when another spec that shares them is recorded later.
func TestReportExperiment(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	record(t, db, 0)
	record(t, db, 1)
	for _, name := range []string{"mine", "yours"} {
		if err := db.RecordExperiment(t.Context(), Experiment{Name: name, Title: name, Hash: key(9), Runs: []string{key(0), key(1)}}); err != nil {
			t.Fatal(err)
		}
	}
	const query = "SELECT r.experiment, s.experiment FROM results AS r JOIN runs AS s ON s.key = r.run"
	for name, want := range map[string][]any{"mine": {"mine", "mine"}, "": {"yours", "yours"}} {
		r := openReport(t, db, PlanRow{Key: key(1), Experiment: name}, PlanRow{Key: key(0), Experiment: name})
		if d := cmp.Diff([][]any{want, want}, ask1(t, r, query).Values); d != "" {
			t.Errorf("report of %q (-want +got):\n%s", name, d)
		}
	}
}

// TestRunsBehind: Rows.Runs are the runs whose figures the query read.
func TestRunsBehind(t *testing.T) {
	_, r, plan := reportOf(t, 20)
	all := keysOf(plan)
	var some []string // of method-1
	for _, k := range all {
		for i := range 20 {
			if key(i) == k && i%3 == 1 {
				some = append(some, k)
			}
		}
	}
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"SELECT count(*) FROM results", nil},
		{"SELECT run, method, primary_class, seed FROM results", nil},
		{"SELECT count(rir) FROM results", all},
		{"SELECT rir FROM results WHERE method = 'method-1'", some},
		{"SELECT median(rir) FROM results WHERE method = 'method-1'", some},
		{"SELECT log10(rir) FROM results WHERE train_method = 'm1'", some},
		{"SELECT sum(def_a) FROM results WHERE method = 'method-1'", some},
		{"SELECT max(wall_seconds) FROM runs WHERE method = 'method-1'", some},
		{"SELECT method, ci95(rir) FROM results GROUP BY method HAVING method = 'method-1'", some},
		{"SELECT avg(m.value), stddev(m.value) FROM runs AS r JOIN metrics AS m ON m.run = r.key WHERE r.method = 'method-1' GROUP BY m.step", some},
		{"SELECT max(kappa) FROM condition_numbers JOIN results USING (run) WHERE method = 'method-1'", some},
		{"SELECT median(loss) FROM attacks AS a WHERE a.step = 10 AND run IN (SELECT run FROM results WHERE method = 'method-1')", some},
		{"SELECT avg(excess) FROM attacks WHERE run = '" + all[4] + "'", all[4:5]},
		{"SELECT (SELECT max(value) FROM metrics WHERE metrics.run = results.run) FROM results WHERE method = 'method-1'", some},
		{"SELECT rir FROM results WHERE method = 'method-1' UNION ALL SELECT 1", some},
		{"SELECT rir FROM results WHERE rir < 0", all},
		{"SELECT 1", nil},
		{"SELECT rir FROM main.results", nil},
		{"SELECT * FROM results WHERE method = 'method-1'", some},
	} {
		rows := ask1(t, r, c.query)
		if d := cmp.Diff(c.want, rows.Runs); d != "" {
			t.Errorf("%s: runs behind it (-want +got):\n%s", c.query, d)
		}
	}
}

func TestReportTypes(t *testing.T) {
	_, r, _ := reportOf(t, 4)
	for _, c := range []struct {
		query string
		want  []any
	}{
		{"SELECT typeof(rir), typeof(steps), typeof(ceiling), typeof(primary_class), typeof(def_a), typeof(method) FROM results LIMIT 1", []any{"real", "integer", "null", "integer", "integer", "text"}},
		{"SELECT count(*) FROM results WHERE steps = '100' AND kappa_theta = '4'", []any{int64(4)}}, // affinity, as in main.results
		{"SELECT count(*) FROM main.results WHERE steps = '100' AND kappa_theta = '4'", []any{int64(7)}},
		{"SELECT typeof(step), typeof(value), typeof(name) FROM metrics LIMIT 1", []any{"integer", "real", "text"}},
		{"SELECT typeof(train_learning_rate), typeof(train_method), train_supervised, synthetic_spectrum FROM results LIMIT 1", []any{"real", "text", "true", "[1,2]"}},
		{"SELECT swept ->> '$.\"train.method\"' = train_method FROM results LIMIT 1", []any{int64(1)}},
		{"SELECT count(*) FROM results WHERE rir = ? AND method = ?", []any{int64(0)}},
	} {
		var args []any
		if strings.Contains(c.query, "?") {
			args = []any{0.5, "none"}
		}
		if d := cmp.Diff(c.want, ask1(t, r, c.query, args...).Values[0]); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.query, d)
		}
	}
	// The temporary views have the columns of main's, and the swept ones after them.
	for _, v := range reportViews {
		mine := firstColumn(ask1(t, r, "SELECT name FROM pragma_table_info('"+v.name+"', 'temp')"))
		theirs := firstColumn(ask1(t, r, "SELECT name FROM pragma_table_info('"+v.name+"', 'main')"))
		if v.name == "results" {
			theirs = append(theirs, "synthetic_spectrum", "train_learning_rate", "train_method", "train_supervised")
		}
		if d := cmp.Diff(theirs, mine); d != "" {
			t.Errorf("columns of %s (-want +got):\n%s", v.name, d)
		}
	}
}

// TestReportPinned: what happens after a report is opened does not show in it.
func TestReportPinned(t *testing.T) {
	db, r, _ := reportOf(t, 2)
	const query = "SELECT count(*) FROM main.results"
	before := ask1(t, r, query).Values[0][0]
	record(t, db, 50)
	if after := ask1(t, r, query).Values[0][0]; after != before {
		t.Errorf("a report changed from %v to %v results", before, after)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.Query(t.Context(), query); err == nil {
		t.Error("a closed report answers")
	}
}

func TestOpenReportRefuses(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	for name, c := range map[string]struct {
		plan []PlanRow
		says string
	}{
		"a column of results": {[]PlanRow{{Key: key(1), Swept: `{"loss.primary": 1}`}}, "loss_primary"},
		"two paths":           {[]PlanRow{{Key: key(1), Swept: `{"a.b_c": 1, "a_b.c": 1}`}}, "a_b.c"},
		"a run twice":         {[]PlanRow{{Key: key(1)}, {Key: key(1)}}, "twice"},
		"no JSON":             {[]PlanRow{{Key: key(1), Swept: "{"}}, "swept values"},
	} {
		if _, err := db.OpenReport(t.Context(), c.plan); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want an error that says %q", name, err, c.says)
		}
	}
	if r := openReport(t, db); len(ask1(t, r, "SELECT * FROM results").Values) != 0 {
		t.Error("an empty plan has results")
	}
}

func TestReportInterrupt(t *testing.T) {
	_, r, _ := reportOf(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Query(ctx, "SELECT 1"); !errors.Is(err, context.Canceled) {
		t.Errorf("a query with a context that has ended: %v", err)
	}
	if got := ask1(t, r, "SELECT count(*) FROM results").Values[0][0]; got != int64(2) {
		t.Errorf("the report afterwards: %v", got)
	}
}

// BenchmarkReport asks over 1000 runs × 100 figures, through the report's views and through the plain ones.
func BenchmarkReport(b *testing.B) {
	db, err := Open(b.Context(), b.TempDir()+"/runs.db", Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var plan []PlanRow
	for i := range 1000 {
		a, _, _, err := db.Claim(b.Context(), start(i), false)
		if err != nil {
			b.Fatal(err)
		}
		o := outcome(i)
		for j := range 97 {
			o.Metrics = append(o.Metrics, Metric{fmt.Sprint("m", j%10), j, float64(i + j)})
		}
		if err := db.Finish(b.Context(), a, o); err != nil {
			b.Fatal(err)
		}
		plan = append(plan, PlanRow{Key: key(i), Swept: "{}"})
	}
	slices.Reverse(plan)
	for _, query := range []string{
		"SELECT count(*) FROM results",
		"SELECT method, median(rir), ci95(rir), count(rir) FROM results GROUP BY method",
		"SELECT sum(value), avg(value) FROM metrics",
		"SELECT sum(value), avg(value) FROM main.metrics",
		"SELECT run, step, value FROM metrics",
		"SELECT method, step, avg(value), ci95(value) FROM metrics JOIN results USING (run) WHERE name = 'm3' GROUP BY 1, 2",
	} {
		b.Run(query, func(b *testing.B) {
			b.ReportAllocs()
			r, err := db.OpenReport(b.Context(), plan)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			for b.Loop() {
				if _, err := r.Query(b.Context(), query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
