package experiments

import (
	"iter"
	"strconv"
	"strings"
)

// positions says where the keys of a TOML file stand.
type positions struct {
	line    map[string]int // joined path → line, also of array elements
	implied map[string]int // joined path of a table that is only named within longer keys → line of the first
	order   map[string]int // joined path, implied or not → how many keys come before it
	keys    [][]string     // every stated key and table header in the order of the file; elements by index
}

// join makes a map key of a path; no key of a TOML file contains NUL.
func join(path []string) string { return strings.Join(path, "\x00") }

// of returns the line of the path, or of the nearest table around it that has one, at least 1.
func (p positions) of(path ...string) int {
	for n := len(path); n > 0; n-- {
		key := join(path[:n])
		if line, ok := p.line[key]; ok {
			return line
		}
		if line, ok := p.implied[key]; ok {
			return line
		}
	}
	return 1
}

// scan finds the keys of a TOML file that has been decoded without error. It knows just enough of the grammar not to take
// text inside strings and comments for keys; on anything else it still ends, with unspecified positions. O(len(src)).
func scan(src string) positions {
	s := scanner{
		src: strings.TrimPrefix(src, "\ufeff"), row: 1, tables: map[string]int{},
		out: positions{line: map[string]int{}, implied: map[string]int{}, order: map[string]int{}},
	}
	var table []string
	for s.blank(true); s.pos < len(s.src); s.blank(true) {
		before := s.pos
		if s.src[s.pos] == '[' {
			table = s.header()
		} else {
			s.assignment(table)
		}
		if s.pos == before {
			s.pos++
		}
	}
	return s.out
}

// tooDeep returns the line on which more than limit brackets are open, 0 if there is none.
func tooDeep(src string, limit int) int {
	depth := 0
	for row, c := range bare(src) {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if depth > limit {
			return row
		}
	}
	return 0
}

// tooLong returns the line of the first key of more than limit parts, 0 if there is none: what decodes one takes a table a part, and what
// names it the square of their number.
func tooLong(src string, limit int) int {
	dots := 0
	for row, c := range bare(src) {
		switch c {
		case '.':
			dots++
		case '=', ',', '[', ']', '{', '}', '\n':
			dots = 0
		}
		if dots >= limit {
			return row
		}
	}
	return 0
}

// bare yields the bytes of a text that are in no string and no comment, with their lines.
func bare(src string) iter.Seq2[int, byte] {
	return func(yield func(int, byte) bool) {
		s := scanner{src: src, row: 1}
		for s.pos < len(s.src) {
			switch c := s.src[s.pos]; c {
			case '"', '\'':
				s.quoted()
			case '#':
				s.until("\n")
			default:
				if !yield(s.row, c) {
					return
				}
				s.skip(1)
			}
		}
	}
}

type scanner struct {
	src    string
	pos    int
	row    int            // 1-based line of pos
	tables map[string]int // joined path of an array of tables → elements so far
	out    positions
}

// peek returns the byte at pos, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

// accept steps over c if it is next.
func (s *scanner) accept(c byte) bool {
	if s.pos < len(s.src) && s.src[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// skip steps over n bytes and counts their line ends.
func (s *scanner) skip(n int) {
	n = min(n, len(s.src)-s.pos)
	s.row += strings.Count(s.src[s.pos:s.pos+n], "\n")
	s.pos += n
}

// blank steps over spaces and tabs and, if lines is set, over line ends and comments.
func (s *scanner) blank(lines bool) {
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == ' ' || c == '\t':
			s.pos++
		case lines && (c == '\n' || c == '\r'):
			s.skip(1)
		case lines && c == '#':
			s.until("\n")
		default:
			return
		}
	}
}

// until steps to the first of the bytes in stop, or to the end.
func (s *scanner) until(stop string) {
	if i := strings.IndexAny(s.src[s.pos:], stop); i >= 0 {
		s.skip(i)
		return
	}
	s.skip(len(s.src))
}

// record notes that a key or header stands on the current line.
func (s *scanner) record(path []string, row int) {
	for n := len(path); n > 0; n-- {
		key := join(path[:n])
		if _, ok := s.out.order[key]; ok {
			break
		}
		s.out.order[key] = len(s.out.keys)
		s.out.implied[key] = row
	}
	s.place(path, row)
	s.out.keys = append(s.out.keys, path)
}

