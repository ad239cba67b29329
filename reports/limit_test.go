package reports

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kappa/experiments"
	"kappa/store"
)

// endless is a source with a query that never ends.
type endless struct {
	*fake
	query string
	ended int // how often it had to be ended
}

func (e *endless) Query(ctx context.Context, query string, args ...any) (*store.Rows, error) {
	if query != e.query {
		return e.fake.Query(ctx, query, args...)
	}
	<-ctx.Done()
	e.ended++
	return nil, ctx.Err()
}

// endlessSpec asks for a query that never ends, and then for two more.
func endlessSpec() *experiments.Spec {
	text := "[[cell]]\nsql = 'endless'\n[[cell]]\nsql = 'endless'\n"
	claim := func(id string, line int) experiments.Cell {
		return experiments.Cell{
			Kind: experiments.Claim, ID: id, Line: line, Text: "x", SQL: "endless",
			Claim: experiments.ClaimOptions{Op: ">"},
		}
	}
	return &experiments.Spec{Name: "x", Path: "x.toml", Title: "x", Bytes: []byte(text), Cells: []experiments.Cell{claim("a", 1), claim("b", 3)}}
}

// TestQueryWithoutEnd: a query that does not end is a problem of the spec with its place, after its limit, and nothing more is
// asked of a source whose connection it took along.
func TestQueryWithoutEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit time.Duration
		do    func(ctx context.Context, s *experiments.Spec, src Source, o Options) (experiments.Problems, error)
	}{
		{"check", checkLimit, func(ctx context.Context, s *experiments.Spec, src Source, _ Options) (experiments.Problems, error) {
			return Check(ctx, s, src)
		}},
		{"build", buildLimit, func(ctx context.Context, s *experiments.Spec, src Source, o Options) (experiments.Problems, error) {
			_, err := Build(ctx, s, src, o)
			problems, ok := errors.AsType[experiments.Problems](err)
			if !ok {
				return nil, err
			}
			return problems, nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, plan := newFake(1)
				src := &endless{fake: f, query: "endless"}
				begun := time.Now()
				problems, err := c.do(t.Context(), endlessSpec(), src, Options{Plan: plan})
				if err != nil || len(problems) != 1 || problems[0].Line != 2 || !strings.Contains(problems[0].Message, "has not ended after") {
					t.Fatalf("problems %v, error %v; want one, at line 2, that the query has not ended", problems, err)
				}
				if took := time.Since(begun); took != c.limit || src.ended != 1 {
					t.Errorf("ended %d times, after %v; want once, after %v", src.ended, took, c.limit)
				}
			})
			synctest.Test(t, func(t *testing.T) { // the user's patience ends first
				f, plan := newFake(1)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				problems, err := c.do(ctx, endlessSpec(), &endless{fake: f, query: "endless"}, Options{Plan: plan})
				if !errors.Is(err, context.DeadlineExceeded) || problems != nil {
					t.Errorf("problems %v, error %v; want the context's error", problems, err)
				}
			})
		})
	}
}
