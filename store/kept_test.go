package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func keepingPool(t *testing.T) *sql.DB {
	t.Helper()
	p := openPool(plainDriver(), filepath.Join(t.TempDir(), "kept.db"), readWrite, defaultBusy, 1)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func kept(t *testing.T, c *sql.Conn) (n int) {
	t.Helper()
	err := c.Raw(func(dc any) error {
		k, ok := dc.(*keeping)
		if !ok {
			t.Fatalf("the connection is a %T", dc)
		}
		n = len(k.kept)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKeptStatements: a statement that is kept does what it does when it is compiled anew: within itself, after errors, after the
// schema has changed, with other values, in and out of transactions.
func TestKeptStatements(t *testing.T) {
	ctx := t.Context()
	c, err := keepingPool(t).Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	exec := func(query string, args ...any) error {
		_, err := c.ExecContext(ctx, query, args...)
		return err
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)"))
	const put, get = "INSERT INTO t (a, b) VALUES (?, ?)", "SELECT a, b FROM t WHERE a >= ? ORDER BY a"
	for i := range 5 {
		must(exec(put, i, strings.Repeat("x", i)))
	}
	if err := exec(put, 3, "again"); err == nil || !strings.Contains(err.Error(), "UNIQUE") {
		t.Errorf("a second row 3: %v", err)
	}
	must(exec(put, 5, nil)) // nothing is left of the values before

	// The same query inside of itself.
	outer, err := c.QueryContext(ctx, get, 0)
	must(err)
	seen := 0
	for outer.Next() {
		var a, n int
		var b sql.NullString
		must(outer.Scan(&a, &b))
		if b.Valid == (a == 5) {
			t.Errorf("row %d holds %v", a, b)
		}
		inner, err := c.QueryContext(ctx, get, a)
		must(err)
		for inner.Next() {
			n++
		}
		must(inner.Close())
		if n != 6-a {
			t.Errorf("from row %d on there are %d rows, want %d", a, n, 6-a)
		}
		seen++
	}
	must(outer.Close())
	if seen != 6 {
		t.Errorf("%d rows, want 6", seen)
	}
	if n := kept(t, c); n != 2 {
		t.Errorf("%d statements are kept, want 2", n)
	}

	must(exec("ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 7"))
	must(exec("DROP TABLE t"))
	if err := exec(put, 1, "x"); err == nil || !strings.Contains(err.Error(), "no such table") {
		t.Errorf("a row for a table that is gone: %v", err)
	}
	must(exec("CREATE TABLE t (b TEXT, a INTEGER)"))
	must(exec(put, 8, "eight"))
	var a int
	var b string
	must(c.QueryRowContext(ctx, get, 0).Scan(&a, &b))
	if a != 8 || b != "eight" {
		t.Errorf("row %d, %s of the new table", a, b)
	}

	tx, err := c.BeginTx(ctx, nil)
	must(err)
	stmt, err := tx.PrepareContext(ctx, put)
	must(err)
	for i := range 3 {
		_, err := stmt.ExecContext(ctx, i, "tx")
		must(err)
	}
	must(tx.Rollback())
	var n int
	must(c.QueryRowContext(ctx, "SELECT count(*) FROM t").Scan(&n))
	if n != 1 {
		t.Errorf("%d rows after the transaction was rolled back, want 1", n)
	}

	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.ExecContext(over, put, 1, "late"); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: %v", err)
	}
	must(exec(put, 9, "nine")) // the statement is free again

	for i := range 2 * maxKept {
		must(exec("DELETE FROM t WHERE a = " + strings.Repeat("1", 1+i%60) + " AND b = '" + strings.Repeat("y", i) + "'"))
	}
	if n := kept(t, c); n > maxKept {
		t.Errorf("%d statements are kept, want at most %d", n, maxKept)
	}
	must(exec("VACUUM"))
}
