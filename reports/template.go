package reports

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// template is a checked text of a spec with queries in it. Its language is a small part of text/template, so small that whatever a
// template does is known beforehand: which queries it asks, and that it ends.
type template struct {
	text    string
	nodes   []parse.Node
	queries []inline // in the order of the text, also those that a condition may skip
}

// fault is what is wrong with a template.
type fault struct {
	line int // of the text, from 1
	msg  string
}

// inline is one query in a template.
type inline struct {
	sql  string
	line int // of the text, from 1
}

// arity is the least and the largest number of arguments of a function; a largest of −1 is any number.
type arity struct{ least, most int }

var functions = map[string]arity{
	"sql": {1, 1}, "sig": {2, 2}, "fixed": {2, 2}, "pct": {2, 2}, "run": {1, 1},
	"eq": {2, -1}, "ne": {2, 2}, "lt": {2, 2}, "le": {2, 2}, "gt": {2, 2}, "ge": {2, 2},
	"and": {1, -1}, "or": {1, -1}, "not": {1, 1},
}

// vocabulary is what a template may say, for messages.
const vocabulary = "a template may say if, else, sql, sig, fixed, pct, run, eq, ne, lt, le, gt, ge, and, or, not"

// maxConditions is how many conditions may stand in one another, an else if counting as one more.
const maxConditions = 50

// unbounded is why loops and named templates are refused.
const unbounded = "what it does cannot be bounded before it runs"

var parseErrorLine = regexp.MustCompile(`^template: text:(\d+):(?:\d+:)? ?`)

// parseTemplate parses and checks a text. All faults are found, but a syntax error hides what follows it.
func parseTemplate(text string) (*template, []fault) {
	t := parse.New("text")
	t.Mode = parse.ParseComments | parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	root, err := t.Parse(text, "", "", trees)
	if err != nil {
		line, msg := 1, err.Error()
		if m := parseErrorLine.FindStringSubmatch(msg); m != nil {
			line, _ = strconv.Atoi(m[1])
			msg = msg[len(m[0]):]
		}
		return nil, []fault{{line, msg}}
	}
	c := &checker{text: text}
	for name, tree := range trees {
		if name != "text" {
			c.refuse(tree.Root.Position(), "define and block are refused: "+unbounded)
		}
	}
	if root.Root == nil { // an empty text
		return &template{text: text}, nil
	}
	c.list(root.Root)
	if len(c.faults) > 0 {
		slices.SortStableFunc(c.faults, func(a, b fault) int { return cmp.Compare(a.line, b.line) })
		return nil, c.faults
	}
	return &template{text: text, nodes: root.Root.Nodes, queries: c.found}, nil
}

// checker walks a parse tree and notes what is not allowed.
type checker struct {
	text   string
	depth  int // conditions around
	faults []fault
	found  []inline
}

func lineAt(text string, pos parse.Pos) int {
	return 1 + strings.Count(text[:min(int(pos), len(text))], "\n")
}

func (c *checker) refuse(pos parse.Pos, format string, args ...any) {
	c.faults = append(c.faults, fault{lineAt(c.text, pos), fmt.Sprintf(format, args...)})
}

func (c *checker) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.TextNode, *parse.CommentNode:
		case *parse.ActionNode:
			c.pipe(n.Pipe)
		case *parse.IfNode:
			if c.depth == maxConditions {
				c.refuse(n.Position(), "conditions are nested too deeply: at most %d are accepted in one another", maxConditions)
				return
			}
			c.depth++
			c.pipe(n.Pipe)
			c.list(n.List)
			c.list(n.ElseList)
			c.depth--
		case *parse.RangeNode:
			c.refuse(n.Position(), "range is refused: %s", unbounded)
		case *parse.WithNode:
			c.refuse(n.Position(), "with is refused: there is nothing to set the dot to; use if")
		case *parse.TemplateNode:
			c.refuse(n.Position(), "template and block are refused: %s", unbounded)
		default: // break, continue
			c.refuse(n.Position(), "%s is refused: %s", n, vocabulary)
		}
	}
}

func (c *checker) pipe(p *parse.PipeNode) {
	if len(p.Decl) > 0 {
		c.refuse(p.Position(), "variables are refused: ask the query again where its value is needed")
		return
	}
	for i, cmd := range p.Cmds {
		c.command(cmd, i > 0)
	}
}

// command checks one command of a pipeline; piped says that it gets a last argument from the one before.
func (c *checker) command(cmd *parse.CommandNode, piped bool) {
	id, ok := cmd.Args[0].(*parse.IdentifierNode)
	if !ok {
		if piped || len(cmd.Args) > 1 {
			c.refuse(cmd.Position(), "%s is no function: %s", cmd.Args[0], vocabulary)
			return
		}
		c.argument(cmd.Args[0])
		return
	}
	a, ok := functions[id.Ident]
	if !ok {
		c.refuse(cmd.Position(), "%s is refused: %s", id.Ident, vocabulary)
		return
	}
	args := cmd.Args[1:]
	n := len(args)
	if piped {
		n++
	}
	switch {
	case n < a.least, a.most >= 0 && n > a.most:
		want := fmt.Sprint(a.least)
		if a.most < 0 {
			want = "at least " + want
		}
		c.refuse(cmd.Position(), "%s wants %s, not %d", id.Ident, arguments(want), n)
		return
	case id.Ident == "sql":
		c.query(cmd, args)
		return
	case id.Ident == "sig" || id.Ident == "fixed" || id.Ident == "pct":
		c.digits(id.Ident, args)
		args = args[1:]
	}
	for _, arg := range args {
		c.argument(arg)
	}
}

func arguments(n string) string {
	if n == "1" {
		return "1 argument"
	}
	return n + " arguments"
}

// query checks the argument of sql.
func (c *checker) query(cmd *parse.CommandNode, args []parse.Node) {
	if len(args) == 1 {
		if s, ok := args[0].(*parse.StringNode); ok {
			c.found = append(c.found, inline{s.Text, lineAt(c.text, s.Position())})
			return
		}
	}
	c.refuse(cmd.Position(), "sql wants a quoted query, so that it can be checked before the first run")
}

// digits checks the first argument of sig, fixed and pct.
func (c *checker) digits(name string, args []parse.Node) {
	n, ok := args[0].(*parse.NumberNode)
	if !ok || !n.IsInt || n.Int64 < int64(minDigits(name)) || n.Int64 > maxDigits {
		c.refuse(args[0].Position(), "%s wants a number of digits from %d to %d, not %s", name, minDigits(name), maxDigits, args[0])
	}
}

// argument checks a value: a constant or a pipeline in parentheses.
func (c *checker) argument(n parse.Node) {
	switch n := n.(type) {
	case *parse.StringNode, *parse.BoolNode:
	case *parse.NumberNode:
		if !n.IsInt && !n.IsFloat {
			c.refuse(n.Position(), "%s is refused: numbers are real", n)
		}
	case *parse.PipeNode:
		c.pipe(n)
	case *parse.IdentifierNode:
		c.command(&parse.CommandNode{NodeType: parse.NodeCommand, Pos: n.Pos, Args: []parse.Node{n}}, false)
	case *parse.VariableNode:
		c.refuse(n.Position(), "variables are refused: ask the query again where its value is needed")
	case *parse.DotNode, *parse.FieldNode, *parse.ChainNode:
		c.refuse(n.Position(), "%s is refused: a template has no data but that of its queries", n)
	default:
		c.refuse(n.Position(), "%s is refused: %s", n, vocabulary)
	}
}
