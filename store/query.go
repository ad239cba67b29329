package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"
)

// Rows is a query's answer. A value is nil, int64, float64, string or []byte.
type Rows struct {
	Columns   []string
	Values    [][]any
	Runs      []string // of Report.Query: keys, in plan order, of the runs whose figures the query read
	Truncated bool     // there were more rows than QueryOptions.Limit
}

// QueryOptions bound a query over the whole history.
type QueryOptions struct {
	Limit   int            // rows; 0: all
	Timeout time.Duration  // 0: only ctx ends it
	Params  map[string]any // values of :name, @name and $name in the query, by name
}

// Query answers one statement over the whole history, on a connection that can do nothing but read. A fault in the query
// is a *QueryError. The time limit interrupts even a statement that never yields a row.
func (db *DB) Query(ctx context.Context, query string, o QueryOptions) (*Rows, error) {
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("the query took longer than %v: %w", o.Timeout, context.DeadlineExceeded))
		defer cancel()
	}
	m := readOnly
	if db.mode == immutable {
		m = immutable
	}
	pool := openPool(plainDriver(), db.path, m, db.busy, 1)
	defer func() { _ = pool.Close() }()
	c, err := pool.Conn(ctx)
	if err != nil {
		return nil, db.fault("query", err)
	}
	defer func() { _ = c.Close() }()
	if err := guard(c); err != nil {
		return nil, db.fault("query", err)
	}
	args := make([]any, 0, len(o.Params))
	for _, name := range slices.Sorted(maps.Keys(o.Params)) {
		args = append(args, sql.Named(strings.TrimLeft(name, ":@$"), o.Params[name]))
	}
	rows, err := ask(ctx, c, query, o.Limit, args)
	return rows, db.queryFault(err)
}

// queryFault lets what is wrong with a query pass, and gives the rest the form of a fault of the database.
func (db *DB) queryFault(err error) error {
	if err == nil || isQueryFault(err) {
		return err
	}
	return db.fault("query", err)
}

// ask prepares one statement as it stands, which finds its faults, and then runs it so that SQLite does all the work
// before the first row: the driver interrupts only the first step of a statement when ctx ends.
func ask(ctx context.Context, c *sql.Conn, query string, limit int, args []any) (*Rows, error) {
	statement, columns, err := prepare(ctx, c, query)
	if err != nil {
		return nil, err
	}
	run := statement
	switch verb(statement) {
	case "SELECT", "VALUES", "WITH":
		n := -1
		if limit > 0 {
			n = limit + 1
		}
		// On lines of its own: the statement may end in a comment.
		run = fmt.Sprintf("WITH answer AS MATERIALIZED (SELECT * FROM (\n%s\n) LIMIT %d) SELECT * FROM answer", statement, n)
	}
	rows, err := c.QueryContext(ctx, run, args...)
	if err != nil {
		return nil, runFault(ctx, statement, err)
	}
	defer func() { _ = rows.Close() }()
	out := Rows{Columns: columns}
	for rows.Next() {
		if limit > 0 && len(out.Values) == limit {
			out.Truncated = true
			break
		}
		row := make([]any, len(out.Columns))
		dest := make([]any, len(row))
		for i := range row {
			dest[i] = &row[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		out.Values = append(out.Values, row)
	}
	return &out, runFault(ctx, statement, rows.Err())
}

// prepare compiles query on c, which finds its faults, and returns the one statement and the names of its columns.
func prepare(ctx context.Context, c *sql.Conn, query string) (statement string, columns []string, err error) {
	if statement, err = oneStatement(query); err != nil {
		return "", nil, err
	}
	columns, err = columnsOf(c, statement)
	if err == nil || ctx.Err() != nil || !isQueryFault(err) {
		return statement, columns, err
	}
	return "", nil, queryFault(statement, err, func(prefix string) bool {
		_, err := columnsOf(c, prefix)
		return err == nil || !strings.Contains(err.Error(), "syntax error")
	})
}

// columnsOf compiles a statement and returns the names of its columns.
func columnsOf(c *sql.Conn, statement string) (names []string, err error) {
	err = c.Raw(func(dc any) error {
		d, ok := dc.(interface {
			ColumnInfo(query string) ([]sqlite.ColumnInfo, error)
		})
		if !ok {
			return fmt.Errorf("the driver does not tell columns: %T", dc)
		}
		info, err := d.ColumnInfo(statement)
		for _, i := range info {
			names = append(names, i.Name)
		}
		return err
	})
	return names, err
}

// runFault is the form of an error of a statement that compiled.
func runFault(ctx context.Context, statement string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case isQueryFault(err):
		return queryFault(statement, err, func(string) bool { return false })
	case strings.Contains(err.Error(), "missing named argument"), strings.Contains(err.Error(), "missing argument with index"):
		return &QueryError{SQL: statement, Msg: strings.TrimPrefix(err.Error(), "sqlite: "), Hint: "give each parameter a value"}
	}
	if errors.Is(err, sql.ErrConnDone) {
		return fmt.Errorf("an earlier query was interrupted, and the connection with it: %w", err)
	}
	return err
}
