package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kappa/runner/dataset"
)

// dataFS opens the data files that a spec names: a path is relative to the spec's folder and must stay inside one of the
// roots after symbolic links are resolved. It accepts "../data/x.csv" and absolute paths, which other file systems refuse.
type dataFS struct {
	dir   string   // the spec's folder, absolute
	known string   // the data folder, where the files of data sets known by name lie; may not exist, "" if there is none
	roots []string // absolute, links resolved
	hint  string   // how to admit another folder
	seen  *dataset.Sightings

	digests *dataDigests // nil: none are remembered
}

// newDataFS admits the project's root, the data folder, and the folders given on the command line.
func newDataFS(spec specFile, data string, allow []string) (dataFS, error) {
	d := dataFS{dir: spec.Dir, known: data, hint: "--allow DIR admits another folder", seen: new(dataset.Sightings)}
	for _, root := range append([]string{spec.Root, data}, allow...) {
		if root == "" {
			continue
		}
		real, err := filepath.EvalSymlinks(root)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && root == data {
				continue // nothing has been fetched yet
			}
			return d, usagef("", "data folder %s: %v", root, cause(err))
		}
		d.roots = append(d.roots, real)
	}
	return d, nil
}

// Open implements [fs.FS]. What is neither a file nor a folder, such as a pipe, which would keep it waiting, it does not open.
func (d dataFS) Open(name string) (f fs.File, err error) {
	err = d.within("open", name, func(root *os.Root, rel string) error {
		info, err := root.Stat(rel)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() && !info.IsDir() {
			return fmt.Errorf("it is not a regular file (%s)", info.Mode())
		}
		f, err = root.Open(rel)
		return err
	})
	return f, err
}

// Stat implements [fs.StatFS].
func (d dataFS) Stat(name string) (info fs.FileInfo, err error) {
	err = d.within("stat", name, func(root *os.Root, rel string) error {
		info, err = root.Stat(rel)
		return err
	})
	return info, err
}

// Sightings implements [dataset.Observer].
func (d dataFS) Sightings() *dataset.Sightings { return d.seen }

var (
	_ fs.StatFS        = dataFS{}
	_ dataset.Observer = dataFS{}
	_ dataset.Memory   = dataFS{}
)

// within calls do with the admitted folder that a path leads into, and the path below it.
func (d dataFS) within(op, name string, do func(root *os.Root, rel string) error) error {
	path := filepath.FromSlash(name)
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.dir, path)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return &fs.PathError{Op: op, Path: name, Err: cause(err)}
	}
	for _, root := range d.roots {
		rel, err := filepath.Rel(root, real)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		// Opened through the root, so that a link put there meanwhile leads nowhere else.
		confined, err := os.OpenRoot(root)
		if err != nil {
			return &fs.PathError{Op: op, Path: name, Err: cause(err)}
		}
		err = do(confined, rel)
		_ = confined.Close()
		if err != nil {
			return &fs.PathError{Op: op, Path: name, Err: cause(err)}
		}
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: fmt.Errorf(
		"it lies outside of %s; %s", strings.Join(d.roots, " and of "), d.hint,
	)}
}

// Library implements [dataset.Library].
func (d dataFS) Library() (files fs.FS, folder string) {
	if d.known == "" {
		return nil, "the data folder: set KAPPA_DATA, as the user has no cache folder"
	}
	d.dir = d.known
	return d, d.known
}

var _ dataset.Library = dataFS{}

// dataFolder is where data sets that are not in the binary are kept.
func dataFolder(env Env) string {
	if dir := env.Getenv("KAPPA_DATA"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "kappa")
}
