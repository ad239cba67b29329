package experiments

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a spec.
type Problem struct {
	File    string // as it was given; empty for a setting from the command line
	Line    int    // 1-based; 0 if no line applies
	Key     string // the TOML key at fault, as written in a file: train.steps, sweep."train.steps", cell.2.sql; may be empty
	Message string // what is wrong
	Hint    string // what would be accepted and what may have been meant; may be empty
}

// Error returns "file:line: key: message – hint", without the parts that are empty.
func (p Problem) Error() string {
	var b strings.Builder
	switch {
	case p.File != "" && p.Line > 0:
		fmt.Fprintf(&b, "%s:%d: ", p.File, p.Line)
	case p.File != "":
		fmt.Fprintf(&b, "%s: ", p.File)
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString(" – " + p.Hint)
	}
	return b.String()
}

// Problems is everything wrong with a spec, sorted by line.
type Problems []Problem

// Error returns one line per problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes the single problems visible to [errors.As].
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// sorted returns the problems by line, then key, then text, each once.
func (ps Problems) sorted() Problems {
	out := slices.Clone(ps)
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Message, b.Message),
			cmp.Compare(a.Hint, b.Hint))
	})
	return slices.Compact(out)
}

// hints joins the parts that are not empty.
func hints(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " – ")
}

// meant returns `did you mean "x"?` for the candidate nearest to name, or "" if none is near.
func meant(name string, candidates []string) string {
	if c := nearest(name, candidates); c != "" {
		return fmt.Sprintf("did you mean %q?", c)
	}
	return ""
}

// nearest returns the candidate with the smallest edit distance to name, or "" if even that one differs in more than a third
// of its characters. Of equally near ones it prefers one with the same first letter, then one of the same length, then the
// first.
func nearest(name string, candidates []string) string {
	best, least := "", 0
	name = strings.ToLower(name)
	for _, c := range candidates {
		low := strings.ToLower(c)
		d := editDistance(name, low)
		if d > len([]rune(c))/3 {
			continue
		}
		score := 4 * d
		if name == "" || !strings.HasPrefix(low, name[:1]) {
			score += 2
		}
		if len(low) != len(name) {
			score++
		}
		if best == "" || score < least {
			best, least = c, score
		}
	}
	return best
}

// maxCompared bounds the names that are compared, because the comparison takes time and space quadratic in their length.
const maxCompared = 100

// editDistance counts the insertions, deletions, substitutions and swaps of neighbours that turn a into b (optimal string
// alignment).
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > maxCompared || len(y) > maxCompared {
		return max(len(x), len(y))
	}
	d := make([][]int, len(x)+1)
	for i := range d {
		d[i] = make([]int, len(y)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(x)][len(y)]
}
