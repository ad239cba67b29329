package store

import (
	"context"
	"strings"
	"time"
)

// yard is what decides which files beside the database are garbage.
type yard struct {
	recorded map[string]bool // names of artifacts to which an attempt that stays refers
	busy     map[string]bool // keys of runs at which somebody is, or may still be
	finished map[string]bool // keys of runs whose training is over: a checkpoint is of no use
	known    map[string]bool // keys of runs that stay
	underWay bool            // some run is
	now      time.Time
	grace    time.Duration // a file that nothing refers to is younger where it is about to be recorded
	work     time.Duration // a file is younger that somebody is still writing
}

// yardFile is a file or a folder beside the database, or among the artifacts.
type yardFile struct {
	folder, name string
	dir          bool
	modified     time.Time
}

// The names of what is being written in the database's own folder.
var workPrefixes = []string{".kappa-backup-", ".kappa-export-", stagePrefix, partialPrefix}

// judge says whether a file is garbage, and why.
func (y yard) judge(f yardFile) (kind GarbageKind, why string, garbage bool) {
	old := func(grace time.Duration) bool { return grace <= 0 || y.now.Sub(f.modified) >= grace } // whatever the clock says
	if f.folder != artifactFolder {
		for _, p := range workPrefixes {
			if strings.HasPrefix(f.name, p) {
				return GarbageTemporary, "a command that was cut off has left it", old(y.work)
			}
		}
		return "", "", false
	}
	key, _, _ := strings.Cut(f.name, "-")
	switch {
	case strings.HasPrefix(f.name, partialPrefix):
		return GarbageTemporary, "it was never written to its end", !y.underWay && old(y.grace)
	case f.dir || checkKey(key) != nil || y.recorded[f.name]: // what kappa has not put there is not its to delete
		return "", "", false
	case y.busy[key]:
		return "", "", false
	case f.name == key+checkpointSuffix && y.finished[key]:
		return GarbageCheckpoint, "its run is finished", old(y.grace)
	case f.name == key+checkpointSuffix && !y.known[key]:
		return GarbageCheckpoint, "its run is not recorded", old(y.grace)
	case f.name == key+checkpointSuffix:
		return "", "", false // the next attempt goes on from there
	}
	return GarbageArtifact, "it belongs to no attempt", old(y.grace)
}

// readYard reads what is known of the files, as it is once the runs dead are deleted.
func readYard(ctx context.Context, q querier, dead []deadRun) (yard, error) {
	y := yard{recorded: map[string]bool{}, busy: map[string]bool{}, finished: map[string]bool{}, known: map[string]bool{}}
	gone := make(map[string]bool, len(dead))
	for _, d := range dead {
		gone[d.Name] = true
	}
	err := each(ctx, q, `SELECT r.key, ifnull(s.status IN ('done', 'diverged'), 0), a.status = 'running',
		a.status = 'running' OR (a.status = 'interrupted' AND a.reason = ? AND s.status NOT IN ('done', 'diverged'))
		FROM attempt AS a JOIN run AS r ON r.id = a.run LEFT JOIN attempt AS s ON s.id = r.shown`, []any{abandoned},
		func(scan func(...any) error) error {
			var key string
			var finished, running, busy bool
			if err := scan(&key, &finished, &running, &busy); err != nil {
				return err
			}
			if !gone[key] {
				y.known[key] = true
				y.finished[key] = finished
				y.busy[key] = y.busy[key] || busy
				y.underWay = y.underWay || running
			}
			return nil
		})
	if err != nil {
		return y, err
	}
	return y, each(ctx, q, `SELECT f.path, r.key FROM artifact AS f JOIN attempt AS a ON a.id = f.attempt JOIN run AS r ON r.id = a.run`, nil,
		func(scan func(...any) error) error {
			var path, key string
			err := scan(&path, &key)
			if !gone[key] {
				y.recorded[strings.TrimPrefix(path, artifactFolder+"/")] = true
			}
			return err
		})
}
