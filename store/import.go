package store

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ImportOptions say how a file is imported.
type ImportOptions struct {
	DryRun      bool // say what would be added, and write nothing to the database
	NoArtifacts bool // without the files that runs have kept
	// Progress is called now and then with what is being done, how much of it is, and how much there is (0: not known); may be nil.
	Progress func(what string, done, total int64)

	part bool // it is what a process of this notebook has left: without the content of artifacts, which is here
}

// Import adds to the database what a file holds and it does not: JSON lines, an exported database, or the database of another
// notebook. The file is judged as a whole before anything is written; what is wrong with it is an error that wraps ErrRefused,
// ErrForeign, ErrNewer, ErrNotDatabase or ErrCorrupt. Then it is added in short transactions, between which others can write; an
// import that was cut off is finished by doing it again.
//
// What is there already is passed over, so that a second import changes nothing. Nothing is overwritten: an attempt with other
// figures is added after those of its run. With DryRun the database may be read-only.
func (db *DB) Import(ctx context.Context, path string, o ImportOptions) (ImportReport, error) {
	f, err := os.Open(path)
	if e, ok := errors.AsType[*fs.PathError](err); ok { // which names the path once more
		err = e.Err
	}
	if err != nil {
		return ImportReport{}, &Error{Path: path, Op: "import", Err: err}
	}
	defer func() { _ = f.Close() }()
	if fi, err := f.Stat(); err == nil && fi.IsDir() {
		return ImportReport{}, &Error{Path: path, Op: "import", Err: fmt.Errorf("it is a folder: %w", ErrRefused), Hint: "name a file of JSON lines or a database, such as .kappa/runs.db"}
	}
	head := make([]byte, len(sqliteMagic))
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return ImportReport{}, &Error{Path: path, Op: "import", Err: err}
	}
	if !bytes.Equal(head[:n], []byte(sqliteMagic)) {
		return db.ImportJSONL(ctx, path, io.MultiReader(bytes.NewReader(head[:n]), f), o)
	}
	r, err := db.importDB(ctx, path, o)
	return r, importFault(path, db, err)
}

// sqliteMagic is what a SQLite file begins with.
const sqliteMagic = "SQLite format 3\x00"

// importFault names the file that is imported in what is wrong with it.
func importFault(path string, db *DB, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if e, ok := errors.AsType[*Error](err); ok {
		if e.Path != db.path { // also a copy of it
			return &Error{Path: path, Op: "import", Err: e.Err, Hint: e.Hint}
		}
		return err
	}
	if errors.Is(err, ErrRefused) || errors.Is(err, ErrForeign) || errors.Is(err, ErrCorrupt) || errors.Is(err, ErrNotFound) {
		return &Error{Path: path, Op: "import", Err: err}
	}
	return db.fault("import "+filepath.Base(path), err)
}

// ImportJSONL imports JSON lines from a reader; name is what errors call it.
func (db *DB) ImportJSONL(ctx context.Context, name string, r io.Reader, o ImportOptions) (report ImportReport, err error) {
	return db.importLines(ctx, name, r, o)
}

func (db *DB) importLines(ctx context.Context, name string, r io.Reader, o ImportOptions) (report ImportReport, err error) {
	defer func() { err = importFault(name, db, err) }()
	buffered := bufio.NewReader(r)
	if b, err := buffered.Peek(1); errors.Is(err, io.EOF) {
		return report, fmt.Errorf("the file is empty: %w", ErrRefused)
	} else if err == nil && b[0] != '{' {
		return report, fmt.Errorf("it is neither JSON lines nor a SQLite database: it begins with %q: %w", b, ErrRefused)
	}
	staged, err := db.stage(ctx)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, staged.Close()) }()
	columns, err := travelling(ctx, staged.r)
	if err != nil {
		return report, err
	}
	last := time.Time{}
	progress := func(bytes int64) {
		if o.Progress != nil && time.Since(last) > 100*time.Millisecond {
			last = time.Now()
			o.Progress("read bytes", bytes, 0)
		}
	}
	err = staged.write(ctx, false, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, createExchangeFiles); err != nil {
			return err
		}
		return load(ctx, tx, columns, buffered, o.part, progress)
	})
	if err != nil {
		return report, err
	}
	return db.merge(ctx, staged, o.merge())
}

