package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// batches are how many rows a statement takes: as many as there are of the first, then of the next. That these are few keeps the
// statements few that the connection has to keep.
var batches = [...]int{64, 8, 1}

// insert runs an INSERT for n rows, of which row gives the values. Where the statement has the values of one row, "VALUES (?, …)",
// it takes many at once: half of the time that a row takes is not SQLite's.
func insert(ctx context.Context, tx *sql.Tx, query string, n int, row func(i int) []any) error {
	head, rest, found := strings.Cut(query, "VALUES ")
	values, tail, _ := strings.Cut(rest, ")")
	values += ")"
	single := !found || strings.Trim(values, "(?, )") != ""
	var args []any
	for _, size := range batches {
		if single && size > 1 || n < size {
			continue
		}
		text := query
		if size > 1 {
			text = head + "VALUES " + strings.Repeat(values+", ", size-1) + values + tail
		}
		stmt, err := tx.PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		for first := insertedBefore(n, size, single); first+size <= n; first += size {
			args = args[:0]
			for i := range size {
				args = append(args, row(first+i)...)
			}
			if _, err := stmt.ExecContext(ctx, args...); err != nil {
				_ = stmt.Close()
				if size == 1 {
					return fmt.Errorf("row %d of %d: %w", first+1, n, err)
				}
				return fmt.Errorf("rows %d to %d of %d: %w", first+1, first+size, n, err)
			}
		}
		if err := stmt.Close(); err != nil {
			return err
		}
	}
	return nil
}

// insertedBefore is how many of n rows larger batches than of size have taken.
func insertedBefore(n, size int, single bool) (done int) {
	for _, larger := range batches {
		if larger <= size || single {
			break
		}
		done += (n - done) / larger * larger
	}
	return done
}
