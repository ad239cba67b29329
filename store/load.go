package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
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

// insertObject inserts a row of named values, and of further ones that are known here.
func (l *loader) insertObject(ctx context.Context, table string, text []byte, known map[string]any) (int64, error) {
	m, err := readObject(text)
	if err != nil {
		return 0, err
	}
	return l.insertNamed(ctx, table, m, known)
}

func (l *loader) insertNamed(ctx context.Context, table string, m, known map[string]any) (int64, error) {
	var columns []string
	var args []any
	for _, name := range slices.Sorted(membersOf(m)) {
		v, err := l.value(table, name, m[name])
		if err != nil {
			return 0, err
		}
		columns, args = append(columns, quoteName(name)), append(args, v)
	}
	for _, name := range slices.Sorted(membersOf(known)) {
		columns, args = append(columns, quoteName(name)), append(args, known[name])
	}
	return l.exec(ctx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES ("+marks(len(args))+")", args...)
}

func membersOf(m map[string]any) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// marks is ?, ?, … n times.
func marks(n int) string { return strings.TrimPrefix(strings.Repeat(", ?", n), ", ") }

// insertRows inserts rows with the columns of the heading, which belong to owner.
func (l *loader) insertRows(ctx context.Context, table, ownerColumn string, owner int64, text []byte) error {
	rows, err := readRows(text)
	if err != nil {
		return err
	}
	columns := l.rows[table]
	query := "INSERT INTO " + table + " ("
	var head []any
	if ownerColumn != "" {
		query += ownerColumn + ", "
		head = []any{owner}
	}
	for i, c := range columns {
		if i > 0 {
			query += ", "
		}
		query += quoteName(c)
	}
	query += ") VALUES (" + marks(len(head)+len(columns)) + ")"
	for n, row := range rows {
		if len(row) != len(columns) {
			return fmt.Errorf("row %d has %d values, the heading names %d columns of %s", n+1, len(row), len(columns), table)
		}
		args := slices.Clone(head)
		for i, c := range columns {
			v, err := l.value(table, c, row[i])
			if err != nil {
				return fmt.Errorf("row %d: %w", n+1, err)
			}
			args = append(args, v)
		}
		if _, err := l.exec(ctx, query, args...); err != nil {
			return fmt.Errorf("row %d: %w", n+1, err)
		}
	}
	return nil
}

func (l *loader) insertExperiment(ctx context.Context, text []byte) (int64, error) {
	m, err := readObject(text)
	if err != nil {
		return 0, err
	}
	if err := checkSpec(m); err != nil {
		return 0, err
	}
	return l.insertNamed(ctx, "experiment", m, map[string]any{"touched": l.line})
}

// checkSpec holds a spec against its digest.
func checkSpec(m map[string]any) error {
	data, err := readSQL("BLOB", m["bytes"])
	b, ok := data.([]byte)
	if err != nil || !ok {
		return fmt.Errorf("bytes of experiment: the spec's text is accepted: %w", errors.Join(err, ErrRefused))
	}
	if sum := sha256.Sum256(b); m["hash"] != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("the spec of experiment %.80v is not what its hash says", m["name"])
	}
	return nil
}

