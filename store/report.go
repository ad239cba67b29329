package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"modernc.org/sqlite"
)

// PlanRow is one run of a plan.
type PlanRow struct {
	Key        string
	Swept      string // JSON object: key path → value; "": none
	Experiment string // the spec's name in the column experiment; "": as in main, where a spec that shares the run can change it
}

// Report is a database seen through one plan, as of one moment: in its queries `runs`, `results`, `metrics`,
// `condition_numbers`, `attacks` and `params` are those of the plan's runs, in plan order, and `main.runs` and so on the
// whole history. It can do nothing but read. Close it soon: the write-ahead log grows as long as it is open.
type Report struct {
	db   *DB
	pool *sql.DB
	keys []string

	mu    sync.Mutex // one query at a time: c and order belong to it
	c     *sql.Conn
	order *planOrder
	left  bool // a statement that could not be interrupted has the connection
}

// planOrder is what SQLite asks a report about its plan: the order of keys, and which runs' figures a query read. Close
// empties it, because functions stay registered as long as the process lives.
type planOrder struct {
	ordinal map[string]int
	read    []bool
}

// The names under which SQL knows planOrder's methods.
const (
	figureFunction = "kappa_figure"
	planCollation  = "plan"
)

// figure (x, ordinal) is x, and notes that a figure of that run was read.
func (o *planOrder) figure(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	if i, ok := args[1].(int64); ok && i >= 0 && i < int64(len(o.read)) {
		o.read[i] = true
	}
	return args[0], nil
}

// compare orders keys as the plan does; keys that are not in it come last. Because the index of temp.plan has this order
// too, a query gets its runs in plan order whichever way SQLite takes to them, without an ORDER BY in the views: that
// would keep SQLite from merging a view into a query that joins it and uses the statistics of helpers.go, and then the
// view's figures would all be read, needed or not.
func (o *planOrder) compare(a, b string) int {
	i, inA := o.ordinal[a]
	j, inB := o.ordinal[b]
	switch {
	case inA && inB:
		return cmp.Compare(i, j)
	case inA:
		return -1
	case inB:
		return 1
	}
	return strings.Compare(a, b)
}

// OpenReport pins a reading connection to the database as it is now and lays plan over it. Each key path that is swept
// becomes a column of `results`, dots written as underscores; primary.class, primary.dataset and the same of harmful are
// there already. A path whose column collides with another one is refused. The paths given besides become columns too, empty
// where no run of the plan has a value for them.
func (db *DB) OpenReport(ctx context.Context, plan []PlanRow, paths ...string) (*Report, error) {
	if db.net != nil {
		if err := db.net.look(ctx, db, true); err != nil {
			return nil, err
		}
	}
	r := &Report{db: db, keys: make([]string, len(plan))}
	r.order = &planOrder{ordinal: make(map[string]int, len(plan)), read: make([]bool, len(plan))}
	for i, p := range plan {
		if _, twice := r.order.ordinal[p.Key]; twice {
			return nil, fmt.Errorf("open a report: run %.12s stands twice in the plan", p.Key)
		}
		r.order.ordinal[p.Key], r.keys[i] = i, p.Key
	}
	swept, err := sweptColumns(plan, paths)
	if err != nil {
		return nil, fmt.Errorf("open a report: %w", err)
	}
	drv := new(sqlite.Driver) // of its own: its function reports to this report
	registerHelpers(drv)
	drv.MustRegisterFunction(figureFunction, &sqlite.FunctionImpl{NArgs: 2, Deterministic: true, Scalar: r.order.figure})
	drv.MustRegisterCollationUtf8(planCollation, r.order.compare)
	m := readOnly
	if db.mode == immutable {
		m = immutable
	}
	r.pool = openPool(drv, db.path, m, db.busy, 1)
	if r.c, err = r.pool.Conn(ctx); err == nil {
		err = r.lay(ctx, plan, swept)
	}
	if err != nil {
		_ = r.Close()
		return nil, db.fault("open a report", err)
	}
	return r, nil
}

// lay begins the read transaction, makes the temporary tables and views, and then allows only reading.
func (r *Report) lay(ctx context.Context, plan []PlanRow, swept []sweptColumn) error {
	exec := func(query string, args ...any) error {
		_, err := r.c.ExecContext(ctx, query, args...)
		return err
	}
	if err := exec("BEGIN"); err != nil {
		return err
	}
	var n int // the first read takes the snapshot
	if err := r.c.QueryRowContext(ctx, "SELECT count(*) FROM run").Scan(&n); err != nil {
		return err
	}
	if err := exec("CREATE TEMP TABLE plan (ordinal INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE COLLATE " + planCollation + ", experiment TEXT)"); err != nil {
		return err
	}
	named := make([][2]string, len(plan))
	for i, p := range plan {
		named[i] = [2]string{p.Key, p.Experiment}
	}
	if err := exec("INSERT INTO temp.plan SELECT key, value ->> 0, nullif(value ->> 1, '') FROM json_each(?)", mustJSON(named)); err != nil {
		return err
	}
	columns := "ordinal INTEGER PRIMARY KEY, json TEXT"
	for _, s := range swept {
		columns += ", " + quoteName(s.column)
	}
	if err := exec("CREATE TEMP TABLE swept (" + columns + ")"); err != nil {
		return err
	}
	if err := r.laySwept(ctx, plan, swept); err != nil {
		return err
	}
	for _, v := range reportViews {
		if err := exec(v.create(swept)); err != nil {
			return fmt.Errorf("view %s: %w", v.name, err)
		}
	}
	return guard(r.c)
}