// place notes a line without counting a key; the first line of a path stays.
func (s *scanner) place(path []string, row int) {
	key := join(path)
	if _, ok := s.out.line[key]; !ok {
		s.out.line[key] = row
	}
}

// header reads [table] or [[table]] and returns its path with the indices of the arrays of tables on the way.
func (s *scanner) header() []string {
	row := s.row
	s.pos++
	array := s.accept('[')
	names := s.key()
	s.until("]\n")
	s.accept(']')
	s.accept(']')
	var path []string
	for i, name := range names {
		path = append(path, name)
		key := join(path)
		if array && i == len(names)-1 {
			s.tables[key]++
			s.place(path, row)
		}
		if n := s.tables[key]; n > 0 {
			path = append(path, strconv.Itoa(n-1))
		}
	}
	s.record(path, row)
	return path
}

// assignment reads key = value under a table.
func (s *scanner) assignment(table []string) {
	row := s.row
	path := append(table[:len(table):len(table)], s.key()...)
	s.blank(false)
	if !s.accept('=') {
		return
	}
	s.record(path, row)
	s.value(path)
}

// key reads a dotted key.
func (s *scanner) key() []string {
	var names []string
	for {
		s.blank(false)
		switch c := s.peek(); c {
		case '"', '\'':
			text := s.quoted()
			if c == '"' {
				text = unescape(text)
			}
			names = append(names, text)
		default:
			n := 0
			for s.pos+n < len(s.src) && bareKeyByte(s.src[s.pos+n]) {
				n++
			}
			names = append(names, s.src[s.pos:s.pos+n])
			s.pos += n
		}
		s.blank(false)
		if !s.accept('.') {
			return names
		}
	}
}

func bareKeyByte(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// value steps over a value, recording the keys of inline tables and the lines of array elements.
func (s *scanner) value(path []string) {
	s.blank(true)
	switch s.peek() {
	case '"', '\'':
		s.quoted()
	case '[':
		s.pos++
		for n := 0; s.more(']', n == 0); n++ {
			element := append(path[:len(path):len(path)], strconv.Itoa(n))
			s.place(element, s.row)
			s.value(element)
		}
	case '{':
		s.pos++
		for first := true; s.more('}', first); first = false {
			s.assignment(path)
		}
	default:
		s.until(",]}#\n")
	}
}

// more steps over what separates elements and says whether another one follows; it steps over the closing bracket.
func (s *scanner) more(closing byte, first bool) bool {
	start := s.pos
	s.blank(true)
	s.accept(',')
	s.blank(true)
	switch c := s.peek(); {
	case s.pos >= len(s.src):
		return false
	case c == closing:
		s.pos++
		return false
	case s.pos == start && !first:
		return false // no separator: not TOML
	}
	return true
}

// quoted steps over a string of any of the four kinds and returns what stands between its quotes.
func (s *scanner) quoted() string {
	quote := s.src[s.pos]
	fence := string(quote)
	if triple := strings.Repeat(fence, 3); strings.HasPrefix(s.src[s.pos:], triple) {
		fence = triple
	}
	start := s.pos + len(fence)
	end := start
	for end < len(s.src) && !strings.HasPrefix(s.src[end:], fence) {
		if quote == '"' && s.src[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(s.src))
	// A multi-line string may end in one or two quotes of its own, before the three that close it.
	for len(fence) == 3 && strings.HasPrefix(s.src[end:], fence+string(quote)) {
		end++
	}
	s.skip(end + len(fence) - s.pos)
	return s.src[start:end]
}

// unescape resolves the escapes of a basic string.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		digits := 0
		switch text[i] {
		case 'b':
			b.WriteByte('\b')
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'f':
			b.WriteByte('\f')
		case 'r':
			b.WriteByte('\r')
		case 'e':
			b.WriteByte('\x1b')
		case 'x':
			digits = 2
		case 'u':
			digits = 4
		case 'U':
			digits = 8
		default:
			b.WriteByte(text[i])
		}
		if digits > 0 && i+digits < len(text) {
			code, _ := strconv.ParseUint(text[i+1:i+1+digits], 16, 32)
			b.WriteRune(rune(code))
			i += digits
		}
	}
	return b.String()
}
