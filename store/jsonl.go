package store

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	stdhash "hash"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A file of JSON lines begins with a heading that names the columns, and ends with a line that counts those before it and holds
// their SHA-256. Each line is an object with one member, which says what it is: experiment, run, attempt, … with named values, or
// rows of param, metric, … that belong to the run or attempt before them, with values in the order of the heading's columns.
//
// SQL's NULL is null. A real number is the shortest that reads back as itself; infinities are "Infinity" and "-Infinity". Bytes,
// and text that is not UTF-8, are {"base64": "…"}.

const (
	maxLine   = 64 << 20 // bytes of a line
	rowsBytes = 64 << 10 // a line of rows ends after so many
)

// heading is the first line.
type heading struct {
	Kappa   string              `json:"kappa"` // "runs"
	Format  int                 `json:"format"`
	Schema  int                 `json:"schema"`
	Columns map[string][]string `json:"columns"`
}

// ending is the last line.
type ending struct {
	Lines  int    `json:"lines"` // before this one
	SHA256 string `json:"sha256"`
}

// lineWriter writes lines and sums them up. The first error stays.
type lineWriter struct {
	w     *bufio.Writer
	sum   stdhash.Hash
	lines int
	err   error
	buf   []byte
}

func newLineWriter(w io.Writer) *lineWriter {
	return &lineWriter{w: bufio.NewWriterSize(w, 1<<16), sum: sha256.New()}
}

// line writes what build appends as a line of its own.
func (l *lineWriter) line(build func(b []byte) []byte) error {
	if l.err != nil {
		return l.err
	}
	l.buf = append(build(l.buf[:0]), '\n')
	if len(l.buf) > maxLine {
		l.err = fmt.Errorf("a line would have %d bytes, more than the %d that a reader takes: export to a .db instead", len(l.buf), maxLine)
		return l.err
	}
	l.sum.Write(l.buf)
	l.lines++
	_, l.err = l.w.Write(l.buf)
	return l.err
}

// json writes {"name": v}.
func (l *lineWriter) json(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return l.line(func(b []byte) []byte {
		b = append(append(append(b, `{"`...), name...), `":`...)
		return append(append(b, text...), '}')
	})
}

// object writes {"name": {"column": value, …}}.
func (l *lineWriter) object(name string, columns []string, values []any) error {
	return l.line(func(b []byte) []byte {
		b = append(append(append(b, `{"`...), name...), `":{`...)
		for i, v := range values {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, columns[i]), ':')
			b = appendSQL(b, v)
		}
		return append(b, '}', '}')
	})
}

// rowWriter gathers rows of one kind into lines.
type rowWriter struct {
	l    *lineWriter
	name string
	buf  []byte
}

func (r *rowWriter) add(values []any) error {
	if len(r.buf) > rowsBytes {
		if err := r.flush(); err != nil {
			return err
		}
	}
	if len(r.buf) > 0 {
		r.buf = append(r.buf, ',')
	}
	r.buf = append(r.buf, '[')
	for i, v := range values {
		if i > 0 {
			r.buf = append(r.buf, ',')
		}
		r.buf = appendSQL(r.buf, v)
	}
	r.buf = append(r.buf, ']')
	return r.l.err
}

func (r *rowWriter) flush() error {
	if len(r.buf) == 0 {
		return r.l.err
	}
	err := r.l.line(func(b []byte) []byte {
		b = append(append(append(b, `{"`...), r.name...), `":[`...)
		return append(append(b, r.buf...), ']', '}')
	})
	r.buf = r.buf[:0]
	return err
}

// end writes the last line, and everything out.
func (l *lineWriter) end() error {
	if err := l.json("end", ending{l.lines, hex.EncodeToString(l.sum.Sum(nil))}); err != nil {
		return err
	}
	if l.err == nil {
		l.err = l.w.Flush()
	}
	return l.err
}

// appendSQL appends a value of SQL.
func appendSQL(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case float64:
		return appendReal(b, v)
	case string:
		return appendText(b, v)
	case []byte:
		if utf8.Valid(v) {
			return appendText(b, string(v))
		}
		return appendBytes(b, v)
	}
	panic(fmt.Sprintf("store: no SQL value: %T", v))
}

