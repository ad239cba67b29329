package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"path"
)

// dump writes what temp.chosen and temp.versions of a connection have chosen as JSON lines.
type dump struct {
	c       querier
	files   *files
	o       ExportOptions
	report  *ExportReport
	out     *lineWriter
	columns map[string][]field

	kept map[string]bool // digests of artifacts: whether the content is there and what it should be
	send []Artifact      // those that are, in the order in which they were met
}

func (d *dump) all(ctx context.Context) (err error) {
	if d.columns, err = travelling(ctx, d.c); err != nil {
		return err
	}
	d.kept = map[string]bool{}
	if d.report.Running, err = count(ctx, d.c, "SELECT count(*) FROM temp.chosen AS c JOIN main.attempt AS a ON a.run = c.id WHERE a.status = 'running'"); err != nil {
		return err
	}
	h := heading{Kappa: "runs", Format: exchangeFormat, Schema: len(migrations()), Columns: columnsHeading(d.columns)}
	if err := d.out.line(func(b []byte) []byte { return append(b, mustJSON(h)...) }); err != nil {
		return err
	}
	for _, part := range []func(context.Context) error{d.experiments, d.digests, d.provenance, d.runs, d.contents, d.evaluations} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return d.out.end()
}

// objects writes each row of a query as an object named what.
func (d *dump) objects(ctx context.Context, what string, columns []string, query string, args ...any) (n int, err error) {
	values, dest := scratch(len(columns))
	err = each(ctx, d.c, query, args, func(scan func(...any) error) error {
		if err := scan(dest...); err != nil {
			return err
		}
		n++
		return d.out.object(what, columns, values)
	})
	return n, err
}

// rows writes the rows of a query, of n columns, in lines named what.
func (d *dump) rows(ctx context.Context, what string, n int, query string, args ...any) error {
	values, dest := scratch(n)
	w := rowWriter{l: d.out, name: what}
	err := each(ctx, d.c, query, args, func(scan func(...any) error) error {
		if err := scan(dest...); err != nil {
			return err
		}
		return w.add(values)
	})
	if err != nil {
		return err
	}
	return w.flush()
}

// scratch is a row of n values and where to scan them to.
func scratch(n int) (values, dest []any) {
	values, dest = make([]any, n), make([]any, n)
	for i := range values {
		dest[i] = &values[i]
	}
	return values, dest
}

func (d *dump) experiments(ctx context.Context) error {
	fields := d.columns["experiment"]
	versions, err := ids(ctx, d.c, "SELECT e.id FROM temp.versions AS v JOIN main.experiment AS e ON e.id = v.id ORDER BY e.touched, e.id")
	for _, id := range versions {
		if err == nil {
			_, err = d.objects(ctx, "experiment", names(fields), "SELECT "+list(fields, "")+" FROM main.experiment WHERE id = ?", id)
		}
		if err == nil {
			err = d.rows(ctx, "plan", 2, `SELECT r.key, x.swept FROM main.experiment_runs AS x CROSS JOIN main.run AS r ON r.id = x.run
				WHERE x.experiment = ? ORDER BY x.ordinal`, id)
		}
	}
	d.report.Experiments = len(versions)
	return err
}

// digests are those of the data that chosen runs have read; of an export of everything, all.
func (d *dump) digests(ctx context.Context) error {
	fields := d.columns["digest"]
	return d.rows(ctx, "digest", len(fields), "SELECT "+list(fields, "g.")+` FROM main.digest AS g WHERE ?1 OR g.digest IN (
			SELECT r.primary_digest FROM temp.chosen AS c JOIN main.run AS r ON r.id = c.id
			UNION SELECT r.harmful_digest FROM temp.chosen AS c JOIN main.run AS r ON r.id = c.id)
		ORDER BY g.ref`, d.o.everything() || d.o.part != nil && d.o.part.digests)
}

func (d *dump) provenance(ctx context.Context) error {
	fields := d.columns["provenance"]
	_, err := d.objects(ctx, "provenance", names(fields), "SELECT "+list(fields, "p.")+` FROM main.provenance AS p WHERE p.id IN (
		SELECT a.provenance FROM temp.ended AS e JOIN main.attempt AS a ON a.id = e.attempt) ORDER BY p.hash`)
	return err
}

// runs writes the runs in the order of their keys, each with its parameters, what it needs and its attempts.
func (d *dump) runs(ctx context.Context) error {
	chosen, err := ids(ctx, d.c, "SELECT r.id FROM temp.chosen AS c JOIN main.run AS r ON r.id = c.id ORDER BY r.key")
	if err != nil {
		return err
	}
	total, err := count(ctx, d.c, "SELECT count(*) FROM temp.ended")
	if err != nil {
		return err
	}
	run, param, need := d.columns["run"], d.columns["param"], d.columns["dependency"]
	attempt := d.columns["attempt"]
	columns := append(names(attempt), "provenance", "order")
	for _, id := range chosen {
		if _, err := d.objects(ctx, "run", names(run), "SELECT "+list(run, "")+" FROM main.run WHERE id = ?", id); err != nil {
			return err
		}
		if err := d.rows(ctx, "param", len(param), "SELECT "+list(param, "")+" FROM main.param WHERE run = ? ORDER BY path", id); err != nil {
			return err
		}
		if err := d.rows(ctx, "dependency", 1+len(need), "SELECT n.key, "+list(need, "d.")+` FROM main.dependency AS d
			JOIN main.run AS n ON n.id = d.needs WHERE d.run = ? ORDER BY n.key`, id); err != nil {
			return err
		}
		attempts, err := ids(ctx, d.c, "SELECT a.id FROM temp.ended AS e JOIN main.attempt AS a ON a.id = e.attempt WHERE e.run = ? ORDER BY a.attempt", id)
		if err != nil {
			return err
		}
		for _, a := range attempts {
			if _, err := d.objects(ctx, "attempt", columns, "SELECT "+list(attempt, "a.")+`, p.hash, e.n FROM main.attempt AS a
				JOIN main.provenance AS p ON p.id = a.provenance JOIN temp.ended AS e ON e.attempt = a.id WHERE a.id = ?`, a); err != nil {
				return err
			}
			if err := d.figures(ctx, a); err != nil {
				return err
			}
			if d.report.Attempts++; d.o.Progress != nil && d.report.Attempts%100 == 0 {
				d.o.Progress(d.report.Attempts, total)
			}
		}
		d.report.Runs++
	}
	return nil
}

