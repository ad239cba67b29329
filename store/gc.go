package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// GarbageKind is a sort of what gc deletes.
type GarbageKind string

// The kinds of garbage.
const (
	GarbageRun        GarbageKind = "removed run"
	GarbageArtifact   GarbageKind = "artifact"       // a file among the artifacts to which no attempt refers
	GarbageCheckpoint GarbageKind = "checkpoint"     // of a run that is finished, or of none
	GarbageTemporary  GarbageKind = "temporary file" // never written to its end
)

// Garbage is something that gc deletes.
type Garbage struct {
	Kind  GarbageKind
	Name  string // the run's key, or the path relative to the database's folder, with slashes
	Why   string
	Bytes int64 // of a run about what its rows take inside the database, of a file its size
	Run   RunRow
}

const (
	// fileGrace is how old a file that nothing refers to must be: one that is about to be recorded is younger.
	fileGrace = time.Hour
	// workGrace is how old a file must be that a backup, an import or another machine may be at work on: nothing else tells.
	workGrace = 24 * time.Hour
	// gcBatch is how many runs one transaction deletes, so that others can write in between.
	gcBatch = 500
)

// Garbage lists what [DB.Collect] would delete: runs that were removed at least olderThan ago (0: all), and files beside the database that
// nothing needs any more. Files younger than an hour, or than olderThan where that is less, are left alone, and so are those of runs that
// are under way or were cut off, and whatever olderThan is those of a day that another process may be writing. It changes nothing. Cost: O(rows of the removed runs + files).
func (db *DB) Garbage(ctx context.Context, olderThan time.Duration) ([]Garbage, error) {
	runs, err := db.deadRuns(ctx, db.r, olderThan, -1)
	if err != nil {
		return nil, db.fault("look for garbage", err)
	}
	out := make([]Garbage, len(runs))
	for i, r := range runs {
		out[i] = r.Garbage
	}
	files, err := db.deadFiles(ctx, db.r, olderThan, runs)
	return append(out, files...), db.fault("look for garbage", err)
}

// Collect deletes what Garbage lists, and returns what it has deleted. Runs go first, several hundred in a transaction, then the files:
// a process that is killed in between leaves files to which nothing refers, which the next Collect deletes. What a spec's plan or
// another run refers to stays known by its key alone. The file of acknowledged ends is written anew. The space inside the database is
// used again by later runs; [DB.Vacuum] gives it back to the disk.
func (db *DB) Collect(ctx context.Context, olderThan time.Duration) (out []Garbage, err error) {
	for {
		var runs []deadRun
		err := db.write(ctx, true, func(tx *sql.Tx) (err error) {
			if runs, err = db.deadRuns(ctx, tx, olderThan, gcBatch); err != nil || len(runs) == 0 {
				return err
			}
			if err := deleteRuns(ctx, tx, runs); err != nil {
				return err
			}
			return db.rewriteAcked(ctx, tx)
		})
		if err != nil {
			return out, db.fault("delete garbage", err)
		}
		for _, r := range runs {
			out = append(out, r.Garbage)
		}
		if len(runs) < gcBatch {
			break
		}
	}
	// Under the write lock no run begins, and none is recorded: what is dead stays dead.
	err = db.write(ctx, false, func(tx *sql.Tx) error {
		files, err := db.deadFiles(ctx, tx, olderThan, nil)
		if err != nil {
			return err
		}
		var errs []error
		for _, f := range files {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := os.RemoveAll(filepath.Join(db.Dir(), filepath.FromSlash(f.Name))); err != nil {
				errs = append(errs, err)
				continue
			}
			out = append(out, f)
		}
		return errors.Join(errs...)
	})
	return out, db.fault("delete garbage", err)
}

// deadRun is a removed run that is old enough.
type deadRun struct {
	Garbage
	id int64
}

