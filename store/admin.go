package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Info is what a database is and holds.
type Info struct {
	Path          string
	Bytes         int64 // of the file and its write-ahead log
	SchemaVersion int
	JournalMode   string
	SQLite        string         // version of the library
	Statuses      map[Status]int // runs by the status that the view runs shows
	Removed       int            // runs that were removed, which are not among those
	Experiments   int            // versions of specs
	Attempts      int
	Artifacts     int
	ArtifactBytes int64
}

// Info describes the database.
func (db *DB) Info(ctx context.Context) (Info, error) {
	in := Info{Path: db.Path(), Statuses: map[Status]int{}}
	for _, name := range []string{db.path, db.path + "-wal"} {
		if fi, err := os.Stat(name); err == nil {
			in.Bytes += fi.Size()
		}
	}
	for query, dest := range map[string]any{
		"PRAGMA user_version":                                &in.SchemaVersion,
		"PRAGMA journal_mode":                                &in.JournalMode,
		"SELECT sqlite_version()":                            &in.SQLite,
		"SELECT count(*) FROM experiment":                    &in.Experiments,
		"SELECT count(*) FROM attempt":                       &in.Attempts,
		"SELECT count(*) FROM run WHERE removed IS NOT NULL": &in.Removed,
		"SELECT count(DISTINCT path) FROM artifact":          &in.Artifacts,
		"SELECT ifnull(sum(bytes), 0) FROM (SELECT DISTINCT path, bytes FROM artifact)": &in.ArtifactBytes,
	} {
		if err := db.r.QueryRowContext(ctx, query).Scan(dest); err != nil {
			return Info{}, db.fault("describe the database", err)
		}
	}
	err := each(ctx, db.r, "SELECT status, count(*) FROM runs GROUP BY status", nil, func(scan func(...any) error) error {
		var s Status
		var n int
		err := scan(&s, &n)
		in.Statuses[s] = n
		return err
	})
	return in, db.fault("describe the database", err)
}

