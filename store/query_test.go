package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kappa/engine/summary"
)

// listFiles lists the files below dir.
func listFiles(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		files = append(files, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestReadOnlyByForce tries to do harm through queries: each attempt fails and leaves neither a file nor a change.
func TestReadOnlyByForce(t *testing.T) {
	db, r, _ := reportOf(t, 2)
	dir := db.Dir()
	to := func(name string) string { return quoteText(filepath.Join(dir, name)) }
	before := listFiles(t, dir)
	for _, query := range []string{
		"ATTACH " + to("evil.db") + " AS evil",
		"ATTACH DATABASE ':memory:' AS evil",
		"DETACH main",
		"VACUUM",
		"VACUUM INTO " + to("copy.db"),
		"PRAGMA writable_schema = 1",
		"PRAGMA journal_mode = delete",
		"PRAGMA query_only = 0",
		"PRAGMA user_version = 7",
		"PRAGMA temp_store_directory = '/tmp'",
		"PRAGMA wal_checkpoint(truncate)",
		"SELECT load_extension('evil')",
		"SELECT LOAD_EXTENSION('evil', 'entry')",
		"CREATE TABLE t (x)",
		"CREATE TEMP TABLE t (x)",
		"CREATE TEMP VIEW runs2 AS SELECT 1",
		"CREATE TEMP TRIGGER g AFTER INSERT ON plan BEGIN SELECT 1; END",
		"CREATE VIRTUAL TABLE f USING fts5(x)",
		"CREATE VIRTUAL TABLE temp.f USING dbstat(main)",
		"DROP TABLE run",
		"DROP VIEW runs",
		"DELETE FROM run",
		"DELETE FROM temp.plan",
		"INSERT INTO run (key) VALUES ('x')",
		"INSERT INTO sqlite_schema VALUES (1, 2, 3, 4, 5)",
		"UPDATE run SET key = 'x'",
		"UPDATE sqlite_dbpage SET data = zeroblob(4096) WHERE pgno = 1",
		"REPLACE INTO run (key) VALUES ('x')",
		"WITH x AS (SELECT 1) DELETE FROM run",
		"ALTER TABLE run RENAME TO r2",
		"REINDEX",
		"ANALYZE",
		"BEGIN",
		"COMMIT",
		"ROLLBACK",
		"SAVEPOINT s",
		"SELECT 1; DROP TABLE run",
		"SELECT 1; SELECT 2",
		"SELECT 1) ; DELETE FROM run; --",
		"SELECT 1); DELETE FROM run; SELECT (1",
	} {
		for name, f := range map[string]func() error{
			"history": func() error { _, err := db.Query(t.Context(), query, QueryOptions{}); return err },
			"report":  func() error { _, err := r.Query(t.Context(), query); return err },
			"prepare": func() error { return r.Prepare(query) },
		} {
			err := f()
			if _, ok := errors.AsType[*QueryError](err); !ok {
				t.Errorf("%s: %s: %v; want a *QueryError", name, query, err)
			}
		}
	}
	if d := cmp.Diff(before, listFiles(t, dir)); d != "" {
		t.Errorf("files (-before +after):\n%s", d)
	}
	mustCheck(t, db)
	for _, query := range []string{ // what is allowed
		"PRAGMA table_info(runs)",
		"PRAGMA table_xinfo('runs')",
		"PRAGMA index_list(run)",
		"SELECT name FROM pragma_table_info('runs')",
		"EXPLAIN QUERY PLAN SELECT * FROM results",
		"VALUES (1), (2)",
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 10) SELECT sum(x) FROM c",
		"SELECT count(*) FROM results; -- the end",
		"SELECT json_extract('[1, 2]', '$[1]'), log10(100), sqrt(4), exp(1), pow(2, 3), pi()",
		"SELECT name FROM sqlite_schema",
	} {
		if _, err := db.Query(t.Context(), query, QueryOptions{}); err != nil {
			t.Errorf("history: %s: %v", query, err)
		}
		if _, err := r.Query(t.Context(), query); err != nil {
			t.Errorf("report: %s: %v", query, err)
		}
	}
}

func TestQueryFaults(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	for _, c := range []struct {
		query     string
		line, col int
		says      string
	}{
		{"SELECT rirr FROM results", 1, 8, "no such column: rirr"},
		{"SELECT rir\nFROM resultz", 2, 6, "no such table: resultz"},
		{"SELECT 'ü', rirr FROM results", 1, 13, "no such column: rirr"},
		{"SELECT r.rirr FROM results AS r", 1, 10, "no such column: r.rirr"},
		{"SELECT nofunc(rir) FROM results", 1, 8, "no such function: nofunc"},
		{"SELECT median(rir, 2) FROM results", 1, 8, "wrong number of arguments"},
		{"SELECT run FORM results", 1, 17, "syntax error"},
		{"SELECT (1) FROM results WHERE (method = 1)) AND 1", 1, 43, "syntax error"},
		{"SELECT rir FROM", 1, 16, "not complete"},
		{"SELECT 1;\nSELECT 2", 2, 1, "second one begins"},
		{"  -- nothing\n", 0, 0, "empty"},
		{";", 0, 0, "empty"},
		{"SELECT count(*) FROM results WHERE method = \"immunize\"", 1, 45, "'single' quotes"},
		{"SELECT run\x00", 1, 11, "zero byte"},
		{"SELECT quantile(value, 2) FROM (SELECT 1 AS value)", 1, 8, "between 0 and 1"},
		{"SELECT 1,\n median('x')", 2, 2, "takes numbers"},
		{"SELECT zeroblob(100000000)", 0, 0, "too big"},
		{"SELECT :a", 1, 8, "give each parameter a value"},
	} {
		_, err := db.Query(t.Context(), c.query, QueryOptions{})
		e, ok := errors.AsType[*QueryError](err)
		if !ok || e.Line != c.line || e.Col != c.col || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v; want line %d, column %d, %q", c.query, err, c.line, c.col, c.says)
		}
	}
	_, err := db.Query(t.Context(), "SELECT a,\n\trirr FROM results", QueryOptions{})
	if got := err.Error(); !strings.HasSuffix(got, "\n  SELECT a,\n         ^") {
		t.Errorf("the place is shown as\n%s", got)
	}
}

