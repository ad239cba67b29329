package store

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// tokenKind tells the few kinds of SQL tokens apart that matter for finding a place in a query.
type tokenKind byte

const (
	word        tokenKind = iota // a keyword, a name, a number
	quoted                       // 'text', "name", `name`, [name]
	punctuation                  // anything else, one byte (or rune) at a time
)

type token struct {
	kind       tokenKind
	start, end int // bytes
}

// tokens splits SQL into tokens; white space and comments fall away. Whatever is not closed goes to the end.
func tokens(sql string) []token {
	var out []token
	for i := 0; i < len(sql); {
		c := sql[i]
		start := i
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			i++
			continue
		case strings.HasPrefix(sql[i:], "--"):
			i = until(sql, i, "\n")
			continue
		case strings.HasPrefix(sql[i:], "/*"):
			i = until(sql, i+2, "*/")
			continue
		case c == '\'' || c == '"' || c == '`':
			for i = i + 1; i < len(sql); i++ {
				if sql[i] == c {
					if i+1 < len(sql) && sql[i+1] == c {
						i++
						continue
					}
					break
				}
			}
			i = min(i+1, len(sql))
			out = append(out, token{quoted, start, i})
		case c == '[':
			i = until(sql, i, "]")
			out = append(out, token{quoted, start, i})
		case wordByte(c):
			for i < len(sql) && (wordByte(sql[i]) || sql[i] == '.' && sql[start] >= '0' && sql[start] <= '9') {
				i++
			}
			out = append(out, token{word, start, i})
		default:
			i++
			out = append(out, token{punctuation, start, i})
		}
	}
	return out
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= utf8.RuneSelf
}

// until is the end of the first stop at or after i, or of sql.
func until(sql string, i int, stop string) int {
	if n := strings.Index(sql[i:], stop); n >= 0 {
		return i + n + len(stop)
	}
	return len(sql)
}

// readingVerbs are the words that a statement that only reads begins with.
var readingVerbs = []string{"SELECT", "WITH", "VALUES", "EXPLAIN", "PRAGMA"}

// verb is the first word of a statement, in capitals.
func verb(statement string) string {
	for _, t := range tokens(statement) {
		return strings.ToUpper(statement[t.start:t.end])
	}
	return ""
}

// oneStatement refuses anything but one statement that reads, and returns it without the semicolon and what follows.
func oneStatement(sql string) (string, error) {
	if len(sql) > maxQuery {
		return "", &QueryError{SQL: "", Msg: fmt.Sprintf("the query has %d bytes; up to %d are accepted", len(sql), maxQuery)}
	}
	if i := strings.IndexByte(sql, 0); i >= 0 {
		return "", place(sql, i, "a query cannot contain a zero byte", "")
	}
	t := tokens(sql)
	if len(t) == 0 || sql[t[0].start] == ';' {
		return "", &QueryError{SQL: sql, Msg: "the query is empty"}
	}
	if v := verb(sql); !slices.Contains(readingVerbs, v) {
		return "", place(sql, t[0].start, "not allowed: a query can only read", "it begins with SELECT, WITH or VALUES")
	}
	for i, k := range t {
		if sql[k.start] != ';' {
			continue
		}
		for _, rest := range t[i+1:] {
			if sql[rest.start] != ';' {
				return "", place(sql, rest.start, "a query is one statement, and here a second one begins", "")
			}
		}
		return sql[:k.start], nil
	}
	return sql, nil
}

// place makes a QueryError that points at byte i of sql.
func place(sql string, i int, msg, hint string) *QueryError {
	e := &QueryError{SQL: sql, Msg: msg, Hint: hint}
	before := sql[:i]
	e.Line = 1 + strings.Count(before, "\n")
	e.Col = 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return e
}

