package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ImportReport is what an import has added, or would add.
type ImportReport struct {
	Runs        int      // that have got an attempt and had none
	Attempts    int      // added
	Same        int      // attempts that were there already
	Repeated    int      // finished attempts left out: the run is finished here with the same figures
	Differ      []string // keys of runs finished in both, with other figures: the attempt was added, and is shown now
	Experiments int      // versions of specs
	Evaluations int      // judgings of claims
	Digests     int      // of data
	Files       int      // artifacts
	FileBytes   int64
	Notes       []string // keys of runs with another note here, which was kept
	Removed     []string // keys of runs that are removed here and stay so
	Running     int      // attempts under way in the source, which were left out
	Missing     []string // files of artifacts that the source has lost, or that have changed there
}

// mergeOptions say what is merged and how.
type mergeOptions struct {
	choice   ExportOptions
	into     string // the table that takes the content of artifacts; "": the folder beside the database
	folder   string // beside which the source's artifacts lie; "": beside its file
	newest   bool   // the source is a part of this notebook: its specs and digests of data are the current ones
	dry      bool   // nothing is written
	quick    bool   // attempts that are the same but for their figures have the same: both were recorded in one notebook
	unsafe   bool   // one transaction without a wait: nobody else uses the database
	progress func(done, total int)
}

// A merge is done in transactions of at most so many attempts and about so long, so that others can write in between. One that is
// cut off is taken up by doing it again: what is there already is passed over.
const (
	mergeAttempts = 200
	mergeTime     = 200 * time.Millisecond
)

// merger adds what is chosen of one database, attached as incoming, to another one.
type merger struct {
	db      *DB
	c       *sql.Conn
	q       *prepared // of c
	tx      *sql.Tx   // that is under way
	o       mergeOptions
	files   *files
	columns map[string][]field // that both have
	report  *ImportReport
	runs    map[int64]mergedRun // by the source's ids
	written map[string]bool     // digests of the contents that are there
	ends    []ack               // of the attempts that the transaction under way has added
}

// mergedRun is a run of the source as the target has it.
type mergedRun struct {
	key      string
	id       int64 // 0: it is not there, and nothing is written
	fresh    bool  // it had no attempt
	finished bool  // it had a finished attempt
	removed  bool
}

// incoming is the name of the source inside the target's connection.
const incoming = "incoming"

// merge adds to db what o chooses of src.
func (db *DB) merge(ctx context.Context, src *DB, o mergeOptions) (report ImportReport, err error) {
	m := readWrite
	if o.dry {
		m = db.mode
		if m == readWrite {
			m = readOnly
		}
	}
	pool := openPool(plainDriver(), db.path, m, db.busy, 1)
	defer func() { err = errors.Join(err, pool.Close()) }()
	c, err := pool.Conn(ctx)
	if err != nil {
		return report, err
	}
	defer func() { _ = c.Close() }()
	if !o.dry && !o.unsafe {
		if _, err := c.ExecContext(ctx, "PRAGMA synchronous = full"); err != nil {
			return report, err
		}
	}
	sm := readOnly
	if src.mode == immutable {
		sm = immutable
	}
	if _, err := c.ExecContext(ctx, "ATTACH ? AS "+incoming, dsn(src.path, sm, db.busy)); err != nil {
		return report, err
	}
	if err := choose(ctx, c, incoming, o.choice); err != nil {
		return report, err
	}
	if o.folder == "" {
		o.folder = src.Dir()
	}
	f, err := fileSource(ctx, c, incoming, o.folder)
	if err != nil {
		return report, err
	}
	defer f.close()
	g := &merger{db: db, c: c, q: newPrepared(c), o: o, files: f, report: &report, runs: map[int64]mergedRun{}, written: map[string]bool{}}
	if g.columns, err = shared(ctx, c); err != nil {
		return report, err
	}
	return report, errors.Join(g.all(ctx), g.q.close())
}

// shared are the columns that travel and that both databases have.
func shared(ctx context.Context, c *sql.Conn) (map[string][]field, error) {
	columns, err := travelling(ctx, c)
	for table, fields := range columns {
		var there []string
		if err == nil {
			err = each(ctx, c, "SELECT name FROM pragma_table_info(?, ?)", []any{table, incoming}, func(scan func(...any) error) error {
				var s string
				err := scan(&s)
				there = append(there, s)
				return err
			})
		}
		columns[table] = slices.DeleteFunc(fields, func(f field) bool { return !slices.Contains(there, f.name) })
	}
	return columns, err
}

