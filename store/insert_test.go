package store

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// TestInsert: every row comes in once, in its order, however many there are.
func TestInsert(t *testing.T) {
	p := openPool(plainDriver(), t.TempDir()+"/insert.db", readWrite, defaultBusy, 1)
	defer p.Close()
	if _, err := p.ExecContext(t.Context(), "CREATE TABLE t (n INTEGER, i INTEGER, x TEXT, UNIQUE (n, i))"); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"INSERT INTO t (n, i, x) VALUES (?, ?, ?)", "INSERT INTO t SELECT ?, ?, ?", "INSERT INTO t (n, i, x) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"} {
		for _, n := range []int{0, 1, 7, 8, 9, 63, 64, 65, 72, 128, 137, 200} {
			tx, err := p.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := insert(t.Context(), tx, query, n, func(i int) []any { return []any{n, i, fmt.Sprint("row ", i)} }); err != nil {
				t.Fatalf("%d rows by %s: %v", n, query, err)
			}
			var count int
			var least, most, order sql.NullInt64
			err = tx.QueryRowContext(t.Context(), `SELECT count(*), min(i), max(i), sum(i <> rowid - (SELECT min(rowid) FROM t) OR x <> 'row ' || i)
				FROM t WHERE n = ?`, n).Scan(&count, &least, &most, &order)
			if err != nil || count != n || n > 0 && (least.Int64 != 0 || most.Int64 != int64(n-1) || order.Int64 != 0) {
				t.Errorf("%d rows by %s: %d are there, from %v to %v, %v out of order, %v", n, query, count, least, most, order, err)
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
		}
	}
	tx, err := p.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	err = insert(t.Context(), tx, "INSERT INTO t (n, i, x) VALUES (?, ?, ?)", 80, func(i int) []any { return []any{1, i % 70, "x"} })
	if err == nil || !strings.Contains(err.Error(), "rows 65 to 72 of 80") {
		t.Errorf("two rows that are the same: %v", err)
	}
}
