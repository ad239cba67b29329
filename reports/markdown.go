package reports

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// special are the characters that mean something inside a line of GitHub's Markdown, mathematics ($) included.
const special = "\\`*_[]<>|~$&#"

// escape makes text from a query or a file name stand for itself in Markdown, on one line, wherever on a line it stands.
func escape(s string) string {
	s = strings.Join(strings.Fields(printable(s)), " ")
	var b strings.Builder
	for i, r := range s {
		switch {
		case strings.ContainsRune(special, r),
			i == 0 && (r == '-' || r == '+'),            // a list
			(r == '.' || r == ')') && digitsOnly(s[:i]): // a numbered list
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// printable takes out what is no text: control characters become spaces, and format characters, which turn round or hide what follows
// them, go, but for the two joiners that scripts need.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r) && r != '\u200C' && r != '\u200D':
			return -1
		}
		return r
	}, strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\r\n", "\n"))
}

// sentence ends an author's caption with a stop, unless it has an end.
func sentence(s string) string {
	if s == "" || strings.ContainsAny(lastRune(strings.TrimRight(s, "*_`\"'”’»)]")), ".!?…:;") {
		return s
	}
	return s + "."
}

func lastRune(s string) string {
	_, n := utf8.DecodeLastRuneInString(s)
	return s[len(s)-n:]
}

func digitsOnly(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// oneLine joins the lines of an author's Markdown, for headings, captions and table cells.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// cell makes an author's Markdown fit for a table: one line, bars escaped.
func cell(s string) string {
	s = oneLine(s)
	var b strings.Builder
	escaped := false
	for _, r := range s {
		if r == '|' && !escaped {
			b.WriteByte('\\')
		}
		escaped = r == '\\' && !escaped
		b.WriteRune(r)
	}
	return b.String()
}

// code writes s as inline code.
func code(s string) string {
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// link is the relative target of a file in a folder beside the report, escaped for Markdown.
func link(parts ...string) string {
	for i, p := range parts {
		// Markdown ends a target at an unmatched parenthesis.
		parts[i] = strings.NewReplacer("(", "%28", ")", "%29").Replace(url.PathEscape(p))
	}
	s := strings.Join(parts, "/")
	if i := strings.IndexByte(s, ':'); i >= 0 && !strings.Contains(s[:i], "/") {
		s = "./" + s // else the text before the colon is a scheme
	}
	return s
}

var inlineLink = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)

// plain strips Markdown to something to be read aloud or shown in place of an image.
func plain(s string) string {
	s = inlineLink.ReplaceAllString(s, "$1")
	s = strings.NewReplacer("**", "", "`", "", "$", "", `\`, "", "[", "(", "]", ")", "*", "").Replace(oneLine(s))
	return strings.TrimSpace(s)
}

// alignment is how a table's column lies.
type alignment bool

const (
	leftward  alignment = false
	rightward alignment = true
)

// table writes a GitHub table; headings and cells are Markdown that is fit for it.
func table(b *strings.Builder, headings []string, align []alignment, rows [][]string) {
	line := func(cells []string) {
		b.WriteByte('|')
		for _, c := range cells {
			b.WriteString(" " + c + " |")
		}
		b.WriteByte('\n')
	}
	line(headings)
	b.WriteByte('|')
	for _, a := range align {
		if a == rightward {
			b.WriteString("--:|")
		} else {
			b.WriteString(":--|")
		}
	}
	b.WriteByte('\n')
	for _, r := range rows {
		line(r)
	}
}
