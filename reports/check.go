package reports

import (
	"context"
	"errors"
	"fmt"

	"kappa/experiments"
	"kappa/store"
)

// Check finds what is wrong with a spec's templates and queries before there are runs: src is an empty database laid under the plan,
// so that the columns of results are there. Every template is parsed, every query prepared and asked for its columns, and the
// columns that figures, tables and claims name are looked for. A query that does not end even there ends the check. The error is a
// fault of the database; problems come in the order of the spec.
func Check(ctx context.Context, spec *experiments.Spec, src Source) (experiments.Problems, error) {
	c := &check{ctx: ctx, spec: spec, src: src, cell: experiments.Cell{Line: 1}, index: -1}
	c.template("title", spec.Title)
	for i, cell := range spec.Cells {
		c.cell, c.index = cell, i
		c.check()
		if c.fatal != nil {
			return nil, fmt.Errorf("check %s: %w", spec.Name, c.fatal)
		}
		if c.late {
			break
		}
	}
	return c.problems, c.fatal
}

type check struct {
	ctx      context.Context
	spec     *experiments.Spec
	src      Source
	cell     experiments.Cell
	index    int
	problems experiments.Problems
	fatal    error
	late     bool // a query had to be ended; nothing further can be asked
}

func (c *check) problem(line int, key string, err error) {
	c.problems = append(c.problems, problemAt(c.spec, c.cell, c.index, key, line, err))
}

// check checks the present cell.
func (c *check) check() {
	cell := c.cell
	switch cell.Kind {
	case experiments.Prose:
		c.template("text", cell.Text)
	case experiments.Table:
		if columns, ok := c.columns("sql", cell.SQL, 1); ok {
			if err := headingCount(cell.Table.Headings, columns); err != nil {
				c.problem(0, "headings", err)
			}
			if _, err := columnFormats(cell.Table, columns); err != nil {
				c.problem(0, "format", err)
			}
		}
		for _, h := range cell.Table.Headings {
			c.template("headings", h)
		}
	case experiments.Figure:
		if columns, ok := c.columns("sql", cell.SQL, 1); ok {
			if key, err := checkColumns(cell.Figure, columns); err != nil {
				c.problem(0, key, err)
			}
		}
		if cell.Figure.ReferenceSQL != "" {
			if columns, ok := c.columns("reference_sql", cell.Figure.ReferenceSQL, 1); ok {
				if err := checkReference(columns); err != nil {
					c.problem(1, "reference_sql", err)
				}
			}
		}
	case experiments.Claim:
		c.single("sql", cell.SQL, "a claim's query")
	default:
		c.problem(0, "kind", fmt.Errorf("unknown kind %q", cell.Kind))
	}
	c.template("caption", cell.Caption)
	if cell.Runs != "" {
		c.single("runs", cell.Runs, "runs")
	}
}

// columns asks a query that begins on a line of its key's text for its columns.
func (c *check) columns(key, sql string, line int) ([]string, bool) {
	if c.late || c.fatal != nil {
		return nil, false
	}
	rows, err := askWithin(c.ctx, c.src, sql, checkLimit)
	if err == nil {
		return rows.Columns, true
	}
	if q, ok := errors.AsType[*store.QueryError](err); ok {
		c.problem(line+max(q.Line, 1)-1, key, err)
	} else if c.late = isLate(err); c.late {
		c.problem(line, key, err)
	} else {
		c.fatal = errors.Join(c.fatal, err)
	}
	return nil, false
}

// single checks a query that must have one column.
func (c *check) single(key, sql, what string) {
	if columns, ok := c.columns(key, sql, 1); ok && len(columns) != 1 {
		c.problem(1, key, fmt.Errorf("%s has one column, not %d", what, len(columns)))
	}
}

// template checks a text with queries in it.
func (c *check) template(key, text string) {
	t, faults := parseTemplate(text)
	for _, f := range faults {
		c.problem(f.line, key, errors.New(f.msg))
	}
	if t == nil {
		return
	}
	for _, q := range t.queries {
		if columns, ok := c.columns(key, q.sql, q.line); ok && len(columns) != 1 {
			c.problem(q.line, key, fmt.Errorf("sql wants a query with one column, not %d", len(columns)))
		}
	}
}
