package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// ExportOptions say what an export holds. Without Keys and Experiments it is everything but removed runs; runs under way are never
// part of it. Runs that an exported one needs come along, and so do the versions of specs that the keys belong to.
type ExportOptions struct {
	Keys        []string              // runs
	Experiments []string              // names: every run of every version of them
	NoArtifacts bool                  // without the files that runs have kept
	Progress    func(done, total int) // called now and then with a number of attempts; may be nil

	part *exportPart // instead of all that
}

func (o ExportOptions) everything() bool {
	return len(o.Keys) == 0 && len(o.Experiments) == 0 && o.part == nil
}

// exportPart is what one transaction has recorded. The content of artifacts stays where it is.
type exportPart struct {
	attempt     int64
	name, hash  string // a version of a spec
	evaluations bool   // of it
	digests     bool   // of data
}

// ExportReport is what an export holds.
type ExportReport struct {
	Runs, Attempts, Experiments, Evaluations int
	Files                                    int      // artifacts, by content
	FileBytes                                int64    // their size together
	Running                                  int      // attempts under way, which were left out
	Missing                                  []string // files of artifacts that are gone or changed, which were left out
}

// ExportJSONL writes runs as JSON lines, as of one moment, whatever others write meanwhile. The same runs give the same bytes, in
// whichever database they are. Memory is bounded by the longest value, and by 100 bytes a run.
func (db *DB) ExportJSONL(ctx context.Context, w io.Writer, o ExportOptions) (ExportReport, error) {
	r, err := db.exportJSONL(ctx, w, o)
	return r, db.fault("export runs", err)
}

func (db *DB) exportJSONL(ctx context.Context, w io.Writer, o ExportOptions) (r ExportReport, err error) {
	err = db.reading(ctx, func(c *sql.Conn) error {
		if err := choose(ctx, c, "main", o); err != nil {
			return err
		}
		files, err := fileSource(ctx, c, "main", db.Dir())
		if err != nil {
			return err
		}
		defer files.close()
		p := newPrepared(c)
		d := dump{c: p, files: files, o: o, report: &r, out: newLineWriter(w)}
		return errors.Join(d.all(ctx), p.close())
	})
	return r, err
}

// reading runs f on a connection of its own that sees the database as it is now. It can make temporary tables.
func (db *DB) reading(ctx context.Context, f func(c *sql.Conn) error) error {
	m := readOnly
	if db.mode == immutable {
		m = immutable
	}
	pool := openPool(plainDriver(), db.path, m, db.busy, 1)
	defer func() { _ = pool.Close() }()
	c, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ExecContext(ctx, "BEGIN DEFERRED"); err != nil {
		return err
	}
	return errors.Join(f(c), func() error { _, err := c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); return err }())
}