// plan inserts runs of the version before it; they may be known by their keys alone.
func (l *loader) plan(ctx context.Context, text []byte) error {
	rows, err := readRows(text)
	for i, row := range rows {
		if err == nil && len(row) != 2 {
			err = errors.New("a key and swept values are accepted")
		}
		var run int64
		var swept any
		if err == nil {
			run, err = l.runOf(ctx, row[0])
		}
		if err == nil {
			swept, err = l.value("experiment_runs", "swept", row[1])
		}
		if err == nil {
			_, err = l.exec(ctx, "INSERT INTO experiment_runs (experiment, ordinal, run, swept) VALUES (?, ?, ?, ?)", l.experiment, l.ordinal, run, swept)
			l.ordinal++
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	return err
}

// runOf is the row of a run that is named before it is described, or never is.
func (l *loader) runOf(ctx context.Context, v any) (id int64, err error) {
	key, ok := v.(string)
	if !ok {
		return 0, errors.New("a run's key is a text")
	}
	if err := checkKey(key); err != nil {
		return 0, err
	}
	if _, err := l.exec(ctx, "INSERT INTO run (key) VALUES (?) ON CONFLICT (key) DO NOTHING", key); err != nil {
		return 0, err
	}
	err = l.tx.QueryRowContext(ctx, "SELECT id FROM run WHERE key = ?", key).Scan(&id)
	return id, err
}

// insertRun describes a run, which a plan or a dependency may have named before.
func (l *loader) insertRun(ctx context.Context, m map[string]any) (int64, error) {
	id, err := l.runOf(ctx, m["key"])
	if err != nil {
		return 0, err
	}
	var columns []string
	var args []any
	for _, name := range slices.Sorted(membersOf(m)) {
		v, err := l.value("run", name, m[name])
		if err != nil {
			return 0, err
		}
		columns, args = append(columns, quoteName(name)+" = ?"), append(args, v)
	}
	_, err = l.exec(ctx, "UPDATE run SET "+strings.Join(columns, ", ")+" WHERE id = ?", append(args, id)...)
	return id, err
}

func (l *loader) dependencies(ctx context.Context, text []byte) error {
	rows, err := readRows(text)
	if err != nil {
		return err
	}
	for i, row := range rows {
		if len(row) != 2 {
			return fmt.Errorf("row %d: a key and what is needed are accepted", i+1)
		}
		needs, err := l.runOf(ctx, row[0])
		if err != nil {
			return fmt.Errorf("row %d: %w", i+1, err)
		}
		what, err := l.value("dependency", "what", row[1])
		if err == nil {
			_, err = l.exec(ctx, "INSERT INTO dependency (run, needs, what) VALUES (?, ?, ?)", l.run, needs, what)
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	return nil
}

func (l *loader) insertAttempt(ctx context.Context, text []byte) error {
	m, err := readObject(text)
	if err != nil {
		return err
	}
	hash, order := m["provenance"], m["order"]
	delete(m, "provenance")
	delete(m, "order")
	seq, err := readSQL("INTEGER", order)
	if n, ok := seq.(int64); err != nil || !ok || n < 1 {
		return fmt.Errorf("order of attempt: a whole number from 1 is accepted, not %v", order)
	}
	if n, err := readSQL("INTEGER", m["attempt"]); err != nil || n == nil || n.(int64) < 1 {
		return fmt.Errorf("attempt of attempt: a whole number from 1 is accepted, not %v", m["attempt"])
	}
	var provenance int64
	err = l.tx.QueryRowContext(ctx, "SELECT id FROM provenance WHERE hash = ?", fmt.Sprint(hash)).Scan(&provenance)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("no line before it tells of the provenance %.80v", hash)
	}
	if err != nil {
		return err
	}
	l.attempt, err = l.insertNamed(ctx, "attempt", m, map[string]any{
		"run": l.run, "provenance": provenance, "seq": seq, "holder": importHolder, "lease": 0,
	})
	return err
}

// importHolder stands where the process that claimed an attempt would.
const importHolder = "import"

func (l *loader) artifacts(ctx context.Context, text []byte) error {
	rows, err := readRows(text)
	if err != nil {
		return err
	}
	for i, row := range rows {
		if len(row) != 4 {
			return fmt.Errorf("row %d: name, digest, bytes and extension are accepted", i+1)
		}
		name, err := l.value("artifact", "name", row[0])
		digest, err2 := l.value("artifact", "digest", row[1])
		size, err3 := l.value("artifact", "bytes", row[2])
		ext, ok := row[3].(string)
		if err := errors.Join(err, err2, err3); err != nil {
			return fmt.Errorf("row %d: %w", i+1, err)
		}
		nameText, isName := name.(string)
		digestText, isText := digest.(string)
		if !ok || ext != artifactExtension(ext) || !isText || !isName {
			return fmt.Errorf("row %d: name, digest, bytes and extension (such as .npy) are accepted", i+1)
		}
		if _, err := l.exec(ctx, "INSERT INTO artifact (attempt, name, path, digest, bytes) VALUES (?, ?, ?, ?, ?)",
			l.attempt, name, artifactPath(l.key, nameText, digestText, ext), digest, size); err != nil {
			return fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	return nil
}

// artifactPath is where an artifact's file lies, as WriteArtifact names it.
func artifactPath(key, name, digest, ext string) string {
	return path.Join(artifactFolder, key+"-"+digest[:12]+"-"+name+ext)
}

func (l *loader) openFile(text []byte) error {
	m, err := readObject(text)
	if err != nil {
		return err
	}
	digest, err := l.value("artifact", "digest", m["digest"])
	size, err2 := l.value("artifact", "bytes", m["bytes"])
	d, isText := digest.(string)
	n, isNumber := size.(int64)
	if err := errors.Join(err, err2); err != nil || !isText || !isNumber {
		return errors.Join(errors.New("digest and bytes of a file are accepted"), err)
	}
	if l.seen[d] {
		return fmt.Errorf("the file %.12s stands twice", d)
	}
	l.file, l.pieces = newDigester(Artifact{Name: d[:12], Digest: d, Bytes: n}), 0
	return nil
}

func (l *loader) piece(ctx context.Context, text []byte) error {
	if l.file == nil {
		return errors.New("data comes before any file")
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return err
	}
	if l.file.bytes+int64(len(b)) > l.file.of.Bytes {
		return fmt.Errorf("the file %s has more than its %d bytes", l.file.of.Name, l.file.of.Bytes)
	}
	_, _ = l.file.Write(b)
	_, err = l.exec(ctx, "INSERT INTO "+exchangeFiles+" (digest, ordinal, data) VALUES (?, ?, ?)", l.file.of.Digest, l.pieces, b)
	l.pieces++
	return err
}

func (l *loader) closeFile() error {
	if err := l.file.verdict(); err != nil {
		return err
	}
	l.seen[l.file.of.Digest] = true
	l.file = nil
	return nil
}

func (l *loader) insertEvaluation(ctx context.Context, text []byte) (int64, error) {
	m, err := readObject(text)
	if err != nil {
		return 0, err
	}
	var version int64
	err = l.tx.QueryRowContext(ctx, "SELECT id FROM experiment WHERE name = ? AND hash = ?", fmt.Sprint(m["name"]), fmt.Sprint(m["hash"])).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("no line before it tells of the experiment %.80v, version %.12v", m["name"], m["hash"])
	}
	if err != nil {
		return 0, err
	}
	delete(m, "name")
	delete(m, "hash")
	return l.insertNamed(ctx, "evaluation", m, map[string]any{"experiment": version})
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
