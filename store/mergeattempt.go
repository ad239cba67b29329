package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// identical finds the attempt of a run of the target that is an attempt of the source: the same in every column, on the same
// machine, with the same figures. 0: there is none.
func (g *merger) identical(ctx context.Context, from, run int64) (int64, error) {
	var same []string
	for _, f := range g.columns["attempt"] {
		if f.name != "attempt" { // its number may be another one here
			same = append(same, "b."+quoteName(f.name)+" IS a."+quoteName(f.name))
		}
	}
	found, err := ids(ctx, g.q, `SELECT b.id FROM incoming.attempt AS a JOIN incoming.provenance AS p ON p.id = a.provenance
		JOIN main.attempt AS b ON b.run = ? JOIN main.provenance AS q ON q.id = b.provenance AND q.hash = p.hash
		WHERE a.id = ? AND `+strings.Join(same, " AND ")+" ORDER BY b.attempt", run, from)
	for _, id := range found {
		equal := g.o.quick
		if err == nil && !equal {
			equal, err = g.sameFigures(ctx, from, id)
		}
		if err == nil && equal {
			return id, nil
		}
	}
	return 0, err
}

// sameFigures compares every figure of an attempt of the source with one of the target.
func (g *merger) sameFigures(ctx context.Context, from, to int64) (bool, error) {
	keys := map[string][]string{
		"metric": {"name", "step"}, "condition_number": {"task", "protocol", "step"}, "attack": {"attacker", "task", "step"}, "result": nil,
	}
	for _, table := range figureTables {
		var on, same []string
		for _, f := range g.columns[table] {
			name := quoteName(f.name)
			if slices.Contains(keys[table], f.name) {
				on = append(on, " AND b."+name+" = a."+name)
			} else {
				same = append(same, "b."+name+" IS a."+name)
			}
		}
		var equal bool
		err := g.q.QueryRowContext(ctx, fmt.Sprintf(`SELECT
			(SELECT count(*) FROM incoming.%[1]s WHERE attempt = ?1) = (SELECT count(*) FROM main.%[1]s WHERE attempt = ?2)
			AND NOT EXISTS (SELECT 1 FROM incoming.%[1]s AS a LEFT JOIN main.%[1]s AS b ON b.attempt = ?2%[2]s
				WHERE a.attempt = ?1 AND (b.attempt IS NULL OR NOT (%[3]s)))`, table, strings.Join(on, ""), strings.Join(same, " AND ")),
			from, to).Scan(&equal)
		if err != nil || !equal {
			return false, err
		}
	}
	return true, nil
}

// repeated says whether a finished attempt of the source says nothing new: a finished attempt of the target, which did not come
// from this source, has the same status and figures. equal says that some attempt of the target has them, wherever it came from.
func (g *merger) repeated(ctx context.Context, from, fromRun, run int64) (equal, repeated bool, err error) {
	finished, err := ids(ctx, g.q, `SELECT b.id FROM main.attempt AS b JOIN incoming.attempt AS a ON a.id = ? AND a.status = b.status
		WHERE b.run = ? ORDER BY b.attempt`, from, run)
	if err != nil {
		return false, false, err
	}
	for _, id := range finished {
		same, err := g.sameFigures(ctx, from, id)
		if err != nil {
			return false, false, err
		}
		if !same {
			continue
		}
		equal = true
		theirs, err := ids(ctx, g.q, `SELECT a.id FROM main.attempt AS b JOIN incoming.attempt AS a ON a.run = ? AND a.started = b.started
			AND a.finished IS b.finished WHERE b.id = ?`, fromRun, id)
		if err != nil || len(theirs) == 0 {
			return true, err == nil, err
		}
	}
	return equal, false, nil
}

// insert copies an attempt and its figures.
func (g *merger) insert(ctx context.Context, from, run int64, number int) (int64, error) {
	provenance, err := g.provenance(ctx, from)
	if err != nil {
		return 0, err
	}
	taken, err := count(ctx, g.q, "SELECT count(*) FROM main.attempt WHERE run = ? AND attempt = ?", run, number)
	if err != nil {
		return 0, err
	}
	if taken > 0 {
		if number, err = count(ctx, g.q, "SELECT max(attempt) + 1 FROM main.attempt WHERE run = ?", run); err != nil {
			return 0, err
		}
	}
	end := ack{Attempt: number}
	if end.Seq, err = g.db.nextSeq(ctx, g.tx); err != nil {
		return 0, err
	}
	fields := slices.DeleteFunc(slices.Clone(g.columns["attempt"]), func(f field) bool { return f.name == "attempt" })
	res, err := g.exec(ctx, "INSERT INTO main.attempt (run, attempt, provenance, holder, lease, seq, "+list(fields, "")+
		") SELECT ?, ?, ?, ?, 0, ?, "+list(fields, "")+" FROM incoming.attempt WHERE id = ?", run, number, provenance, importHolder, end.Seq, from)
	if err != nil {
		return 0, err
	}
	id, err := res.LastInsertId()
	if err != nil {
		return 0, err
	}
	for _, table := range figureTables {
		fields := list(g.columns[table], "")
		if _, err := g.exec(ctx, "INSERT INTO main."+table+" (attempt, "+fields+") SELECT ?, "+fields+" FROM incoming."+table+" WHERE attempt = ?", id, from); err != nil {
			return 0, err
		}
	}
	if err := g.q.QueryRowContext(ctx, "SELECT r.key, a.status, "+experimentOfRun+" FROM main.attempt AS a JOIN main.run AS r ON r.id = a.run WHERE a.id = ?",
		id).Scan(&end.Key, &end.Status, &end.Experiment); err != nil {
		return 0, err
	}
	g.ends = append(g.ends, end)
	return id, madeGood(ctx, g.tx, end)
}