func (g *merger) all(ctx context.Context) error {
	var err error
	if g.report.Running, err = count(ctx, g.c, "SELECT count(*) FROM temp.chosen AS c JOIN incoming.attempt AS a ON a.run = c.id WHERE a.status = 'running'"); err != nil {
		return err
	}
	err = g.inTransaction(ctx, func() error {
		return errors.Join(g.experiments(ctx), g.digests(ctx))
	})
	if err != nil {
		return err
	}
	if err := g.attempts(ctx); err != nil {
		return err
	}
	return g.inTransaction(ctx, func() error { return g.evaluations(ctx) })
}

// inTransaction runs f in a transaction that is on the disk afterwards, or without any where nothing is written.
func (g *merger) inTransaction(ctx context.Context, f func() error) error {
	if g.o.dry {
		return f()
	}
	tx, err := g.c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	g.tx = tx
	defer func() { g.tx = nil }()
	if err := f(); err != nil {
		g.ends = nil
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	g.acknowledge(ctx)
	g.db.foldLog(ctx, g.c)
	return nil
}

// acknowledge lists the ends that are on the disk now, all at once.
func (g *merger) acknowledge(ctx context.Context) {
	ends := slices.DeleteFunc(g.ends, func(a ack) bool { return a.Status == Interrupted })
	g.ends = nil
	if len(ends) == 0 || g.db.scratch {
		return
	}
	if g.db.acked.add(ends) != nil {
		g.db.acknowledge(ctx, ends[len(ends)-1]) // which writes the file anew, or says that it cannot
	}
}

// exec changes the target.
func (g *merger) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return g.q.ExecContext(ctx, query, args...)
}

