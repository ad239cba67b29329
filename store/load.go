package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// loader reads JSON lines into an empty database, whose constraints judge them too. Nothing in it is taken over before the last
// line has proved the whole file sound.
type loader struct {
	tx      *sql.Tx
	columns map[string][]field  // of this schema
	rows    map[string][]string // columns of rows, as the heading names them
	stmts   map[string]*sql.Stmt
	line    int
	sum     [sha256.Size]byte // of the lines before this one

	experiment, run, attempt, evaluation int64 // what the lines that follow belong to; 0: nothing yet
	ordinal                              int   // of the next row of a plan, of the next claim
	key                                  string
	seen                                 map[string]bool // digests of contents

	file   *digester // the content that is being read
	pieces int
	ended  bool
	bare   bool // the content of artifacts is not part of it
}

// refusal is what is wrong with a line.
func (l *loader) refusal(err error) error {
	if p, _ := code(err); p == codeFull || p == codeIO || errors.Is(err, context.Canceled) {
		return err
	}
	msg := strings.TrimPrefix(sqliteTail.ReplaceAllString(err.Error(), ""), "constraint failed: ")
	return fmt.Errorf("line %d: %s: %w", l.line, sqliteTail.ReplaceAllString(msg, ""), ErrRefused)
}

// load reads lines from r. columns are those of tx's database.
func load(ctx context.Context, tx *sql.Tx, columns map[string][]field, r io.Reader, bare bool, progress func(bytes int64)) error {
	l := &loader{tx: tx, columns: columns, stmts: map[string]*sql.Stmt{}, seen: map[string]bool{}, bare: bare}
	defer func() {
		for _, s := range l.stmts {
			_ = s.Close()
		}
	}()
	in := bufio.NewReaderSize(r, 1<<16)
	sum := sha256.New()
	var line []byte
	var read int64
	for {
		var err error
		line, err = readLine(in, line[:0])
		if errors.Is(err, io.EOF) && len(line) == 0 {
			break
		}
		l.line++
		if err != nil && !errors.Is(err, io.EOF) {
			return l.refusal(err)
		}
		sum.Sum(l.sum[:0])
		if err := l.take(ctx, bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			if !bytes.HasSuffix(line, []byte("\n")) {
				err = fmt.Errorf("the file was cut off here: %w", err)
			}
			return l.refusal(err)
		}
		sum.Write(line)
		if read += int64(len(line)); progress != nil {
			progress(read)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if !l.ended {
		l.line++
		return l.refusal(errors.New("the file was cut off: its last line is missing"))
	}
	return nil
}

// readLine appends the next line to buf, with its end; the last one may have none.
func readLine(in *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(buf)+len(part) > maxLine {
			return buf, fmt.Errorf("it is longer than %d bytes", maxLine)
		}
		buf = append(buf, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return buf, err
		}
	}
}

// take reads one line.
func (l *loader) take(ctx context.Context, line []byte) error {
	switch {
	case l.ended:
		return errors.New("something follows the last line")
	case !utf8.Valid(line):
		return errors.New("it is not UTF-8")
	}
	if err := checkDepth(line); err != nil {
		return err
	}
	if l.line == 1 {
		return l.heading(line)
	}
	var member map[string]json.RawMessage
	if err := json.Unmarshal(line, &member); err != nil {
		return fmt.Errorf("it is no JSON object: %w", err)
	}
	if len(member) != 1 {
		return fmt.Errorf("an object with one member is accepted, not with %d", len(member))
	}
	for what, v := range member {
		if l.file != nil && what != "data" {
			if err := l.closeFile(); err != nil {
				return err
			}
		}
		return l.member(ctx, what, v)
	}
	return nil
}

// heading checks that the file is one of ours and that this program knows its columns.
func (l *loader) heading(line []byte) error {
	var h heading
	if err := json.Unmarshal(line, &h); err != nil || h.Kappa != "runs" {
		return errors.New(`it is no export of kappa: the first line does not say {"kappa":"runs", …}`)
	}
	if h.Format > exchangeFormat || h.Schema > len(migrations()) {
		return fmt.Errorf("%w: the file has format %d of schema %d, this kappa knows them up to %d and %d; use the newer kappa",
			ErrNewer, h.Format, h.Schema, exchangeFormat, len(migrations()))
	}
	if h.Format < 1 || h.Schema < 1 {
		return fmt.Errorf("there is no format %d of schema %d", h.Format, h.Schema)
	}
	l.rows = map[string][]string{}
	for _, table := range append([]string{"digest", "param"}, figureTables...) {
		for _, name := range h.Columns[table] {
			if _, err := l.kind(table, name); err != nil {
				return err
			}
			if slices.Contains(l.rows[table], name) {
				return fmt.Errorf("column %s of %s stands twice", name, table)
			}
			l.rows[table] = append(l.rows[table], name)
		}
	}
	return nil
}

func (l *loader) kind(table, column string) (string, error) {
	for _, f := range l.columns[table] {
		if f.name == column {
			return f.kind, nil
		}
	}
	return "", fmt.Errorf("%s has no column %.80q", table, column)
}

// member reads the member of a line.
func (l *loader) member(ctx context.Context, what string, text json.RawMessage) (err error) {
	need := func(id int64, of string) error {
		if id == 0 {
			return fmt.Errorf("%s comes before any %s", what, of)
		}
		return nil
	}
	switch what {
	case "experiment":
		l.experiment, err = l.insertExperiment(ctx, text)
		l.ordinal = 0
	case "plan":
		return join(need(l.experiment, "experiment"), func() error { return l.plan(ctx, text) })
	case "digest":
		return l.insertRows(ctx, what, "", 0, text)
	case "provenance":
		_, err = l.insertObject(ctx, what, text, nil)
	case "run":
		var m map[string]any
		if m, err = readObject(text); err == nil {
			l.key, _ = m["key"].(string)
			l.attempt = 0
			l.run, err = l.insertRun(ctx, m)
		}
	case "param":
		return join(need(l.run, "run"), func() error { return l.insertRows(ctx, what, "run", l.run, text) })
	case "dependency":
		return join(need(l.run, "run"), func() error { return l.dependencies(ctx, text) })
	case "attempt":
		return join(need(l.run, "run"), func() error { return l.insertAttempt(ctx, text) })
	case "metric", "condition_number", "attack", "result":
		return join(need(l.attempt, "attempt"), func() error { return l.insertRows(ctx, what, "attempt", l.attempt, text) })
	case "artifact":
		return join(need(l.attempt, "attempt"), func() error { return l.artifacts(ctx, text) })
	case "file":
		return l.openFile(text)
	case "data":
		return l.piece(ctx, text)
	case "evaluation":
		l.evaluation, err = l.insertEvaluation(ctx, text)
		l.ordinal = 0
	case "claim":
		return join(need(l.evaluation, "evaluation"), func() error {
			_, err := l.insertObject(ctx, what, text, map[string]any{"evaluation": l.evaluation, "ordinal": l.ordinal})
			l.ordinal++
			return err
		})
	case "end":
		return l.end(ctx, text)
	default:
		return fmt.Errorf("there is no kind of line %.80q", what)
	}
	return err
}

func join(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

// readObject reads named values, numbers as they are written.
func readObject(text []byte) (map[string]any, error) {
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&m); err != nil || m == nil {
		return nil, errors.Join(errors.New("named values are accepted, such as {\"key\": …}"), err)
	}
	return m, nil
}

// readRows reads rows of values.
func readRows(text []byte) ([][]any, error) {
	var rows [][]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&rows); err != nil {
		return nil, errors.Join(errors.New("rows are accepted, such as [[…], […]]"), err)
	}
	return rows, nil
}