// laySwept fills the temporary table of swept values, by a statement that is compiled once and takes several rows.
func (r *Report) laySwept(ctx context.Context, plan []PlanRow, swept []sweptColumn) error {
	const most = 500 // parameters of a statement
	width := 2 + len(swept)
	one := "(?" + strings.Repeat(", ?", width-1) + ")"
	for at := 0; at < len(plan); {
		size := max(1, min(len(plan)-at, most/width))
		stmt, err := r.c.PrepareContext(ctx, "INSERT INTO temp.swept VALUES "+one+strings.Repeat(", "+one, size-1))
		if err != nil {
			return err
		}
		for ; at+size <= len(plan) && err == nil; at += size {
			values := make([]any, 0, size*width)
			for i := at; i < at+size; i++ {
				values = append(values, i, cmp.Or(plan[i].Swept, "{}"))
				for _, s := range swept {
					values = append(values, s.values[i])
				}
			}
			_, err = stmt.ExecContext(ctx, values...)
		}
		if err = errors.Join(err, stmt.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Query answers one statement, with positional arguments for ?. Rows.Runs are the runs whose figures it read, in plan
// order: empty for a query, such as a count of rows, that reads none. A fault in the query is a *QueryError. After a
// query that ctx has ended the report is of no more use.
func (r *Report) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left {
		return nil, fmt.Errorf("query: an earlier one goes on: %w", errLeft)
	}
	clear(r.order.read)
	rows, err := ask(ctx, r.c, query, 0, args)
	if r.left = r.left || errors.Is(err, errLeft); err != nil {
		return nil, r.db.queryFault(err)
	}
	for i, read := range r.order.read {
		if read {
			rows.Runs = append(rows.Runs, r.keys[i])
		}
	}
	return rows, nil
}

// Prepare says what is wrong with a query (syntax, tables, columns, functions) without running it.
func (r *Report) Prepare(query string) error {
	_, err := r.Columns(query)
	return err
}

// Columns are the names of the columns of a query, which is compiled and not run.
func (r *Report) Columns(query string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, columns, err := prepare(context.Background(), r.c, query)
	return columns, r.db.queryFault(err)
}

// Close lets go of the database.
func (r *Report) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left {
		return nil // a statement goes on that cannot be ended: the connection is its own
	}
	var errs []error
	if r.c != nil {
		if err := r.c.Close(); !errors.Is(err, sql.ErrConnDone) {
			errs = append(errs, err)
		}
	}
	errs = append(errs, r.pool.Close())
	*r.order = planOrder{}
	return errors.Join(errs...)
}

// sweptColumn is one swept key path: its column, and a value for each run of the plan.
type sweptColumn struct {
	path, column string
	values       []any
}

// alreadyColumns are the key paths whose value is a column of results without being swept.
var alreadyColumns = []string{"primary.dataset", "primary.class", "harmful.dataset", "harmful.class"}

// sweptColumns are the columns for the swept key paths of a plan, and for others, in the order of their paths.
func sweptColumns(plan []PlanRow, paths []string) ([]sweptColumn, error) {
	taken := map[string]string{"ordinal": "", "json": ""}
	for _, c := range resultsView().columns {
		taken[c.name] = ""
	}
	byPath := map[string]*sweptColumn{}
	var out []*sweptColumn
	column := func(path string) *sweptColumn {
		s := byPath[path]
		if s == nil && !slices.Contains(alreadyColumns, path) {
			s = &sweptColumn{path: path, column: strings.ReplaceAll(path, ".", "_"), values: make([]any, len(plan))}
			byPath[path] = s
			out = append(out, s)
		}
		return s
	}
	for _, path := range paths {
		column(path)
	}
	for i, p := range plan {
		if p.Swept == "" || p.Swept == "{}" {
			continue
		}
		var values map[string]any
		dec := json.NewDecoder(strings.NewReader(p.Swept))
		dec.UseNumber()
		if err := dec.Decode(&values); err != nil {
			return nil, fmt.Errorf("swept values of run %.12s: %w", p.Key, err)
		}
		for path, v := range values {
			if s := column(path); s != nil {
				s.values[i] = columnValue(v)
			}
		}
	}
	slices.SortFunc(out, func(a, b *sweptColumn) int { return strings.Compare(a.path, b.path) })
	columns := make([]sweptColumn, len(out))
	for i, s := range out {
		name := strings.ToLower(s.column)
		if other, ok := taken[name]; ok {
			what := "a column that results has already"
			if other != "" {
				what = "the column of " + other
			}
			return nil, fmt.Errorf("the swept key %s would be the column %s, which is %s", s.path, s.column, what)
		}
		taken[name] = s.path
		columns[i] = *s
	}
	return columns, nil
}

// columnValue is a JSON value as SQL has it: an integer, a real, text; a boolean is the text true or false, as in
// params; a list or a table is its JSON.
func columnValue(v any) any {
	switch v := v.(type) {
	case nil, string:
		return v
	case bool:
		return fmt.Sprint(v)
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	}
	return mustJSON(v)
}
