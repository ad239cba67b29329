package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kappa/experiments"
)

// databaseFile is where a project's database lies under its root.
const databaseFile = ".kappa/runs.db"

// specFile is a spec that was found.
type specFile struct {
	Shown   string // how to name it to people: relative to the current folder where that is shorter
	Path    string // absolute; of a shipped spec, where it would lie
	Dir     string // absolute: data paths are relative to it, the report is written into it
	Root    string // absolute: the project's root
	Bytes   []byte
	Shipped bool // it comes from the binary
}

// name is the spec's name: the file's without its extension.
func (f specFile) name() string { return strings.TrimSuffix(filepath.Base(f.Path), ".toml") }

// projectRoot returns the nearest folder from dir upwards that holds .kappa/ or .git, dir itself if none does.
func projectRoot(dir string) string {
	if root, ok := markedRoot(dir); ok {
		return root
	}
	return dir
}

// specRoot is the root of a spec's project: what [projectRoot] says of its folder dir, but where no folder is marked and the
// spec lies below the current folder, the current folder, in which commands without a spec look for the database.
func specRoot(cwd, dir string) string {
	if root, ok := markedRoot(dir); ok {
		return root
	}
	if rel, err := filepath.Rel(cwd, dir); err == nil && filepath.IsLocal(rel) {
		return cwd
	}
	return dir
}

func markedRoot(dir string) (root string, ok bool) {
	for at := dir; ; {
		if info, err := os.Stat(filepath.Join(at, ".kappa")); err == nil && info.IsDir() {
			return at, true
		}
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			return at, true
		}
		up := filepath.Dir(at)
		if up == at {
			return "", false
		}
		at = up
	}
}

// findSpec looks a spec up: an existing path, or one without its .toml; NAME.toml, then experiments/NAME.toml, here and upwards to the project's root;
// a shipped experiment of that name.
func findSpec(cwd, arg string) (specFile, error) {
	if info, err := os.Stat(onDisk(cwd, arg)); err == nil && !info.IsDir() {
		return readSpec(cwd, onDisk(cwd, arg))
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
		return specFile{}, usagef("", "open spec %s: %v", arg, cause(err))
	}
	name := strings.TrimSuffix(arg, ".toml")
	if strings.ContainsAny(name, `/\`) || name == "" {
		tried := []string{arg}
		if name != "" && name == arg && filepath.Base(arg) != ".." {
			if p := onDisk(cwd, name+".toml"); isFile(p) {
				return readSpec(cwd, p)
			}
			tried = append(tried, name+".toml")
		}
		return specFile{}, notFound(cwd, arg, tried)
	}
	var tried []string
	root := projectRoot(cwd)
	for at := cwd; ; at = filepath.Dir(at) {
		for _, p := range []string{filepath.Join(at, name+".toml"), filepath.Join(at, "experiments", name+".toml")} {
			if isFile(p) {
				return readSpec(cwd, p)
			}
			if name := shown(cwd, p); !slices.Contains(tried, name) { // "a/b.toml" may be near and far
				tried = append(tried, name)
			}
		}
		if at == root || at == filepath.Dir(at) {
			break
		}
	}
	data, err := experiments.Shipped.ReadFile(name + ".toml")
	if err != nil {
		return specFile{}, notFound(cwd, arg, append(tried, "the shipped experiments"))
	}
	return specFile{
		Shown: name + ".toml", Path: filepath.Join(cwd, name+".toml"), Dir: cwd, Root: root, Bytes: data, Shipped: true,
	}, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func readSpec(cwd, path string) (specFile, error) {
	data, err := readBounded(path)
	if err != nil {
		return specFile{}, usagef("", "read spec %s: %v", shown(cwd, path), cause(err))
	}
	dir := filepath.Dir(path)
	return specFile{Shown: shown(cwd, path), Path: path, Dir: dir, Root: specRoot(cwd, dir), Bytes: data}, nil
}

// readBounded reads a spec: a regular file, and no more of it than tells that it is too long.
func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path) // before it is opened: a pipe would keep that waiting
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is not a regular file (%s)", info.Mode())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, experiments.MaxBytes+1))
	if int64(len(data)) > experiments.MaxBytes {
		return nil, fmt.Errorf("it has %d bytes; a spec has at most %d", max(info.Size(), int64(len(data))), experiments.MaxBytes)
	}
	return data, err
}

func notFound(cwd, arg string, tried []string) error {
	hint := "shipped experiments: " + strings.Join(shippedNames(), ", ") + "; `kappa new NAME` writes one"
	if near := nearSpecs(cwd, arg); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef(hint, "open spec %s: there is none; looked for %s", arg, strings.Join(tried, ", "))
}

// nearSpecs lists the names of specs at hand that arg may have been meant to be.
func nearSpecs(cwd, arg string) []string {
	names := shippedNames()
	for _, path := range ownSpecs(cwd) {
		if name := strings.TrimSuffix(filepath.Base(path), ".toml"); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return near(strings.TrimSuffix(filepath.Base(arg), ".toml"), names)
}

// near picks the names that differ from what was typed by as little as a mistyped command differs from the one that was meant.
func near(typed string, names []string) []string {
	c := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, name := range names {
		if !strings.ContainsAny(name, " \t") { // a command's name ends there
			c.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
		}
	}
	return c.SuggestionsFor(typed)
}

// shippedNames lists the experiments inside the binary.
func shippedNames() []string {
	files, err := fs.Glob(experiments.Shipped, "*.toml")
	if err != nil {
		return nil
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, ".toml")
	}
	slices.Sort(files)
	return files
}

// specFiles lists the specs that lie in a project: *.toml and experiments/*.toml of the current folder and of the root.
func specFiles(cwd string) []string {
	var out []string
	root := projectRoot(cwd)
	for _, dir := range []string{cwd, filepath.Join(cwd, "experiments"), root, filepath.Join(root, "experiments")} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			f := filepath.Join(dir, e.Name())
			if filepath.Ext(f) != ".toml" || slices.Contains(out, f) {
				continue
			}
			if info, err := os.Stat(f); err == nil && info.Mode().IsRegular() { // links lead to files
				out = append(out, f)
			}
		}
	}
	return out
}

// onDisk makes a path that a user gave absolute.
func onDisk(cwd, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(cwd, path)
}

// shown is a path as people read it: relative to the current folder if it lies below it, else as it is.
func shown(cwd, path string) string {
	rel, err := filepath.Rel(cwd, path)
	if err != nil || strings.HasPrefix(rel, ".."+string(filepath.Separator)+"..") {
		return path
	}
	return rel
}

// cause strips the operation and path that a sentence around an error names already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}

// uniqueSpecs refuses specs whose files would overwrite each other.
func uniqueSpecs(specs []specFile) error {
	seen := make(map[string]string)
	for _, s := range specs {
		if other, ok := seen[s.Path]; ok {
			return usagef("", "spec %s is given twice", other)
		}
		seen[s.Path] = s.Shown
	}
	return nil
}

// databasePath is where the runs of a spec (or of the current folder, for commands without one) are recorded.
func databasePath(cwd, flag, env, root string) string {
	switch {
	case flag != "":
		return onDisk(cwd, flag)
	case env != "":
		return onDisk(cwd, env)
	}
	return filepath.Join(root, filepath.FromSlash(databaseFile))
}
