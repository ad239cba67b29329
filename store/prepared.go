package store

import (
	"context"
	"database/sql"
	"errors"
)

// prepared asks a connection by statements that are compiled once: what is asked of each of many runs. Transactions of the same
// connection see and hold what is done through it.
type prepared struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
}

// mostPrepared is how many statements are kept; the texts are few, so it is not reached.
const mostPrepared = 200

func newPrepared(c *sql.Conn) *prepared { return &prepared{c: c, stmts: map[string]*sql.Stmt{}} }

// get finds or compiles a statement; nil where it cannot be.
func (p *prepared) get(ctx context.Context, query string) *sql.Stmt {
	s := p.stmts[query]
	if s == nil && len(p.stmts) < mostPrepared {
		var err error
		if s, err = p.c.PrepareContext(ctx, query); err != nil {
			return nil // asked directly, it says why
		}
		p.stmts[query] = s
	}
	return s
}

func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := p.get(ctx, query); s != nil {
		return s.QueryContext(ctx, args...)
	}
	return p.c.QueryContext(ctx, query, args...)
}

func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if s := p.get(ctx, query); s != nil {
		return s.QueryRowContext(ctx, args...)
	}
	return p.c.QueryRowContext(ctx, query, args...)
}

func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if s := p.get(ctx, query); s != nil {
		return s.ExecContext(ctx, args...)
	}
	return p.c.ExecContext(ctx, query, args...)
}

func (p *prepared) close() error {
	var errs []error
	for _, s := range p.stmts {
		errs = append(errs, s.Close())
	}
	p.stmts = nil
	return errors.Join(errs...)
}
