package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// applicationID marks a SQLite file as kappa's: "kapp" in ASCII.
const applicationID = 0x6b617070

//go:embed schema/*.sql
var schema embed.FS

// migrations are the steps from an empty file to the current schema: step i makes version i+1 out of version i.
func migrations() []string {
	files, err := fs.Glob(schema, "schema/*.sql") // in order of their names
	if err != nil {
		panic("store: " + err.Error())
	}
	steps := make([]string, len(files))
	for i, f := range files {
		b, err := schema.ReadFile(f)
		if err != nil {
			panic("store: " + err.Error())
		}
		steps[i] = string(b)
	}
	return steps
}

// SchemaVersion is the version of the schema that this program writes.
func SchemaVersion() int { return len(migrations()) }

// stamp is what a file says about itself.
type stamp struct {
	application, version, objects int
}

// querier is what a connection, a pool and a transaction have in common.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// readStamp reads all of it in one statement, so as of one moment: another process may be making the schema.
func readStamp(ctx context.Context, q querier) (stamp, error) {
	var s stamp
	err := q.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM sqlite_schema), (SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version)`).Scan(&s.objects, &s.application, &s.version)
	return s, err
}

// judge refuses a file that is not ours, or newer than version current.
func (db *DB) judge(s stamp, current int) error {
	switch {
	case s.application == 0 && s.version == 0 && s.objects == 0:
		return nil // empty
	case s.application != applicationID:
		return &Error{
			Path: db.path, Op: "open", Err: fmt.Errorf("%w (application id %d, %d tables and views)", ErrForeign, s.application, s.objects),
			Hint: "kappa leaves it as it is; name another file with --db",
		}
	case s.version > current:
		return &Error{
			Path: db.path, Op: "open",
			Err:  fmt.Errorf("%w: its schema is version %d, this kappa knows versions up to %d", ErrNewer, s.version, current),
			Hint: "use the newer kappa",
		}
	}
	return nil
}

// checkVersion refuses a file that cannot be read as it is, without writing to it.
func (db *DB) checkVersion(ctx context.Context, current int) error {
	s, err := readStamp(ctx, db.r)
	if err != nil {
		return err
	}
	if err := db.judge(s, current); err != nil {
		return err
	}
	if s.version < current {
		if s.objects == 0 {
			return &Error{Path: db.path, Op: "open", Err: errors.New("the file is empty"), Hint: "`kappa run` makes a database of it"}
		}
		return &Error{
			Path: db.path, Op: "open", Err: &olderError{version: s.version, mode: db.mode, err: fmt.Errorf("its schema is version %d, this kappa reads version %d", s.version, current)},
			Hint: "a command that writes, such as `kappa run`, brings it up to date",
		}
	}
	return nil
}

// migrate brings the file to the last of steps in one transaction, after a backup of a file that holds something.
// Another process may do the same at the same time: the version is read again once the lock is held.
func (db *DB) migrate(ctx context.Context, steps []string) error {
	s, err := readStamp(ctx, db.w)
	if err != nil {
		return err
	}
	if err := db.judge(s, len(steps)); err != nil {
		return err
	}
	if s.version == len(steps) {
		return nil
	}
	backup := ""
	if s.version > 0 {
		if backup, err = db.backupBefore(ctx, s.version); err != nil {
			return err
		}
	}
	needed := false
	err = db.write(ctx, true, func(tx *sql.Tx) error {
		now, err := readStamp(ctx, tx)
		if err != nil {
			return err
		}
		if err := db.judge(now, len(steps)); err != nil {
			return err
		}
		needed = now.version == s.version
		for i := now.version; i < len(steps); i++ {
			if _, err := tx.ExecContext(ctx, steps[i]); err != nil {
				return fmt.Errorf("apply schema version %d: %w", i+1, err)
			}
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(steps)))
		return err
	})
	if backup != "" && err == nil && !needed {
		_ = os.Remove(backup) // the process that came first has made one
	}
	if err != nil && backup != "" {
		return fmt.Errorf("bring the schema from version %d to %d (nothing was changed; a backup is %s): %w", s.version, len(steps), backup, err)
	}
	return err
}

// backupBefore copies the file beside itself before its schema changes, and returns where.
func (db *DB) backupBefore(ctx context.Context, version int) (string, error) {
	return db.backupAs(ctx, db.Dir(), fmt.Sprintf("v%d", version))
}

// backupAs copies the file into dir, under its name with what and the time, and returns where.
func (db *DB) backupAs(ctx context.Context, dir, what string) (string, error) {
	base := filepath.Join(dir, fmt.Sprintf("%s.%s-%s", filepath.Base(db.path), what, db.now().UTC().Format("20060102T150405Z")))
	for i := 1; ; i++ {
		name := base
		if i > 1 {
			name = fmt.Sprintf("%s-%d", base, i)
		}
		err := db.Backup(ctx, name)
		if errors.Is(err, ErrExists) && i < 100 {
			continue
		}
		return name, err
	}
}

// quoteName writes s as an SQL identifier.
func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// quoteText writes s as an SQL string.
func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