// choose fills temp.chosen with the runs of an export from the attached database of that name, temp.versions with the versions of
// specs, and temp.ended with their ended attempts, numbered in the order of their ends. A key that is not recorded is an error.
func choose(ctx context.Context, c *sql.Conn, from string, o ExportOptions) error {
	exec := func(query string, args ...any) error {
		_, err := c.ExecContext(ctx, query, args...)
		return err
	}
	in := quoteName(from) + "."
	for _, t := range []string{"chosen", "versions"} {
		if err := exec("CREATE TEMP TABLE " + t + " (id INTEGER PRIMARY KEY)"); err != nil {
			return err
		}
	}
	const ended = `WHERE r.removed IS NULL AND EXISTS (SELECT 1 FROM %[1]sattempt AS a WHERE a.run = r.id AND a.status <> 'running')`
	var err error
	var only int64
	if p := o.part; p != nil {
		only = p.attempt
		err = errors.Join(
			exec(fmt.Sprintf("INSERT INTO temp.chosen SELECT run FROM %[1]sattempt WHERE id = ?", in), p.attempt),
			exec(fmt.Sprintf("INSERT INTO temp.versions SELECT id FROM %[1]sexperiment WHERE name = ? AND hash = ?", in), p.name, p.hash))
	} else if o.everything() {
		err = errors.Join(
			exec(fmt.Sprintf("INSERT INTO temp.chosen SELECT r.id FROM %[1]srun AS r "+ended, in)),
			exec(fmt.Sprintf("INSERT INTO temp.versions SELECT id FROM %sexperiment", in)))
	} else {
		for _, name := range o.Experiments {
			var n int
			if err := c.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %sexperiment WHERE name = ?", in), name).Scan(&n); err != nil {
				return err
			}
			if n == 0 {
				return fmt.Errorf("experiment %s: %w", name, ErrNotFound)
			}
		}
		err = errors.Join(
			exec(fmt.Sprintf(`INSERT INTO temp.chosen
				WITH RECURSIVE want (id) AS (
					SELECT r.id FROM json_each(?1) AS j CROSS JOIN %[1]srun AS r ON r.key = j.value
					UNION
					SELECT x.run FROM %[1]sexperiment AS e JOIN %[1]sexperiment_runs AS x ON x.experiment = e.id
					 WHERE e.name IN (SELECT value FROM json_each(?2))
					UNION
					SELECT d.needs FROM want AS w CROSS JOIN %[1]sdependency AS d ON d.run = w.id)
				SELECT r.id FROM want AS w CROSS JOIN %[1]srun AS r ON r.id = w.id `+ended, in), mustJSON(o.Keys), mustJSON(o.Experiments)),
			exec(fmt.Sprintf(`INSERT INTO temp.versions
				SELECT id FROM %[1]sexperiment WHERE name IN (SELECT value FROM json_each(?1))
				UNION
				SELECT x.experiment FROM json_each(?2) AS j CROSS JOIN %[1]srun AS r ON r.key = j.value
				 CROSS JOIN %[1]sexperiment_runs AS x ON x.run = r.id`, in), mustJSON(o.Experiments), mustJSON(o.Keys)))
	}
	if err != nil {
		return err
	}
	return errors.Join(
		exec("CREATE TEMP TABLE ended (n INTEGER PRIMARY KEY, attempt INTEGER NOT NULL UNIQUE, run INTEGER NOT NULL)"),
		exec(fmt.Sprintf(`INSERT INTO temp.ended SELECT row_number() OVER (ORDER BY a.seq IS NULL, a.seq, a.finished, r.key, a.attempt), a.id, a.run
			FROM temp.chosen AS c CROSS JOIN %[1]srun AS r ON r.id = c.id CROSS JOIN %[1]sattempt AS a ON a.run = c.id WHERE a.status <> 'running' AND (?1 = 0 OR a.id = ?1)`, in), only),
		exec("CREATE INDEX temp.ended_by_run ON ended (run)"))
}

// files is where the content of artifacts comes from: the pieces inside an exported database, or the folder beside a live one.
type files struct {
	c      *sql.Conn
	table  string   // "": there is none
	folder *os.Root // nil: there is none
}

// fileSource looks for the contents of artifacts of the attached database of that name, whose files lie in folder.
func fileSource(ctx context.Context, c *sql.Conn, from, folder string) (*files, error) {
	f := &files{c: c}
	var n int
	err := c.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %s.sqlite_schema WHERE type = 'table' AND name = ?", quoteName(from)), exchangeFiles).Scan(&n)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		f.table = quoteName(from) + "." + exchangeFiles
	}
	if f.folder, err = os.OpenRoot(folder); err != nil {
		f.folder = nil
	}
	return f, nil
}

func (f *files) close() {
	if f.folder != nil {
		_ = f.folder.Close()
	}
}

// read gives the content of an artifact to write, piece by piece, and fails with ErrCorrupt where it is not what its digest says.
func (f *files) read(ctx context.Context, a Artifact, write func(piece []byte) error) error {
	check := newDigester(a)
	emit := func(piece []byte) error {
		if check.bytes+int64(len(piece)) > a.Bytes { // what is longer than it should be is not read to its end
			return fmt.Errorf("%w: the content of artifact %s has more than its %d bytes", ErrCorrupt, a.Name, a.Bytes)
		}
		check.Write(piece)
		return write(piece)
	}
	found := a.Bytes == 0
	if f.table != "" {
		for n := 0; ; n++ {
			var piece []byte
			err := f.c.QueryRowContext(ctx, "SELECT data FROM "+f.table+" WHERE digest = ? AND ordinal = ? AND length(data) <= ?",
				a.Digest, n, pieceBytes).Scan(&piece) // no memory for one that is longer: it counts as missing
			if errors.Is(err, sql.ErrNoRows) {
				break
			}
			if err == nil {
				err = emit(piece)
			}
			if err != nil {
				return err
			}
			found = true
		}
	}
	if !found {
		if err := f.readFile(a, emit); err != nil {
			return err
		}
	}
	return check.verdict()
}

