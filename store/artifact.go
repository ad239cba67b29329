package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// artifactFolder lies beside the database. A file whose name begins with partialPrefix is being written.
const (
	artifactFolder = "artifacts"
	partialPrefix  = ".tmp-"
)

// WriteArtifact writes data to a file of its own for the run key, on the disk when it returns, and says what to put into
// Outcome.Artifacts. name is the artifact's name, such as theta, with or without an extension (.npy by default). The
// content's digest is part of the file's name, so that an attempt never overwrites what another one has left.
func (db *DB) WriteArtifact(key, name string, data []byte) (Artifact, error) {
	a, err := db.writeArtifact(key, name, data)
	return a, db.fileFault("keep "+name, err)
}

// fileFault is fault for a file beside the database that could not be written.
func (db *DB) fileFault(op string, err error) error {
	e := &Error{Path: db.path, Op: op}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EFBIG), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EIO):
		e.Err, e.Hint = fmt.Errorf("%w: %w", ErrDisk, err), "is there space left?"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.Err, e.Hint = fmt.Errorf("%w: %w", ErrReadOnly, err), "check the permissions of its folder and of artifacts in it"
	default:
		return db.fault(op, err)
	}
	return e
}

func (db *DB) writeArtifact(key, name string, data []byte) (Artifact, error) {
	if db.w == nil {
		return Artifact{}, ErrReadOnly
	}
	if err := checkKey(key); err != nil {
		return Artifact{}, err
	}
	if name == "" || name != filepath.Base(name) || strings.ContainsAny(name, `/\:`) || name[0] == '.' {
		return Artifact{}, fmt.Errorf("%q is no file name", name)
	}
	if filepath.Ext(name) == "" {
		name += ".npy"
	}
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	a := Artifact{
		Name:   strings.TrimSuffix(name, filepath.Ext(name)),
		Path:   path.Join(artifactFolder, key+"-"+digest[:12]+"-"+name),
		Digest: digest, Bytes: int64(len(data)),
	}
	if old, err := db.readArtifact(a); err == nil && len(old) == len(data) {
		return a, nil
	}
	return a, writeFile(db.ArtifactPath(a), func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
}

// writeFile lets write write a file under a temporary name, syncs and renames it.
func writeFile(name string, write func(f *os.File) error) (err error) {
	dir := filepath.Dir(name)
	if err := makeFolders(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, partialPrefix+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o644), f.Sync()); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncFolder(dir)
}

// clearPartial removes files that were never written to their end. It is for a moment in which no run is under way: who else
// would be writing them? What cannot be removed is in nobody's way.
func (db *DB) clearPartial() {
	dir, err := os.Open(filepath.Join(db.Dir(), artifactFolder))
	if err != nil {
		return
	}
	names, _ := dir.Readdirnames(-1)
	_ = dir.Close()
	for _, name := range names {
		if strings.HasPrefix(name, partialPrefix) {
			_ = os.Remove(filepath.Join(dir.Name(), name))
		}
	}
}

// ArtifactPath is the absolute path of a's file.
func (db *DB) ArtifactPath(a Artifact) string {
	return filepath.Join(db.Dir(), filepath.FromSlash(a.Path))
}

// ReadArtifact reads a's file and verifies its digest.
func (db *DB) ReadArtifact(a Artifact) ([]byte, error) {
	data, err := db.readArtifact(a)
	return data, db.fault("read an artifact", err)
}

func (db *DB) readArtifact(a Artifact) ([]byte, error) {
	if !filepath.IsLocal(filepath.FromSlash(a.Path)) {
		return nil, fmt.Errorf("%s leads out of the database's folder", a.Path)
	}
	data, err := os.ReadFile(db.ArtifactPath(a))
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != a.Digest {
		return nil, fmt.Errorf("%w: %s has changed since it was recorded", ErrCorrupt, a.Path)
	}
	return data, nil
}

