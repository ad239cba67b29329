package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// experiments merges the versions of specs with their plans. A version of a spec that is known here by another version comes behind
// it, so that what is current stays so; from a part of this notebook it becomes current.
func (g *merger) experiments(ctx context.Context) error {
	versions, err := ids(ctx, g.q, "SELECT e.id FROM temp.versions AS v JOIN incoming.experiment AS e ON e.id = v.id ORDER BY e.touched DESC, e.id DESC")
	if err != nil {
		return err
	}
	known := map[string]bool{} // names that were here before
	for _, id := range versions {
		var name string
		if err := g.q.QueryRowContext(ctx, "SELECT name FROM incoming.experiment WHERE id = ?", id).Scan(&name); err != nil {
			return err
		}
		if _, asked := known[name]; !asked {
			n, err := count(ctx, g.q, "SELECT count(*) FROM main.experiment WHERE name = ?", name)
			if err != nil {
				return err
			}
			known[name] = n > 0
		}
	}
	for i := range versions { // the oldest first where they come after the others, the newest first where before
		id := versions[len(versions)-1-i]
		if err := g.experiment(ctx, id, known, false); err != nil {
			return err
		}
	}
	for _, id := range versions {
		if err := g.experiment(ctx, id, known, true); err != nil {
			return err
		}
	}
	return nil
}

// experiment merges a version if its name is known, or is not, as asked for.
func (g *merger) experiment(ctx context.Context, from int64, known map[string]bool, behind bool) error {
	var name, hash string
	var title string
	if err := g.q.QueryRowContext(ctx, "SELECT name, hash, title FROM incoming.experiment WHERE id = ?", from).Scan(&name, &hash, &title); err != nil {
		return err
	}
	if behind != (known[name] && !g.o.newest) {
		return nil
	}
	n, err := count(ctx, g.q, "SELECT count(*) FROM main.experiment WHERE name = ? AND hash = ?", name, hash)
	if err != nil || n > 0 && !g.o.newest {
		return err
	}
	if n == 0 {
		g.report.Experiments++
	}
	if g.o.dry {
		return nil
	}
	touched := "ifnull(max(touched), 0) + 1"
	if behind {
		touched = "ifnull(min(touched), 0) - 1"
	}
	fields := list(g.columns["experiment"], "")
	var id int64
	err = g.q.QueryRowContext(ctx, "INSERT INTO main.experiment (touched, "+fields+") SELECT (SELECT "+touched+" FROM main.experiment), "+fields+
		" FROM incoming.experiment WHERE id = ? ON CONFLICT (name, hash) DO UPDATE SET touched = excluded.touched RETURNING id", from).Scan(&id)
	if err != nil {
		return fmt.Errorf("experiment %s: %w", name, err)
	}
	for _, query := range []string{
		"DELETE FROM main.plan_digest WHERE experiment = ?1",
		"DELETE FROM main.experiment_runs WHERE experiment = ?1",
		`INSERT INTO main.run (key) SELECT r.key FROM incoming.experiment_runs AS x JOIN incoming.run AS r ON r.id = x.run
			WHERE x.experiment = ?2 ON CONFLICT DO NOTHING`,
		`INSERT INTO main.experiment_runs (experiment, ordinal, run, swept) SELECT ?1, x.ordinal, o.id, x.swept
			FROM incoming.experiment_runs AS x CROSS JOIN incoming.run AS r ON r.id = x.run CROSS JOIN main.run AS o ON o.key = r.key
			WHERE x.experiment = ?2`,
	} {
		args := []any{id, from}
		if _, err := g.exec(ctx, query, args[:1+strings.Count(query, "?2")]...); err != nil {
			return fmt.Errorf("plan of experiment %s: %w", name, err)
		}
	}
	return nil
}