// readFile reads an artifact's file; the root keeps a path, and the links on it, inside the folder.
func (f *files) readFile(a Artifact, emit func([]byte) error) error {
	none := func(why any) error { return fmt.Errorf("%w: %v", errNoContent, why) }
	if f.folder == nil {
		return none(os.ErrNotExist)
	}
	name := filepath.FromSlash(a.Path)
	if !filepath.IsLocal(name) {
		return none(fmt.Sprintf("%q leads out of the database's folder", a.Path))
	}
	if fi, err := f.folder.Stat(name); err != nil {
		return none(err)
	} else if !fi.Mode().IsRegular() {
		return none(a.Path + " is no file")
	}
	file, err := f.folder.Open(name)
	if err != nil {
		return none(err)
	}
	defer func() { _ = file.Close() }()
	buf := make([]byte, pieceBytes)
	for {
		n, err := io.ReadFull(file, buf)
		if n > 0 {
			if err := emit(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return none(err)
		}
	}
}

// errNoContent says that the file of an artifact cannot be read.
var errNoContent = errors.New("there is no such content")

// ExportDB writes runs into a new database at path, which must not exist (ErrExists): one file that kappa and every program that
// reads SQLite can open, with the content of artifacts in the table exported_file.
func (db *DB) ExportDB(ctx context.Context, path string, o ExportOptions) (ExportReport, error) {
	var r ExportReport
	abs, err := filepath.Abs(path)
	if err == nil {
		r, err = db.exportDB(ctx, abs, o)
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Path != db.path {
		e.Path = abs // not the name under which it was being written
	}
	return r, db.fault("export runs", err)
}

func (db *DB) exportDB(ctx context.Context, path string, o ExportOptions) (r ExportReport, err error) {
	if _, err := os.Lstat(path); err == nil {
		return r, &Error{Path: path, Op: "export to", Err: fmt.Errorf("%w: it is not overwritten", ErrExists)}
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".kappa-export-*")
	if err != nil {
		return r, &Error{Path: path, Op: "export to", Err: err, Hint: "does its folder exist, and may you write there?"}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	tmp := filepath.Join(dir, "export.db")
	out, err := Open(ctx, tmp, Options{Now: db.now, Busy: db.busy, scratch: true})
	if err != nil {
		return r, err
	}
	defer func() { _ = out.Close() }()
	if _, err := out.w.ExecContext(ctx, createExchangeFiles); err != nil {
		return r, err
	}
	m, err := out.merge(ctx, db, mergeOptions{choice: o, into: exchangeFiles, progress: o.Progress, unsafe: true})
	if err != nil {
		return r, err
	}
	r = ExportReport{
		Runs: m.Runs, Attempts: m.Attempts, Experiments: m.Experiments, Evaluations: m.Evaluations,
		Files: m.Files, FileBytes: m.FileBytes, Running: m.Running, Missing: m.Missing,
	}
	if err := out.r.Close(); err != nil { // the mode changes for the last connection alone
		return r, err
	}
	if _, err := out.w.ExecContext(ctx, "PRAGMA journal_mode = delete"); err != nil {
		return r, err
	}
	if err := out.Close(); err != nil {
		return r, err
	}
	f, err := os.OpenFile(tmp, os.O_RDWR, 0)
	if err != nil {
		return r, err
	}
	if err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return r, err
	}
	if err := placeNew(tmp, path); err != nil {
		return r, &Error{Path: path, Op: "export to", Err: err}
	}
	return r, nil
}

// count is the single number of a query.
func count(ctx context.Context, q querier, query string, args ...any) (n int, err error) {
	err = q.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

// ids reads a column of numbers.
func ids(ctx context.Context, q querier, query string, args ...any) (out []int64, err error) {
	err = each(ctx, q, query, args, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		out = append(out, id)
		return err
	})
	return slices.Clip(out), err
}