// appendReal keeps what tells it from an integer: a point or an exponent.
func appendReal(b []byte, x float64) []byte {
	switch {
	case math.IsNaN(x): // SQLite has none
		return append(b, "null"...)
	case math.IsInf(x, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(x, -1):
		return append(b, `"-Infinity"`...)
	}
	n := len(b)
	b = strconv.AppendFloat(b, x, 'g', -1, 64)
	if !bytes.ContainsAny(b[n:], ".e") {
		b = append(b, '.', '0')
	}
	return b
}

func appendBytes(b, v []byte) []byte {
	b = append(b, `{"base64":"`...)
	b = base64.StdEncoding.AppendEncode(b, v)
	return append(b, '"', '}')
}

func appendText(b []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			plain = false
			break
		}
	}
	if plain {
		return append(append(append(b, '"'), s...), '"')
	}
	if !utf8.ValidString(s) {
		return appendBytes(b, []byte(s))
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("store: " + err.Error())
	}
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// readSQL is the inverse of appendSQL for a column of a kind, on what a decoder with UseNumber gives.
func readSQL(kind string, v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case json.Number:
		return readNumber(kind, v.String())
	case string:
		if kind == "REAL" {
			switch v {
			case "Infinity":
				return math.Inf(1), nil
			case "-Infinity":
				return math.Inf(-1), nil
			}
			return nil, fmt.Errorf(`a number, "Infinity", "-Infinity" or null is accepted, not %.80q`, v)
		}
		switch kind {
		case "INTEGER":
			return nil, fmt.Errorf("a whole number is accepted, not the text %.80q", v)
		case "BLOB":
			return []byte(v), nil
		}
		return v, nil
	case map[string]any:
		text, ok := v["base64"].(string)
		if !ok || len(v) != 1 || kind == "REAL" || kind == "INTEGER" {
			return nil, fmt.Errorf("a value is null, a number, a text or {\"base64\": …}, not %.80s", mustJSON(v))
		}
		raw, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("base64: %w", err)
		}
		if utf8.Valid(raw) {
			return nil, fmt.Errorf("what is UTF-8 is written as it is, not in base64: %.80q", raw)
		}
		if kind == "BLOB" {
			return raw, nil
		}
		return string(raw), nil
	}
	return nil, fmt.Errorf("a value is null, a number, a text or {\"base64\": …}, not %.80s", mustJSON(v))
}

func readNumber(kind, s string) (any, error) {
	if kind == "INTEGER" || kind == "ANY" && !strings.ContainsAny(s, ".eE") {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("a whole number between −2⁶³ and 2⁶³ − 1 is accepted, not %.80s", s)
		}
		return n, nil
	}
	if kind != "REAL" && kind != "ANY" {
		return nil, fmt.Errorf("a text is accepted, not the number %.80s", s)
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, fmt.Errorf("%.80s is beyond the numbers of double precision", s)
	}
	return x, nil
}

// digester checks the content of an artifact against what is recorded of it.
type digester struct {
	stdhash.Hash
	of    Artifact
	bytes int64
}

func newDigester(a Artifact) *digester { return &digester{Hash: sha256.New(), of: a} }

func (d *digester) Write(p []byte) (int, error) {
	d.bytes += int64(len(p))
	return d.Hash.Write(p)
}

// verdict says what is wrong with the content.
func (d *digester) verdict() error {
	if d.bytes != d.of.Bytes {
		return fmt.Errorf("%w: the content of artifact %s has %d bytes, not %d", ErrCorrupt, d.of.Name, d.bytes, d.of.Bytes)
	}
	if got := hex.EncodeToString(d.Sum(nil)); got != d.of.Digest {
		return fmt.Errorf("%w: the content of artifact %s has the digest %.12s, not %.12s", ErrCorrupt, d.of.Name, got, d.of.Digest)
	}
	return nil
}

// columnsHeading names each table's columns that travel.
func columnsHeading(columns map[string][]field) map[string][]string {
	out := make(map[string][]string, len(columns))
	for table, fields := range columns {
		out[table] = slices.Clone(names(fields))
	}
	return out
}