// Artifact finds the artifact of a name ("theta") that the one run whose key begins with prefix has kept. It fails with
// ErrNotFound, or with *AmbiguousError.
func (db *DB) Artifact(ctx context.Context, prefix, name string) (Artifact, error) {
	run, err := db.RunByPrefix(ctx, prefix)
	if err != nil {
		return Artifact{}, err
	}
	kept, err := db.artifacts(ctx, "r.key = ?", run.Key)
	if err != nil {
		return Artifact{}, db.fault("look for an artifact", err)
	}
	var names []string
	for _, k := range kept {
		for _, a := range k.Artifacts {
			if a.Name == name {
				return a, nil
			}
			names = append(names, a.Name)
		}
	}
	has := "it has kept none (keep = \"none\", or its θ is too large)"
	if len(names) > 0 {
		has = "it has kept " + strings.Join(names, ", ")
	}
	return Artifact{}, fmt.Errorf("artifact %q of run %.12s (%s): %w; %s", name, run.Key, run.Status, ErrNotFound, has)
}

// Kept is a finished run with artifacts.
type Kept struct {
	Run       string
	Attempt   int64
	Status    Status
	Artifacts []Artifact
}

// FindTheta finds a finished run with the same training whose θ is kept and whose file is still there.
func (db *DB) FindTheta(ctx context.Context, trainKey string) (Kept, bool, error) {
	if trainKey == "" {
		return Kept{}, false, nil
	}
	kept, err := db.artifacts(ctx, "r.train_key = ?", trainKey)
	if err != nil {
		return Kept{}, false, db.fault("look for a kept θ", err)
	}
	for _, k := range kept {
		for _, a := range k.Artifacts {
			if fi, err := os.Stat(db.ArtifactPath(a)); a.Name == "theta" && err == nil && fi.Size() == a.Bytes {
				return k, true, nil
			}
		}
	}
	return Kept{}, false, nil
}

// Trained says which of training keys belong to a run that the database holds: for the others, of a large plan nearly all, there is nothing
// that FindTheta could find.
func (db *DB) Trained(ctx context.Context, trainKeys []string) (map[string]bool, error) {
	asked := make(map[string]bool, len(trainKeys))
	for _, key := range trainKeys {
		asked[key] = true
	}
	query, args := "SELECT DISTINCT r.train_key FROM json_each(?) AS j CROSS JOIN run AS r ON r.train_key = j.value", []any{nil}
	runs := 0
	if err := db.r.QueryRowContext(ctx, "SELECT ifnull(max(id), 0) FROM run").Scan(&runs); err != nil {
		return nil, db.fault("look for trained runs", err)
	}
	if runs <= timesMany*len(asked) {
		query, args = "SELECT DISTINCT train_key FROM run WHERE train_key IS NOT NULL", nil
	} else {
		args[0] = mustJSON(slices.Collect(maps.Keys(asked)))
	}
	found := make(map[string]bool)
	err := each(ctx, db.r, query, args, func(scan func(...any) error) error {
		var key string
		err := scan(&key)
		if asked[key] {
			found[key] = true
		}
		return err
	})
	return found, db.fault("look for trained runs", err)
}

// artifacts lists what the finished runs that satisfy where have kept.
func (db *DB) artifacts(ctx context.Context, where string, arg any) ([]Kept, error) {
	var kept []Kept
	err := each(ctx, db.r, `SELECT r.key, t.id, t.status, a.name, a.path, a.digest, a.bytes
		FROM run AS r JOIN attempt AS t ON t.id = r.shown JOIN artifact AS a ON a.attempt = t.id
		WHERE t.status IN ('done', 'diverged') AND r.removed IS NULL AND `+where+` ORDER BY t.id DESC, a.name`, []any{arg},
		func(scan func(...any) error) error {
			var k Kept
			var a Artifact
			if err := scan(&k.Run, &k.Attempt, &k.Status, &a.Name, &a.Path, &a.Digest, &a.Bytes); err != nil {
				return err
			}
			if n := len(kept); n == 0 || kept[n-1].Attempt != k.Attempt {
				kept = append(kept, k)
			}
			last := &kept[len(kept)-1]
			last.Artifacts = append(last.Artifacts, a)
			return nil
		})
	return kept, err
}
