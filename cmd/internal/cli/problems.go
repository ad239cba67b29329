package cli

import (
	"context"
	"errors"
	"regexp"
	"strconv"

	"kappa/experiments"
	"kappa/store"
)

// problemJSON is one thing that keeps a command from its work, for programs such as editors.
type problemJSON struct {
	File    string `json:"file"` // "" where none is at fault
	Line    int    `json:"line"` // 1-based; 0 where none applies
	Key     string `json:"key"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// refused writes what is wrong to stdout for a command with --json, besides the sentences on stderr, and returns err.
func (a *app) refused(asJSON bool, err error) error {
	if err == nil || !asJSON || errors.Is(err, context.Canceled) {
		return err
	}
	return joined(err, a.writeJSON(problemList(err, []problemJSON{})))
}

// inSpec is how a message begins that is about a place in a spec.
var inSpec = regexp.MustCompile(`(?s)^([^\s:]+\.toml):(?:(\d+):)? (.*)$`)

// problemList takes an error apart.
func problemList(err error, found []problemJSON) []problemJSON {
	switch e := err.(type) { //nolint:errorlint // the tree is walked here
	case nil:
		return found
	case experiments.Problem:
		return append(found, problemJSON{e.File, e.Line, e.Key, e.Message, e.Hint})
	case *failure:
		before := len(found)
		found = problemList(e.err, found)
		for i := before; i < len(found); i++ {
			if found[i].Hint == "" {
				found[i].Hint = e.hint
			}
		}
		return found
	case *store.Error:
		return append(found, problemJSON{Message: withoutEchoes(e.Op + ": " + e.Path + ": " + e.Err.Error()), Hint: e.Hint})
	case interface{ Unwrap() []error }:
		for _, sub := range e.Unwrap() {
			found = problemList(sub, found)
		}
		return found
	}
	// What wraps problems only says where they were met.
	if p, ok := errors.AsType[experiments.Problems](err); ok {
		return problemList(p, found)
	}
	if p, ok := errors.AsType[experiments.Problem](err); ok {
		return problemList(p, found)
	}
	p := problemJSON{Message: withoutEchoes(err.Error())}
	if at := inSpec.FindStringSubmatch(p.Message); at != nil {
		p.File, p.Message = at[1], at[3]
		p.Line, _ = strconv.Atoi(at[2]) // 0 where there is none
	}
	return append(found, p)
}