func (o ImportOptions) merge() mergeOptions {
	m := mergeOptions{choice: ExportOptions{NoArtifacts: o.NoArtifacts}, dry: o.DryRun, newest: o.part, unsafe: o.part}
	if o.Progress != nil {
		m.progress = func(done, total int) { o.Progress("add attempts", int64(done), int64(total)) }
	}
	return m
}

// stagePrefix begins the names of folders in which imports are judged; one that is a day old was left by a process that was killed.
const stagePrefix = ".tmp-import-"

// stage makes an empty database in a folder of its own beside this one, or among the temporary files where nothing can be written
// here. Close removes it. It need not survive anything, so it does not wait for the disk.
func (db *DB) stage(ctx context.Context) (*DB, error) {
	if old, err := filepath.Glob(filepath.Join(filepath.Dir(db.path), stagePrefix+"*")); err == nil && db.w != nil {
		for _, dir := range old {
			if fi, err := os.Stat(dir); err == nil && db.now().Sub(fi.ModTime()) > 24*time.Hour {
				_ = os.RemoveAll(dir)
			}
		}
	}
	dir, err := os.MkdirTemp(filepath.Dir(db.path), stagePrefix+"*")
	if err != nil || db.w == nil {
		if err == nil {
			_ = os.Remove(dir)
		}
		if dir, err = os.MkdirTemp("", "kappa"+stagePrefix+"*"); err != nil {
			return nil, &Error{Path: os.TempDir(), Op: "make a temporary database", Err: err}
		}
	}
	s, err := Open(ctx, filepath.Join(dir, "import.db"), Options{Now: db.now, scratch: true})
	if err == nil {
		s.remove = dir
		if _, err = s.w.ExecContext(ctx, "PRAGMA synchronous = off"); err != nil {
			_ = s.Close()
		}
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// importDB imports from a database.
func (db *DB) importDB(ctx context.Context, path string, o ImportOptions) (report ImportReport, err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return report, err
	}
	if a, err := os.Stat(abs); err == nil {
		if b, err := os.Stat(db.path); err == nil && os.SameFile(a, b) {
			return report, fmt.Errorf("it is this notebook's own database: %w", ErrRefused)
		}
	}
	src, err := OpenReadOnly(ctx, abs)
	if older, ok := errors.AsType[*olderError](err); ok {
		src, err = db.migratedCopy(ctx, abs, older)
	}
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if o.Progress != nil {
		o.Progress("check", 0, 0)
	}
	if err := src.judgeSource(ctx); err != nil {
		return report, err
	}
	m := o.merge()
	m.folder = filepath.Dir(abs)
	return db.merge(ctx, src, m)
}

// migratedCopy brings a copy of an older database up to date; the file itself stays as it is.
func (db *DB) migratedCopy(ctx context.Context, path string, older *olderError) (*DB, error) {
	old, err := newDB(path, Options{Busy: db.busy}, older.mode)
	if err != nil {
		return nil, err
	}
	old.r = openPool(plainDriver(), old.path, older.mode, old.busy, 1)
	defer func() { _ = old.Close() }()
	if err := judgeSchema(ctx, old.r, older.version); err != nil {
		return nil, err
	}
	s, err := db.stage(ctx) // for its folder
	if err != nil {
		return nil, err
	}
	dir := s.remove
	s.remove = ""
	if err = s.Close(); err == nil {
		tmp := filepath.Join(dir, "older.db")
		if err = old.Backup(ctx, tmp); err == nil {
			if s, err = Open(ctx, tmp, Options{Now: db.now, scratch: true}); err == nil {
				s.remove = dir
				return s, nil
			}
		}
	}
	_ = os.RemoveAll(dir)
	return nil, err
}

// judgeSource holds a database from elsewhere against what one of ours is: tables that are what they seem, a sound file, values
// that mean something. The rest the constraints of the database judge that takes its rows.
func (db *DB) judgeSource(ctx context.Context) error {
	if err := judgeSchema(ctx, db.r, len(migrations())); err != nil {
		return err
	}
	var bad []string
	err := each(ctx, db.r, "PRAGMA quick_check(3)", nil, func(scan func(...any) error) error {
		var s string
		err := scan(&s)
		if s != "ok" {
			bad = append(bad, s)
		}
		return err
	})
	if err == nil && len(bad) > 0 {
		err = fmt.Errorf("%w: %s", ErrCorrupt, strings.Join(bad, "; "))
	}
	if p, _ := code(err); p == codeCorrupt {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return err
	}
	columns, err := travelling(ctx, db.r)
	if err != nil {
		return err
	}
	for _, table := range []string{"experiment", "experiment_runs", "provenance", "run", "attempt", "artifact", "digest", "evaluation", "claim", "attack", "result"} {
		if err := db.judgeTable(ctx, table, columns[table]); err != nil {
			return err
		}
	}
	return nil
}

// judgeTable checks every value of a table that has to mean something.
func (db *DB) judgeTable(ctx context.Context, table string, fields []field) error {
	where := ""
	switch table {
	case "attempt":
		where = " WHERE status <> 'running'"
	case "attack", "result":
		where = " WHERE kinds IS NOT NULL"
	}
	values, dest := scratch(len(fields))
	row := 0
	return each(ctx, db.r, "SELECT "+list(fields, "")+" FROM "+table+where, nil, func(scan func(...any) error) error {
		row++
		if err := scan(dest...); err != nil {
			return err
		}
		m := make(map[string]any, len(fields))
		for i, f := range fields {
			if err := checkValue(table, f.name, values[i]); err != nil {
				return fmt.Errorf("table %s, row %d: %w: %w", table, row, err, ErrRefused)
			}
			m[f.name] = values[i]
		}
		if table == "experiment" {
			data, _ := m["bytes"].([]byte)
			if err := checkSpec(map[string]any{"bytes": string(data), "hash": m["hash"], "name": m["name"]}); err != nil {
				return fmt.Errorf("table %s, row %d: %w: %w", table, row, err, ErrRefused)
			}
		}
		return nil
	})
}

// judgeSchema refuses a database whose tables are not those of a version of ours: it was made by somebody else, or to do harm.
func judgeSchema(ctx context.Context, q querier, version int) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrForeign)
	}
	var name string
	err := q.QueryRowContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'trigger' OR sql LIKE 'CREATE VIRTUAL%' LIMIT 1").Scan(&name)
	if err == nil {
		return refuse("it holds %s, a trigger or virtual table, which no database of kappa has", name)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	model, err := Empty(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = model.Close() }()
	if _, err := model.w.ExecContext(ctx, createExchangeFiles); err != nil {
		return err
	}
	tables := slices.AppendSeq([]string{exchangeFiles}, maps.Keys(inside))
	for _, table := range tables {
		ours, err := shape(ctx, model.r, table)
		if err != nil {
			return err
		}
		theirs, err := shape(ctx, q, table)
		if err != nil {
			return err
		}
		if table == exchangeFiles && len(theirs) == 0 {
			continue // a live database has none
		}
		if version < len(migrations()) { // what later versions add is not there
			if len(theirs) > len(ours) || !subset(theirs, ours) {
				return refuse("its table %s is not what version %d of the schema has", table, version)
			}
			continue
		}
		if len(theirs) != len(ours) || !subset(theirs, ours) {
			return refuse("its table %s is not what version %d of the schema has", table, version)
		}
	}
	return nil
}

// shape lists the columns of a table with their types; a hidden or computed one, or a table that is none, has another shape.
func shape(ctx context.Context, q querier, table string) (map[string]string, error) {
	out := map[string]string{}
	err := each(ctx, q, `SELECT c.name, c.type || ' ' || c."notnull" || ' ' || c.pk || ' ' || c.hidden || ' ' || t.type || ' ' || t.strict || ' ' || t.wr
		FROM pragma_table_list(?1) AS t CROSS JOIN pragma_table_xinfo(?1) AS c WHERE t.schema = 'main'`, []any{table}, func(scan func(...any) error) error {
		var name, is string
		err := scan(&name, &is)
		out[name] = is
		return err
	})
	return out, err
}

func subset(a, b map[string]string) bool {
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// olderError says that a database has a schema of an earlier version.
type olderError struct {
	version int
	mode    mode
	err     error
}

func (e *olderError) Error() string { return e.err.Error() }

func (e *olderError) Unwrap() error { return e.err }