// deadRuns lists the runs that were removed at least olderThan ago and that nobody is at, the first removed first.
func (db *DB) deadRuns(ctx context.Context, q querier, olderThan time.Duration, limit int) ([]deadRun, error) {
	var out []deadRun
	var keys []string
	err := each(ctx, q, `SELECT r.id, r.key, 400 + ifnull(length(r.note), 0)
			+ (SELECT ifnull(sum(length(path) + ifnull(length(text), 8) + 14), 0) FROM param WHERE run = r.id)
			+ ifnull((SELECT sum(250 + ifnull(length(a.log), 0) + ifnull(length(a.error), 0)
				+ (SELECT ifnull(sum(length(name) + 36), 0) FROM metric WHERE attempt = a.id)
				+ (SELECT 130 * count(*) FROM condition_number WHERE attempt = a.id)
				+ (SELECT ifnull(sum(length(attacker) + length(task) + 64), 0) FROM attack WHERE attempt = a.id)
				+ (SELECT 300 * count(*) FROM result WHERE attempt = a.id)) FROM attempt AS a WHERE a.run = r.id), 0)
		FROM run AS r WHERE r.removed IS NOT NULL AND r.removed <= ?
			AND NOT EXISTS (SELECT 1 FROM attempt AS a WHERE a.run = r.id AND a.status = 'running')
		ORDER BY r.removed, r.id LIMIT ?`, []any{formatTime(db.now().Add(-olderThan)), limit}, func(scan func(...any) error) error {
		d := deadRun{Garbage: Garbage{Kind: GarbageRun}}
		err := scan(&d.id, &d.Name, &d.Bytes)
		out, keys = append(out, d), append(keys, d.Name)
		return err
	})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	rows, err := runsList(ctx, q, Filter{Removed: true, keys: keys})
	for _, r := range rows {
		i := slices.Index(keys, r.Key)
		out[i].Run = r
		out[i].Why = "removed on " + formatTime(r.Removed)
	}
	return out, err
}

// deleteRuns deletes the rows of runs. What an experiment or another run refers to stays, as a key of which nothing else is known.
func deleteRuns(ctx context.Context, tx *sql.Tx, runs []deadRun) error {
	ids := make([]int64, len(runs))
	for i, r := range runs {
		ids[i] = r.id
	}
	list := mustJSON(ids)
	const (
		these    = " IN (SELECT value FROM json_each(?))"
		attempts = " WHERE attempt IN (SELECT id FROM attempt WHERE run" + these + ")"
	)
	for _, statement := range []string{
		"UPDATE run SET shown = NULL WHERE id" + these,
		"DELETE FROM metric" + attempts,
		"DELETE FROM condition_number" + attempts,
		"DELETE FROM attack" + attempts,
		"DELETE FROM result" + attempts,
		"DELETE FROM artifact" + attempts,
		"DELETE FROM attempt WHERE run" + these,
		"DELETE FROM param WHERE run" + these,
		"DELETE FROM dependency WHERE run" + these,
		`DELETE FROM run WHERE id` + these + ` AND NOT EXISTS (SELECT 1 FROM experiment_runs AS x WHERE x.run = run.id)
			AND NOT EXISTS (SELECT 1 FROM dependency AS d WHERE d.needs = run.id)`,
		`UPDATE run SET removed = NULL, train_key = NULL, kin = NULL, method = NULL, model = NULL, primary_dataset = NULL,
			primary_class = NULL, primary_digest = NULL, harmful_dataset = NULL, harmful_class = NULL, harmful_digest = NULL,
			seed = NULL, engine_version = NULL, tags = '[]', note = NULL WHERE id` + these,
	} {
		if err := alter(ctx, tx, statement, list); err != nil {
			return err
		}
	}
	return alter(ctx, tx, "DELETE FROM provenance WHERE NOT EXISTS (SELECT 1 FROM attempt AS a WHERE a.provenance = provenance.id)")
}

// deadFiles lists the files that nothing needs, once the runs dead are deleted.
func (db *DB) deadFiles(ctx context.Context, q querier, olderThan time.Duration, dead []deadRun) ([]Garbage, error) {
	y, err := readYard(ctx, q, dead)
	if err != nil {
		return nil, err
	}
	if db.net != nil { // what others are at is not in this copy
		for key := range db.net.claimed() {
			y.busy[key], y.underWay = true, true
		}
	}
	y.now, y.grace, y.work = db.now(), min(fileGrace, olderThan), workGrace
	var out []Garbage
	for _, folder := range []string{artifactFolder, ".", inboxFolder, inboxFolder + "/" + claimsFolder} {
		entries, err := os.ReadDir(filepath.Join(db.Dir(), folder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil { // it has gone
				continue
			}
			f := yardFile{folder: folder, name: e.Name(), dir: e.IsDir(), modified: info.ModTime()}
			kind, why, ok := y.judge(f)
			if !ok {
				continue
			}
			g := Garbage{Kind: kind, Name: strings.TrimPrefix(folder+"/"+e.Name(), "./"), Why: why, Bytes: info.Size()}
			if f.dir {
				g.Bytes = folderBytes(filepath.Join(db.Dir(), folder, e.Name()))
			}
			out = append(out, g)
		}
	}
	return out, nil
}

// folderBytes adds up the sizes of the files below dir.
func folderBytes(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			if info, err := e.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}