// Check looks at the database and says what it finds, one sentence each. Problems are damage: what SQLite's own integrity
// check finds, references that lead nowhere, runs that show the wrong attempt, artifacts that are missing or changed. Notes
// are what a killed process leaves: attempts whose process is gone, and files that belong to no attempt, neither an ended one
// nor one under way; the next run of the spec takes them up. It changes nothing. The error is for a check that could not be
// made.
func (db *DB) Check(ctx context.Context) (problems, notes []string, err error) {
	add := func(format string, args ...any) {
		if p := fmt.Sprintf(format, args...); !slices.Contains(problems, p) {
			problems = append(problems, p)
		}
	}
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	text := func(format string) func(func(...any) error) error {
		return func(scan func(...any) error) error {
			var s string
			err := scan(&s)
			for line := range strings.Lines(s) { // SQLite puts a heading and several findings into one row
				if line = strings.TrimSpace(line); line != "ok" && line != "" && !strings.HasPrefix(line, "***") {
					add(format, line)
				}
			}
			return err
		}
	}
	artifacts := map[string]Artifact{}
	var live []string // keys of runs under way: their files are not recorded yet
	for _, c := range []struct {
		query string
		row   func(scan func(...any) error) error
	}{
		{"PRAGMA integrity_check", text("damaged: %s")},
		{"SELECT DISTINCT \"table\" || ' → ' || parent FROM pragma_foreign_key_check", text("references that lead nowhere: %s")},
		{`SELECT key FROM run AS r WHERE shown IS NOT (SELECT id FROM attempt WHERE run = r.id
			ORDER BY status IN ('done', 'diverged') DESC, attempt DESC LIMIT 1)`, text("run %.12s shows the wrong attempt")},
		{"SELECT a.id, a.attempt, a.holder, a.lease, a.beat, r.key FROM attempt AS a JOIN run AS r ON r.id = a.run WHERE a.status = 'running'", func(scan func(...any) error) error {
			var n int
			var h hold
			var key string
			err := scan(&h.attempt, &n, &h.holder, &h.lease, &h.beat, &key)
			if db.standing(h) {
				live = append(live, key)
			} else {
				note("attempt %d of run %.12s is running, but its process is gone: the next `kappa run` takes it up", n, key)
			}
			return err
		}},
		{"SELECT DISTINCT name, path, digest, bytes FROM artifact", func(scan func(...any) error) error {
			var a Artifact
			err := scan(&a.Name, &a.Path, &a.Digest, &a.Bytes)
			artifacts[a.Path] = a
			return err
		}},
	} {
		if err := each(ctx, db.r, c.query, nil, c.row); err != nil {
			if p, _ := code(err); p != codeCorrupt {
				return problems, notes, db.fault("check the database", err)
			}
			add("damaged: %v", err) // the check goes on: what it finds elsewhere counts too
		}
	}
	var missing []string
	for _, a := range slices.SortedFunc(maps.Values(artifacts), func(a, b Artifact) int { return strings.Compare(a.Path, b.Path) }) {
		if _, err := db.readArtifact(a); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, a.Path)
		} else if err != nil {
			add("%v", err)
		}
	}
	if len(missing) > 0 && len(missing) == len(artifacts) {
		note("none of the %d artifacts (θ and the like) lies beside the database: a backup holds none; figures and reports need none", len(missing))
	} else {
		for _, path := range missing {
			add("the artifact %s is missing: `kappa run SPEC --force` makes it again", path)
		}
	}
	files, err := os.ReadDir(filepath.Join(db.Dir(), artifactFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return problems, notes, db.fault("check the artifacts", err)
	}
	for _, f := range files {
		p := artifactFolder + "/" + f.Name()
		underWay := slices.ContainsFunc(live, func(key string) bool {
			return strings.HasPrefix(f.Name(), key+"-") || strings.HasPrefix(f.Name(), partialPrefix)
		})
		switch _, ok := artifacts[p]; {
		case ok || underWay:
		case strings.HasSuffix(p, checkpointSuffix):
			note("%s: a run that was cut off has left it; the next `kappa run` of its spec goes on from there", p)
		default:
			note("%s belongs to no attempt: a run that did not end has left it", p)
		}
	}
	return problems, notes, nil
}

// Backup writes a consistent copy of the database to the file dst, which must not exist (ErrExists), while others may
// go on writing. The copy is one file without a write-ahead log, on the disk when Backup returns. Artifacts are not
// part of it.
func (db *DB) Backup(ctx context.Context, dst string) error {
	abs, err := filepath.Abs(dst)
	if err != nil {
		return &Error{Path: dst, Op: "back up to", Err: err}
	}
	return db.backupFault(abs, db.backup(ctx, abs))
}

func (db *DB) backupFault(dst string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if p, _ := code(err); p == codeCantOpen {
		return &Error{Path: dst, Op: "back up to", Err: err, Hint: "does its folder exist, and may you write there?"}
	}
	return &Error{Path: dst, Op: "back up to", Err: err}
}

func (db *DB) backup(ctx context.Context, dst string) error {
	if _, err := os.Lstat(dst); err == nil {
		return fmt.Errorf("%w: it is not overwritten", ErrExists)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	pool := db.r
	if db.w != nil {
		pool = db.w
	}
	part, err := os.CreateTemp(filepath.Dir(dst), ".kappa-backup-*") // VACUUM INTO takes an empty file
	if err != nil {
		return err
	}
	tmp := part.Name()
	defer func() { _ = os.Remove(tmp) }()
	if err := errors.Join(part.Chmod(0o644), part.Close()); err != nil {
		return err
	}
	if _, err := pool.ExecContext(ctx, "VACUUM INTO "+quoteText(tmp)); err != nil {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return placeNew(tmp, dst)
}

// placeNew gives the file tmp the name dst, which nobody else may have taken meanwhile.
func placeNew(tmp, dst string) error {
	if err := os.Link(tmp, dst); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: it is not overwritten", ErrExists)
	} else if err != nil { // a file system without links
		if err := os.Rename(tmp, dst); err != nil {
			return err
		}
	}
	return syncFolder(filepath.Dir(dst))
}