func TestQueryLimits(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	const many = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 50) SELECT x FROM c"
	for _, c := range []struct {
		limit, rows int
		truncated   bool
	}{{0, 50, false}, {50, 50, false}, {51, 50, false}, {49, 49, true}, {1, 1, true}} {
		rows, err := db.Query(t.Context(), many, QueryOptions{Limit: c.limit})
		if err != nil || len(rows.Values) != c.rows || rows.Truncated != c.truncated {
			t.Errorf("limit %d: %d rows, truncated %v, %v; want %d, %v", c.limit, len(rows.Values), rows.Truncated, err, c.rows, c.truncated)
		}
	}
	rows, err := db.Query(t.Context(), "SELECT :a AS a, @b, $c, typeof(:a), NULL AS a", QueryOptions{Params: map[string]any{"a": int64(1), "@b": "x", "c": 2.5}})
	if err != nil {
		t.Fatal(err)
	}
	want := &Rows{Columns: []string{"a", "@b", "$c", "typeof(:a)", "a"}, Values: [][]any{{int64(1), "x", 2.5, "integer", nil}}}
	if d := cmp.Diff(want, rows); d != "" {
		t.Errorf("parameters (-want +got):\n%s", d)
	}
}

// TestQueryTimeout: the time limit ends a statement in its first step, and one in the middle of its rows.
func TestQueryTimeout(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	for _, query := range []string{
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x = 1 OR x < 0",
	} {
		begun := time.Now()
		_, err := db.Query(t.Context(), query, QueryOptions{Timeout: 50 * time.Millisecond})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "longer than 50ms") {
			t.Errorf("%s: %v; want the time limit", query, err)
		}
		if d := time.Since(begun); d > 2*time.Second {
			t.Errorf("%s: it took %v to end", query, d)
		}
	}
}

func TestHelpers(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	x := []float64{3, -1.5, 7.25, 1e-3, 12, 4, 4}
	const sample = "WITH s(g, x) AS (VALUES (1, 3), (1, -1.5), (1, NULL), (1, 7.25), (1, 1e-3), (1, 12), (1, 4), (1, 4), (2, 5), (3, NULL)) "
	for _, c := range []struct {
		expr string
		want any
	}{
		{"median(x)", summary.Median(x)},
		{"stddev(x)", summary.StdDev(x)},
		{"quantile(x, 0.25)", summary.Quantile(x, 0.25)},
		{"quantile(x, 0)", -1.5},
		{"quantile(x, 1)", 12.0},
		{"ci95(x)", summary.CI95(x)},
		{"ci95_low(x)", summary.Mean(x) - summary.CI95(x)},
		{"ci95_high(x)", summary.Mean(x) + summary.CI95(x)},
		{"median(DISTINCT x)", 3.5},
		{"median(x) FILTER (WHERE x > 4)", 9.625},
	} {
		if got := one(t, db, sample+"SELECT "+c.expr+" FROM s WHERE g = 1"); got != c.want {
			t.Errorf("%s: %v, want %v", c.expr, got, c.want)
		}
	}
	rows, err := db.Query(t.Context(), sample+"SELECT median(x), stddev(x), ci95(x), ci95_low(x), quantile(x, 0.5) FROM s GROUP BY g HAVING g > 1", QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]any{{5.0, nil, nil, nil, 5.0}, {nil, nil, nil, nil, nil}}
	if d := cmp.Diff(want, rows.Values); d != "" {
		t.Errorf("one number, and none (-want +got):\n%s", d)
	}
	if got := one(t, db, sample+"SELECT median(m) FROM (SELECT median(x) OVER (PARTITION BY g) AS m FROM s)"); got != 4.0 {
		t.Errorf("over a partition: %v", got)
	}
	if got := one(t, db, "SELECT median(x) FROM (SELECT 1 AS x WHERE 0)"); got != nil {
		t.Errorf("of no rows: %v", got)
	}
}

// TestPaths holds the connection's name against paths with characters that mean something in a URI.
func TestPaths(t *testing.T) {
	for _, name := range []string{"a b", "a?mode=memory", "100%", "a#b", "ü", "a&b=c", "%3f"} {
		dir := filepath.Join(t.TempDir(), name)
		db := openTest(t, filepath.Join(dir, "r.db"), Options{})
		record(t, db, 1)
		if got := one(t, db, "SELECT count(*) FROM runs"); got != int64(1) {
			t.Errorf("%s: %v runs", name, got)
		}
		if _, err := os.Stat(filepath.Join(dir, "r.db")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
