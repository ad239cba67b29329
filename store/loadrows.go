package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

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
	all := make([][]any, len(rows))
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
		all[n] = args
	}
	return insert(ctx, l.tx, query, len(all), func(i int) []any { return all[i] })
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