// attempts merges the ended attempts, in the order in which they ended.
func (g *merger) attempts(ctx context.Context) error {
	type ended struct{ attempt, run int64 }
	var list []ended
	err := each(ctx, g.c, "SELECT attempt, run FROM temp.ended ORDER BY n", nil, func(scan func(...any) error) error {
		var e ended
		err := scan(&e.attempt, &e.run)
		list = append(list, e)
		return err
	})
	if err != nil {
		return err
	}
	for done := 0; done < len(list); {
		begun := time.Now()
		err := g.inTransaction(ctx, func() error {
			for n := 0; done < len(list) && (g.o.unsafe || n < mergeAttempts && time.Since(begun) < mergeTime); n++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := g.attempt(ctx, list[done].attempt, list[done].run); err != nil {
					return err
				}
				if done++; g.o.progress != nil && done%100 == 0 {
					g.o.progress(done, len(list))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// run finds or makes the run that a run of the source is.
func (g *merger) run(ctx context.Context, from int64) (mergedRun, error) {
	if r, ok := g.runs[from]; ok {
		return r, nil
	}
	var key, theirTags string
	var theirNote *string
	if err := g.q.QueryRowContext(ctx, "SELECT key, tags, note FROM incoming.run WHERE id = ?", from).Scan(&key, &theirTags, &theirNote); err != nil {
		return mergedRun{}, err
	}
	if err := checkKey(key); err != nil {
		return mergedRun{}, err
	}
	r := mergedRun{key: key, fresh: true}
	var tags string
	var note *string
	var described bool
	err := g.q.QueryRowContext(ctx, `SELECT id, tags, note, removed IS NOT NULL, kin IS NOT NULL OR shown IS NOT NULL, shown IS NULL,
		EXISTS (SELECT 1 FROM main.attempt AS a WHERE a.run = r.id AND a.status IN ('done', 'diverged'))
		FROM main.run AS r WHERE key = ?`, key).Scan(&r.id, &tags, &note, &r.removed, &described, &r.fresh, &r.finished)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return mergedRun{}, err
	}
	if r.removed {
		g.report.Removed = append(g.report.Removed, key)
	}
	if described && note != nil && theirNote != nil && *note != *theirNote {
		g.report.Notes = append(g.report.Notes, key)
	}
	if !g.o.dry {
		if !described {
			err = g.describe(ctx, &r, from)
		} else {
			err = g.label(ctx, r.id, tags, theirTags, theirNote)
		}
		if err != nil {
			return mergedRun{}, fmt.Errorf("run %.12s: %w", key, err)
		}
	}
	g.runs[from] = r
	return r, nil
}

// describe makes a run out of the source's, of which no more than the key is known.
func (g *merger) describe(ctx context.Context, r *mergedRun, from int64) error {
	fields := g.columns["run"]
	var set []string
	for _, f := range fields {
		set = append(set, quoteName(f.name)+" = excluded."+quoteName(f.name))
	}
	err := g.q.QueryRowContext(ctx, "INSERT INTO main.run ("+list(fields, "")+") SELECT "+list(fields, "")+` FROM incoming.run WHERE id = ?
		ON CONFLICT (key) DO UPDATE SET `+strings.Join(set, ", ")+" RETURNING id", from).Scan(&r.id)
	if err != nil {
		return err
	}
	param, need := g.columns["param"], g.columns["dependency"]
	_, err = g.exec(ctx, "INSERT INTO main.param (run, "+list(param, "")+") SELECT ?, "+list(param, "")+" FROM incoming.param WHERE run = ? ON CONFLICT DO NOTHING", r.id, from)
	if err != nil {
		return err
	}
	_, err = g.exec(ctx, `INSERT INTO main.run (key) SELECT n.key FROM incoming.dependency AS d JOIN incoming.run AS n ON n.id = d.needs
		WHERE d.run = ? ON CONFLICT DO NOTHING`, from)
	if err != nil {
		return err
	}
	_, err = g.exec(ctx, "INSERT INTO main.dependency (run, needs, "+list(need, "")+") SELECT ?, o.id, "+list(need, "d.")+` FROM incoming.dependency AS d
		JOIN incoming.run AS n ON n.id = d.needs JOIN main.run AS o ON o.key = n.key WHERE d.run = ? ON CONFLICT DO NOTHING`, r.id, from)
	return err
}

// label joins the tags of both; a note is taken where there is none.
func (g *merger) label(ctx context.Context, run int64, ours, theirs string, note *string) error {
	var a, b []string
	if err := errors.Join(json.Unmarshal([]byte(ours), &a), json.Unmarshal([]byte(theirs), &b)); err != nil {
		return fmt.Errorf("tags: %w", err)
	}
	all := append(a, b...)
	slices.Sort(all)
	if all = slices.Compact(all); len(all) == 0 {
		all = []string{}
	}
	_, err := g.exec(ctx, "UPDATE main.run SET tags = ?1, note = ifnull(note, ?2) WHERE id = ?3 AND (tags <> ?1 OR note IS NOT ifnull(note, ?2))",
		mustJSON(all), note, run)
	return err
}

// attempt merges one attempt with all that it has left behind.
func (g *merger) attempt(ctx context.Context, from, fromRun int64) error {
	r, err := g.run(ctx, fromRun)
	if err != nil {
		return err
	}
	var number int
	var status Status
	if err := g.q.QueryRowContext(ctx, "SELECT attempt, status FROM incoming.attempt WHERE id = ?", from).Scan(&number, &status); err != nil {
		return err
	}
	fresh := r.fresh
	var same int64
	if r.id != 0 {
		if same, err = g.identical(ctx, from, r.id); err != nil {
			return err
		}
	}
	switch {
	case same != 0:
		g.report.Same++
		return g.artifacts(ctx, from, same, r)
	case r.finished && status.Finished() && !g.o.newest: // of this notebook every attempt counts, also a repetition
		equal, repeated, err := g.repeated(ctx, from, fromRun, r.id)
		if err != nil {
			return err
		}
		if repeated {
			g.report.Repeated++
			return nil
		}
		if !equal && !slices.Contains(g.report.Differ, r.key) {
			g.report.Differ = append(g.report.Differ, r.key)
		}
	}
	g.report.Attempts++
	if fresh {
		g.report.Runs++
		r.fresh = false
		g.runs[fromRun] = r
	}
	if g.o.dry {
		return g.artifacts(ctx, from, 0, r)
	}
	id, err := g.insert(ctx, from, r.id, number)
	if err != nil {
		return fmt.Errorf("attempt %d of run %.12s: %w", number, r.key, err)
	}
	if err := g.artifacts(ctx, from, id, r); err != nil {
		return err
	}
	if status.Finished() && r.removed {
		if _, err := g.exec(ctx, "UPDATE main.run SET removed = NULL WHERE id = ?", r.id); err != nil {
			return err
		}
		r.removed = false
		g.runs[fromRun] = r
		g.report.Removed = slices.DeleteFunc(g.report.Removed, func(k string) bool { return k == r.key })
	}
	return show(ctx, g.tx, r.id)
}
