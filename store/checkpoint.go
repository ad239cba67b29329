package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A checkpoint is a file KEY-checkpoint beside the artifacts: the state of a training that is under way, which a later attempt at the
// same run takes up. No row tells of it. Its first line is the SHA-256 of what follows, 64 hex digits.
const checkpointSuffix = "-checkpoint"

func (db *DB) checkpointPath(key string) string {
	return filepath.Join(db.Dir(), artifactFolder, key+checkpointSuffix)
}

// WriteCheckpoint replaces the checkpoint of a run by what write writes, on the disk when it returns. Where write fails the old one stays.
func (db *DB) WriteCheckpoint(key string, write func(w io.Writer) error) error {
	if db.w == nil {
		return db.fault("write a checkpoint", ErrReadOnly)
	}
	if err := checkKey(key); err != nil {
		return err
	}
	return db.fileFault("write a checkpoint", writeFile(db.checkpointPath(key), func(f *os.File) error {
		line := bytes.Repeat([]byte{'\n'}, 2*sha256.Size+1) // until the digest is known
		if _, err := f.Write(line); err != nil {
			return err
		}
		sum := sha256.New()
		if err := write(io.MultiWriter(f, sum)); err != nil {
			return err
		}
		hex.Encode(line, sum.Sum(nil))
		_, err := f.WriteAt(line, 0)
		return err
	}))
}

// ReadCheckpoint returns what WriteCheckpoint has written last. ok is false where there is none; the error says that it cannot be read,
// or that it is not what was written (ErrCorrupt).
func (db *DB) ReadCheckpoint(key string) (data []byte, ok bool, err error) {
	if err := checkKey(key); err != nil {
		return nil, false, err
	}
	path := db.checkpointPath(key)
	data, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, db.fault("read a checkpoint", err)
	}
	line, data, found := bytes.Cut(data, []byte("\n"))
	if sum := sha256.Sum256(data); !found || hex.EncodeToString(sum[:]) != string(line) {
		return nil, false, db.fault("read a checkpoint", fmt.Errorf("%w: %s is not what was written", ErrCorrupt, filepath.Base(path)))
	}
	return data, true, nil
}

// RemoveCheckpoint removes the checkpoint of a run, if there is one.
func (db *DB) RemoveCheckpoint(key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := os.Remove(db.checkpointPath(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return db.fault("remove a checkpoint", err)
	}
	return nil
}
