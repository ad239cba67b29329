package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// next is a schema step after the current one.
const next = "ALTER TABLE run ADD COLUMN colour TEXT; CREATE TABLE extra (x INTEGER) STRICT"

// other makes a SQLite file of another program with the given pragmas and statements.
func other(t *testing.T, path, statements string) {
	t.Helper()
	p := openPool(plainDriver(), path, readWrite, time.Second, 1)
	defer func() { _ = p.Close() }()
	if _, err := p.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}

func TestOpenNew(t *testing.T) {
	path := newPath(t)
	db := openTest(t, path, Options{})
	if b, err := os.ReadFile(filepath.Join(filepath.Dir(path), ".gitignore")); err != nil || string(b) != "*\n" {
		t.Errorf(".gitignore holds %q, %v; want *", b, err)
	}
	in, err := db.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if in.SchemaVersion != len(migrations()) || in.JournalMode != "wal" || in.Bytes == 0 || in.Path != path || in.SQLite == "" {
		t.Errorf("info %+v: want schema %d in WAL mode", in, len(migrations()))
	}
	if got := one(t, db, "SELECT count(*) FROM runs"); got != int64(0) {
		t.Errorf("a new database has %v runs", got)
	}
	var id int
	if err := db.r.QueryRow("PRAGMA application_id").Scan(&id); err != nil || id != applicationID {
		t.Errorf("application_id %x, %v; want %x", id, err, applicationID)
	}
	for range 2 * readers { // every connection of the pools
		var on int
		if err := db.r.QueryRow("PRAGMA foreign_keys").Scan(&on); err != nil || on != 1 {
			t.Fatalf("foreign_keys = %d, %v", on, err)
		}
	}
	mustCheck(t, db)
}

func TestOpenElsewhereLeavesNoGitignore(t *testing.T) {
	dir := t.TempDir()
	openTest(t, filepath.Join(dir, "runs #1?.db"), Options{}) // a name that means something in a URI
	if _, err := os.Stat(filepath.Join(dir, ".gitignore")); err == nil {
		t.Error("a .gitignore was written into a folder that is not kappa's")
	}
	if _, err := os.Stat(filepath.Join(dir, "runs #1?.db")); err != nil {
		t.Errorf("the file has another name: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		want error
		says string
	}{
		{"another program's file", func(t *testing.T, path string) {
			other(t, path, "PRAGMA application_id = 252006673; CREATE TABLE t (x)")
		}, ErrForeign, "another program"},
		{"a file with tables and no mark", func(t *testing.T, path string) { other(t, path, "CREATE TABLE t (x)") }, ErrForeign, "--db"},
		{"a newer file", func(t *testing.T, path string) {
			openTest(t, path, Options{})
			other(t, path, "PRAGMA user_version = 99")
		}, ErrNewer, fmt.Sprintf("version 99, this kappa knows versions up to %d", len(migrations()))},
		{"not a database", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("lorem ipsum ", 100)), 0o666); err != nil {
				t.Fatal(err)
			}
		}, ErrNotDatabase, "not a database"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "runs.db")
			c.make(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for name, open := range map[string]func() (*DB, error){
				"Open":         func() (*DB, error) { return Open(t.Context(), path, Options{}) },
				"OpenReadOnly": func() (*DB, error) { return OpenReadOnly(t.Context(), path) },
			} {
				_, err := open()
				e, ok := errors.AsType[*Error](err)
				if !errors.Is(err, c.want) || !ok || e.Path != path || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: %v; want an *Error for %s that says %q", name, err, path, c.says)
				}
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestOpenImpossible(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"a folder": dir, "a folder below a file": filepath.Join(file, ".kappa", "runs.db")} {
		if _, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("open %s: %v; want an error that names %s", name, err, path)
		} else if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("open %s: %T, want *Error", name, err)
		}
	}
	for path, says := range map[string]string{dir: "it is a folder", file: "the file is empty"} {
		_, err := OpenReadOnly(t.Context(), path)
		if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), path+": "+says) || e.Hint == "" {
			t.Errorf("open %s for reading: %v; want %q and what to do", path, err, says)
		}
	}
	missing := filepath.Join(dir, "none", "runs.db")
	if _, err := OpenReadOnly(t.Context(), missing); !errors.Is(err, ErrMissing) {
		t.Errorf("open a missing file for reading: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(missing)); err == nil {
		t.Error("opening for reading made a folder")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, filepath.Join(dir, "runs.db"), Options{})
	if _, ok := errors.AsType[*Error](err); !errors.Is(err, context.Canceled) || ok {
		t.Errorf("open with a context that has ended: %v; want context.Canceled, no *Error", err)
	}
}

