package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// replaceable refuses to write a file in the place of a database or of a spec, whatever --force says: what it holds may be nowhere else.
// "" and "-" are no files.
func (a *app) replaceable(output string) error {
	switch path := onDisk(a.cwd, output); {
	case output == "" || output == "-":
		return nil
	case filepath.Ext(path) == ".toml" && isFile(path):
		return usagef("name another file, or remove that one", "write %s: it is a spec, which is not overwritten", output)
	case ofDatabase(path):
		return notReplaced(output)
	}
	return nil
}

func notReplaced(output string) error {
	return usagef("name another file, or remove that one", "write %s: it belongs to a SQLite database, which is not overwritten", output)
}

// ofDatabase says whether a path is that of a SQLite database, or of a file that goes with one.
func ofDatabase(path string) bool {
	for _, end := range []string{"", "-wal", "-shm", "-journal", "-acked"} {
		if base, ok := strings.CutSuffix(path, end); ok && isDatabase(base) {
			return true
		}
	}
	return false
}

// isDatabase says whether a file begins as SQLite databases do.
func isDatabase(path string) bool {
	const magic = "SQLite format 3\x00"
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // a pipe would keep the opening waiting
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	begins := make([]byte, len(magic))
	_, err = io.ReadFull(f, begins)
	return err == nil && string(begins) == magic
}

// writeFile writes a file whole or not at all.
func writeFile(path string, data []byte) error {
	return streamFile(path, func(w io.Writer) error {
		_, err := bytes.NewReader(data).WriteTo(w)
		return err
	})
}

// streamFile writes a file whole or not at all, as it comes. A device or a pipe is written to, not replaced.
func streamFile(path string, write func(w io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone after the rename
	err = write(f)
	if err == nil {
		err = errors.Join(f.Chmod(0o644), f.Sync())
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
