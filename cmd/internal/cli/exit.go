package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"kappa/experiments"
	"kappa/store"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1   // some runs failed, or a result could not be written
	exitUsage       = 2   // usage or spec error, or no recorded runs to report
	exitClaim       = 3   // a claim's verdict is not the expected one
	exitStale       = 4   // a report is stale
	exitDatabase    = 5   // database problem
	exitInterrupted = 130 // by Ctrl-C or a request to end
)

// precedence says which of several reasons a command ends with: the first that applies.
var precedence = [...]int{exitInterrupted, exitDatabase, exitUsage, exitFailed, exitClaim, exitStale}

// failure is an error that knows its exit code and what to do about it.
type failure struct {
	code int
	err  error  // nil: everything has been said already
	hint string // or ""
}

func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit code %d", f.code)
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// usagef is a mistake in how a command was called.
func usagef(hint, format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// failf is something that could not be done.
func failf(hint, format string, args ...any) error {
	return &failure{code: exitFailed, err: fmt.Errorf(format, args...), hint: hint}
}

// silent ends a command with a code when everything has been said.
func silent(code int) error {
	if code == exitOK {
		return nil
	}
	return &failure{code: code}
}

// exitCode returns the code an error ends the program with. An error without a code of its own counts as other.
func exitCode(err error, other int) int {
	if err == nil {
		return exitOK
	}
	found := collectCodes(err, nil)
	if errors.Is(err, context.Canceled) {
		found = append(found, exitInterrupted)
	}
	if len(found) == 0 {
		return other
	}
	for _, code := range precedence {
		if slices.Contains(found, code) {
			return code
		}
	}
	return other
}

// collectCodes walks the tree of an error.
func collectCodes(err error, found []int) []int {
	switch e := err.(type) { //nolint:errorlint // the tree is walked here
	case *failure:
		return append(found, e.code)
	case *store.QueryError, *store.AmbiguousError, *store.SelectorError:
		return append(found, exitUsage)
	case *store.Error:
		return append(found, exitDatabase)
	case experiments.Problems, experiments.Problem:
		return append(found, exitUsage)
	case interface{ Unwrap() error }:
		return collectCodes(e.Unwrap(), found)
	case interface{ Unwrap() []error }:
		for _, sub := range e.Unwrap() {
			found = collectCodes(sub, found)
		}
	}
	return found
}

// say writes an error to people: a line for each part, then what to do.
func say(w io.Writer, err error) {
	if err == nil {
		return
	}
	if errs, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // joined errors are listed one by one
		for _, sub := range errs.Unwrap() {
			say(w, sub)
		}
		return
	}
	hint := ""
	var f *failure
	if errors.As(err, &f) {
		if f.err == nil {
			return
		}
		hint = f.hint
		if inner, ok := f.err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // as above
			for _, sub := range inner.Unwrap() {
				say(w, sub)
			}
			if hint != "" {
				fmt.Fprintf(w, "kappa: hint: %s\n", hint)
			}
			return
		}
	}
	if errors.Is(err, context.Canceled) {
		return // said where it happened
	}
	var p experiments.Problem
	var db *store.Error
	var q *store.QueryError
	var s *store.SelectorError
	switch {
	case errors.As(err, &p) && p.Hint != "":
		bare := p
		hint, bare.Hint = p.Hint, ""
		err = replaced{err, strings.Replace(err.Error(), p.Error(), bare.Error(), 1)}
	case errors.As(err, &db) && db.Hint != "":
		bare := *db
		hint, bare.Hint = db.Hint, ""
		err = replaced{err, strings.Replace(err.Error(), db.Error(), bare.Error(), 1)}
	case errors.As(err, &q) && q.Hint != "":
		bare := *q
		hint, bare.Hint = q.Hint, ""
		err = replaced{err, strings.Replace(err.Error(), q.Error(), bare.Error(), 1)}
	case errors.As(err, &s):
		bare := *s
		hint, bare.Hint = selectorHint(s), ""
		err = replaced{err, strings.Replace(err.Error(), s.Error(), bare.Error(), 1)}
	}
	fmt.Fprintf(w, "kappa: %s\n", withoutEchoes(err.Error()))
	if hint != "" {
		fmt.Fprintf(w, "kappa: hint: %s\n", hint)
	}
}

// replaced is an error with another text.
type replaced struct {
	error
	text string
}

func (r replaced) Error() string { return r.text }

func (r replaced) Unwrap() error { return r.error }

// joined joins two errors, either of which may be nil.
func joined(a, b error) error {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return errors.Join(a, b)
}

// withoutEchoes drops lines that repeat an earlier one, as when several questions to a database fail for one reason.
func withoutEchoes(text string) string {
	var out []string
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		repeated := slices.ContainsFunc(out, func(earlier string) bool {
			return strings.TrimSpace(line) != "" && strings.HasSuffix(earlier, line)
		})
		if !repeated {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}
