package page

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/util"
)

// slugs are the names of headings, as GitHub makes them, so that links to a section lead there in both.
type slugs struct {
	used map[string]bool
	next map[string]int // by the name: the number to try next
}

var _ parser.IDs = (*slugs)(nil)

// Generate names a heading: letters and digits of any script in lower case, spaces as dashes; a number tells equal ones apart.
func (s *slugs) Generate(value []byte, _ ast.NodeKind) []byte {
	plain := string(util.UnescapePunctuations(value))
	name := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsNumber(r), unicode.Is(unicode.Mn, r), r == '-', r == '_':
			return unicode.ToLower(r)
		case unicode.IsSpace(r):
			return '-'
		}
		return -1
	}, strings.TrimSpace(plain))
	if name == "" {
		name = "section"
	}
	unique := name
	for s.used[unique] {
		s.next[name]++
		unique = name + "-" + strconv.Itoa(s.next[name])
	}
	s.used[unique] = true
	return []byte(unique)
}

// Put notes a name that is taken.
func (s *slugs) Put(value []byte) { s.used[string(value)] = true }
