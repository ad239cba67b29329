package reports

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kappa/store"
)

// The longest that one query may take. A check asks an empty database, where only a query that never ends takes long.
const (
	buildLimit = 5 * time.Minute
	checkLimit = 10 * time.Second
)

// lateError says that a query had to be ended. The source is of no more use then.
type lateError struct{ limit time.Duration }

func (e lateError) Error() string {
	return fmt.Sprintf("the query has not ended after %v: does a recursion in it ever stop, is a join without its condition?", e.limit)
}

func isLate(err error) bool {
	_, ok := errors.AsType[lateError](err)
	return ok
}

// askWithin asks a query and ends it after a time.
func askWithin(ctx context.Context, src Source, sql string, limit time.Duration) (*store.Rows, error) {
	late := lateError{limit}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	rows, err := src.Query(ctx, sql)
	if err != nil && isLate(context.Cause(ctx)) {
		return nil, late
	}
	return rows, err
}
