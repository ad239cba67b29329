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
	// Resident says how much memory the process takes; a query for which it grows by more than QueryMemory is ended. Nil: not known.
	Resident func() int64
}

// QueryMemory is how much the process may grow for a query, and QueryAnswer how large its rows may be together, in bytes.
const (
	QueryMemory = 1 << 30
	QueryAnswer = 256 << 20
)

// Query answers one statement over the whole history, on a connection that can do nothing but read. A fault in the query
// is a *QueryError, and so is one that takes more memory than it may. The time limit ends even a statement that never yields a row;
// one that SQLite cannot interrupt is left to itself, with its connection, until the process ends.
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
	c, err := pool.Conn(ctx)
	if err != nil {
		return nil, db.fault("query", errors.Join(err, pool.Close()))
	}
	left := false
	defer func() {
		if !left {
			_ = c.Close()
			_ = pool.Close()
		}
	}()
	// What a query gathers on its way goes to a file when it grows, not to memory.
	if _, err := c.ExecContext(ctx, "PRAGMA temp_store = file; PRAGMA cache_size = -32768"); err != nil {
		return nil, db.fault("query", err)
	}
	if err := guard(c); err != nil {
		return nil, db.fault("query", err)
	}
	ctx, stop := watchMemory(ctx, o.Resident, query)
	defer stop()
	args := make([]any, 0, len(o.Params))
	for _, name := range slices.Sorted(maps.Keys(o.Params)) {
		args = append(args, sql.Named(strings.TrimLeft(name, ":@$"), o.Params[name]))
	}
	rows, err := ask(ctx, c, query, o.Limit, args)
	left = errors.Is(err, errLeft)
	return rows, db.queryFault(err)
}

// watchMemory ends the context that it returns when the process has grown by more than QueryMemory.
func watchMemory(ctx context.Context, resident func() int64, query string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	if resident == nil || resident() == 0 {
		return ctx, func() { cancel(nil) }
	}
	most := resident() + QueryMemory
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if resident() > most {
					cancel(&QueryError{SQL: query, Msg: fmt.Sprintf("it needs more than %d MiB of memory", QueryMemory>>20), Hint: "does a join lack its condition, is a value built up without end?"})
					return
				}
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

// errLeft says that a statement could not be interrupted and was left to itself: its connection is not to be touched.
var errLeft = errors.New("the statement could not be interrupted")

// grace is how long an interrupted statement may take to notice.
const grace = time.Second

// ask answers a query as askHere does, and comes back soon after ctx has ended even where SQLite is at something that it does not
// interrupt: the compilation of a query that unfolds without end, a pattern that takes for ever. The error then is errLeft too.
func ask(ctx context.Context, c *sql.Conn, query string, limit int, args []any) (*Rows, error) {
	type answer struct {
		rows *Rows
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		rows, err := askHere(ctx, c, query, limit, args)
		done <- answer{rows, err}
	}()
	select {
	case a := <-done:
		return a.rows, a.err
	case <-ctx.Done():
	}
	select {
	case a := <-done:
		return a.rows, a.err
	case <-time.After(grace):
		return nil, fmt.Errorf("%w: %w", context.Cause(ctx), errLeft)
	}
}

// queryFault lets what is wrong with a query pass, and gives the rest the form of a fault of the database.
func (db *DB) queryFault(err error) error {
	if err == nil || isQueryFault(err) {
		return err
	}
	return db.fault("query", err)
}

// askHere prepares one statement as it stands, which finds its faults, and then runs it so that SQLite does all the work
// before the first row: the driver interrupts only the first step of a statement when ctx ends.
func askHere(ctx context.Context, c *sql.Conn, query string, limit int, args []any) (*Rows, error) {
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
	size := 0
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
		if size += sizeOf(row); size > QueryAnswer {
			return nil, &QueryError{
				SQL: statement, Msg: fmt.Sprintf("the answer has more than %d MiB; %d rows of it fit", QueryAnswer>>20, len(out.Values)),
				Hint: "ask for fewer rows or columns at a time, or for sums and counts of them",
			}
		}
		out.Values = append(out.Values, row)
	}
	return &out, runFault(ctx, statement, rows.Err())
}

// sizeOf is about how many bytes a row takes.
func sizeOf(row []any) int {
	n := 24 + 32*len(row)
	for _, v := range row {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
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
	tries := 200
	return "", nil, queryFault(statement, err, func(prefix string) bool {
		if tries--; tries < 0 {
			return false // the place is not worth more
		}
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
		return missingValue(statement, strings.TrimPrefix(err.Error(), "sqlite: "))
	}
	if errors.Is(err, sql.ErrConnDone) {
		return fmt.Errorf("an earlier query was interrupted, and the connection with it: %w", err)
	}
	return err
}