// digests merges what was last read for a data reference; what this database knows stays, but for a part of this notebook.
func (g *merger) digests(ctx context.Context) error {
	fields := list(g.columns["digest"], "")
	const new = " FROM incoming.digest AS g WHERE NOT EXISTS (SELECT 1 FROM main.digest AS d WHERE d.ref = g.ref)"
	n, err := count(ctx, g.q, "SELECT count(*)"+new)
	if g.report.Digests = n; err != nil || g.o.dry {
		return err
	}
	conflict := "DO NOTHING"
	if g.o.newest {
		conflict = "(ref) DO UPDATE SET digest = excluded.digest, recorded = excluded.recorded WHERE excluded.recorded > recorded"
	}
	_, err = g.exec(ctx, "INSERT INTO main.digest ("+fields+") SELECT "+fields+" FROM incoming.digest WHERE true ON CONFLICT "+conflict)
	return err
}

// evaluations merges judgings of claims, in the order of time, and leaves the latest of a spec the last.
func (g *merger) evaluations(ctx context.Context) error {
	judged, err := ids(ctx, g.q, "SELECT v.id FROM incoming.evaluation AS v JOIN temp.versions AS s ON s.id = v.experiment ORDER BY v.evaluated, v.id")
	if err != nil {
		return err
	}
	for _, id := range judged {
		if err := g.evaluation(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (g *merger) evaluation(ctx context.Context, from int64) error {
	var version, name any
	var evaluated string
	err := g.q.QueryRowContext(ctx, `SELECT o.id, e.name, v.evaluated FROM incoming.evaluation AS v JOIN incoming.experiment AS e ON e.id = v.experiment
		LEFT JOIN main.experiment AS o ON o.name = e.name AND o.hash = e.hash WHERE v.id = ?`, from).Scan(&version, &name, &evaluated)
	if err != nil {
		return err
	}
	if version != nil {
		same, err := ids(ctx, g.q, "SELECT id FROM main.evaluation WHERE experiment = ? AND evaluated = ?", version, evaluated)
		if err != nil {
			return err
		}
		for _, id := range same {
			if equal, err := g.sameClaims(ctx, from, id); err != nil || equal {
				return err
			}
		}
	}
	g.report.Evaluations++
	if g.o.dry {
		return nil
	}
	if err := g.copyEvaluation(ctx, version, incoming, from); err != nil {
		return err
	}
	// One of this database's that is later comes last again.
	var last, of int64
	err = g.q.QueryRowContext(ctx, `SELECT v.id, v.experiment FROM main.evaluation AS v JOIN main.experiment AS e ON e.id = v.experiment
		WHERE e.name = ? AND v.evaluated > ? ORDER BY v.id DESC LIMIT 1`, name, evaluated).Scan(&last, &of)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = g.copyEvaluation(ctx, of, "main", last)
	}
	for _, query := range []string{"DELETE FROM main.claim WHERE evaluation = ?", "DELETE FROM main.evaluation WHERE id = ?"} {
		if err == nil {
			_, err = g.exec(ctx, query, last)
		}
	}
	return err
}

// copyEvaluation adds a judging of a version with its claims.
func (g *merger) copyEvaluation(ctx context.Context, version any, of string, from int64) error {
	evaluation, claim := list(g.columns["evaluation"], ""), list(g.columns["claim"], "")
	res, err := g.exec(ctx, "INSERT INTO main.evaluation (experiment, "+evaluation+") SELECT ?, "+evaluation+" FROM "+of+".evaluation WHERE id = ?", version, from)
	if err != nil {
		return err
	}
	id, err := res.LastInsertId()
	if err == nil {
		_, err = g.exec(ctx, "INSERT INTO main.claim (evaluation, ordinal, "+claim+") SELECT ?, ordinal, "+claim+" FROM "+of+".claim WHERE evaluation = ?", id, from)
	}
	return err
}

func (g *merger) sameClaims(ctx context.Context, from, to int64) (equal bool, err error) {
	fields := list(g.columns["claim"], "")
	err = g.q.QueryRowContext(ctx, fmt.Sprintf(`SELECT NOT EXISTS (SELECT ordinal, %[1]s FROM incoming.claim WHERE evaluation = ?1
		EXCEPT SELECT ordinal, %[1]s FROM main.claim WHERE evaluation = ?2) AND NOT EXISTS (SELECT ordinal, %[1]s FROM main.claim WHERE evaluation = ?2
		EXCEPT SELECT ordinal, %[1]s FROM incoming.claim WHERE evaluation = ?1)`, fields), from, to).Scan(&equal)
	return equal, err
}