// provenance finds or makes the provenance of an attempt.
func (g *merger) provenance(ctx context.Context, from int64) (id int64, err error) {
	fields := list(g.columns["provenance"], "")
	_, err = g.exec(ctx, "INSERT INTO main.provenance ("+fields+") SELECT "+fields+` FROM incoming.provenance
		WHERE id = (SELECT provenance FROM incoming.attempt WHERE id = ?) ON CONFLICT (hash) DO NOTHING`, from)
	if err != nil {
		return 0, err
	}
	err = g.q.QueryRowContext(ctx, `SELECT q.id FROM incoming.attempt AS a JOIN incoming.provenance AS p ON p.id = a.provenance
		JOIN main.provenance AS q ON q.hash = p.hash WHERE a.id = ?`, from).Scan(&id)
	return id, err
}

// artifacts takes the files of an attempt over, as an attempt of the target's; those that it has already are passed over.
func (g *merger) artifacts(ctx context.Context, from, to int64, r mergedRun) error {
	if g.o.choice.NoArtifacts {
		return nil
	}
	theirs, err := attemptArtifacts(ctx, g.q, incoming, from)
	if err != nil {
		return err
	}
	ours, err := attemptArtifacts(ctx, g.q, "main", to)
	if err != nil {
		return err
	}
	for _, a := range theirs {
		if slices.ContainsFunc(ours, func(o Artifact) bool { return o.Name == a.Name }) {
			continue
		}
		err := errors.Join(checkArtifactName(a.Name), checkKey(a.Digest))
		if err != nil {
			return err
		}
		b := a
		b.Path = artifactPath(r.key, a.Name, a.Digest, artifactExtension(a.Path))
		there, err := g.content(ctx, a, b)
		if err != nil {
			return err
		}
		if !there {
			g.report.Missing = append(g.report.Missing, a.Path)
			continue
		}
		if g.o.dry {
			continue
		}
		if _, err := g.exec(ctx, "INSERT INTO main.artifact (attempt, name, path, digest, bytes) VALUES (?, ?, ?, ?, ?)", to, b.Name, b.Path, b.Digest, b.Bytes); err != nil {
			return err
		}
	}
	return nil
}

// content copies the content of a to where b's lies, unless it is there. It says false where the source has not got it.
func (g *merger) content(ctx context.Context, a, b Artifact) (bool, error) {
	place := b.Path
	if g.o.into != "" {
		place = b.Digest
	}
	if there, seen := g.written[place]; seen {
		return there, nil
	}
	sound := true
	var err error
	switch {
	case g.o.dry:
		sound, err = g.files.sound(ctx, a)
	case g.o.into != "":
		if sound, err = g.files.sound(ctx, a); sound && err == nil {
			n := 0
			err = g.files.read(ctx, a, func(piece []byte) error {
				_, err := g.exec(ctx, "INSERT INTO main."+g.o.into+" (digest, ordinal, data) VALUES (?, ?, ?)", b.Digest, n, piece)
				n++
				return err
			})
		}
	case g.has(b):
		return true, nil
	default:
		err = writeFile(g.db.ArtifactPath(b), func(f *os.File) error {
			return g.files.read(ctx, a, func(piece []byte) error { _, err := f.Write(piece); return err })
		})
		if errors.Is(err, ErrCorrupt) || errors.Is(err, errNoContent) {
			sound, err = false, nil
		}
	}
	if err != nil {
		return false, err
	}
	if g.written[place] = sound; sound {
		g.report.Files++
		g.report.FileBytes += b.Bytes
	}
	return sound, nil
}

// has says whether the target has an artifact's file. Its name holds the digest, and only whole files are given their names.
func (g *merger) has(b Artifact) bool {
	fi, err := os.Lstat(g.db.ArtifactPath(b))
	return err == nil && fi.Mode().IsRegular() && fi.Size() == b.Bytes
}