// value reads a value of a column and checks it.
func (l *loader) value(table, column string, v any) (any, error) {
	kind, err := l.kind(table, column)
	if err == nil {
		v, err = readSQL(kind, v)
	}
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", column, table, err)
	}
	return v, checkValue(table, column, v)
}

// exec runs an insertion, prepared once, and returns the row's id.
func (l *loader) exec(ctx context.Context, query string, args ...any) (int64, error) {
	s := l.stmts[query]
	if s == nil {
		var err error
		if s, err = l.tx.PrepareContext(ctx, query); err != nil {
			return 0, err
		}
		l.stmts[query] = s
	}
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// end holds the whole file against its last line.
func (l *loader) end(ctx context.Context, text []byte) error {
	var e ending
	if err := json.Unmarshal(text, &e); err != nil {
		return err
	}
	if e.Lines != l.line-1 {
		return fmt.Errorf("%d lines come before the last one, not %d: lines are missing, or were added", l.line-1, e.Lines)
	}
	if got := hex.EncodeToString(l.sum[:]); got != e.SHA256 {
		return fmt.Errorf("the lines before it are not what was exported: their SHA-256 is %.12s, not %.12s", got, e.SHA256)
	}
	if l.bare {
		l.ended = true
		return nil
	}
	var without string
	err := l.tx.QueryRowContext(ctx, "SELECT a.digest FROM artifact AS a WHERE NOT EXISTS (SELECT 1 FROM "+exchangeFiles+
		" AS f WHERE f.digest = a.digest) AND a.bytes > 0 LIMIT 1").Scan(&without)
	if err == nil {
		return fmt.Errorf("the content of the artifact %.12s is missing", without)
	}
	l.ended = true
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}
