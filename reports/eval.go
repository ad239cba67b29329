package reports

import (
	"fmt"
	"strings"
	"text/template/parse"
)

// asker answers the queries of a template: one value each.
type asker interface {
	// ask answers the query on a line of the text; above counts the lines of what has been rendered of it.
	ask(sql string, line, above int) (any, error)
}

// rendered is a value that is formatted already and needs no escaping.
type rendered string

// render evaluates a checked template. Errors carry the line of the text.
func (t *template) render(a asker) (string, error) {
	e := &evaluator{text: t.text, asker: a}
	err := e.list(t.nodes)
	return e.out.String(), err
}

type evaluator struct {
	text  string
	asker asker
	out   strings.Builder
}

// lineError is an error at a line of a template's text.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return e.err.Error() }
func (e *lineError) Unwrap() error { return e.err }

func (e *evaluator) list(nodes []parse.Node) error {
	for _, n := range nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			e.out.Write(n.Text)
		case *parse.ActionNode:
			v, err := e.pipe(n.Pipe)
			if err != nil {
				return err
			}
			e.out.WriteString(show(v))
		case *parse.IfNode:
			v, err := e.pipe(n.Pipe)
			if err != nil {
				return err
			}
			branch := n.List
			if !truth(v) {
				branch = n.ElseList
			}
			if branch != nil {
				if err := e.list(branch.Nodes); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// show writes a value into the text.
func show(v any) string {
	if r, ok := v.(rendered); ok {
		return string(r)
	}
	return format{}.value(v)
}

// truth is how if sees a value: NULL, 0, "" and false are false.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	}
	return true
}

func (e *evaluator) pipe(p *parse.PipeNode) (v any, err error) {
	for i, cmd := range p.Cmds {
		args := cmd.Args
		id, ok := args[0].(*parse.IdentifierNode)
		if !ok {
			if v, err = e.argument(args[0]); err != nil {
				return nil, err
			}
			continue
		}
		if v, err = e.call(id.Ident, args[1:], v, i > 0, cmd.Position()); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (e *evaluator) argument(n parse.Node) (any, error) {
	switch n := n.(type) {
	case *parse.StringNode:
		return n.Text, nil
	case *parse.BoolNode:
		return n.True, nil
	case *parse.NumberNode:
		if n.IsInt {
			return n.Int64, nil
		}
		return n.Float64, nil
	case *parse.PipeNode:
		return e.pipe(n)
	case *parse.IdentifierNode:
		return e.call(n.Ident, nil, nil, false, n.Position())
	}
	panic("reports: unchecked template node " + n.String())
}

// call evaluates a function. and and or stop at the first argument that decides, as in text/template.
func (e *evaluator) call(name string, nodes []parse.Node, last any, piped bool, pos parse.Pos) (any, error) {
	at := func(err error) error { return &lineError{lineAt(e.text, pos), err} }
	if name == "sql" {
		return e.asker.ask(nodes[0].(*parse.StringNode).Text, lineAt(e.text, pos), strings.Count(e.out.String(), "\n"))
	}
	var args []any
	for _, n := range nodes {
		v, err := e.argument(n)
		if err != nil {
			return nil, err
		}
		if name == "and" && !truth(v) || name == "or" && truth(v) {
			return v, nil
		}
		args = append(args, v)
	}
	if piped {
		args = append(args, last)
	}
	switch name {
	case "sig", "fixed", "pct":
		v := args[1]
		if v == nil {
			return nil, nil
		}
		x, ok := number(v)
		if !ok {
			return nil, at(fmt.Errorf("%s wants a number, not %q", name, text(v)))
		}
		return rendered(format{name, int(args[0].(int64))}.number(x)), nil
	case "run":
		s, ok := args[0].(string)
		if args[0] == nil {
			return nil, nil
		}
		if !ok {
			return nil, at(fmt.Errorf("run wants the key of a run, not %s", text(args[0])))
		}
		return rendered(code(shortKey(s))), nil
	case "not":
		return !truth(args[0]), nil
	case "and", "or":
		return args[len(args)-1], nil
	}
	v, err := compare(name, args)
	if err != nil {
		return nil, at(err)
	}
	return v, nil
}

// shortKey is as much of a run's key as people read.
func shortKey(key string) string { return key[:min(len(key), 12)] }

// compare evaluates a comparison. Numbers compare by value whether they are integers or not; nothing equals NULL, and a comparison
// of order with it is false.
func compare(name string, args []any) (bool, error) {
	if name == "eq" {
		for _, b := range args[1:] {
			if c, err := order(args[0], b); err != nil {
				return false, err
			} else if c == 0 {
				return true, nil
			}
		}
		return false, nil
	}
	c, err := order(args[0], args[1])
	if err != nil {
		return false, err
	}
	switch {
	case name == "ne":
		return c != 0, nil
	case c == unordered:
		return false, nil
	case name == "lt":
		return c < 0, nil
	case name == "le":
		return c <= 0, nil
	case name == "gt":
		return c > 0, nil
	}
	return c >= 0, nil // ge
}

// unordered is the order of values of which one is NULL.
const unordered = 2

// order compares two values: −1, 0, 1, or unordered.
func order(a, b any) (int, error) {
	if a == nil || b == nil {
		return unordered, nil
	}
	x, okX := number(a)
	y, okY := number(b)
	if okX && okY {
		switch {
		case x < y:
			return -1, nil
		case x > y:
			return 1, nil
		case x == y:
			return 0, nil
		}
		return unordered, nil
	}
	if okX != okY || (a == true || a == false) != (b == true || b == false) {
		return 0, fmt.Errorf("%s and %s cannot be compared", quoted(a), quoted(b))
	}
	return strings.Compare(plainText(a), plainText(b)), nil
}

func plainText(v any) string {
	if r, ok := v.(rendered); ok {
		return string(r)
	}
	return text(v)
}

func quoted(v any) string {
	if isNumber(v) {
		return text(v)
	}
	return fmt.Sprintf("%q", plainText(v))
}