// ordered are the columns that put the rows of a table of figures in order.
var ordered = map[string]string{
	"metric": "name, step", "condition_number": "task, protocol, step", "attack": "attacker, task, step", "result": "attempt",
}

func (d *dump) figures(ctx context.Context, attempt int64) error {
	for _, table := range figureTables {
		fields := d.columns[table]
		if err := d.rows(ctx, table, len(fields), "SELECT "+list(fields, "")+" FROM main."+table+" WHERE attempt = ? ORDER BY "+ordered[table], attempt); err != nil {
			return err
		}
	}
	if d.o.NoArtifacts {
		return nil
	}
	kept, err := attemptArtifacts(ctx, d.c, "main", attempt)
	if err != nil {
		return err
	}
	w := rowWriter{l: d.out, name: "artifact"}
	for _, a := range kept {
		there, seen := d.kept[a.Digest]
		if d.o.part != nil {
			there, seen = true, true
		}
		if !seen {
			if there, err = d.files.sound(ctx, a); err != nil {
				return err
			}
			if d.kept[a.Digest] = there; there {
				d.send = append(d.send, a)
			}
		}
		if !there {
			d.report.Missing = append(d.report.Missing, a.Path)
			continue
		}
		if err := w.add([]any{a.Name, a.Digest, a.Bytes, artifactExtension(path.Base(a.Path))}); err != nil {
			return err
		}
	}
	return w.flush()
}

// sound says whether the content of an artifact can be read and is what it was.
func (f *files) sound(ctx context.Context, a Artifact) (bool, error) {
	err := f.read(ctx, a, func([]byte) error { return nil })
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if _, isDatabase := code(err); isDatabase != 0 {
		return false, err
	}
	return err == nil, nil
}

// attemptArtifacts lists what an attempt has kept, in the order of the names.
func attemptArtifacts(ctx context.Context, q querier, from string, attempt int64) ([]Artifact, error) {
	var out []Artifact
	err := each(ctx, q, "SELECT name, path, digest, bytes FROM "+quoteName(from)+".artifact WHERE attempt = ? ORDER BY name", []any{attempt},
		func(scan func(...any) error) error {
			var a Artifact
			err := scan(&a.Name, &a.Path, &a.Digest, &a.Bytes)
			out = append(out, a)
			return err
		})
	return out, err
}

// contents writes each file once, in pieces.
func (d *dump) contents(ctx context.Context) error {
	for _, a := range d.send {
		if err := d.out.object("file", []string{"digest", "bytes"}, []any{a.Digest, a.Bytes}); err != nil {
			return err
		}
		err := d.files.read(ctx, a, func(piece []byte) error {
			return d.out.line(func(b []byte) []byte {
				b = append(b, `{"data":"`...)
				return append(base64.StdEncoding.AppendEncode(b, piece), '"', '}')
			})
		})
		if errors.Is(err, ErrCorrupt) || errors.Is(err, errNoContent) {
			return fmt.Errorf("the artifact %s was changed while it was read: %w", a.Path, err)
		}
		if err != nil {
			return err
		}
		d.report.Files++
		d.report.FileBytes += a.Bytes
	}
	return nil
}

// evaluations writes every judging of the claims of the versions, in the order in which they were recorded: a clock may have been
// set back in between.
func (d *dump) evaluations(ctx context.Context) error {
	if d.o.part != nil && !d.o.part.evaluations {
		return nil
	}
	evaluation, claim := d.columns["evaluation"], d.columns["claim"]
	judged, err := ids(ctx, d.c, `SELECT v.id FROM main.evaluation AS v JOIN temp.versions AS s ON s.id = v.experiment
		JOIN main.experiment AS e ON e.id = v.experiment ORDER BY v.id`)
	columns := append([]string{"name", "hash"}, names(evaluation)...)
	for _, id := range judged {
		if err == nil {
			_, err = d.objects(ctx, "evaluation", columns, "SELECT e.name, e.hash, "+list(evaluation, "v.")+
				" FROM main.evaluation AS v JOIN main.experiment AS e ON e.id = v.experiment WHERE v.id = ?", id)
		}
		if err == nil {
			_, err = d.objects(ctx, "claim", names(claim), "SELECT "+list(claim, "")+" FROM main.claim WHERE evaluation = ? ORDER BY ordinal", id)
		}
	}
	d.report.Evaluations = len(judged)
	return err
}