func TestMigrate(t *testing.T) {
	path := newPath(t)
	clk := newClock()
	db := openTest(t, path, Options{Now: clk.now})
	record(t, db, 1)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	steps := append(migrations(), next)

	db2, err := openAt(t.Context(), path, Options{Now: clk.now}, steps)
	if err != nil {
		t.Fatal(err)
	}
	in, err := db2.Info(t.Context())
	if err != nil || in.SchemaVersion != len(steps) || in.Statuses[Done] != 1 {
		t.Errorf("after the migration: %+v, %v; want version %d with its run", in, err, len(steps))
	}
	if got := one(t, db2, "SELECT count(*) FROM extra"); got != int64(0) {
		t.Errorf("the new table: %v", got)
	}
	if err := db2.Close(); err != nil {
		t.Fatal(err)
	}

	backups, _ := filepath.Glob(fmt.Sprintf("%s.v%d-*", path, len(migrations())))
	if len(backups) != 1 {
		t.Fatalf("backups %v, want one", backups)
	}
	old, err := OpenReadOnly(t.Context(), backups[0])
	if err != nil {
		t.Fatalf("open the backup: %v", err)
	}
	defer func() { _ = old.Close() }()
	if got := one(t, old, "SELECT count(*) FROM results"); got != int64(1) {
		t.Errorf("the backup has %v results, want 1", got)
	}

	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("the older kappa opens the file: %v", err)
	}
}

func TestMigrateFails(t *testing.T) {
	path := newPath(t)
	db := openTest(t, path, Options{})
	record(t, db, 1)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	steps := append(migrations(), "CREATE TABLE extra (x INTEGER) STRICT; CREATE TABLE run (x)")
	_, err := openAt(t.Context(), path, Options{}, steps)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("schema version %d", len(steps))) ||
		!strings.Contains(err.Error(), fmt.Sprintf("backup is %s.v%d-", path, len(steps)-1)) {
		t.Fatalf("a migration that fails: %v; want the version and the backup named", err)
	}
	again := openTest(t, path, Options{})
	if got := one(t, again, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'"); got != int64(0) {
		t.Error("half of the migration stayed")
	}
	mustCheck(t, again)
}

// counting counts the statements that go through it.
type counting struct {
	querier
	n int
}

func (c *counting) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	c.n++
	return c.querier.QueryRowContext(ctx, query, args...)
}

// TestStampOfOneMoment: a file that another process is making has no mark, or all of it. Between two statements it would have
// changed, and a file with a version and without an application would seem another program's.
func TestStampOfOneMoment(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	q := &counting{querier: db.w}
	s, err := readStamp(t.Context(), q)
	if err != nil || s.application != applicationID || s.version != len(migrations()) || s.objects == 0 {
		t.Errorf("stamp %+v, %v", s, err)
	}
	if q.n != 1 {
		t.Errorf("read in %d statements, want one", q.n)
	}
}

// TestMigrateTogether opens one file from many places at once: a new one, then one to migrate.
func TestMigrateTogether(t *testing.T) {
	path := newPath(t)
	for _, steps := range [][]string{migrations(), append(migrations(), next)} {
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() {
				db, err := openAt(t.Context(), path, Options{}, steps)
				if err == nil {
					err = db.Close()
				}
				errs[i] = err
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatalf("%d steps: %v", len(steps), err)
		}
	}
	if backups, _ := filepath.Glob(fmt.Sprintf("%s.v%d-*", path, len(migrations()))); len(backups) != 1 {
		t.Errorf("backups %v, want one", backups)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".kappa-backup-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestLocked(t *testing.T) {
	path := newPath(t)
	db := openTest(t, path, Options{Busy: 20 * time.Millisecond})
	blocker := openTest(t, path, Options{})
	err := blocker.write(t.Context(), false, func(*sql.Tx) error {
		_, _, _, err := db.Claim(t.Context(), start(1), false)
		return err
	})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "another program") {
		t.Errorf("a claim while another program writes: %v; want ErrLocked", err)
	}
	if _, ok, _, err := db.Claim(t.Context(), start(1), false); err != nil || !ok {
		t.Errorf("a claim afterwards: %v, %v", ok, err)
	}
}

func TestEmpty(t *testing.T) {
	db, err := Empty(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := db.OpenReport(t.Context(), []PlanRow{{Key: key(1), Swept: `{"train.steps": 5}`}})
	if err != nil {
		t.Fatal(err)
	}
	for query, good := range map[string]bool{
		"SELECT median(rir), train_steps FROM results": true,
		"SELECT rirr FROM results":                     false,
		"SELECT nofunction(rir) FROM results":          false,
	} {
		if err := r.Prepare(query); (err == nil) != good {
			t.Errorf("prepare %s: %v", query, err)
		}
	}
	if err := errors.Join(r.Close(), db.Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(db.Dir()); err == nil {
		t.Errorf("%s is still there", db.Dir())
	}
}
