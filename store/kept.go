package store

import (
	"context"
	"database/sql/driver"
	"strings"
)

// keeping is the connection that writes. It keeps the statements that it has compiled: to record a run takes thirty of them, always
// the same, and to compile them takes longer than to execute them.
type keeping struct {
	plainConn
	kept map[string]*keptStmt
}

// plainConn is what SQLite's connections can do of what database/sql asks for.
type plainConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// plainStmt is the same of its statements.
type plainStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

const (
	maxKept  = 128  // statements
	keptSize = 4096 // bytes of a statement
)

// keep makes c keep its statements, if it can.
func keep(c driver.Conn) driver.Conn {
	if p, ok := c.(plainConn); ok {
		return &keeping{plainConn: p, kept: make(map[string]*keptStmt)}
	}
	return c
}

// keptStmt is a statement that closing gives back to its connection.
type keptStmt struct {
	plainStmt
	busy bool
}

func (s *keptStmt) Close() error {
	s.busy = false
	return nil
}

// take returns the statement of a query, nil where it is in use, or is none to keep.
func (c *keeping) take(ctx context.Context, query string) (*keptStmt, error) {
	if s := c.kept[query]; s != nil {
		if s.busy {
			return nil, nil
		}
		s.busy = true
		return s, nil
	}
	if len(query) > keptSize || len(c.kept) >= maxKept || !recurs(query) {
		return nil, nil
	}
	compiled, err := c.plainConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p, ok := compiled.(plainStmt)
	if !ok {
		return nil, compiled.Close()
	}
	s := &keptStmt{plainStmt: p, busy: true}
	c.kept[query] = s
	return s, nil
}

// recurs says whether a query is one that reads or changes rows; what changes the schema or settings is not asked twice.
func recurs(query string) bool {
	word, _, _ := strings.Cut(strings.TrimLeft(query, " \t\n"), " ")
	switch word {
	case "SELECT", "INSERT", "UPDATE", "DELETE":
		return true
	}
	return false
}

func (c *keeping) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.plainConn.PrepareContext(ctx, query)
	}
	return s, nil
}

func (c *keeping) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.plainConn.ExecContext(ctx, query, args)
	}
	defer func() { _ = s.Close() }()
	return s.ExecContext(ctx, args)
}

func (c *keeping) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.plainConn.QueryContext(ctx, query, args)
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return &keptRows{rows, s}, nil
}

// keptRows give their statement back when they are closed.
type keptRows struct {
	driver.Rows
	of *keptStmt
}

func (r *keptRows) Close() error {
	err := r.Rows.Close()
	_ = r.of.Close()
	return err
}

// Close lets go of the statements, and closes the connection.
func (c *keeping) Close() error {
	for _, s := range c.kept {
		_ = s.plainStmt.Close()
	}
	c.kept = nil
	return c.plainConn.Close()
}
