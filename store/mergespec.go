package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
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

// judged is how the judgings of a spec's claims are merged.
type judged struct {
	own   int64  // the last one of this database's; 0: there is none
	of    int64  // its version of the spec
	at    string // when
	seen  int    // the place of the same one among those that come in; 0: they have none such
	added int    // the place of the last one that was added
	time  string // of that
}

// last says whether this database's own comes last again: where the others have it too their order decides, else the time.
func (j *judged) last() bool {
	if j.seen > 0 {
		return j.own != 0 && j.added > 0 && j.seen > j.added
	}
	return j.own != 0 && j.added > 0 && j.at > j.time
}

// evaluations merges judgings of claims in the order in which they were recorded, whatever the clock said, and leaves the latest of a spec
// the last.
func (g *merger) evaluations(ctx context.Context) error {
	from, err := ids(ctx, g.q, "SELECT v.id FROM incoming.evaluation AS v JOIN temp.versions AS s ON s.id = v.experiment ORDER BY v.id")
	if err != nil {
		return err
	}
	specs := make(map[string]*judged)
	for i, id := range from {
		if err := g.evaluation(ctx, id, i+1, specs); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		if j := specs[name]; j.last() {
			if err := g.moveLast(ctx, j); err != nil {
				return err
			}
		}
	}
	return nil
}

// moveLast puts this database's own judging behind those that were added.
func (g *merger) moveLast(ctx context.Context, j *judged) error {
	err := g.copyEvaluation(ctx, j.of, "main", j.own)
	for _, query := range []string{"DELETE FROM main.claim WHERE evaluation = ?", "DELETE FROM main.evaluation WHERE id = ?"} {
		if err == nil {
			_, err = g.exec(ctx, query, j.own)
		}
	}
	return err
}

// evaluation merges one judging, the place-th that comes in.
func (g *merger) evaluation(ctx context.Context, from int64, place int, specs map[string]*judged) error {
	var version any
	var name, evaluated string
	err := g.q.QueryRowContext(ctx, `SELECT o.id, e.name, v.evaluated FROM incoming.evaluation AS v JOIN incoming.experiment AS e ON e.id = v.experiment
		LEFT JOIN main.experiment AS o ON o.name = e.name AND o.hash = e.hash WHERE v.id = ?`, from).Scan(&version, &name, &evaluated)
	if err != nil {
		return err
	}
	j := specs[name]
	if j == nil {
		j = new(judged)
		specs[name] = j
		err = g.q.QueryRowContext(ctx, `SELECT v.id, v.experiment, v.evaluated FROM main.evaluation AS v JOIN main.experiment AS e ON e.id = v.experiment
			WHERE e.name = ? ORDER BY v.id DESC LIMIT 1`, name).Scan(&j.own, &j.of, &j.at)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	if version != nil {
		same, err := ids(ctx, g.q, "SELECT id FROM main.evaluation WHERE experiment = ? AND evaluated = ?", version, evaluated)
		if err != nil {
			return err
		}
		for _, id := range same {
			equal, err := g.sameClaims(ctx, from, id)
			if equal && id == j.own {
				j.seen = place
			}
			if err != nil || equal {
				return err
			}
		}
	}
	g.report.Evaluations++
	if g.o.dry {
		return nil
	}
	j.added, j.time = place, evaluated
	return g.copyEvaluation(ctx, version, incoming, from)
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
