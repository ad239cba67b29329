package store

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a database. Every error of this package about the database itself is an *Error that wraps
// one of them (or none, where SQLite's own sentence says it best), so errors.Is tells them apart and errors.As with
// *Error finds them all.
var (
	ErrMissing     = errors.New("there is no database")
	ErrNewer       = errors.New("the database was written by a newer kappa")
	ErrForeign     = errors.New("the file belongs to another program")
	ErrNotDatabase = errors.New("the file is not a database")
	ErrLocked      = errors.New("the database is locked")
	ErrReadOnly    = errors.New("the database cannot be written")
	ErrDisk        = errors.New("the disk failed or is full")
	ErrCorrupt     = errors.New("the database is damaged")
	ErrExists      = errors.New("the file exists")
)

// ErrNotFound says that nothing is recorded under the name or key that was asked for.
var ErrNotFound = errors.New("not recorded")

// Error is trouble with the database: which file, what was tried, what is wrong and what to do about it.
type Error struct {
	Path string // the database file
	Op   string // what was tried: "open", "record the end of a run", …
	Err  error  // what is wrong
	Hint string // what to do, or ""
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %v", e.Op, e.Path, e.Err)
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// QueryError is a fault in a query that somebody wrote, with the place where it is.
type QueryError struct {
	SQL       string
	Msg       string
	Line, Col int // from 1; 0 where the place is not known
	Hint      string
}

// widestPlace is how much of a line is shown around a place.
const widestPlace = 160

func (e *QueryError) Error() string {
	var b strings.Builder
	if e.Line == 0 {
		b.WriteString(e.Msg)
	} else {
		fmt.Fprintf(&b, "line %d, column %d of the query: %s", e.Line, e.Col, e.Msg)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	if e.Line != 0 {
		line := strings.Split(e.SQL, "\n")[e.Line-1]
		runes := []rune(strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' ' // one column, as it was counted
			}
			return r
		}, line))
		at := min(e.Col-1, len(runes))
		if from := at - widestPlace/2; from > 0 { // what a screen shows of it
			runes, at = append([]rune{'…'}, runes[from:]...), at-from+1
		}
		if len(runes) > widestPlace {
			runes = append(runes[:widestPlace:widestPlace], '…')
		}
		fmt.Fprintf(&b, "\n  %s\n  %s^", string(runes), strings.Repeat(" ", at))
	}
	return b.String()
}

// AmbiguousError says that several runs have keys that begin with Prefix.
type AmbiguousError struct {
	Prefix     string
	Candidates []string // keys, in order; at most ten
	More       int      // how many more there are
}

func (e *AmbiguousError) Error() string {
	short := make([]string, len(e.Candidates))
	for i, k := range e.Candidates {
		short[i] = k[:min(len(k), max(12, len(e.Prefix)+4))]
	}
	s := strings.Join(short, ", ")
	if e.More > 0 {
		s += fmt.Sprintf(" and %d more", e.More)
	}
	return fmt.Sprintf("the key %q is ambiguous: %s", e.Prefix, s)
}