var (
	nearText    = regexp.MustCompile(`near "((?s:.*))": syntax error`)
	unknownName = regexp.MustCompile(`(?:no such (?:column|table|function|window|collation sequence): |ambiguous column name: |wrong number of arguments to function |misuse of (?:aggregate|window function):? ?)([^\s()]+)`)
	sqliteTail  = regexp.MustCompile(`^SQL logic error: |\s*\(\d+\)$`)
)

// queryFault turns SQLite's error about a query into a QueryError that points at the place. The driver does not pass on
// the offset that SQLite knows, so the token that the message names is looked for; incomplete says whether the text up
// to some byte is merely incomplete, which tells the wrong one of several equal tokens.
func queryFault(sql string, err error, incomplete func(prefix string) bool) error {
	msg := sqliteTail.ReplaceAllString(err.Error(), "")
	msg = strings.TrimPrefix(sqliteTail.ReplaceAllString(msg, ""), "sqlite: ")
	if p, _ := code(err); p == codeAuth {
		return &QueryError{SQL: sql, Msg: "not allowed: a query can only read (" + msg + ")"}
	}
	if strings.Contains(msg, "incomplete input") {
		return place(sql, len(strings.TrimRight(sql, " \t\r\n")), "the query is not complete", "")
	}
	if m := nearText.FindStringSubmatch(msg); m != nil {
		for _, t := range tokens(sql) {
			if strings.HasPrefix(sql[t.start:], m[1]) && !incomplete(sql[:t.start]+m[1]) {
				return place(sql, t.start, msg, "")
			}
		}
		if i := strings.Index(sql, m[1]); i >= 0 {
			return place(sql, i, msg, "")
		}
	}
	if m := unknownName.FindStringSubmatch(msg); m != nil {
		name := m[1][strings.LastIndexByte(m[1], '.')+1:]
		for _, t := range tokens(sql) {
			text := sql[t.start:t.end]
			switch {
			case !strings.EqualFold(text, name) && !strings.EqualFold(strings.Trim(text, "\"`[]"), name):
			case text[0] == '"':
				msg, _, _ = strings.Cut(msg, " - should this be")
				return place(sql, t.start, msg, "text stands in 'single' quotes, double quotes name a column")
			default:
				return place(sql, t.start, msg, "")
			}
		}
	}
	// The helpers' own sentences begin with their names.
	for _, t := range tokens(sql) {
		if name := strings.ToLower(sql[t.start:t.end]); t.kind == word && isHelper(name) &&
			(strings.HasPrefix(msg, name+"(") || strings.HasPrefix(msg, name+" ")) {
			return place(sql, t.start, msg, "")
		}
	}
	return &QueryError{SQL: sql, Msg: msg}
}

func isHelper(name string) bool {
	return slices.ContainsFunc(helpers, func(h helper) bool { return h.name == name })
}

// missingValue points at the parameter that has no value.
func missingValue(sql, msg string) *QueryError {
	const hint = "give each parameter a value"
	t := tokens(sql)
	for i, k := range t {
		text := sql[k.start:k.end]
		if named := i+1 < len(t) && (text == ":" || text == "@") && t[i+1].kind == word; named && strings.Contains(msg, sql[t[i+1].start:t[i+1].end]) ||
			k.kind == word && text[0] == '$' && strings.Contains(msg, text[1:]) || text == "?" {
			return place(sql, k.start, msg, hint)
		}
	}
	return &QueryError{SQL: sql, Msg: msg, Hint: hint}
}

// isQueryFault says whether err is about the query rather than the database.
func isQueryFault(err error) bool {
	if _, ok := errors.AsType[*QueryError](err); ok {
		return true
	}
	switch p, _ := code(err); p {
	case codeError, codeAuth, codeTooBig, codeMismatch, codeRange:
		return true
	}
	return false
}

// SQLite's result codes that are about a query.
const (
	codeError    = 1
	codeTooBig   = 18
	codeMismatch = 20
	codeAuth     = 23
	codeRange    = 25
)
